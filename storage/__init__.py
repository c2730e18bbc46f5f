"""The Store on SQLite and PostgreSQL, its migrations, and the keys that lie beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.head import FileHead
    from storage.keyring import FileKeyring
    from storage.outage import DatabaseGoneError
    from storage.schema import knows_revision, migrate, newest_revision, revision
    from storage.store import SqlStore
    from storage.vault import FileVault

__all__ = [
    "DatabaseGoneError",
    "FileHead",
    "FileKeyring",
    "FileVault",
    "SqlStore",
    "knows_revision",
    "migrate",
    "newest_revision",
    "revision",
]

_HOMES = {
    "DatabaseGoneError": "storage.outage",
    "FileHead": "storage.head",
    "FileKeyring": "storage.keyring",
    "FileVault": "storage.vault",
    "SqlStore": "storage.store",
    "knows_revision": "storage.schema",
    "migrate": "storage.schema",
    "newest_revision": "storage.schema",
    "revision": "storage.schema",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, when it is: Alembic alone would cost every start a third second."""
    if name not in _HOMES:
        raise AttributeError(f"module 'storage' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
