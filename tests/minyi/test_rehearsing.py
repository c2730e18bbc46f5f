"""A campaign rehearsed: played whole, told in figures, and nothing of the office touched."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desk.audit import Act, seal_key
from desk.campaigns import rehearsing
from desk.campaigns.rehearsed import Told
from desk.campaigns.rehearsing import (
    LEASE,
    Script,
    TooLongError,
    Wish,
    rehearse,
    scripted,
    take_turn,
)
from desk.campaigns.wrongs import CampaignError
from minyi.performing import moments
from minyi.rehearsing import Manner, RehearsalError, rehearser
from minyi.reviewing import worst_second
from minyi.settings import Settings
from storage import SqlStore
from storage.engine import open_engine
from storage.tables import metadata
from surveys.audience import Audience, Quota
from surveys.campaigns import Campaign, Wave
from surveys.cells import RaterGroup
from surveys.forms.form import Form
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import compile_xlsform
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from tests.bot.stage import until
from tests.desk.asking import SERVICE
from tests.minyi.conftest import Minyi
from tests.postgres import Cluster

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
ACT = Act("a", "A", "terminal", NOW, seal_key(bytes(32)))
SETTINGS = Settings.model_validate({"telegram_rate": 5})
MAY_CHANGE = {"audit", "audit_head"}
NAME = "王小明"


def campaign(form: Form = SERVICE, **changed: Any) -> Campaign:
    """Opens on 10 December at nine, for two weeks."""
    usual = Campaign("svc", {"zh": "满意度"}, form.hash, (RaterGroup.RECIPIENT,),
                     date(2026, 12, 1), grace=timedelta(hours=1))  # fmt: skip
    return replace(usual, **changed)


def furnish(tx: Any, made: Campaign, people: int = 60, form: Form = SERVICE) -> None:
    """Three windows, rated in turn; every tenth has no Telegram, every fifth lives in Nepal."""
    tx.put_form(form.hash, form.title, form.source)
    tx.put_subjects([Subject("hall", {"zh": "大厅"})])
    tx.put_subjects(Subject(f"w{n}", {"zh": f"{n}号窗口"}, parent="hall") for n in range(3))
    tx.put_people(
        Person(f"id-{n:03}", Kind.CITIZEN, NAME, zone="Asia/Kathmandu" if n % 5 == 0 else None)
        for n in range(people)
    )
    for n in range(people):
        if n % 10:
            tx.put_chat(Chat(Address("telegram", str(880_000 + n)), f"id-{n:03}", "zh"))
    tx.put_relations(
        Relation(f"id-{n:03}", f"w{n % 3}", RaterGroup.RECIPIENT) for n in range(people)
    )
    tx.put_campaign(made)


def form_of(*questions: str) -> Form:
    """A questionnaire of rows of type, name, label and constraint."""
    rows = "\n".join(f"| | {question} |" for question in questions)
    table = f"""| survey | | | | | |
