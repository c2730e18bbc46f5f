"""The REST API under /api/v1: the desk's own functions, for programs."""
