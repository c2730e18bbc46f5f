"""Opening what lies on disk: the store and the keys, with plain words where they are not ready."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from minyi.settings import Settings
from storage import DatabaseGoneError, FileKeyring, FileVault, SqlStore

SQLITE = "sqlite:///"


class NotReadyError(Exception):
    """Something must be done before this can be used; the text says what."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[SqlStore]:
    """The store of ``settings``, up to date. NotReadyError where it is not there or too old."""
    behind = what_is_missing(settings)
    if behind is not None:
        raise NotReadyError(behind)
    store = SqlStore(settings.database)
    try:
        yield store
    except DatabaseGoneError as error:
        raise NotReadyError(f"{error}. Start the database, or see `minyi doctor`.") from None
    finally:
        await store.close()


def what_is_missing(settings: Settings) -> str | None:
    """Why the database cannot be used yet and what to do, or None where it can."""
    from storage import newest_revision, revision

    file = database_file(settings)
    if file is not None and not file.is_file():
        return f"There is no database at {file}. Run `minyi init`."
    newest = newest_revision()
    try:
        stands = revision(settings.database)
    except Exception as error:  # the driver's errors are many, and each means: not reachable
        return f"The database at {settings.shown_database} is not usable: {reason(error)}."
    if stands is None:
        return "The database has no tables yet. Run `minyi init`."
    if stands != newest:
        return f"The database stands at {stands}, this program needs {newest}. Run `minyi init`."
    return None


def database_file(settings: Settings) -> Path | None:
    """The SQLite file; None for another database or one in memory."""
    name = settings.database.removeprefix(SQLITE)
    return Path(name) if name and settings.database.startswith(SQLITE) else None


def keyring(settings: Settings) -> FileKeyring:
    """The keys in the data directory."""
    return FileKeyring(settings.keys_dir)


def vault(settings: Settings) -> FileVault:
    """The files that people handed over, in the data directory."""
    return FileVault(settings.data_dir / "attachments")


def reason(error: Exception) -> str:
    """The first line of what a driver says, which never holds the password."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(cause).__name__
