"""A wave asks what its campaign asked when it opened; an interview ends on what it began with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from surveys.ballots import open_ballot, tally_opener
from surveys.campaigns import Wave, WaveState
from surveys.forms.form import Form
from tests.surveys.forms import form_of
from tests.surveys.world import NOW, World, found_world

SETTINGS = 'form_title | form_id | version | namespaces\nF | f | {} | minyi="urn:minyi"'
HEAD = "type | name | label | bind::minyi:indicator"
GRADE = "select_one grade"
OLD = form_of(
    f"{HEAD}\n{GRADE} | one | 窗口好吗？ | service\n{GRADE} | two | 快吗？ | speed",
    settings=SETTINGS.format(1),
)
NEW = form_of(
    f"{HEAD}\n{GRADE} | one | 大厅好吗？ | service\n{GRADE} | new | 态度好吗？ | attitude",
    settings=SETTINGS.format(2),
)


@pytest.fixture(params=["memory", "file"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """An open wave of the older version, in memory and in a SQLite file."""
    in_file = request.param == "file"
    url = str(request.getfixturevalue("sqlite_url")) if in_file else "sqlite://"
    made = await found_world(url, tmp_path, OLD)
    yield made
    await made.store.close()


async def revise(world: World, form: Form) -> None:
    """The campaign asks another questionnaire from now on."""

    def work(tx: Any) -> None:
        tx.put_form(form.hash, form.title, form.source)
        tx.put_campaign(replace(tx.campaign("q"), form=form.hash))

    await world.store.write(work)


async def plan(world: World, name: str) -> None:
    """A wave, two weeks long, planned for now."""
    key = world.keyring.new_wave(name)
    opens, closes = NOW - timedelta(hours=1), NOW + timedelta(days=14)
    wave = Wave(name, "q", "2027Q1", opens, closes, key)
    await world.store.write(lambda tx: tx.put_wave(wave))


async def close(world: World, name: str) -> None:
    def work(tx: Any) -> None:
        tx.put_wave(replace(tx.wave(name), closes_at=NOW - timedelta(seconds=1)))

    await world.store.write(work)


async def indicators(world: World, wave: str) -> list[dict[str, int]]:
    keys = world.keyring.wave_keys(wave)
    assert keys is not None
    opener = tally_opener(keys.tally_secret)
    boxes = await world.boxes(wave)
    return [dict(open_ballot(box, opener).ratings) for _, box in boxes]


async def test_an_interview_ends_on_the_version_it_began_with(world: World) -> None:
    await world.rate("a", "满意")
    await revise(world, NEW)
    assert "快吗" in (await world.look("a")).text
    await world.type("a", "满意")
    assert await indicators(world, "w") == [{"service": 4, "speed": 4}]


async def test_whoever_comes_later_into_an_open_wave_is_asked_the_same(world: World) -> None:
    await world.rate("a", "满意", "满意")
    await revise(world, NEW)
    assert "窗口好吗" in (await world.open("b", "poster")).text
    await world.rate("c", "不满意", "不满意")
    await world.tap("a", "修改我的回答")
    found = sorted(await indicators(world, "w"), key=lambda ratings: ratings["service"])
    assert found == [{"service": 2, "speed": 2}, {"service": 4, "speed": 4}]


async def test_the_next_wave_asks_the_new_one_though_it_was_planned_before(world: World) -> None:
    await plan(world, "next")
    await revise(world, NEW)
    await close(world, "w")
    assert await world.store.write(lambda tx: tx.open_wave("next"))
    assert "大厅好吗" in (await world.open("a", "poster")).text
    await world.type("a", "满意")
    await world.type("a", "满意")
    assert await indicators(world, "next") == [{"service": 4, "attitude": 4}]
    waves = await world.read(lambda tx: {wave.id: (wave.form, wave.state) for wave in tx.waves()})
    assert waves == {"w": (OLD.hash, WaveState.OPEN), "next": (NEW.hash, WaveState.OPEN)}


async def test_two_open_waves_of_one_campaign_each_ask_their_own(world: World) -> None:
    await world.rate("a", "满意")
    await plan(world, "next")
    await revise(world, NEW)
    assert await world.store.write(lambda tx: tx.open_wave("next"))
    await world.type("a", "满意")
    assert await indicators(world, "w") == [{"service": 4, "speed": 4}]
    assert await indicators(world, "next") == []
