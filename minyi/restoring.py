"""The way back: a backup becomes a data directory, whole and proved, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desk.audit import Act, Facts, Mark, record, seal_key
from minyi.archiving import (
    DATABASES,
    SEALED,
    ArchiveError,
    Manifest,
    beside,
    flush,
    measured,
    peek,
    said,
    unpack,
)
from minyi.proving import prove, prove_waves
from minyi.safekeeping import SafekeepingError
from minyi.wavekeys import PassphraseError
from storage import FileHead, FileKeyring, copying, knows_revision, newest_revision
from storage.copying import CopyError
from surveys.campaigns import WaveState
from surveys.keys import WaveKeys


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored into ``folder``.

    ``lost`` are open waves whose answers cannot be counted, ``fresh`` waves that had not begun
    and were given new keys.
    """

    folder: Path
    manifest: Manifest
    sha256: str
    lost: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()


def restore(
    archive: Path,
    into: Path,
    passphrase: str = "",
    *,
    database: str = "",
    who: str = "operator",
    now: datetime | None = None,
) -> Restored:
    """Restore ``archive`` into ``into``, which must be missing or empty.

    ``database`` is the URL of an empty PostgreSQL database, for a backup of one. Without the
    passphrase the keys of waves stay sealed and are left out. Raises SafekeepingError; then
    ``into`` is as it was.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise SafekeepingError(f"{into} holds something already. Name an empty directory.")
    try:
        with beside(into) as folder:
            manifest = unpack(archive, folder)
            _acceptable(manifest, database)
            with copying.filling(database if manifest.database == "postgresql" else ""):
                restored = _filled(archive, folder, manifest, passphrase, database)
                _settled(restored, _where(folder, database), who, now or datetime.now(UTC))
                flush(folder)
                folder.rename(into)
        flush(into.absolute().parent)
    except (ArchiveError, CopyError, PassphraseError) as error:
        raise SafekeepingError(f"{archive.name} was not restored: {said(error)}") from None
    return replace(restored, folder=into)


def holds_wave_keys(archive: Path) -> bool:
    """Whether a passphrase is needed for all of it. SafekeepingError where it is no archive."""
    try:
        return SEALED in peek(archive).files
    except ArchiveError as error:
        raise SafekeepingError(f"{archive.name} was not restored: {said(error)}") from None


def _acceptable(manifest: Manifest, database: str) -> None:
    if not knows_revision(manifest.revision):
        raise ArchiveError(
            f"Minyi {manifest.program} made it, at revision {manifest.revision} of the database, "
            "which this Minyi does not know. Use that version or a newer one"
        )
    if manifest.database == "postgresql":
        if not database.startswith("postgres"):
            raise ArchiveError(
                "it holds a PostgreSQL database. Set MINYI_DATABASE_URL to an empty one"
            )
        if not copying.is_empty(database):
            raise ArchiveError("the database of MINYI_DATABASE_URL holds tables already")


def _where(folder: Path, database: str) -> str:
    file = folder / DATABASES["sqlite"]
    return f"sqlite:///{file}" if file.is_file() else database


def _filled(
    archive: Path, folder: Path, manifest: Manifest, passphrase: str, database: str
) -> Restored:
    """Everything proved and the keys of waves in their place; what cannot be had is named."""
    keys: dict[str, WaveKeys] = {}
    if SEALED in manifest.files:
        if passphrase:
            keys = prove_waves(folder, manifest, passphrase)
        (folder / SEALED).unlink()
    proved = tuple(prove(folder, manifest, database))
    keyring = FileKeyring(folder / "keys")
    for wave, found in keys.items():
        keyring.keep_wave(wave, found)
    missing = sorted(set(manifest.waves) - set(keys))
    lost, fresh = _without_keys(keyring, missing, _where(folder, database))
    (folder / DATABASES["postgresql"]).unlink(missing_ok=True)
    (folder / "attachments").mkdir(mode=0o700, exist_ok=True)
    return Restored(folder, manifest, measured(archive).sha256, lost, fresh, proved)


def _without_keys(
    keyring: FileKeyring, missing: Sequence[str], database: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Waves that lost their answers, and waves that had none yet and get other keys."""
    lost, fresh = [], []
    with copying.changing(database) as connection:
        for wave, (state, _) in copying.contents(connection).waves.items():
            if wave in missing and state == WaveState.PLANNED:
                copying.give_tally_key(connection, wave, keyring.new_wave(wave))
                fresh.append(wave)
            elif wave in missing:
                lost.append(wave)
    return tuple(lost), tuple(fresh)


def _settled(restored: Restored, database: str, who: str, now: datetime) -> None:
    """Nobody is still signed in, no link or code that was used works again; the audit knows, and
    its head is noted beside the database as everywhere.
    """
    manifest = restored.manifest
    key = seal_key(FileKeyring(restored.folder / "keys").app_key())
    head = FileHead(restored.folder / "audit.head", key)
    if manifest.revision != newest_revision():
        if "audit" in manifest.counts:
            head.replace(copying.looked_up(database, lambda tx: tx.audit_head()))
        return  # the migration to come knows nothing of the rest; sessions end by themselves
    act = Act(who, who, "terminal", now, key)
    ever = datetime.max.replace(tzinfo=UTC)

    def work(tx: Any) -> Mark:
        tx.drop_stale(ever, ever)
        facts: Facts = {"made_at": manifest.made_at, "waves_lost": len(restored.lost)}
        what = f"backup:{restored.sha256[:12]}"
        entry = record(tx, act, "backup.restored", what, None, facts)
        return entry.seq, entry.hash

    head.replace(copying.worked(database, work))
