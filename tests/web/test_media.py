"""Pictures and sounds of questions: kept long, in parts where asked, and harmless."""

from __future__ import annotations

import httpx
import pytest

from surveys.reply import Medium
from tests.web.rehearsed import Scripted
from web.media import address

SOUND = b"OggS" + bytes(range(96))
URL = address(Medium("audio", "f00d", "欢迎 词/1.ogg"))


@pytest.fixture(autouse=True)
def on_the_shelf(talk: Scripted) -> None:
    talk.media["f00d", "欢迎 词/1.ogg"] = SOUND
    talk.media["f00d", "page.html"] = b"<script>alert(1)</script>"


async def test_a_file_is_kept_for_good_since_its_form_never_changes(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(URL)
    assert answer.content == SOUND
    assert answer.headers["content-type"] == "audio/ogg"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


async def test_a_file_can_do_nothing_in_our_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/media/f00d/page.html")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-1", 0, 1), ("bytes=90-", 90, 99), ("bytes=-5", 95, 99), ("bytes=98-400", 98, 99)],
)
async def test_a_part_is_given_where_a_part_is_asked_for(
    client: httpx.AsyncClient, asked: str, first: int, last: int
) -> None:
    answer = await client.get(URL, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == SOUND[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=-0"])
async def test_there_is_nothing_after_the_end(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(URL, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */100"


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=1-2"])
async def test_a_range_that_says_nothing_gets_the_whole(
    client: httpx.AsyncClient, asked: str
) -> None:
    answer = await client.get(URL, headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.content == SOUND


async def test_what_no_form_has_is_missing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/media/f00d/other.ogg")).status_code == 404
