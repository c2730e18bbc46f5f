"""Files that people hand over, from the first byte to the sweep, and what an adversary finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from storage import FileVault, SqlStore
from surveys.ballots import SpoiledError
from surveys.files.attachments import (
    KEEP,
    LIMITS,
    TOKEN_SIZE,
    Attachment,
    accepted,
    opened,
    read,
    sweep,
    take,
)
from surveys.forms.form import HANDED, Kind
from surveys.typed.trouble import Trouble
from tests.surveys.handing import photo, png
from tests.surveys.world import World, found_world

TODAY = date(2026, 12, 12)


@pytest.fixture
def vault(tmp_path: Path) -> FileVault:
    return FileVault(tmp_path / "attachments")


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[SqlStore]:
    store = SqlStore(sqlite_url)
    yield store
    await store.close()


def everything(folder: Path) -> bytes:
    """Database, log, keys and files: all that lies in the data directory, names included."""
    found = [file for file in folder.rglob("*") if file.is_file()]
    return b"".join(str(file).encode() + file.read_bytes() for file in found)


async def kept(vault: FileVault, store: SqlStore, content: bytes, day: date = TODAY) -> str:
    token = await take(vault, Kind.IMAGE, content, store, day)
    assert isinstance(token, str)
    return token


@pytest.mark.parametrize("kind", sorted(HANDED))
def test_an_empty_file_and_one_too_large_are_told_apart(kind: Kind) -> None:
    assert accepted(kind, b"") == Trouble("file_empty")
    limit = LIMITS[kind]
    large = Trouble("file_too_large", {"limit": limit // 1_000_000})
    assert accepted(kind, bytes(limit + 1)) == large
    assert accepted(kind, bytes(limit)) != large


def test_a_token_is_ascii_without_spaces_and_says_everything() -> None:
    made = Attachment("0af3" * 8, bytes(range(224, 256)), "docx", 20_000_000)
    assert read(made.token) == made
    assert made.token.isascii()
    assert not set(made.token) & set(" \t'\"<>/\\")
    assert len(made.token) <= TOKEN_SIZE
    assert "224" not in repr(made)
    assert "\\xe0" not in repr(made), "a log line must not open a file"


@pytest.mark.parametrize(
    "token",
    ["", "x", "../../etc/passwd", "..%2f", f"{'a' * 32}.{'b' * 43}.../x.1", f"{'A' * 32}.k.jpg.1"],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="no attachment"):
        read(token)


async def test_a_file_comes_back_as_it_was_cleaned(vault: FileVault, store: SqlStore) -> None:
    token = await kept(vault, store, photo())
    clean = accepted(Kind.IMAGE, photo())
    assert not isinstance(clean, Trouble)
    assert await opened(vault, token) == clean.content
    assert (read(token).ext, read(token).size) == ("jpg", len(clean.content))
    assert await store.read(lambda tx: tx.attachments()) == [read(token).id]


async def test_what_is_refused_leaves_nothing(
    vault: FileVault, store: SqlStore, tmp_path: Path
) -> None:
    assert await take(vault, Kind.IMAGE, b"MZ", store, TODAY) == Trouble("file_no_picture")
    assert await store.read(lambda tx: tx.attachments()) == []
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_whoever_reads_the_data_directory_sees_no_photo(
    tmp_path: Path, sqlite_url: str
) -> None:
    world = await found_world(sqlite_url, tmp_path)
    token = await kept(world.vault, world.store, png())
    pixels = await opened(world.vault, token)
    dump = everything(tmp_path)
    attachment = read(token)
    assert attachment.id.encode() in dump, "the needle can be found"
    assert token.encode() not in dump
    assert attachment.key not in dump
    for content in (pixels, png()):
        assert not [at for at in range(0, len(content) - 16, 16) if content[at : at + 16] in dump]
    for secret in (b"CANARY", b"PNG", b"IHDR", b"39.9042"):
        assert secret not in dump
    await world.store.close()


async def test_the_length_of_a_small_file_is_not_told(
    vault: FileVault, sqlite: SqlStore, tmp_path: Path
) -> None:
    for size in ((2, 2), (40, 30), (90, 90)):
        await kept(vault, sqlite, photo(size))
    sizes = [file.stat().st_size for file in (tmp_path / "attachments").iterdir()]
    assert len(sizes) == 3
    assert len(set(sizes)) == 1


async def test_a_changed_file_or_another_key_opens_nothing(
    vault: FileVault, sqlite: SqlStore, tmp_path: Path
) -> None:
    token = await kept(vault, sqlite, photo())
    other = replace(read(token), key=bytes(32)).token
    with pytest.raises(SpoiledError):
        await opened(vault, other)
    file = tmp_path / "attachments" / read(token).id
    box = bytearray(file.read_bytes())
    box[100] ^= 1
    file.write_bytes(box)
    with pytest.raises(SpoiledError):
        await opened(vault, token)
    file.unlink()
    with pytest.raises(LookupError):
        await opened(vault, token)


async def test_killed_between_row_and_file_there_is_a_row_and_never_a_file_alone(
    store: SqlStore, tmp_path: Path
) -> None:
    class Killed(FileVault):
        async def put(self, attachment: str, box: bytes) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await take(Killed(tmp_path / "attachments"), Kind.IMAGE, photo(), store, TODAY)
    (row,) = await store.read(lambda tx: tx.attachments())
    assert list((tmp_path / "attachments").iterdir()) == []
    vault = FileVault(tmp_path / "attachments")
    assert await sweep(vault, store, TODAY + KEEP + timedelta(days=1)) == 1
    assert await store.read(lambda tx: tx.attachments()) == []
    assert row


async def test_files_that_nobody_kept_go_after_thirty_days_and_kept_ones_stay(
    vault: FileVault, store: SqlStore
) -> None:
    loose, held = [await kept(vault, store, photo()) for _ in range(2)]
    assert await store.write(lambda tx: tx.keep_attachment(read(held).id))
    assert await sweep(vault, store, TODAY + KEEP) == 0
    assert await sweep(vault, store, TODAY + KEEP + timedelta(days=1)) == 1
    with pytest.raises(LookupError):
        await opened(vault, loose)
    assert await opened(vault, held)
    assert not await store.write(lambda tx: tx.keep_attachment(read(loose).id))


async def test_a_file_without_a_row_goes_but_not_at_once(vault: FileVault, store: SqlStore) -> None:
    await vault.put("0" * 32, b"box")
    day = date.today()  # noqa: DTZ011 - the file system's own
    assert await sweep(vault, store, day) == 0
    assert await vault.get("0" * 32) == b"box"
    assert await sweep(vault, store, day + KEEP + timedelta(days=2)) == 1
    with pytest.raises(LookupError):
        await vault.get("0" * 32)


async def test_many_at_once_are_all_kept(vault: FileVault, store: SqlStore) -> None:
    tokens = await asyncio.gather(*(kept(vault, store, photo()) for _ in range(12)))
    assert len({read(token).id for token in tokens}) == 12
    assert len({read(token).key for token in tokens}) == 12
    contents = [await opened(vault, token) for token in tokens]
    assert len(set(contents)) == 1


async def test_a_photo_handed_over_in_a_conversation_lies_sealed_in_the_vault(world: World) -> None:
    for said in ("/concern", "其他", "监督部门", "主任让我们交份子钱"):
        await world.type("a", said)
    assert "-" in (await world.hand("a", Kind.IMAGE, photo())).text
    (row,) = await world.read(lambda tx: tx.attachments())
    assert b"JFIF" not in await world.vault.get(row)
