"""Audiences and manners as programs say them: given back as they came, wrong ones pointed at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.stocked import program
from tests.web.api.test_operations import WISH
from tests.web.console.seats import Desk

SAID: dict[str, Any] = {
    "shift": "before", "quiet_from": 22, "quiet_until": 7, "grace": 12, "paid": True,
    "audience": {
        "units": [], "tags": [], "rest_days": 30, "sample": 9, "strata": "kind",
        "quotas": [{"unit": "", "tag": "", "people": 10}], "per_rater": 3, "per_subject": 8,
        "at_most": 20,
    },
    "messages": {"invite": {"zh": "请看 {title}", "en": ""}, "remind": {"zh": "", "en": "Well?"}},
}  # fmt: skip


async def test_a_campaign_is_given_back_with_all_that_was_said(desk: Desk) -> None:
    client = await program(desk)
    made = await client.send("POST", "/campaigns", json={**WISH, **SAID})
    assert made.status_code == 201, made.text
    shown = (await client.get("/campaigns/spring")).json()
    assert {name: shown[name] for name in SAID} == SAID
    usual = await client.send("POST", "/campaigns", json={**WISH, "id": "usual"})
    told = usual.json()
    assert (told["shift"], told["quiet_from"], told["quiet_until"]) == ("none", 21, 8)
    assert (told["grace"], told["paid"], told["audience"]["sample"]) == (1, False, 0)


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"audience": {"units": ["nowhere"]}}, "#/audience/units"),
        ({"audience": {"tags": ["none"]}}, "#/audience/tags"),
        ({"audience": {"per_subject": 2}}, "#/audience/per_subject"),
        ({"audience": {"quotas": [{"unit": "nowhere", "people": 1}]}}, "#/audience/quotas"),
        ({"messages": {"remind": {"en": "{name}"}}}, "#/messages/remind/en"),
    ],
)
async def test_what_the_desk_refuses_is_pointed_at(
    desk: Desk, changed: dict[str, Any], pointer: str
) -> None:
    client = await program(desk)
    answer = await client.send("POST", "/campaigns", json={**WISH, **changed})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "changed",
    [
        {"audience": {"units": ["a,b"]}},
        {"audience": {"sample": -1}},
        {"audience": {"sample": "9"}},
        {"audience": {"strata": "age"}},
        {"audience": {"colour": "red"}},
        {"shift": "later"},
        {"quiet_from": 24},
        {"paid": "yes"},
    ],
)
async def test_what_has_not_the_form_is_refused_before_the_desk(
    desk: Desk, changed: dict[str, Any]
) -> None:
    client = await program(desk)
    answer = await client.send("POST", "/campaigns", json={**WISH, **changed})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith(f"#/{next(iter(changed))}")


async def test_the_words_of_messages_are_changed_later(desk: Desk) -> None:
    client = await program(desk)
    assert (await client.send("POST", "/campaigns", json={**WISH, **SAID})).status_code == 201
    words = {"invite": {"zh": "请看 {title}，{closes}前", "en": ""}}
    answer = await client.send("PUT", "/campaigns/spring/messages", json=words)
    assert answer.status_code == 200, answer.text
    told = (await client.get("/campaigns/spring")).json()["messages"]
    assert told == {**words, "remind": {"zh": "", "en": ""}}  # left out: as usual
    wrong = await client.send(
        "PUT", "/campaigns/spring/messages", json={"remind": {"en": "Dear {name}"}}
    )
    assert wrong.status_code == 422
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["#/remind/en"]
    assert (await client.get("/campaigns/spring")).json()["messages"] == told
    absent = await client.send("PUT", "/campaigns/absent/messages", json=words)
    assert absent.status_code == 404
