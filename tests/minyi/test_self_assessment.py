"""Officials assess themselves in the same wave in which others rate them; no score notices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from desk.exporting import OPEN as OPEN_TABLES
from desk.exporting import export
from desk.fieldwork import fieldwork
from desk.forgetting import forget
from minyi import scoring, steps
from minyi.conversing import QUESTIONNAIRES
from minyi.house import House
from storage import SqlStore
from surveys.campaigns import QUARTERLY, Campaign, Delivery
from surveys.cells import THIRD_PARTIES, RaterGroup
from surveys.forms.xlsform import load_form
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.reply import Tapped
from tests.minyi.conftest import Minyi
from tests.minyi.test_steps import BEFORE, CLOSED, OPEN, house_on
from web.app import create_app

WAVE, PERIOD = "leadership.20261210", "2026Q4"
OFFICIALS = 5
OTHERS = [*(f"m{n}" for n in range(8)), *(f"p{n}" for n in range(6)), "s0"]


async def furnish(house: House, groups: tuple[RaterGroup, ...]) -> None:
    """Five officials, whom subordinates, peers and a superior rate; each is somebody."""
    form = load_form(QUESTIONNAIRES / "leadership.md")
    sides = {"m": RaterGroup.SUBORDINATE, "p": RaterGroup.PEER, "s": RaterGroup.SUPERIOR}

    def work(tx: Any) -> None:
        tx.put_subjects([Subject("top", {"zh": "中心"})])
        tx.put_subjects(Subject(f"o{n}", {"zh": f"干部{n}"}, "official", "top")
                        for n in range(OFFICIALS))  # fmt: skip
        people = [*OTHERS, *(f"own{n}" for n in range(OFFICIALS))]
        tx.put_people(Person(each, Kind.STAFF, language="zh") for each in people)
        for each in people:
            tx.put_chat(Chat(Address("web", each), each, "zh"))
        tx.put_relations(Relation(each, f"o{n}", sides[each[0]])
                         for each in OTHERS for n in range(OFFICIALS))  # fmt: skip
        tx.put_relations(Relation(f"own{n}", f"o{n}", RaterGroup.SELF) for n in range(OFFICIALS))
        tx.put_form(form.hash, form.title, form.source)
        day = date(2026, 12, 1)
        tx.put_campaign(Campaign(form.id, form.titles, form.hash, groups, day, QUARTERLY))

    await house.store.write(work)


async def answer(house: House, person: str) -> None:
    """Everything ``person`` is asked: what they say of whom hangs on nothing else."""
    about, data = "", f"g:{WAVE}:0:0"
    while True:
        heard = Tapped(data)
        reply = (await house.conversation.receive(Address("web", person), heard, OPEN))[0]
        if not reply.question:
            return
        about = next((f"o{n}" for n in range(OFFICIALS) if f"干部{n}" in reply.text), about)
        buttons = [button for row in reply.rows for button in row]
        grades = [b for b in buttons if b.data.startswith("a:") and "☐" not in b.label]
        others = [b for b in buttons if b.data.startswith("s:")]
        chance = Random(person + about + reply.text.splitlines()[-1])
        data = (chance.choice(grades[:5]) if grades else others[0]).data


async def counted(house: House, groups: tuple[RaterGroup, ...]) -> None:
    """The wave opens by the clock, everybody asked answers, it is counted."""
    await furnish(house, groups)
    await steps.plan(house, BEFORE)
    await steps.plan(house, OPEN)
    own = [f"own{n}" for n in range(OFFICIALS)] if RaterGroup.SELF in groups else []
    for person in [*OTHERS, *own]:
        await answer(house, person)
    assert (await steps.tally(house, CLOSED)).spoiled == 0


async def quarter(house: House, groups: tuple[RaterGroup, ...]) -> None:
    """Counted, scored and published."""
    await counted(house, groups)
    await scoring.score(house, PERIOD)
    await scoring.publish(house, PERIOD)


@pytest.fixture
def salted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both quarters are frozen under one salt, so that equal inputs are equal bytes."""
    monkeypatch.setattr("minyi.scoring.secrets.token_hex", lambda size: "5a" * size)


