"""Bodies too large, too slow or broken; and what becomes of files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from surveys.forms.form import Kind
from surveys.reply import Handed, Opened
from tests.web.rehearsed import Scripted
from web import posted
from web.hearing import bare_name, readable

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'


async def body(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def endless() -> AsyncIterator[bytes]:
    yield HEAD
    await asyncio.Event().wait()


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


async def test_a_file_larger_than_any_may_be_is_refused_kindly(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    await client.get("/c/land-1")
    much = bytes(posted.LARGEST_FILE // 4 + posted.LARGEST)
    answer = await client.post(
        "/c/say", content=body(HEAD, much, much, much, much, b"\r\n--b--\r\n"), headers=MULTIPART
    )
    assert answer.status_code == 413
    assert "这个文件太大了" in answer.text
    assert [heard for _, heard, _ in talk.heard] == [Opened("land-1")]


@pytest.mark.parametrize("headers", [{}, MULTIPART], ids=["fields", "file"])
async def test_a_body_that_never_ends_holds_nobody_up(
    client: httpx.AsyncClient,
    talk: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
) -> None:
    await client.get("/c/land-1")
    monkeypatch.setattr(posted, "PATIENCE", 0.01)
    monkeypatch.setattr(posted, "UPLOAD_PATIENCE", 0.01)
    answer = await client.post("/c/say", content=endless(), headers=headers)
    assert answer.status_code == 408
    assert "网络太慢" in answer.text
    assert len(talk.heard) == 1


async def test_a_stranger_hands_nothing_over(client: httpx.AsyncClient, talk: Scripted) -> None:
    answer = await client.post("/c/say", content=endless(), headers=MULTIPART)
    assert answer.status_code == 400
    assert talk.heard == []


@pytest.mark.parametrize("broken", [b"nonsense", b"--b\r\n\r\n\r\n--b--\r\n"])
async def test_a_form_that_cannot_be_read_is_refused(
    client: httpx.AsyncClient, broken: bytes
) -> None:
    await client.get("/c/land-1")
    answer = await client.post("/c/say", content=broken, headers=MULTIPART)
    assert answer.status_code == 413


async def test_a_file_brings_no_more_bytes_than_wanted_and_is_gone_after(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    await client.get("/c/land-1")
    large = b"x" * 1_500_000  # more than is kept in memory
    files = {"file": ("../../etc/a.ogg", large)}
    await client.post("/c/say", data={"kind": "audio"}, files=files)
    handed = talk.heard[-1][1]
    assert isinstance(handed, Handed)
    assert (handed.kind, handed.name, handed.size) == (Kind.AUDIO, "a.ogg", len(large))
    assert talk.brought == [large, "more than 1499999 bytes"]
    with pytest.raises(ValueError, match="closed"):
        await handed.fetch(10)


@pytest.mark.parametrize("kind", ["", "text", "select_one", "picture"])
async def test_a_kind_that_is_no_file_is_taken_for_a_plain_one(
    client: httpx.AsyncClient, talk: Scripted, kind: str
) -> None:
    await client.get("/c/land-1")
    await client.post("/c/say", data={"kind": kind}, files={"file": ("a", b"b")})
    handed = talk.heard[-1][1]
    assert isinstance(handed, Handed)
    assert handed.kind is Kind.FILE


@pytest.mark.parametrize(
    ("name", "bare"), [("a/b\\c.png", "c.png"), ("\x00\u202e", ""), ("x" * 300, "x" * 120)]
)
def test_a_name_is_shown_without_folders_and_tricks(name: str, bare: str) -> None:
    assert bare_name(name) == bare


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (64_300, "64 kB"), (999_700, "1.0 MB")]
)
def test_sizes_are_written_for_people(size: int, words: str) -> None:
    assert readable(size) == words
