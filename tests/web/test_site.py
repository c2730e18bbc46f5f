"""Every page: headers, languages, doors, and pages for what went wrong."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from web.site import WORDS

ROOM = Path(__file__).parents[2] / "web"
PAGES = ["/", "/c", "/results", "/poster/land-1", "/qr/land-1.svg", "/healthz", "/nothing"]


@pytest.mark.parametrize("path", PAGES)
async def test_every_response_carries_the_safety_headers(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_chat_pages_are_kept_nowhere(client: httpx.AsyncClient) -> None:
    assert (await client.get("/c")).headers["cache-control"] == "no-store"
    assert (await client.get("/c/land-1")).headers["cache-control"] == "no-store"


async def test_files_are_kept_as_long_as_their_content_stays(client: httpx.AsyncClient) -> None:
    html = (await client.get("/c")).text
    urls = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
    assert len(urls) == 4
    for url in urls:
        answer = await client.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["referrer-policy"] == "no-referrer"


async def test_no_page_holds_inline_styles_or_scripts(client: httpx.AsyncClient) -> None:
    for template in (ROOM / "templates").glob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"\sstyle=|<style|\son\w+=", text), template.name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), template.name


async def test_a_missing_page_says_what_to_do_in_both_languages(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert '<html lang="en">' in answer.text
    assert "This page does not exist" in answer.text
    assert "没有找到这一页" in answer.text


async def test_the_language_follows_the_browser_until_it_is_chosen(
    client: httpx.AsyncClient,
) -> None:
    english = {"Accept-Language": "en-GB,zh;q=0.5"}
    assert '<html lang="en">' in (await client.get("/", headers=english)).text
    chosen = await client.get("/language/zh?to=/results", headers=english)
    assert chosen.headers["location"] == "/results"
    assert '<html lang="zh">' in (await client.get("/", headers=english)).text


@pytest.mark.parametrize(
    "target", ["https://evil.test", "//evil.test", "/\\evil.test", "evil", "/a%0d%0ab", ""]
)
async def test_the_language_switch_leads_nowhere_else(
    client: httpx.AsyncClient, target: str
) -> None:
    answer = await client.get(f"/language/en?to={target}")
    assert answer.headers["location"] == "/"


async def test_a_poster_names_the_window_and_shows_its_code(client: httpx.AsyncClient) -> None:
    html = (await client.get("/poster/land-1")).text
    assert "不动产登记窗口" in html
    assert "/qr/land-1.svg" in html
    assert "http://minyi.test/c/land-1" in html
    code = await client.get("/qr/land-1.svg")
    assert code.headers["content-type"] == "image/svg+xml"
    assert code.text.startswith("<svg")


@pytest.mark.parametrize("payload", ["unknown", "anna-1"])
async def test_there_is_no_poster_for_strangers_or_personal_invitations(
    client: httpx.AsyncClient, payload: str
) -> None:
    assert (await client.get(f"/poster/{payload}")).status_code == 404


async def test_every_sentence_has_both_languages_and_a_use() -> None:
    sources = [*ROOM.glob("*.py"), *(ROOM / "templates").glob("*.html")]
    text = "\n".join(source.read_text("utf-8") for source in sources)
    families = set(re.findall(r'"([\w.]+)"\s*~|f"([\w.]+)\{', text))
    prefixes = tuple(part for pair in families for part in pair if part)
    keys = WORDS.keys()
    for key in keys:
        assert set(WORDS.all_of(key)) == {"zh", "en"}, key
        assert f'"{key}"' in text or f"'{key}'" in text or key.startswith(prefixes), key
    for key in re.findall(r"""say\(["']([\w.]+)["'][,)]""", text):
        assert key in keys, key
