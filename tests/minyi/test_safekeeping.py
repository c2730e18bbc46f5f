"""Backups: made while people answer, proved, and brought back elsewhere; and what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import sqlite3
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from desk.accounts import Account, Stage
from desk.audit import Entry, Noted
from desk.entry import sessions
from desk.store import Sought
from minyi import archiving
from minyi.archiving import ArchiveError, Manifest, pack, read_manifest, unpack
from minyi.auditing import head_file
from minyi.house import open_house
from minyi.opening import keyring, opened, vault
from minyi.restoring import restore
from minyi.safekeeping import SafekeepingError, backup
from minyi.settings import Settings
from minyi.wavekeys import PassphraseError, fits, open_waves, seal_waves
from storage import copying, revision
from surveys.campaigns import Wave, WaveState
from surveys.files.attachments import opened as unsealed
from surveys.files.attachments import take
from surveys.forms.form import Kind
from surveys.keys import WaveKeys
from tests.minyi.conftest import Minyi
from tests.minyi.visitors import Crowd, Served, furnished, histograms, settings_in, tallied
from tests.postgres import Cluster
from tests.surveys.handing import photo

PHRASE = "correct horse battery staple"
LANES = 6
NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


# ---- during load


async def test_a_backup_during_load_has_every_answer_acknowledged_before_it_began(
    tmp_path: Path,
) -> None:
    await while_people_answer(tmp_path, "", "")


async def test_on_postgresql_too(
    tmp_path: Path, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(postgres.binaries), prepend=os.pathsep)
    await while_people_answer(
        tmp_path, postgres.fresh_database(), postgres.empty_database(), postgres.empty_database()
    )


async def while_people_answer(
    folder: Path, database: str, elsewhere: str, scratch: str = ""
) -> None:
    """Answers before, during and after the backup; kill -9; the same counts elsewhere."""
    settings = settings_in(folder / "here", database)
    await furnished(settings)
    served, over = Served(settings), asyncio.Event()
    await served.start()
    crowd = Crowd(served.url, Random(3))
    answering = asyncio.create_task(crowd.come(LANES, over.is_set))
    await crowd.reaches(30)
    before = list(crowd.done)
    file = folder / "minyi.backup"
    made = await asyncio.to_thread(backup, settings, file, PHRASE, scratch=scratch)
    possible = crowd.begun
    await crowd.reaches(possible + LANES)  # people went on, and their answers count here only
    assert (await served.end(signal.SIGKILL))[0] == -signal.SIGKILL
    over.set()
    await answering
    assert any("audit" in line for line in made.proved)
    there = Settings.model_validate({"data_dir": folder / "there", "database_url": elsewhere})
    restored = await asyncio.to_thread(restore, file, there.data_dir, PHRASE, database=elsewhere)
    assert (restored.lost, restored.fresh) == ((), ())
    found = await tallied(there)
    least, most = histograms(before), histograms(crowd.done)
    ballots = made.manifest.counts["ballots"]
    for cell, counts in found.items():
        assert all(a <= b <= c for a, b, c in zip(least[cell], counts, most[cell], strict=True))
    windows = {window for window, _ in found}
    per_person = sum(sum(c) for (_, i), c in found.items() if i == "speed")
    assert (per_person, len(windows)) == (ballots, 2), "whatever the copy held was counted"
    assert len(before) <= ballots <= possible
    left = await tallied(settings)  # what was on its way when it was killed may be there or not
    assert all(
        a <= b <= a + LANES
        for cell, counts in most.items()
        for a, b in zip(counts, left[cell], strict=True)
    )


# ---- what is in it, what is not


@pytest.fixture
async def house(tmp_path: Path) -> Settings:
    """A house with an open wave, a file somebody kept and one that nobody did."""
    settings = settings_in(tmp_path / "house")
    await furnished(settings)
    return settings


def open_waves_of(settings: Settings) -> list[str]:
    return sorted(copying.sqlite_contents(settings.data_dir / "minyi.db").waves)


def test_without_a_passphrase_no_key_of_a_wave_is_in_it_and_the_loss_is_named(
    house: Settings, tmp_path: Path
) -> None:
    made = backup(house, tmp_path / "b")
    wave = open_waves_of(house)
    assert made.manifest.unkeyed == tuple(wave)
    secrets = [path.read_bytes() for path in (house.keys_dir / "waves").glob("*.key")]
    assert secrets
    assert not any(secret in (tmp_path / "b").read_bytes() for secret in secrets)
    restored = restore(tmp_path / "b", tmp_path / "there")
    assert restored.lost == tuple(wave)
    assert not list((tmp_path / "there" / "keys" / "waves").iterdir())


def test_with_a_passphrase_they_are_in_it_but_not_to_be_seen(
    house: Settings, tmp_path: Path
) -> None:
    made = backup(house, tmp_path / "b", PHRASE)
    assert made.manifest.unkeyed == ()
    [path] = (house.keys_dir / "waves").glob("*.key")
    assert path.read_bytes() not in (tmp_path / "b").read_bytes()
    restore(tmp_path / "b", tmp_path / "there", PHRASE)
    again = tmp_path / "there" / "keys" / "waves" / path.name
    assert again.read_bytes() == path.read_bytes()
    assert again.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "there" / "waves.sealed").exists()
    with pytest.raises(SafekeepingError, match="does not open the keys"):
        restore(tmp_path / "b", tmp_path / "elsewhere", "another passphrase")
    assert not (tmp_path / "elsewhere").exists()


async def test_a_wave_that_had_not_begun_is_given_new_keys(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "house")
    await furnished(settings)

    def later(tx: Any) -> None:
        [wave] = tx.waves()
        key = keyring(settings).new_wave("load.later")
        tx.put_wave(replace(wave, id="load.later", tally_key=key, state=WaveState.PLANNED))

    async with opened(settings) as store:
        await store.write(later)
    await asyncio.to_thread(backup, settings, tmp_path / "b")
    restored = await asyncio.to_thread(restore, tmp_path / "b", tmp_path / "there")
    assert restored.fresh == ("load.later",)
    there = Settings.model_validate({"data_dir": tmp_path / "there"})
    async with opened(there) as store:
        wave: Wave | None = await store.read(lambda tx: tx.wave("load.later"))
    keys = keyring(there).wave_keys("load.later")
    assert wave is not None
    assert keys is not None
    assert fits(keys, wave.tally_key), "what is sealed to it from now on can be opened"


async def test_files_that_people_handed_over_come_back_readable(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "house")
    await furnished(settings)
    async with open_house(settings) as house:
        token = await take(house.vault, Kind.IMAGE, photo(), house.store, house.clock().date())
        assert isinstance(token, str)
        name = token.split(".")[0]
        await house.store.write(lambda tx: tx.keep_attachment(name))
        await house.store.write(lambda tx: tx.put_attachment("0" * 32, house.clock().date()))
    await asyncio.to_thread(backup, settings, tmp_path / "b")
    await asyncio.to_thread(restore, tmp_path / "b", tmp_path / "there")
    there = Settings.model_validate({"data_dir": tmp_path / "there"})
    assert await unsealed(vault(there), token) == await unsealed(vault(settings), token)
    (settings.data_dir / "attachments" / name).unlink()
    with pytest.raises(SafekeepingError, match=f"attachment {name} is missing"):
        await asyncio.to_thread(backup, settings, tmp_path / "c")
    assert not await asyncio.to_thread((tmp_path / "c").exists)


async def test_a_wave_tallied_between_the_copy_and_its_keys_makes_the_copy_anew(
    house: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[Path] = []
    genuine = copying.copy_sqlite

    def then_tallied(file: Path, to: Path) -> None:
        genuine(file, to)
        copied.append(to)
        if len(copied) == 1:
            asyncio.run(tallied(house))

    monkeypatch.setattr(copying, "copy_sqlite", then_tallied)
    made = await asyncio.to_thread(backup, house, tmp_path / "b", PHRASE)
    assert (len(copied), made.manifest.waves) == (2, ())


def test_whoever_was_signed_in_is_not_and_the_audit_tells_of_both(
    founded: Minyi, tmp_path: Path
) -> None:
    made = founded("backup", "b.tar")
    assert made.status == 0
    assert "Proved: the audit's chain" in made.out
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    here = Settings.model_validate({"data_dir": tmp_path / "minyi-data"})
    copying.worked(here.database, signed_in)
    [entry] = audited(here)
    assert (entry.action, entry.who.partition(":")[0]) == ("backup.made", "operator")
    assert founded("backup", "c.tar").status == 0
    restored = founded("restore", "c.tar", "--into", "there")
    assert restored.status == 0
    assert "MINYI_DATA_DIR=" in restored.out
    there = Settings.model_validate({"data_dir": tmp_path / "there"})
    actions = [entry.action for entry in audited(there)]
    assert actions == ["backup.restored", "backup.made"], "the newest first"
    assert sessions_of(here) == 1
    assert sessions_of(there) == 0
    again = founded("restore", "c.tar", "--into", "there")
    assert (again.status, "holds something already" in again.err) == (1, True)
    place = str(tmp_path / "there")
    assert founded("doctor", MINYI_DATA_DIR=place).status == 0
    noted = head_file(there).noted()
    assert noted == Noted(copying.looked_up(there.database, lambda tx: tx.audit_head()))
    assert founded("audit", "verify", MINYI_DATA_DIR=place).status == 0


def signed_in(tx: Any) -> None:
    account = Account("a1", "anna", "Anna", NOW)
    tx.put_account(account)
    sessions.begin(tx, account, Stage.FULL, NOW, "203.0.113.7", "Tester")


def sessions_of(settings: Settings) -> int:
    return copying.looked_up(settings.database, lambda tx: len(tx.sessions("a1")))


def audited(settings: Settings) -> list[Entry]:
    """What the audit says of backups, the newest first."""
    sought = Sought(action="backup")
    return list(copying.looked_up(settings.database, lambda tx: tx.audit(sought)))


def test_the_command_reads_the_passphrase_from_a_file_and_says_what_is_missing(
    minyi: Minyi, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path / "minyi-data")
    asyncio.run(furnished(settings))
    bare = minyi("backup", "bare")
    assert bare.status == 0
    assert "NOT in it: the keys of 1 wave(s)" in bare.out
    (tmp_path / "phrase").write_text(f"{PHRASE}\n")
    option = ("--waves-passphrase-file", "phrase")
    made = minyi("backup", "whole", *option)
    assert "Destroy it once they are" in made.out
    nobody = minyi("restore", "whole", "--into", "there")
    assert (nobody.status, "nobody is here to type it" in nobody.err) == (1, True)
    without = minyi("restore", "whole", "--into", "bare-there", "--without-waves")
    assert (without.status, "LOST" in without.err) == (0, True)
    whole = minyi("restore", "whole", "--into", "there", *option)
    assert (whole.status, "LOST" in whole.err) == (0, False)
    (tmp_path / "phrase").write_text("short\n")
    short = minyi("backup", "third", *option)
    assert (short.status, "shorter than 12" in short.err) == (1, True)
    assert not (tmp_path / "third").exists()


def test_keys_under_a_passphrase_open_for_it_alone() -> None:
    keys = {"w": WaveKeys(b"r" * 32, b"t" * 32)}
    sealed = seal_waves(keys, PHRASE)
    assert open_waves(sealed, PHRASE) == keys
    for wrong in (sealed[:-1], sealed[:20], b"minyi waves 2\n" + sealed[14:]):
        with pytest.raises(PassphraseError):
            open_waves(wrong, PHRASE)


# ---- what is refused


@pytest.fixture
def archive(founded: Minyi, tmp_path: Path) -> Path:
    """A good backup."""
    assert founded("backup", "good.tar").status == 0
    return tmp_path / "good.tar"


def members(archive: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(archive) as tar:
        return [(m, (tar.extractfile(m) or io.BytesIO()).read()) for m in tar]


def written(path: Path, parts: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for member, content in parts:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return path


Spoil = Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]


def also(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Spoil:
    """One more member, named in the manifest as well."""

    def spoil(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        told = json.loads(parts[0][1])
        told["files"][name] = {"size": 1, "sha256": "0" * 64}
        parts[0] = (parts[0][0], json.dumps(told).encode())
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        parts.append((member, b"x"))

    return spoil


def manifest_with(**changes: object) -> Spoil:
    def spoil(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        told = {**json.loads(parts[0][1]), **changes}
        parts[0] = (parts[0][0], json.dumps(told).encode())

    return spoil


def one_byte_less(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    parts[1] = (parts[1][0], parts[1][1][:-1])


def one_byte_other(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    content = parts[1][1]
    parts[1] = (parts[1][0], bytes([content[0] ^ 1]) + content[1:])


def key_twice(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    parts.append(parts[2])


def unannounced(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    parts.append((tarfile.TarInfo("keys/more.key"), b"x"))


def no_manifest(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    parts.pop(0)


def last_one_missing(parts: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    parts.pop()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (also("../outside"), "../outside would lie outside"),
        (also("/etc/passwd"), "/etc/passwd would lie outside"),
        (also("keys/../../x.key"), "would lie outside"),
        (also("keys/link.key", tarfile.SYMTYPE, "/etc/passwd"), "keys/link.key is a link"),
        (also("keys/hard.key", tarfile.LNKTYPE, "keys/app.key"), "keys/hard.key is a link"),
        (also("keys/pipe.key", tarfile.FIFOTYPE), "keys/pipe.key is a link or a device"),
        (also("keys/waves/w.key"), "keys/waves/w.key has no place"),
        (also("minyi.toml"), "minyi.toml has no place"),
        (also("keys/.hidden"), "keys/.hidden has no place"),
        (also("attachments/short"), "attachments/short has no place"),
        (one_byte_less, "minyi.db has"),
        (one_byte_other, "minyi.db was changed"),
        (key_twice, "is in it twice"),
        (unannounced, "keys/more.key is not in its manifest"),
        (no_manifest, "does not begin with a manifest"),
        (last_one_missing, "is missing; it was cut off"),
        (manifest_with(format=2), "format 2"),
        (manifest_with(files="x"), "manifest is incomplete"),
        (manifest_with(database="oracle"), "names no database"),
        (manifest_with(revision="9999"), "which this Minyi does not know"),
        (manifest_with(counts={"people": 7}), "rows, its manifest says"),
        (manifest_with(counts={"people": "many"}), "manifest is incomplete"),
    ],
)
def test_an_archive_that_is_not_as_it_should_be_is_refused_by_name_and_leaves_nothing(
    archive: Path, tmp_path: Path, spoil: Spoil, named: str
) -> None:
    parts = members(archive)
    spoil(parts)
    bad = written(tmp_path / "bad.tar", parts)
    with pytest.raises(SafekeepingError) as refused:
        restore(bad, tmp_path / "there")
    assert named in str(refused.value)
    assert str(refused.value).startswith("bad.tar was not restored: ")
    assert sorted(p.name for p in tmp_path.iterdir() if "there" in p.name) == []


@pytest.mark.parametrize("part", [0.0, 0.001, 0.2, 0.6, 0.97])
def test_an_archive_cut_off_anywhere_is_refused(archive: Path, tmp_path: Path, part: float) -> None:
    content = archive.read_bytes()
    end = sum(-(-len(body) // 512) * 512 + 512 for _, body in members(archive))
    (tmp_path / "cut.tar").write_bytes(content[: int(end * part)])
    with pytest.raises(SafekeepingError, match=r"cut\.tar was not restored"):
        restore(tmp_path / "cut.tar", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_tampered_audit_is_not_restored(archive: Path, tmp_path: Path) -> None:
    """The hashes of the archive can be made anew by whoever changes it; the seals cannot."""
    folder = tmp_path / "opened"
    folder.mkdir()
    manifest = unpack(archive, folder)
    restore(archive, tmp_path / "second")  # its audit has an entry
    db = folder / "minyi.db"
    shutil.copy(tmp_path / "second" / "minyi.db", db)
    with sqlite3.connect(db) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit SET who = 'somebody else'")
    connection.close()
    with pytest.raises(SafekeepingError, match="audit in it does not hold: entry 1 was changed"):
        restore(repacked(manifest, folder, tmp_path / "bad.tar"), tmp_path / "there")


def repacked(manifest: Manifest, folder: Path, to: Path) -> Path:
    files = {name: archiving.measured(folder / name) for name in manifest.files}
    counts = copying.sqlite_contents(folder / "minyi.db").counts
    changed = replace(manifest, files=files, counts=counts)
    pack(to, changed, {name: folder / name for name in files})
    return to


def test_a_backup_of_a_damaged_database_is_not_called_one(founded: Minyi, tmp_path: Path) -> None:
    file = tmp_path / "minyi-data" / "minyi.db"
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 6] = os.urandom(4096 * 3)
    file.write_bytes(bytes(content))
    ran = founded("backup", "b.tar")
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert not [path for path in tmp_path.iterdir() if "b.tar" in path.name]


def test_nothing_is_replaced_and_nothing_is_made_of_nothing(minyi: Minyi, tmp_path: Path) -> None:
    none = minyi("backup", "b.tar")
    assert (none.status, "nothing to back up" in none.err) == (1, True)
    (tmp_path / "b.tar").write_text("mine")
    there = minyi("backup", "b.tar")
    assert (there.status, "nothing is replaced" in there.err) == (1, True)
    strange = minyi("restore", "b.tar", "--into", "there")
    assert (strange.status, "no archive of Minyi" in strange.err) == (1, True)
    missing = minyi("restore", "c.tar", "--into", "there")
    assert (missing.status, "c.tar: no such file" in missing.err) == (1, True)


def test_a_disk_without_room_is_told_before_anything_is_written(
    founded: Minyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(100, 99, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    ran = founded("backup", "b.tar")
    assert (ran.status, "Make room" in ran.err) == (1, True)


def test_told_to_end_half_way_a_backup_leaves_no_copy_of_everything_behind(
    founded: Minyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = copying.copy_sqlite

    def told(file: Path, to: Path) -> None:
        genuine(file, to)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(copying, "copy_sqlite", told)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert founded("backup", "b.tar").status == 143
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": 1}', b"\xff"])
def test_a_manifest_that_says_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(ArchiveError):
        read_manifest(content)


# ---- PostgreSQL


def test_postgresql_wants_its_own_programs_or_tells_what_to_type(
    minyi: Minyi, tmp_path: Path, postgres: Cluster
) -> None:
    url = postgres.fresh_database()
    (tmp_path / "nothing").mkdir()
    ran = minyi("backup", "b", MINYI_DATABASE_URL=url, PATH=str(tmp_path / "nothing"))
    assert ran.status == 1
    assert "pg_dump --format=custom" in ran.err
    assert "pg_restore --single-transaction" in ran.err
    assert not (tmp_path / "b").exists()


def test_a_dump_is_restored_into_an_empty_database_and_no_other(
    tmp_path: Path, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(postgres.binaries), prepend=os.pathsep)
    settings = settings_in(tmp_path / "here", postgres.fresh_database())
    asyncio.run(furnished(settings))
    made = backup(settings, tmp_path / "b")
    assert any("NOT restored" in line for line in made.proved), "and says so"
    standing = copying.database_contents(settings.database)
    with pytest.raises(SafekeepingError, match="scratch database holds tables"):
        backup(settings, tmp_path / "c", scratch=settings.database)
    with pytest.raises(SafekeepingError, match="must be a PostgreSQL one"):
        backup(settings, tmp_path / "c", scratch="sqlite:///scratch.db")
    assert copying.database_contents(settings.database) == standing, "nobody's is emptied"
    scratch = postgres.empty_database()
    tried = backup(settings, tmp_path / "c", scratch=scratch)
    assert any("restored into an empty database" in line for line in tried.proved)
    assert copying.is_empty(scratch)
    refusals = {
        "": "Set MINYI_DATABASE_URL",
        "sqlite:///x": "Set MINYI_DATABASE_URL",
        settings.database: "holds tables already",
    }
    for database, words in refusals.items():
        with pytest.raises(SafekeepingError, match=words):
            restore(tmp_path / "b", tmp_path / "there", database=database)
    empty = postgres.empty_database()
    damaged = damaged_key(tmp_path / "b", tmp_path / "bad")
    with pytest.raises(SafekeepingError, match="a key in it is damaged"):
        restore(damaged, tmp_path / "there", database=empty)
    assert copying.is_empty(empty), "a database half restored is emptied again"
    assert not (tmp_path / "there").exists()
    assert copying.database_contents(settings.database) == standing
    restore(tmp_path / "b", tmp_path / "there", database=empty)
    assert revision(empty) == revision(settings.database)
    there = sorted(path.name for path in (tmp_path / "there").iterdir())
    assert there == ["attachments", "audit.head", "keys"]


def damaged_key(archive: Path, to: Path) -> Path:
    folder = to.with_name("damaged")
    folder.mkdir()
    manifest = unpack(archive, folder)
    (folder / "keys" / "app.key").write_bytes(b"short")
    files = {name: archiving.measured(folder / name) for name in manifest.files}
    pack(to, replace(manifest, files=files), {name: folder / name for name in files})
    return to


def test_a_password_stands_in_no_list_of_processes() -> None:
    url = "postgresql://minyi:h%40sh@db.test:5433/minyi?sslmode=require"
    assert copying._service(url).splitlines() == [
        "[minyi]", "host=db.test", "port=5433", "user=minyi", "password=h@sh", "dbname=minyi",
        "sslmode=require",
    ]  # fmt: skip
