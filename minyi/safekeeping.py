"""Backups: everything in one file, proved by restoring it.

Order. The database is copied first, keys and attachments after it. A wave's key exists before the
wave's row and is destroyed after the tally; a file lies in the vault before an answer that names
it is committed. So whatever the copy of the database needs still exists when it is fetched, unless
a tally or a sweep took it away in between: then the copy is out of date and is made anew.

Of a wave whose keys are not in the backup neither is what was answered, nor who has answered.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shlex import quote

from minyi.archiving import (
    DATABASES,
    SEALED,
    Manifest,
    measured,
    pack,
    said,
    unpack,
)
from minyi.drafts import beside, flush
from minyi.members import ArchiveError
from minyi.opening import database_file
from minyi.proving import prove, prove_waves
from minyi.settings import Settings
from minyi.wavekeys import PassphraseError, fits, seal_waves
from storage import FileKeyring, copying, unanswered
from storage.copying import Contents, NotEmptyError
from storage.programs import CopyError, has_program
from surveys.keys import WaveKeys

TRIES = 3


class SafekeepingError(Exception):
    """No backup was made, or nothing was restored; the text says why and how to mend it."""


class _OutOfDateError(Exception):
    """Something that the copied database needs has gone since."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was backed up. ``sha256`` is of the whole file; ``proved`` says how it was tried."""

    file: Path
    size: int
    sha256: str
    manifest: Manifest
    proved: tuple[str, ...]

    @property
    def sealed(self) -> bool:
        """Whether keys of waves are in it, under the passphrase."""
        return SEALED in self.manifest.files


def backup(
    settings: Settings, file: Path, passphrase: str = "", *, scratch: str = "",
    now: datetime | None = None,
) -> Backup:  # fmt: skip
    """Back up everything to ``file``, which must not be there yet; others may be writing.

    With ``passphrase`` the keys of waves are in it, and what people answered in them. ``scratch``
    is the URL of an empty PostgreSQL database in which a dump may be tried. Raises
    SafekeepingError and leaves nothing behind.
    """
    if file.exists():
        raise SafekeepingError(f"{file} is there already. Give another name: nothing is replaced.")
    if scratch and not scratch.startswith("postgres"):
        raise SafekeepingError("The scratch database must be a PostgreSQL one: postgresql://…")
    made_at = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    try:
        with beside(file) as folder:
            manifest = _gathered(settings, folder, passphrase, made_at)
            packed = measured(folder / "archive")
            proved = _tried(folder / "archive", passphrase, scratch)
            (folder / "archive").rename(file)
        flush(file.absolute().parent)
    except (ArchiveError, CopyError, PassphraseError) as error:
        raise SafekeepingError(f"No backup was made: {said(error)}") from None
    return Backup(file, packed.size, packed.sha256, manifest, proved)


def _tried(archive: Path, passphrase: str, scratch: str) -> tuple[str, ...]:
    """What was found when ``archive`` was restored into a directory that is gone again."""
    with beside(archive) as folder:
        manifest = unpack(archive, folder)
        with _borrowed(scratch if manifest.database == "postgresql" else "") as borrowed:
            proved = [*prove(folder, manifest, borrowed)]
        if SEALED in manifest.files:
            kept = prove_waves(folder, manifest, passphrase)
            proved.append(f"the passphrase opens the keys of {len(kept)} waves")
    return tuple(proved)


@contextmanager
def _borrowed(scratch: str) -> Iterator[str]:
    """A scratch database, empty before and after. One that is not empty is not touched."""
    if scratch and not copying.is_empty(scratch):
        raise NotEmptyError("the scratch database holds tables; name an empty one")
    with copying.filling(scratch):
        yield scratch
    if scratch:
        copying.empty_postgres(scratch)


def _gathered(settings: Settings, folder: Path, passphrase: str, made_at: str) -> Manifest:
    """Write ``folder/archive``."""
    for tried in range(TRIES):
        try:
            return _collected(settings, folder, passphrase, made_at)
        except (_OutOfDateError, FileNotFoundError) as gone:
            if tried == TRIES - 1:
                raise SafekeepingError(f"Not all could be read: {gone}. Try again.") from None
            for left in folder.iterdir():
                left.unlink()
    raise AssertionError("unreachable")