async def invited(house: House, person: str, stage: str = "invite") -> str:
    """What the message owed to ``person`` says."""
    return (await house.invitations.compose(Delivery(1, WAVE, person, stage, "1", "en"))).text


async def test_the_invitation_of_an_official_alone_tells_of_the_self_assessment(
    store: SqlStore, tmp_path: Path
) -> None:
    """And is the same to the letter once it is given: whether it was, no message tells."""
    house = await house_on(store, tmp_path)
    await furnish(house, (*THIRD_PARTIES, RaterGroup.SELF))
    await house.store.write(  # one who rates others too
        lambda tx: tx.put_relations([Relation("own0", "o1", RaterGroup.PEER)])
    )
    await steps.plan(house, BEFORE)
    await steps.plan(house, OPEN)
    told = "It includes your self-assessment, which is published under your name."
    before = {who: await invited(house, who) for who in ("own0", "own1", *OTHERS)}
    assert len({before[who] for who in OTHERS}) == 1, "everybody else reads the same"
    assert before["own0"] == before["own1"] == f"{before['m0']}\n{told}"
    assert told not in await invited(house, "own0", "remind1")
    await answer(house, "own0")
    await answer(house, "m0")
    assert {who: await invited(house, who) for who in before} == before


async def test_where_officials_are_not_asked_about_themselves_no_invitation_tells_of_it(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house, THIRD_PARTIES)
    await house.store.write(lambda tx: tx.put_relations([Relation("own0", "o1", RaterGroup.PEER)]))
    await steps.plan(house, BEFORE)
    await steps.plan(house, OPEN)
    assert await invited(house, "own0") == await invited(house, "m0")


async def test_a_score_is_the_same_to_the_byte_with_and_without_self_assessments(
    store: SqlStore, tmp_path: Path, salted: None
) -> None:
    others = SqlStore("sqlite://")
    without = await house_on(others, tmp_path / "without")
    house = await house_on(store, tmp_path / "with")
    await quarter(without, THIRD_PARTIES)
    await quarter(house, tuple(RaterGroup))
    one, other = [await each.read(lambda tx: tx.score_run(PERIOD)) for each in (store, others)]
    await others.close()
    assert one is not None
    assert other is not None
    assert one.frozen == other.frozen
    assert one.cards == other.cards
    own = await store.read(lambda tx: tx.cells(PERIOD, RaterGroup.SELF))
    assert {(cell.subject, cell.n) for cell in own if cell.n} == {
        (f"o{n}", 1) for n in range(OFFICIALS)
    }
    spreads = await store.read(lambda tx: tx.spreads(PERIOD))
    assert RaterGroup.SELF not in {each.group for each in spreads}


