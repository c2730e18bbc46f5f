"""Conversations word for word, as a person reads them, in every channel."""
