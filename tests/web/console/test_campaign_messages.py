"""A campaign's own words, with what people will read beside."""

from __future__ import annotations

import json

import pytest

from desk.roles import Role
from tests.desk.asking import furnish
from tests.web.console.seats import Desk, post
from tests.web.console.test_campaigns import make, open_wave

PATH = "/desk/campaigns/window/messages"
OWN = {
    "messages_invite_zh": "请看 {title}，{closes}截止，还剩{days_left}天。",
    "messages_invite_en": "",
    "messages_remind_zh": "",
    "messages_remind_en": "Still open: {title} <b>",
}


@pytest.fixture
async def fit(desk: Desk) -> Desk:
    """One campaign, whose wave is open."""
    await desk.store.write(furnish)
    await make(desk)
    await open_wave(desk)
    return desk


async def test_own_words_are_shown_as_people_read_them_and_kept_only_when_asked(
    fit: Desk,
) -> None:
    client = await fit.seat(Role.OFFICER)
    first = (await client.get(PATH)).text
    assert "Hedong District Services would like your opinion" in first
    shown = await post(client, PATH, {**OWN, "only": "preview"}, page=PATH)
    assert shown.status_code == 200
    assert "2026年12月7日截止，还剩14天。" in shown.text
    assert "Still open: Window satisfaction &lt;b&gt;" in shown.text
    assert shown.text.count("fewer than 5 people") == 2, "ours stands below, whatever is written"
    assert "Not kept yet." in shown.text
    assert (await client.get(PATH)).text.count("Still open") == 0
    kept = await post(client, PATH, OWN, page=PATH)
    assert kept.headers["location"] == PATH
    assert "Still open: Window satisfaction" in (await client.get(PATH)).text
    made = await fit.store.read(lambda tx: tx.campaign("window"))
    assert made is not None
    assert made.messages["remind"] == {"en": OWN["messages_remind_en"]}
    [entry] = await fit.audited("campaign.reworded")
    assert json.loads(entry.after) == {name: text for name, text in OWN.items() if text}
    await post(client, PATH, OWN, page=PATH)
    assert len(await fit.audited("campaign.reworded")) == 1, "nothing changed"


@pytest.mark.parametrize("text", ["{name}", "{", "x" * 1001])
async def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(
    fit: Desk, text: str
) -> None:
    client = await fit.seat(Role.OFFICER)
    wrong = {**OWN, "messages_invite_en": text}
    answer = await post(client, PATH, wrong, page=PATH)
    assert answer.status_code == 422
    assert 'id="wrong-messages_invite_en"' in answer.text
    assert f"{text}</textarea>" in answer.text
    assert OWN["messages_invite_zh"] in answer.text
    assert await fit.audited("campaign.reworded") == []


async def test_who_only_reads_cannot_reword_and_a_campaign_that_is_not_is_not_found(
    fit: Desk,
) -> None:
    auditor = await fit.seat(Role.AUDITOR)
    assert (await auditor.get(PATH)).status_code in (403, 404)
    client = await fit.seat(Role.OFFICER)
    assert (await client.get("/desk/campaigns/none/messages")).status_code == 404
