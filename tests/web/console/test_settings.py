"""What is set, what must be mended, which keys there are: to read, and without a secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from desk.roles import Role
from minyi.settings import Settings
from surveys.words import LANGUAGES
from tests.web.console.seats import Desk, desk_on
from web.console.console import Check, KeyFact, Setting
from web.console.context import WORDS

KEYS = (
    KeyFact("application", "", True),
    KeyFact("reader", "handler", False),
    KeyFact("wave", "a.20261210", True, "open"),
    KeyFact("wave", "a.20260910", False, "tallied"),
    KeyFact("wave", "a.20260610", True, "tallied"),
    KeyFact("wave", "b.20261210", False, "open"),
)


async def looked() -> Sequence[Check]:
    return (
        Check("good", "disk", "40 GB free"),
        Check("mend", "keys", "2 file(s) open to others", "chmod -R go-rwx keys"),
        Check("note", "Telegram", "no token", "Set MINYI_TELEGRAM_TOKEN."),
    )


async def keys() -> Sequence[KeyFact]:
    return KEYS


@pytest.fixture
async def furnished(desk: Desk) -> AsyncIterator[Desk]:
    listed: Any = (
        Setting("MINYI_K", "5", "", "Fewest ratings."),
        Setting("MINYI_PUBLIC_URL", "https://minyi.test", "the environment", "The address."),
        Setting("MINYI_TELEGRAM_TOKEN", "set, hidden", "/etc/minyi.toml", "The bot's token."),
        Setting("MINYI_NEW_THING", "", "", "Meant in English."),
    )
    made = desk_on(desk.store, desk.clock, settings=listed, examine=looked, keys=keys)
    yield made
    for client in made.opened:
        await client.aclose()


async def test_every_setting_stands_with_value_source_and_meaning(furnished: Desk) -> None:
    page = (await (await furnished.seat(Role.ADMINISTRATOR)).get("/desk/settings")).text
    assert "https://minyi.test" in page
    assert "/etc/minyi.toml" in page
    assert "the environment" in page
    assert "set, hidden" in page
    assert "Fewest ratings that a new campaign" in page
    chinese = await furnished.seat(Role.AUDITOR, language="zh")
    page = (await chinese.get("/desk/settings")).text
    assert "新建调查的人数门槛" in page
    assert "已设置，不显示" in page
    assert '<span lang="en">Meant in English.</span>' in page


def test_each_settings_meaning_is_told_in_both_languages_as_the_settings_have_it() -> None:
    told = {key for key in WORDS.keys() if key.startswith("setting.")}  # noqa: SIM118
    assert told == {f"setting.{name}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        assert WORDS.say(f"setting.{name}", "en") == field.description
        assert WORDS.say(f"setting.{name}", "zh") != field.description


async def test_what_must_be_mended_comes_first_with_how(furnished: Desk) -> None:
    client = await furnished.seat(Role.CUSTODIAN)
    page = (await client.get("/desk/settings/check")).text
    assert "To be mended: 1." in page
    assert page.index("chmod -R") < page.index("MINYI_TELEGRAM_TOKEN") < page.index("40 GB")


async def test_nothing_to_mend_is_said_so(desk: Desk) -> None:
    page = (await (await desk.seat(Role.ADMINISTRATOR)).get("/desk/settings/check")).text
    assert "Nothing needs mending." in page
    page = (await (await desk.seat(Role.ADMINISTRATOR)).get("/desk/settings")).text
    assert "There are no settings to show." in page


async def test_keys_are_told_of_and_what_is_wrong_with_them(furnished: Desk) -> None:
    page = (await (await furnished.seat(Role.CUSTODIAN)).get("/desk/keys")).text
    rows = {key.name: page.split(key.name)[1].split("</li>")[0] for key in KEYS if key.wave}
    assert "destroyed" in rows["a.20260910"]
    assert "should be destroyed, and is still there" in rows["a.20260610"]
    assert "minyi tally" in rows["a.20260610"]
    assert "cannot be tallied" in rows["b.20261210"]
    assert "wrong" not in rows["a.20261210"]
    assert "missing" in page.split("handler")[1].split("</li>")[0]


async def test_without_anything_known_of_keys_the_page_says_so(desk: Desk) -> None:
    page = (await (await desk.seat(Role.CUSTODIAN)).get("/desk/keys")).text
    assert "Nothing is known of the keys here." in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_nothing_here_can_be_changed_from_a_browser(language: str, furnished: Desk) -> None:
    client = await furnished.seat(Role.ADMINISTRATOR, language=language)
    for path in ("/desk/settings", "/desk/settings/check", "/desk/keys"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "<form" not in page.text.split("<main")[1]
        assert (await client.post(path)).status_code == 405
