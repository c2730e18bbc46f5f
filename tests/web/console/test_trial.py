"""A questionnaire tried beside itself: the very chat, and nothing of it stays."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from desk.roles import Role
from minyi import trials
from minyi.trials import RoomForTrials
from storage import SqlStore
from surveys.people import Address
from surveys.reply import Opened
from surveys.visit import Setting
from tests.surveys.forms import form_of, shipped
from tests.web.console.seats import Desk, desk_on, post
from tests.web.console.test_questionnaires import BAD, SERVICE, brought, keep
from tests.web.kinds import png
from web.console.areas.trial import PATH

SETTING = Setting({"zh": "河东区", "en": "Hedong"}, "http://x/c", zone=ZoneInfo("Asia/Shanghai"))
HTMX = {"HX-Request": "true"}


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    store, room = SqlStore(sqlite_url), RoomForTrials(SETTING)
    made = desk_on(store, trials=room)
    yield made
    for client in made.opened:
        await client.aclose()
    await room.close()
    await store.close()


async def begun(client: httpx.AsyncClient, language: str = "en") -> httpx.Response:
    """The page of a trial that has just begun."""
    version = (await keep(client, SERVICE)).rpartition("/")[2]
    fields = {"version": version, "language": language}
    answer = await post(client, PATH, fields, page="/desk/questionnaires")
    assert answer.status_code == 303
    return await client.get(answer.headers["location"])


def button(page: str, label: str) -> dict[str, str]:
    """The fields that a press on ``label`` in the last form of buttons sends."""
    form = re.findall(r'<form class="rows".*?</form>', page, re.S)[-1]
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    pressed = re.search(rf'name="data" value="([^"]+)"[^>]*>{label}', form)
    assert pressed is not None, label
    return {"proof": fields["proof"], "once": fields["once"], "about": fields["about"],
            "shown": fields["shown"], "data": pressed[1]}  # fmt: skip


async def press(client: httpx.AsyncClient, page: str, label: str) -> str:
    answer = await client.post(f"{PATH}/say", data=button(page, label), headers=HTMX)
    assert answer.status_code == 200
    return answer.text


async def test_the_chat_stands_beside_the_questionnaire_and_says_what_it_is(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    page = (await begun(client)).text
    assert "nothing is stored, nothing is counted" in page
    assert page.index('class="paper"') < page.index('class="booth"')
    assert "What was the main reason?" in page  # of the questionnaire, not yet asked
    assert "How satisfied are you overall with your visit to Household registration window?" in page
    assert page.count('id="talk"') == 1
    assert f'hx-post="{PATH}/say"' in page
    assert "/c/say" not in page


async def test_a_trial_takes_the_very_route_of_an_interview(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    page = (await begun(client)).text
    told = await press(client, page, "2 Dissatisfied")
    assert "What was the main reason?" in told
    told = await press(client, told, "The wait was too long")
    assert "What should we do better?" in told
    fields = dict(re.findall(r'name="(proof|once|about|shown)" value="([^"]*)"', told))
    typed = await client.post(f"{PATH}/say", data={**fields, "text": "Faster"}, headers=HTMX)
    assert "speed" in typed.text
    told = await press(client, typed.text, "5 Very satisfied")
    told = await press(client, told, "5 Very satisfied")
    assert "Thank you" in told


async def test_nothing_of_a_trial_reaches_the_store(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    page = (await begun(client)).text
    before = await desk.store.read(lambda tx: (tx.count_rows(), tx.audit_head()))
    told = await press(client, page, "5 Very satisfied")
    told = await press(client, told, "5 Very satisfied")
    assert "Thank you" in await press(client, told, "5 Very satisfied")
    assert await desk.store.read(lambda tx: (tx.count_rows(), tx.audit_head())) == before
    assert await desk.store.read(lambda tx: tx.waves()) == []


async def test_without_scripts_a_press_leads_back_to_the_page(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    page = (await begun(client)).text
    answer = await client.post(f"{PATH}/say", data=button(page, "1 Very dissatisfied"))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{PATH}?after=")
    assert "What was the main reason?" in (await client.get(answer.headers["location"])).text
    assert (await client.get(f"{PATH}/say")).headers["location"] == PATH


async def test_it_begins_again_in_the_other_language(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    page = (await begun(client)).text
    await press(client, page, "2 Dissatisfied")
    page = (await begun(client, "zh")).text
    assert "您这次在户籍窗口办事" in page
    assert "非常满意" in page


async def test_a_file_just_brought_can_be_tried_before_it_is_kept(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    where = await brought(client, SERVICE)
    upload = where.rpartition("/")[2].partition("?")[0]
    fields = {"upload": upload, "for": "rating", "language": "en"}
    answer = await post(client, PATH, fields, page="/desk/questionnaires")
    page = (await client.get(answer.headers["location"])).text
    assert f'href="{where}"' in page
    assert f'name="upload" value="{upload}"' in page
    assert await desk.store.read(lambda tx: tx.forms()) == []


async def test_what_must_be_mended_cannot_be_tried(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = (await brought(client, BAD)).rpartition("/")[2].partition("?")[0]
    answer = await post(client, PATH, {"upload": upload}, page="/desk/questionnaires")
    assert answer.status_code == 404
    nowhere = await post(client, PATH, {"version": "nowhere"}, page="/desk/questionnaires")
    assert nowhere.status_code == 404


async def test_each_account_has_a_trial_of_its_own(desk: Desk) -> None:
    one, two = await desk.seat(Role.OFFICER), await desk.seat(Role.ADMINISTRATOR)
    await begun(one)
    assert "No questionnaire is being tried" in (await two.get(PATH)).text
    await begun(two)
    await press(two, (await two.get(PATH)).text, "2 Dissatisfied")
    assert (
        "overall with your visit"
        in re.findall('<ol id="talk".*', (await one.get(PATH)).text, re.S)[0]
    )


async def test_a_trial_is_forgotten_after_an_hour_without_a_word(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    page = (await begun(client)).text
    fields = button(page, "5 Very satisfied")
    desk.clock.on(minutes=20)
    await client.get(PATH)  # a look keeps the session, and the trial
    desk.clock.on(minutes=25)
    await client.get("/desk")
    desk.clock.on(minutes=25)
    await client.get("/desk")
    desk.clock.on(minutes=25)
    assert "No questionnaire is being tried" in (await client.get(PATH)).text
    answer = await client.post(f"{PATH}/say", data=fields, headers=HTMX)
    assert answer.headers["hx-redirect"] == PATH


async def test_a_say_without_the_proof_is_refused(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    fields = button((await begun(client)).text, "5 Very satisfied")
    answer = await client.post(f"{PATH}/say", data={**fields, "proof": "x"}, headers=HTMX)
    assert answer.status_code == 403


async def test_a_label_shows_its_picture_in_the_trial_alone(desk: Desk) -> None:
    room = desk.console.trials
    assert room is not None
    form = form_of("type | name | label | media::image\ntext | q | Q | map.png")
    client = await desk.seat(Role.OFFICER)
    await room.begin(
        "a-officer", form, {"map.png": ("image/png", png())}.get, desk.clock(), "/desk"
    )
    talker = room.under_way("a-officer", desk.clock())
    assert talker is not None
    await talker.receive(Address("trial", "a-officer"), Opened(talker.payload), desk.clock())
    page = (await client.get(PATH)).text
    [address] = re.findall(rf'<img src="({PATH}/media/[^"]+)"', page)
    picture = await client.get(address)
    assert (picture.content, picture.headers["content-type"]) == (png(), "image/png")
    assert picture.headers["cache-control"] == "no-store"
    other = await desk.seat(Role.ADMINISTRATOR)
    assert (await other.get(address)).status_code == 404
    assert await desk.store.read(lambda tx: tx.forms()) == []


async def test_only_so_many_trials_are_kept_and_their_folders_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(trials, "MOST", 2)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    room, form = RoomForTrials(SETTING), shipped("service")

    def no_media(name: str) -> None:
        raise AssertionError(name)

    def folders() -> int:
        return len(list(tmp_path.iterdir()))

    now = datetime(2026, 11, 23, tzinfo=UTC)
    for account in "abc":
        now += timedelta(minutes=1)
        await room.begin(account, form, no_media, now, "/desk")
    assert [bool(room.under_way(account, now)) for account in "abc"] == [False, True, True]
    assert folders() == 2
    await room.begin("c", form, no_media, now, "/desk")
    assert folders() == 2
    await room.begin("d", form, no_media, now + timedelta(hours=2), "/desk")
    assert folders() == 1
    await room.close()
    assert folders() == 0