| | type | name | label::English (en) | constraint | required |
{rows}
| choices | | | |
| | list_name | name | label::English (en) |
| | grade | 5 | Very satisfied |
| | grade | 4 | Satisfied |
| | grade | 3 | Fairly satisfied |
| | grade | 2 | Dissatisfied |
| | grade | 1 | Very dissatisfied |
| settings | | | |
| | form_title | form_id | default_language |
| | Test | test | English (en) |
"""
    return read_xform(compile_xlsform(table.encode(), ".md", "test"), "test")


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    made = SqlStore(sqlite_url)
    yield made
    await made.close()


def rows_of(url: str) -> dict[str, Counter[str]]:
    """Every row of every table, whatever its order."""
    engine = open_engine(url, reading=True)
    with engine.connect() as connection:
        found = {
            name: Counter(repr(tuple(row)) for row in connection.execute(select(table)))
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return found


async def played(store: SqlStore, wish: Wish, settings: Settings = SETTINGS) -> Any:
    await store.write(lambda tx: take_turn(tx, ACT, "svc", wish, "me"))
    run = rehearser(settings)
    return await rehearse(store, "svc", wish, 1000, ACT, "me", run, lambda *_: None)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Cluster) -> None:
    """Rehearsals of this test, also those in other processes, leave things here and nowhere else:
    other tests rehearse at the same time. The cluster has its folder already.
    """
    folder = tmp_path / "rehearsals"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)  # it is looked up anew


def left_behind() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("minyi-rehearsal-*"))


async def test_the_office_is_as_it_was_and_the_same_seed_plays_the_same(database_url: str) -> None:
    store, wish, there = SqlStore(database_url), Wish(seed=7), left_behind()
    await store.write(lambda tx: furnish(tx, campaign()))
    before = rows_of(database_url)
    report = await played(store, wish)
    after = rows_of(database_url)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == MAY_CHANGE
    [entry] = (after["audit"] - before["audit"]).elements()
    assert "campaign.rehearsed" in entry
    assert await played(store, wish) == report
    other = await played(store, replace(wish, seed=8))
    assert other["questions"] != report["questions"]
    assert left_behind() <= there
    await store.close()


async def test_a_report_says_when_to_whom_how_fast_and_what_comes_of_it(store: SqlStore) -> None:
    await store.write(lambda tx: furnish(tx, campaign()))
    found = await played(store, Wish(response=50))
    assert found["whole"] == {"people": 60, "assignments": 60, "reachable": 54, "subjects": 3}
    assert (found["opens"], found["closes"]) == ("2026-12-10T09:00:00+08:00",
                                                 "2026-12-24T09:00:00+08:00")  # fmt: skip
    invite, first, last = found["stages"]
    assert invite["first"] == "2026-12-10T09:00:00+08:00"
    # Nepal sleeps until eight, which is a quarter past ten in Shanghai
    assert invite["last"] >= "2026-12-10T10:15:00+08:00"
    assert invite["outcomes"] == {"sent": 53, "gone": 1}
    assert first["outcomes"]["sent"] < 53, "whoever has answered is not reminded"
    assert last["outcomes"]["sent"] < first["outcomes"]["sent"]
    assert sum(each["outcomes"]["sent"] for each in found["stages"]) == found["messages"]
    assert found["worst_second"] == 5
    assert found["quiet"] == 0
    assert sum(found["outcomes"].values()) == 60
    assert found["outcomes"]["complete"] == 27, "half of the 54 whom a message can reach"
    assert found["rates"]["response"] == 27 / 60
    assert found["questions"][0]["answered"] == 27
    assert sum(each["left"] for each in found["questions"]) == found["outcomes"]["break_off"] == 2
    assert (found["subjects"], found["published"]) == (3, 3)
    told = Told.of(found, "en")
    messages = told.tables[0]
    assert messages.title == "Messages"
    assert messages.rows[0][1:4] == ("2026-12-10 09:00", "2026-12-10 09:00:00 – 10:15:01", "53")
    assert told.problems == ["People without Telegram, who get no invitation: 6. "
                             "Give them the QR code or the link."]  # fmt: skip


async def test_quotas_caps_tags_and_hours_are_the_campaigns_own(store: SqlStore) -> None:
    """Whom it asks is what the dry run says, and quiet hours hold in people's own zones."""
    audience = Audience(quotas=(Quota("", "", 20),), at_most=10)
    made = campaign(audience=audience, quiet=(6, 18), reminders=(timedelta(days=1),))
    await store.write(lambda tx: furnish(tx, made))
    found = await played(store, Wish(response=30))
    assert found["whole"]["people"] == found["people"] == 20
    assert found["held"] == "cap"
    assert found["stages"][0]["first"] == "2026-12-10T18:00:00+08:00"
    assert found["stages"][0]["last"] >= "2026-12-10T20:15:00+08:00", "six in the evening in Nepal"
    assert found["quiet"] == 0
    assert len(found["stages"]) == 2
    problems = Told.of(found, "en").problems
    assert any("more than your cap of 10" in each for each in problems)
    assert any("no result of their own" in each for each in problems)


async def test_more_than_one_may_decide_is_said_and_played_all_the_same(store: SqlStore) -> None:
    await store.write(lambda tx: furnish(tx, campaign()))
    await store.write(lambda tx: take_turn(tx, ACT, "svc", Wish(), "me"))
    found: Any = await rehearse(store, "svc", Wish(), 59, ACT, "me", rehearser(SETTINGS),
                                lambda *_: None)  # fmt: skip
    assert found["held"] == "second"
    assert found["messages"] > 0
    assert "it will wait for a second person" in " ".join(Told.of(found, "en").problems)


async def test_a_part_is_whole_subjects_with_all_who_rate_them(store: SqlStore) -> None:
    await store.write(lambda tx: furnish(tx, campaign(), people=300))
    part = await store.read(lambda tx: scripted(tx, "svc", Wish(people=120), 1000, NOW))
    assert len(part.raters) == 100
    assert len({subject for each in part.raters for subject, _ in each.sides}) == 1
    assert (part.whole.people, part.whole.reachable) == (300, 270)
    tiny = await store.read(lambda tx: scripted(tx, "svc", Wish(people=7), 1000, NOW))
    assert len(tiny.raters) == 7
    found = await played(store, Wish(people=120))
    said = Told.of(found, "en").lead[1]
    assert "300 people. Rehearsed were 100 of them: 1 subjects drawn by seed 1" in said


