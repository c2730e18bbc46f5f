"""What ``minyi init`` makes: a settings file to fill in, the data directory, keys, tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from minyi.opening import database_file, keyring, reason
from minyi.settings import Settings
from storage import DatabaseGoneError, migrate, newest_revision, revision

READERS = ("handler", "leader", "oversight")  # of concerns
SECRET = frozenset(("telegram_token", "database_url", "openid_client_secret", "metrics_token"))


class FoundingError(Exception):
    """Something cannot be made; the text says what and how to mend it."""


def template() -> str:
    """A settings file in TOML that sets nothing: each setting with its meaning and default."""
    lines = ["# Minyi's settings. The environment (MINYI_…) wins over this file.", ""]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = default if isinstance(default, (int, float)) else str(default or "")
        lines += [f"# {field.description}", f"# {name} = {json.dumps(shown, ensure_ascii=False)}"]
        if name in SECRET:
            lines[-2] += " A secret: better in the environment."
    return "\n".join(lines) + "\n"


def found(settings: Settings, *, has_backup: bool = False) -> Iterator[str]:
    """Make what is missing, telling each thing done. What is there is left alone.

    An older database is copied before it is brought up to date; ``has_backup`` says that the
    operator has a copy of a PostgreSQL database already.
    """
    folder = settings.data_dir
    try:
        new = not folder.exists()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield f"{'Made' if new else 'Found'} the data directory {folder}."
        keys = keyring(settings)
        fresh = not (settings.keys_dir / "app.key").exists()
        keys.app_key()
        for reader in READERS:
            keys.reader_public(reader)
        done = "Made" if fresh else "Found"
        yield f"{done} the keys in {settings.keys_dir}. Back them up with `minyi backup`."
    except OSError as error:
        why = (error.strerror or "not usable").lower()
        raise FoundingError(f"{error.filename}: {why}. Set MINYI_DATA_DIR.") from None
    yield from _tables(settings, has_backup)


def _tables(settings: Settings, has_backup: bool) -> Iterator[str]:
    file = database_file(settings)
    newest = newest_revision()
    try:
        before = revision(settings.database) if file is None or file.exists() else None
        if before not in {None, newest}:
            yield _copied(settings, str(before), str(newest), has_backup)
        migrate(settings.database)
    except FoundingError:
        raise
    except (DatabaseGoneError, ValueError) as error:
        raise FoundingError(f"The database: {error}") from None
    except Exception as error:  # each driver has its own family of errors
        shown = settings.shown_database
        raise FoundingError(f"The database at {shown} is not usable: {reason(error)}.") from None
    if file is not None:
        file.chmod(0o600)
    done = "Found" if before == newest else "Made" if before is None else f"Brought from {before}"
    yield f"{done} the database {settings.shown_database} at {newest}."


def _copied(settings: Settings, before: str, newest: str, has_backup: bool) -> str:
    """Copy the database before it is changed; what was done. Nothing is ever replaced."""
    from storage import copying, knows_revision
    from storage.programs import CopyError

    if not knows_revision(before):
        raise FoundingError(
            f"The database stands at {before}, which this version of Minyi does not know: a newer "
            "one was here. Use that one again. Nothing was changed."
        )
    file = database_file(settings)
    try:
        if file is not None:
            to = _free(file.with_name(f"{file.name}.before-{newest}"))
            copying.copy_sqlite(file, to)
        elif has_backup:
            return "You have a copy of the database, so none is made."
        else:
            to = _free(settings.data_dir / f"minyi.dump.before-{newest}")
            copying.dump_postgres(settings.database, to)
    except (CopyError, OSError) as error:
        raise FoundingError(
            f"The database stands at {before} and is to be brought to {newest}, but could not be "
            f"copied first: {str(error).rstrip('.')}. Nothing was changed. {_other_way(file)}"
        ) from None
    return (
        f"Copied the database, as it was at {before}, to {to}. It holds all that the database "
        "holds: delete it when you have seen that all is well."
    )


def _free(path: Path) -> Path:
    """``path``, or the next like it that is not there."""
    others = (path.with_name(f"{path.name}-{n}") for n in count(2))
    return path if not path.exists() else next(each for each in others if not each.exists())


def _other_way(file: Path | None) -> str:
    if file is not None:
        return "Make room beside it, or mend what is said, and repeat."
    return (
        "Install pg_dump (postgresql-client, not older than the server), or copy the database "
        "yourself and repeat with --i-have-a-backup."
    )
