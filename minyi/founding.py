"""What ``minyi init`` makes: a settings file to fill in, the data directory, keys, tables."""

from __future__ import annotations

import json
from collections.abc import Iterator

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


def found(settings: Settings) -> Iterator[str]:
    """Make what is missing, telling each thing done. What is there is left alone."""
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
        yield f"{done} the keys in {settings.keys_dir}. Back up all of it but `waves`."
    except OSError as error:
        why = (error.strerror or "not usable").lower()
        raise FoundingError(f"{error.filename}: {why}. Set MINYI_DATA_DIR.") from None
    yield _tables(settings)


def _tables(settings: Settings) -> str:
    file = database_file(settings)
    try:
        before = revision(settings.database) if file is None or file.exists() else None
        migrate(settings.database)
    except (DatabaseGoneError, ValueError) as error:
        raise FoundingError(f"The database: {error}") from None
    except Exception as error:  # each driver has its own family of errors
        shown = settings.shown_database
        raise FoundingError(f"The database at {shown} is not usable: {reason(error)}.") from None
    if file is not None:
        file.chmod(0o600)
    newest = newest_revision()
    done = "Found" if before == newest else "Made" if before is None else f"Brought from {before}"
    return f"{done} the database {settings.shown_database} at {newest}."