async def test_what_is_handed_over_names_nobody(store: SqlStore) -> None:
    await store.write(lambda tx: furnish(tx, campaign()))
    script = await store.read(lambda tx: scripted(tx, "svc", Wish(), 1000, NOW))
    handed = pickle.dumps((script, Manner({"zh": "局"}, 20, 20)))
    for secret in (NAME, "id-0", "id-059", "880001", "号窗口"):
        assert secret.encode() not in handed
    assert b"w1" in handed


async def test_a_question_that_nobody_can_get_past_is_named(store: SqlStore) -> None:
    form = form_of(
        "select_one grade | speed | How fast? | | ",
        "integer | age | Your age? | . < 0 and . > 200 | yes",
    )
    await store.write(lambda tx: furnish(tx, campaign(form), 20, form))
    found = await played(store, Wish(response=50))
    assert found["stuck"] == 9
    assert found["outcomes"]["complete"] == 0
    assert [each["stuck"] for each in found["questions"]] == [0, 9]
    assert found["questions"][1]["troubled"] > 9
    problem = Told.of(found, "en").problems[0]
    assert problem.startswith("People who could not go on, whatever they tried: 9.")
    assert "They stood at: Your age?" in problem


async def test_places_files_and_words_are_given_where_they_are_asked_for(store: SqlStore) -> None:
    form = form_of(
        "select_one grade | speed | How fast? | | ",
        "image | photo | A photo, please | | yes",
        "geopoint | place | Where is it? | | yes",
        "text | words | Anything else? | | yes",
    )
    await store.write(lambda tx: furnish(tx, campaign(form), 20, form))
    found = await played(store, Wish(response=50))
    assert found["stuck"] == 0
    assert [each["answered"] for each in found["questions"]] == [9, 9, 9, 9]


async def test_a_campaign_that_reaches_nobody_says_so(store: SqlStore) -> None:
    none = campaign(groups=(RaterGroup.PEER,))
    await store.write(lambda tx: furnish(tx, none))
    found = await played(store, Wish())
    assert (found["people"], found["messages"]) == (0, 0)
    assert "Nobody would be asked yet" in Told.of(found, "en").problems[0]


async def test_a_campaign_of_people_without_telegram_says_what_to_do(store: SqlStore) -> None:
    await store.write(lambda tx: furnish(tx, campaign()))

    def silenced(tx: Any) -> None:
        for n in range(60):
            tx.drop_chats(f"id-{n:03}")

    await store.write(silenced)
    found = await played(store, Wish())
    assert (found["people"], found["messages"]) == (60, 0)
    told = Told.of(found, "en")
    assert "so nobody answered" in told.lead[0]
    assert "Links and QR codes" in told.problems[0]
    assert "链接与二维码" in Told.of(found, "zh").problems[0]


async def test_one_at_a_time_and_only_where_there_is_a_wave_to_come(store: SqlStore) -> None:
    over = campaign(id="over", recurrence="FREQ=DAILY;COUNT=1", starts=date(2020, 1, 1))
    await store.write(lambda tx: furnish(tx, campaign()))
    await store.write(lambda tx: tx.put_campaign(over))
    await store.write(lambda tx: take_turn(tx, ACT, "svc", Wish(), "me"))
    for name, said in (("svc", "Another rehearsal"), ("over", "no further wave"),
                       ("none", "no campaign")):  # fmt: skip
        with pytest.raises(CampaignError, match=said):
            await store.write(partial(take_turn, act=ACT, campaign=name, wish=Wish(), holder="you"))
    await store.write(lambda tx: tx.drop_lease(LEASE, "me"))
    await store.write(lambda tx: take_turn(tx, ACT, "svc", Wish(), "you"))