def _collected(settings: Settings, folder: Path, passphrase: str, made_at: str) -> Manifest:
    kind, inside = _database(settings, folder, passphrase)  # first: see the top of this module
    if not inside.revision:
        raise SafekeepingError("The database has no tables yet, so there is nothing to back up.")
    keys = {wave: _wave_keys(settings, wave, known) for wave, (_, known) in inside.waves.items()}
    held = {wave: found for wave, found in keys.items() if found is not None}
    if len(held) < len(keys) and _tallied_since(settings, set(keys) - set(held)):
        raise _OutOfDateError("a wave was tallied meanwhile")
    unkeyed = set(inside.waves) - (set(held) if passphrase else set())
    if unkeyed and kind == "sqlite":
        inside = unanswered.without_answers(folder / DATABASES[kind], unkeyed)
    sources = {DATABASES[kind]: folder / DATABASES[kind]}
    sources |= {f"keys/{path.relative_to(settings.keys_dir)}": path for path in _keys(settings)}
    if passphrase and held:
        (folder / SEALED).touch(0o600)
        (folder / SEALED).write_bytes(seal_waves(held, passphrase))
        sources[SEALED] = folder / SEALED
    sources |= _attachments(settings, inside)
    manifest = Manifest(
        version("minyi"), inside.revision, made_at, kind, inside.counts,
        tuple(inside.waves), tuple(sorted(unkeyed)),
        {name: measured(path) for name, path in sources.items()},
    )  # fmt: skip
    pack(folder / "archive", manifest, sources)
    return manifest


def _database(settings: Settings, folder: Path, passphrase: str) -> tuple[str, Contents]:
    """Copy it into ``folder``: sqlite or postgresql, and what is in the copy."""
    file = database_file(settings)
    if file is None:
        if not has_program("pg_dump"):
            raise SafekeepingError(guide(settings))
        to, without = folder / DATABASES["postgresql"], () if passphrase else unanswered.TABLES
        return "postgresql", copying.dump_postgres(settings.database, to, without)
    if not file.is_file():
        raise SafekeepingError(f"There is no database at {file}, so nothing to back up.")
    to = folder / DATABASES["sqlite"]
    _room(folder, 3 * file.stat().st_size)
    copying.copy_sqlite(file, to)
    return "sqlite", copying.sqlite_contents(to)


def _room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SafekeepingError(
            f"{folder.parent} has {free / 2**20:,.0f} MB free; the copy, the archive and its trial "
            f"need about {needed / 2**20:,.0f} MB. Make room, or name a file on another disk."
        )


def _keys(settings: Settings) -> Iterator[Path]:
    """Every key but those of waves and what is only half written."""
    waves = settings.keys_dir / "waves"
    for path in sorted(settings.keys_dir.rglob("*")):
        if path.is_file() and waves not in path.parents and not path.name.startswith("."):
            yield path


def _wave_keys(settings: Settings, wave: str, public: bytes) -> WaveKeys | None:
    found = FileKeyring(settings.keys_dir).wave_keys(wave)
    return found if found is not None and fits(found, public) else None


def _tallied_since(settings: Settings, waves: set[str]) -> bool:
    """Whether the running database has done with any of ``waves``, open in the copy."""
    file = database_file(settings)
    now = copying.database_contents(settings.database) if file is None else (
        copying.sqlite_contents(file))  # fmt: skip
    return bool(waves - set(now.waves))


def _attachments(settings: Settings, inside: Contents) -> dict[str, Path]:
    """A row may still wait for its file; one that somebody kept may not."""
    found: dict[str, Path] = {}
    for name, kept in inside.attachments.items():
        path = settings.data_dir / "attachments" / name
        if path.is_file():
            found[f"attachments/{name}"] = path
        elif kept:
            raise _OutOfDateError(f"attachment {name} is missing")
    return found


def guide(settings: Settings) -> str:
    """What to type for a PostgreSQL database where its own programs are not installed."""
    out = " ".join(f"--exclude-table-data={table}" for table in unanswered.TABLES)
    folder = quote(str(settings.data_dir))
    kept = " ".join(name for name in ("keys", "attachments") if (settings.data_dir / name).is_dir())
    return f"""pg_dump is not installed here, so the database cannot be copied from here.
Install postgresql-client, of the server's version or newer, and repeat. Or, in this order:
  umask 077
  pg_dump --format=custom --no-owner --file=minyi.dump {out} "$MINYI_DATABASE_URL"
  tar -cf minyi-keys.tar --exclude=keys/waves -C {folder} {kept}
and to put them back into an empty database and an empty directory:
  pg_restore --single-transaction --no-owner --dbname="$MINYI_DATABASE_URL" minyi.dump
  tar -xf minyi-keys.tar -C DIRECTORY
What was answered in open waves, and concerns not sent yet, are not in it."""
