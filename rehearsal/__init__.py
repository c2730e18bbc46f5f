"""A stage: a Bot API server on loopback, simulated people, and ratings to replay.

Dry runs, the demo, load and crash tests stand on it. Nothing here reaches Telegram.
"""
