"""The vault: whole files or none, for their owner alone, under names that name nothing else."""

from __future__ import annotations

import asyncio
import os
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from storage import FileVault

ID = "0123456789abcdef" * 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "attachments"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_box_comes_back_until_it_is_dropped(folder: Path) -> None:
    vault = FileVault(folder)
    await vault.put(ID, b"sealed")
    assert await FileVault(folder).get(ID) == b"sealed"
    await vault.drop(ID)
    await vault.drop(ID)
    with pytest.raises(LookupError, match="no file"):
        await vault.get(ID)


async def test_only_its_owner_may_read(folder: Path) -> None:
    await FileVault(folder).put(ID, b"sealed")
    assert mode(folder) == 0o700
    assert mode(folder / ID) == 0o600


async def test_its_times_tell_the_day_and_not_the_moment(folder: Path) -> None:
    await FileVault(folder).put(ID, b"sealed")
    found = (folder / ID).stat()
    assert found.st_mtime_ns % (86_400 * 10**9) == 0
    assert found.st_mtime_ns == found.st_atime_ns


@pytest.mark.parametrize(
    "name", ["", "..", "../minyi.db", "a" * 31, "A" * 32, f"{'a' * 32}/x", "a" * 32 + "\n"]
)
async def test_no_other_file_can_be_named(folder: Path, name: str) -> None:
    vault = FileVault(folder)
    for use in (vault.put(name, b""), vault.get(name), vault.drop(name)):
        with pytest.raises(ValueError, match="32 hexadecimal digits"):
            await use


async def test_a_write_that_fails_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    vault = FileVault(folder)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        await vault.put(ID, b"sealed")
    assert names(folder) == []


async def test_what_is_old_is_listed_and_half_written_files_go(folder: Path) -> None:
    vault = FileVault(folder)
    await vault.put(ID, b"sealed")
    await vault.put("f" * 32, b"newer")
    drafts = [folder / f".{'0' * 16}", folder / f".{'1' * 16}"]
    for draft in drafts:
        draft.write_bytes(b"half")
    (folder / "README").write_bytes(b"not ours")
    day = date(2026, 11, 1)
    for path in (folder / ID, drafts[0], folder / "README"):
        at = datetime(2026, 10, 31, tzinfo=UTC).timestamp()
        os.utime(path, (at, at))
    assert await vault.older_than(day) == [ID]
    assert names(folder) == sorted([drafts[1].name, ID, "f" * 32, "README"])
    assert await vault.older_than(day - timedelta(days=1)) == []


async def test_two_processes_sweeping_at_once_do_not_trip(folder: Path) -> None:
    vaults = [FileVault(folder) for _ in range(2)]
    ids = [f"{number:032x}" for number in range(30)]
    for name in ids:
        await vaults[0].put(name, b"x")
    await asyncio.gather(*(vault.drop(name) for name in ids for vault in vaults))
    assert names(folder) == []
