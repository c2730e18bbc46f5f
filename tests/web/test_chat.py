"""The chat page without a browser: what it hears, what it shows, whom it lets in."""

from __future__ import annotations

import asyncio
import hashlib
import re

import httpx
import pytest

from surveys.people import Address
from surveys.reply import Looked, Opened, Tapped, Typed
from tests.web.conftest import shelf
from tests.web.rehearsed import NOW, Scripted
from web.app import create_app
from web.handover import ROOM, Handover, Turn


def hidden(html: str, name: str) -> str:
    """The value of the first hidden field ``name``."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found
    return found[1]


async def open_chat(client: httpx.AsyncClient, path: str = "/c/land-1") -> str:
    return (await client.get(path, follow_redirects=True)).text


def heard(talk: Scripted) -> list[object]:
    return [each for _, each, _ in talk.heard]


async def test_a_link_is_heard_once_and_leaves_the_address_bar(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    first = await client.get("/c/land-1")
    assert first.status_code == 303
    assert first.headers["location"].startswith("/c?after=")
    page = await client.get(first.headers["location"])
    assert "不动产登记窗口" in page.text
    await client.get(first.headers["location"])  # a reload
    assert heard(talk) == [Opened("land-1"), Looked()]


async def test_the_address_is_the_hash_of_a_cookie_that_scripts_cannot_read(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    answer = await client.get("/c")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    token = client.cookies["minyi"]
    assert len(token) == 43
    assert talk.heard[0][0] == Address("web", hashlib.sha256(token.encode()).hexdigest())


async def test_over_https_the_cookie_insists_on_it() -> None:
    app = create_app(Scripted(), shelf(), clock=lambda: NOW, public_url="https://minyi.test/")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://minyi.test") as client:
        cookie = (await client.get("/c")).headers["set-cookie"]
    assert cookie.startswith("__Host-minyi=")
    assert "Secure" in cookie


async def test_a_press_is_heard_as_data_and_shown_as_its_label(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    await open_chat(client)
    fields = {"data": "0:4", "label 0:4": "不满意", "once": "a"}
    answer = await client.post("/c/say", data=fields, follow_redirects=True)
    assert heard(talk)[-1] == Tapped("0:4")
    assert '<p class="words">不满意</p>' in answer.text
    assert "为什么呢？" in answer.text


async def test_typed_words_are_heard_with_their_lines_and_shown_escaped(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    await open_chat(client)
    await client.post("/c/say", data={"data": "0:4"})
    answer = await client.post(
        "/c/say", data={"text": " 等了<b>两</b>小时\r\n没人理 😡 "}, follow_redirects=True
    )
    assert Typed("等了<b>两</b>小时\n没人理 😡") in heard(talk)
    assert "等了&lt;b&gt;两&lt;/b&gt;小时\n没人理 😡" in answer.text


@pytest.mark.parametrize("fields", [{"text": "x" * 300_000}, {f"f{n}": "" for n in range(600)}])
async def test_a_form_no_page_of_ours_can_have_sent_is_refused(
    client: httpx.AsyncClient, talk: Scripted, fields: dict[str, str]
) -> None:
    await open_chat(client)
    answer = await client.post("/c/say", data=fields)
    assert answer.status_code == 413
    assert "太长" in answer.text
    assert heard(talk) == [Opened("land-1")]


async def test_opening_the_address_of_the_form_leads_to_the_chat(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    answer = await client.get("/c/say")
    assert answer.headers["location"] == "/c"
    assert heard(talk) == []


async def test_a_telephone_called_cubot_is_no_robot(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    await client.get("/c/land-1", headers={"User-Agent": "Mozilla/5.0 (Linux; CUBOT NOTE 20)"})
    assert heard(talk) == [Opened("land-1")]


async def test_an_empty_message_only_looks(client: httpx.AsyncClient, talk: Scripted) -> None:
    await open_chat(client)
    await client.post("/c/say", data={"text": "  "})
    assert heard(talk)[-1] == Looked()


async def test_a_form_sent_twice_at_once_is_heard_once(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    html = await open_chat(client)
    talk.delay = 0.01
    fields = {"text": "满意", "once": hidden(html, "once"), "proof": hidden(html, "proof")}
    answers = await asyncio.gather(*(client.post("/c/say", data=fields) for _ in range(5)))
    assert {each.status_code for each in answers} == {303}
    assert heard(talk).count(Typed("满意")) == 1


async def test_a_form_whose_answer_failed_can_be_sent_again(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    await open_chat(client)
    talk.fail = True
    failed = await client.post("/c/say", data={"data": "0:1", "once": "x"})
    assert failed.status_code == 500
    assert "不是您的错" in failed.text
    assert "It is not your fault" in failed.text
    assert "default-src 'self'" in failed.headers["content-security-policy"]
    talk.fail = False
    again = await client.post("/c/say", data={"data": "0:1", "once": "x"}, follow_redirects=True)
    assert "为什么呢？" in again.text


async def test_nobody_fetches_the_turn_of_another_visitor(client: httpx.AsyncClient) -> None:
    await open_chat(client)
    answer = await client.post("/c/say", data={"data": "0:4", "label 0:4": "不满意"})
    client.cookies.clear()
    stranger = await client.get(answer.headers["location"])
    assert '<li class="said' not in stranger.text


async def test_htmx_gets_the_new_messages_alone(client: httpx.AsyncClient) -> None:
    await open_chat(client)
    answer = await client.post(
        "/c/say",
        data={"data": "0:4", "label 0:4": "不满意", "shown": "zh"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert '<p class="words">不满意</p>' in answer.text
    assert 'id="once"' in answer.text
    assert "hx-swap-oob" in answer.text


async def test_changing_the_language_changes_the_frame_too(client: httpx.AsyncClient) -> None:
    await open_chat(client)
    answer = await client.post(
        "/c/say", data={"text": "/language", "shown": "zh"}, headers={"HX-Request": "true"}
    )
    page = await client.get(answer.headers["hx-redirect"])
    assert '<html lang="en">' in page.text
    assert "How satisfied are you" in page.text


async def test_an_aside_keeps_the_open_question_on_the_page(client: httpx.AsyncClient) -> None:
    await open_chat(client)
    answer = await client.post(
        "/c/say", data={"text": "/privacy", "shown": "zh"}, headers={"HX-Request": "true"}
    )
    assert answer.headers["x-keep-buttons"] == "yes"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://minyi.test"}, 303),
        ({}, 303),
    ],
)
async def test_only_our_own_pages_may_post(
    client: httpx.AsyncClient, talk: Scripted, headers: dict[str, str], status: int
) -> None:
    await open_chat(client)
    answer = await client.post("/c/say", data={"data": "0:1"}, headers=headers)
    assert answer.status_code == status
    assert (Tapped("0:1") in heard(talk)) == (status == 303)


async def test_a_form_without_origin_is_known_by_its_proof(client: httpx.AsyncClient) -> None:
    html = await open_chat(client)
    fields = {"data": "0:1", "proof": hidden(html, "proof")}
    answer = await client.post("/c/say", data=fields, headers={"Origin": "null"})
    assert answer.status_code == 303


async def test_a_browser_that_keeps_no_cookie_is_told_what_to_do(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    answer = await client.post("/c/say", data={"data": "0:1"})
    assert answer.status_code == 400
    assert "Cookie" in answer.text
    assert heard(talk) == []


@pytest.mark.parametrize(
    "headers",
    [{"User-Agent": "TelegramBot (like TwitterBot)"}, {"Sec-Purpose": "prefetch;prerender"}],
)
async def test_a_link_preview_does_not_use_up_an_invitation(
    client: httpx.AsyncClient, talk: Scripted, headers: dict[str, str]
) -> None:
    answer = await client.get("/c/anna-1", headers=headers)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "set-cookie" not in (await client.get("/c", headers=headers)).headers
    await client.head("/c/anna-1")
    assert heard(talk) == []


@pytest.mark.parametrize("payload", ["a" * 65, "a.b", "窗口", "a%20b"])
async def test_what_cannot_be_a_payload_is_not_heard(
    client: httpx.AsyncClient, talk: Scripted, payload: str
) -> None:
    answer = await client.get(f"/c/{payload}")
    assert answer.status_code == 404
    assert heard(talk) == []


async def test_the_first_contact_carries_the_language_of_the_browser(
    client: httpx.AsyncClient, talk: Scripted
) -> None:
    await client.get("/c", headers={"Accept-Language": "en-GB,en;q=0.8"})
    assert talk.heard[0][2] == "en-GB"
    client.cookies.set("language", "zh")
    await client.get("/c", headers={"Accept-Language": "en-GB"})
    assert talk.heard[1][2] == "zh"


async def test_forms_remembered_do_not_pile_up() -> None:
    handover, who = Handover(), Address("web", "x")

    async def answer() -> Turn:
        return Turn("", ())

    for number in range(ROOM + 5):
        await handover.once(who, str(number), answer)
    assert handover.fetch(who, "0") is None
    assert handover.fetch(who, str(ROOM + 4)) == Turn("", ())
    assert handover.fetch(who, str(ROOM + 4)) is None
