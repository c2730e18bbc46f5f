"""Alembic's side of the schema; :mod:`storage.schema` drives it."""