async def test_one_that_fails_leaves_no_file_and_lets_the_next_one_in(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = left_behind()
    await store.write(lambda tx: furnish(tx, campaign(), 20))
    real = rehearser(SETTINGS)

    async def spoilt(script: Script, moved: Any) -> Any:
        return await real(replace(script, form=b"<secret words/>"), moved)

    await store.write(lambda tx: take_turn(tx, ACT, "svc", Wish(), "me"))
    with pytest.raises(RehearsalError) as failed:
        await rehearse(store, "svc", Wish(), 1000, ACT, "me", spoilt, lambda *_: None)
    assert "secret" not in str(failed.value)
    monkeypatch.setattr("minyi.rehearsing.LASTS", timedelta(seconds=0.2))
    with pytest.raises(TooLongError):
        await played(store, Wish())
    assert left_behind() <= there
    assert await store.write(lambda tx: tx.take_lease(LEASE, "you", NOW, NOW + rehearsing.LASTS))


async def test_one_that_is_called_off_ends_its_process(store: SqlStore) -> None:
    there = left_behind()
    await store.write(lambda tx: furnish(tx, campaign(), 20))
    playing = asyncio.create_task(played(store, Wish()))
    await until(lambda: left_behind() - there)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert left_behind() <= there


async def test_one_whose_beginner_is_killed_goes_as_well(sqlite_url: str, tmp_path: Path) -> None:
    store, there = SqlStore(sqlite_url), left_behind()
    await store.write(lambda tx: furnish(tx, campaign(), 100))
    environ = {**os.environ, "MINYI_DATABASE_URL": sqlite_url, "MINYI_DATA_DIR": str(tmp_path)}
    beginner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from minyi.cli import main; main()", "campaign", "rehearse", "svc",
        env=environ, stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip
    await until(lambda: any(any(folder.iterdir()) for folder in left_behind() - there), 120)
    beginner.kill()
    await beginner.wait()
    await until(lambda: left_behind() <= there, 120)
    await store.close()


def test_the_ends_of_quiet_hours_are_moments_in_every_zone() -> None:
    made = campaign(window=timedelta(days=2), reminders=(timedelta(days=1), timedelta(days=9)))
    opens = datetime(2026, 12, 10, 1, tzinfo=UTC)
    wave = Wave("w", "svc", "2026Q4", opens, opens + made.window, b"")
    rater = rehearsing.Rater("zh", "Asia/Shanghai", True, ())
    script = Script(made, b"", (), opens, opens, (rater, replace(rater, zone="Asia/Kathmandu")),
                    rehearsing.Whole(2, 2, 2, 1), "", Wish())  # fmt: skip
    told = [f"{at.astimezone(UTC):%d %H:%M}" for at in moments(script, wave)]
    assert told == ["10 01:00", "10 02:15", "11 00:00", "11 01:00", "11 02:15", "12 00:00"]


def test_the_worst_second_is_any_second() -> None:
    at = [NOW + timedelta(seconds=n) for n in (0.0, 0.5, 0.9, 1.0, 1.4, 5.0)]
    assert worst_second(at) == 4
    assert worst_second([]) == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_at_the_terminal(
    minyi: Minyi, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    environ = {}
    if kind == "postgresql":
        environ = {"MINYI_DATABASE_URL": str(request.getfixturevalue("postgres_url"))}
    assert minyi("init", **environ).status == 0
    people = [f"C{n}" for n in range(12)]
    files = {
        "subjects": ["id,name_zh", "W1,户籍窗口"],
        "people": ["id,kind,telegram", *(f"{c},citizen,{7000 + n}" for n, c in enumerate(people))],
        "relations": ["rater,subject,group", *(f"{c},W1,SVC" for c in people)],
    }
    for name, lines in files.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines), "utf-8")
        assert minyi("import", name, tmp_path / f"{name}.csv", **environ).status == 0
    form = Path(__file__).parents[2] / "questionnaires" / "service.md"
    assert minyi("form", "add", form, **environ).status == 0
    version = minyi("form", "list", **environ).out
    version = next(word for word in version.split() if len(word) == 12 and word.isalnum())
    made = minyi("campaign", "create", "svc", "--title-zh", "满意", "--form", version,
                 "--starts", "2126-12-01", **environ)  # fmt: skip
    assert made.status == 0
    ran = minyi("campaign", "rehearse", "svc", "--response", 50, "--seed", 3, **environ)
    assert ran.status == 0
    assert "2126-12-10 09:00 (Asia/Shanghai)" in ran.out
    assert "12 people, 12 ratings, 1 subjects" in ran.out
    assert "50.0 %" in ran.out
    assert "campaign.rehearsed" in minyi("audit", "show", **environ).out
    wrong = minyi("campaign", "rehearse", "svc", "--response", 0, "--people", 2001, **environ)
    assert wrong.status == 1
    assert "--response: '0' will not do" in wrong.err
    assert "--people: '2001' will not do" in wrong.err
    assert minyi("campaign", "rehearse", "nobody", **environ).status == 1
