"""The way back: a backup becomes a data directory, whole and proved, or nothing at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desk.audit import Act, Facts, Mark, record, seal_key
from minyi.archiving import (
    DATABASES,
    SEALED,
    Manifest,
    measured,
    peek,
    said,
    unpack,
)
from minyi.drafts import beside, flush
from minyi.members import ArchiveError
from minyi.proving import prove, prove_waves, understood
from minyi.safekeeping import SafekeepingError
from minyi.wavekeys import PassphraseError
from storage import FileHead, FileKeyring, copying, knows_revision, newest_revision
from storage.programs import CopyError
from storage.unanswered import forget_answers, may_begin
from surveys.campaigns import WaveState
from surveys.keys import WaveKeys


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored into ``folder``.

    ``lost`` are open waves whose answers are gone; ``again`` those of them that still run and begin
    anew, with new keys. ``fresh`` had not begun, and have new keys, too.
    """

    folder: Path
    manifest: Manifest
    sha256: str
    lost: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
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
    at = now or datetime.now(UTC)
    try:
        with beside(into) as folder:
            manifest = unpack(archive, folder)
            _acceptable(manifest, database)
            with copying.filling(database if manifest.database == "postgresql" else ""):
                restored = _filled(archive, folder, manifest, passphrase, database, at)
                with understood():
                    _settled(restored, _where(folder, database), who, at)
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
            raise ArchiveError(
                "the database of MINYI_DATABASE_URL holds tables already. Name an empty one; where "
                "they are of a restore that was killed, drop that database and make it anew"
            )


def _where(folder: Path, database: str) -> str:
    file = folder / DATABASES["sqlite"]
    return f"sqlite:///{file}" if file.is_file() else database


def _filled(
    archive: Path, folder: Path, manifest: Manifest, passphrase: str, database: str, at: datetime
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
    missing = set(manifest.waves) - set(keys)
    with understood():
        lost, again, fresh = _without_keys(keyring, missing, _where(folder, database), at)
    (folder / DATABASES["postgresql"]).unlink(missing_ok=True)
    (folder / "attachments").mkdir(mode=0o700, exist_ok=True)
    return Restored(folder, manifest, measured(archive).sha256, lost, again, fresh, proved)


def _without_keys(
    keyring: FileKeyring, missing: Collection[str], database: str, at: datetime
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Lost, again, fresh: see :class:`Restored`. Nobody has answered in any of them any more."""
    lost: list[str] = []
    again: list[str] = []
    fresh: list[str] = []
    with copying.changing(database) as connection:
        waves = copying.contents(connection).waves
        mine = [wave for wave in waves if wave in missing]
        forget_answers(connection, mine)
        running = may_begin(connection, at)
        for wave in mine:
            begun = waves[wave][0] != WaveState.PLANNED
            (lost if begun else fresh).append(wave)
            if wave in running:
                copying.give_tally_key(connection, wave, keyring.new_wave(wave))
                again.extend([wave] if begun else [])
    return tuple(lost), tuple(again), tuple(fresh)


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