async def test_what_officials_gave_themselves_stands_beside_their_card(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await quarter(house, tuple(RaterGroup))
    app = create_app(
        house.conversation, store, clock=lambda: CLOSED, public_url="http://minyi.test",
        methods=[house.method],
    )  # fmt: skip
    cells = await store.read(lambda tx: tx.cells(PERIOD, RaterGroup.SELF))
    mark = next(c for c in cells if c.subject == "o1" and c.indicator == "duty" and c.n)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://minyi.test") as client:
        shown = (await client.get(f"/results/{PERIOD}/o1")).text
        unit = await client.get(f"/results/{PERIOD}/top")
    assert ">自评</h2>" in shown
    assert f'<span class="many">{round(20 * mark.mean)}</span>' in shown
    assert "自评折合" in shown
    assert unit.status_code == 404, "nobody rated it"


async def test_it_is_told_with_the_card_and_not_before(store: SqlStore, tmp_path: Path) -> None:
    house = await house_on(store, tmp_path)
    await counted(house, tuple(RaterGroup))

    async def leaves() -> str:
        to = tmp_path / "all.json"
        await export(store, OPEN_TABLES, [PERIOD], to, "json")
        return to.read_text("utf-8")

    before = await leaves()
    assert '"SUP"' in before
    assert "SELF" not in before
    found = await store.read(lambda tx: fieldwork(tx, WAVE))
    assert found is not None
    own = [each.answered for each in found.sides if each.group is RaterGroup.SELF]
    assert own == [None] * OFFICIALS
    await scoring.score(house, PERIOD)
    assert "self_assessment" not in await leaves()
    await scoring.publish(house, PERIOD)
    assert "self_assessment.marks.duty" in await leaves()


async def test_who_assesses_themselves_is_told_that_it_goes_under_their_name(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house, tuple(RaterGroup))
    await steps.plan(house, BEFORE)
    await steps.plan(house, OPEN)
    replies = await house.conversation.receive(
        Address("web", "own2"), Tapped(f"g:{WAVE}:0:0"), OPEN
    )
    said = "\n".join(reply.text for reply in replies)
    assert "这是自评" in said
    assert "干部2" in said
    assert "保密" not in said.partition("干部2")[2], "no promise that does not hold"
    assert "本季度，您该做的事做得怎么样？" in said
    address = Address("web", "own2")
    english = await house.conversation.receive(address, Tapped("l:en:0:0"), OPEN)
    assert "This quarter, how well did you do your work?" in english[-1].text
    others = await house.conversation.receive(Address("web", "m0"), Tapped(f"g:{WAVE}:0:0"), OPEN)
    assert any("该做的事做得怎么样？" in each.text and "您该" not in each.text for each in others)


async def test_a_self_assessment_goes_with_whoever_made_it_and_what_they_said_of_others_stays(
    store: SqlStore, tmp_path: Path
) -> None:
    """An official who rates a colleague as well is forgotten at the desk before the close."""
    house = await house_on(store, tmp_path)
    await furnish(house, tuple(RaterGroup))
    fellow = Relation("own0", "o1", RaterGroup.PEER)
    await store.write(lambda tx: tx.put_relations([fellow]))
    await steps.plan(house, BEFORE)
    await steps.plan(house, OPEN)
    for person in [*OTHERS, "own0", "own1"]:
        await answer(house, person)
    act = replace(house.act(), at=OPEN)
    assert await store.write(lambda tx: forget(tx, act, "own0", house.keyring))
    counted = await steps.tally(house, CLOSED)
    assert counted.spoiled == 0
    turnout = await store.read(lambda tx: tx.turnout(PERIOD))
    answered = sum(each.answered or 0 for each in turnout)
    assert answered == len(OTHERS) * OFFICIALS + 1 + 1, "theirs of o1, and own1's of o1"
    own = await store.read(lambda tx: tx.cells(PERIOD, RaterGroup.SELF))
    assert {cell.subject for cell in own if cell.n} == {"o1"}
    peers = await store.read(lambda tx: tx.cells(PERIOD, RaterGroup.PEER))
    assert max(cell.n for cell in peers if cell.subject == "o1") == 7


def test_at_the_terminal_it_is_said_who_an_official_is(founded: Minyi, tmp_path: Path) -> None:
    subjects = "id,name_zh,kind,parent\ntop,中心,unit,\nchief,主任,official,top\n"
    people = "id,name,kind,unit\np1,王芳,staff,top\np2,李强,staff,top\n"
    for name, text in (("subjects", subjects + "vice,副主任,official,top\n"), ("people", people)):
        file = tmp_path / f"{name}.csv"
        file.write_text(text, "utf-8")
        assert founded("import", name, file).status == 0
    assert founded("relations", "self", "chief", "王芳").out == "chief is 王芳 (p1).\n"
    passed_on = founded("relations", "self", "chief", "p2").out
    assert passed_on == "chief is 李强 (p2), who was p1 until now.\n"
    assert "Note: 李强 is chief, vice." in founded("relations", "self", "vice", "p2").out
    derived = founded("relations", "derive", "fellows,members", "--apply").out
    assert "fellows: 0 new" in derived, "one person is no peer of themselves"
    assert "members: 2 new" in derived
    assert founded("relations", "self", "chief").out == "chief is nobody, who was p2 until now.\n"
    wrong = founded("relations", "self", "top", "p1")
    assert (wrong.status, "top is a unit" in wrong.err) == (1, True)
    assert "no official none" in founded("relations", "self", "none", "p1").err
