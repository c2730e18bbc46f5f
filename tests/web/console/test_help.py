"""Help: a short page for each part of the desk, in both languages, and links that lead there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desk.roles import Role
from surveys.words import LANGUAGES
from tests.web.console.seats import Desk
from web.console.areas.help import ROOMS, TOPICS, paragraphs
from web.console.context import WORDS

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "web" / "console" / "templates"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_topic_can_be_read_by_everybody(language: str, desk: Desk) -> None:
    client = await desk.seat(Role.RATED, "someone", language=language)
    index = (await client.get("/desk/help")).text
    for topic in TOPICS:
        assert f'href="/desk/help/{topic}"' in index
        page = await client.get(f"/desk/help/{topic}")
        assert page.status_code == 200
        assert f"<h1>{WORDS.say(f'help.{topic}.title', language)}</h1>" in page.text
        assert page.text.count("<p>") >= 3
    assert (await client.get("/desk/help/nothing")).status_code == 404


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_has_three_to_six_short_paragraphs(topic: str) -> None:
    for language, most in (("zh", 160), ("en", 460)):
        found = paragraphs(topic, language)
        assert 3 <= len(found) <= 6
        assert max(map(len, found)) <= most, topic
    keys = [key for key in WORDS.keys() if key.startswith(f"help.{topic}.")]  # noqa: SIM118
    assert len(keys) == len(paragraphs(topic, "zh")) + 1, "none is left out by its number"


def test_no_topic_stands_in_the_words_alone() -> None:
    told = {key.split(".")[1] for key in WORDS.keys() if key.count(".") == 2  # noqa: SIM118
            and key.startswith("help.")}  # fmt: skip
    assert told == set(TOPICS)


def test_every_link_to_help_leads_to_a_topic() -> None:
    for template in TEMPLATES.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", template.read_text("utf-8"), flags=re.DOTALL)
        asked = re.findall(r"\{\{ help\(['\"](\w+)['\"]\) \}\}", text)
        assert set(asked) <= set(TOPICS), template


def test_every_room_of_the_menu_has_its_topic() -> None:
    menu = re.findall(r'\("(/desk/\w+)", "\w+", May', (TEMPLATES / "desk.html").read_text("utf-8"))
    told = {path for path, _ in ROOMS.values()}
    assert set(menu) - {"/desk/help", "/desk/report"} <= told


async def test_a_topic_leads_to_its_room_for_those_who_may_enter(desk: Desk) -> None:
    auditor, rated = await desk.seat(Role.AUDITOR), await desk.seat(Role.RATED, "x")
    assert 'class="button" href="/desk/audit"' in (await auditor.get("/desk/help/audit")).text
    assert 'class="button" href="/desk/audit"' not in (await rated.get("/desk/help/audit")).text


async def test_help_in_context_names_what_it_is_about(desk: Desk) -> None:
    page = (await (await desk.seat(Role.AUDITOR)).get("/desk/audit")).text
    link = page.split('href="/desk/help/audit"')[1].split("</a>")[0]
    assert "What is this?" in link
    assert "The audit" in link
