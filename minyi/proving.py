"""Holding what came out of a backup against what its manifest says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desk.audit import seal_key, verify
from minyi.archiving import DATABASES, SEALED, Manifest
from minyi.members import ArchiveError, shown
from minyi.wavekeys import open_waves
from storage import FileKeyring, copying, newest_revision
from storage.copying import Contents
from storage.programs import CopyError
from surveys.keys import WaveKeys


def prove(folder: Path, manifest: Manifest, database: str = "") -> Iterator[str]:
    """Look at all of an archive unpacked into ``folder``, and say what was found in order.

    Raises ArchiveError at the first thing that is not. A dump is loaded into ``database``, an
    empty PostgreSQL database, and left there; without one it is only listed.
    """
    yield f"{len(manifest.files):,} files have the hashes that the manifest gives"
    yield _keys(folder)  # first: the audit is sealed with one of them
    if manifest.database == "sqlite":
        file = folder / DATABASES["sqlite"]
        yield from _file(file, manifest)
        yield _audit(f"sqlite:///{file}", folder, manifest)
    else:
        yield from _dump(folder, manifest, database)


def prove_waves(folder: Path, manifest: Manifest, passphrase: str) -> dict[str, WaveKeys]:
    """The keys of waves that the passphrase opens; each belongs to a wave of the manifest."""
    keys = open_waves((folder / SEALED).read_bytes(), passphrase)
    if set(keys) != set(manifest.waves) - set(manifest.unkeyed):
        raise ArchiveError("the sealed keys are not those of its waves")
    return keys


@contextmanager
def understood() -> Iterator[None]:
    """Whatever a database of a stranger's makes of our reading it is said in one sentence."""
    try:
        yield
    except (ArchiveError, CopyError, OSError):
        raise
    except Exception as error:
        kind = type(error).__name__
        raise ArchiveError(f"the database in it is not as Minyi writes one ({kind})") from error


def _file(file: Path, manifest: Manifest) -> Iterator[str]:
    for flaw in copying.sqlite_flaws(file):
        raise ArchiveError(f"the database in it is damaged: {shown(flaw)}")
    _same(copying.sqlite_contents(file), manifest)
    yield "the database is whole, and no row names another that is not there"
    yield _counted(manifest)


def _dump(folder: Path, manifest: Manifest, database: str) -> Iterator[str]:
    dump = folder / DATABASES["postgresql"]
    # of waves whose keys are not in it whole tables stay out
    missing = {name for name, rows in manifest.counts.items() if rows} - copying.listed_tables(dump)
    if missing:
        raise ArchiveError(f"the dump in it lacks the table {min(missing)}")
    if not database:
        yield (
            f"the dump lists all {len(manifest.counts)} tables. It was NOT restored: name an empty "
            "database with --scratch to have that tried"
        )
        return
    _same(copying.load_postgres(dump, database), manifest)
    yield "the dump was restored into an empty database"
    yield _counted(manifest)
    yield _audit(database, folder, manifest)


def _same(inside: Contents, manifest: Manifest) -> None:
    for table in sorted({*inside.counts, *manifest.counts}):
        has, wants = inside.counts.get(table), manifest.counts.get(table)
        if has != wants:
            raise ArchiveError(f"table {shown(table)} has {has} rows, its manifest says {wants}")
    if set(inside.waves) != set(manifest.waves):
        raise ArchiveError("its manifest names other open waves than the database in it")
    if inside.revision != manifest.revision:
        raise ArchiveError(f"the database stands at {inside.revision}, not {manifest.revision}")


def _counted(manifest: Manifest) -> str:
    rows = sum(manifest.counts.values())
    return f"{rows:,} rows in {len(manifest.counts)} tables, as many as were counted"


def _audit(database: str, folder: Path, manifest: Manifest) -> str:
    if manifest.revision != newest_revision():
        return f"the audit was not looked at: the database stands at {manifest.revision}"
    key = seal_key(FileKeyring(folder / "keys").app_key())

    def work(tx: Any) -> int:
        head: tuple[int, str] = tx.audit_head()
        for flaw in verify(tx.audit_chain(), key, head):
            raise ArchiveError(f"the audit in it does not hold: entry {flaw.seq} was {flaw.kind}")
        return head[0]

    with understood():
        return f"the audit's chain of {copying.looked_up(database, work):,} entries holds"


def _keys(folder: Path) -> str:
    if not (folder / "keys" / "app.key").is_file():
        raise ArchiveError("the application's key is not in it")
    keyring = FileKeyring(folder / "keys")
    readers = sorted(path.stem for path in (folder / "keys" / "readers").glob("*.key"))
    try:
        keyring.app_key()
        for reader in readers:
            keyring.reader_public(reader)
    except ValueError:
        raise ArchiveError("a key in it is damaged") from None
    return f"the application's key and those of {len(readers)} readers can be used"
