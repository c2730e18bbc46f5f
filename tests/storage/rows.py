"""Rows to fill a store with, and the smallest world that satisfies its foreign keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from storage.transaction import SqlTransaction
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.store import Assignment, SealedInterview

NOW = datetime(2026, 12, 12, 4, 0, tzinfo=UTC)  # noon in Shanghai
HOUR = timedelta(hours=1)
CAMPAIGN = Campaign(
    id="q",
    title={"zh": "满意度", "en": "Satisfaction"},
    form="f1",
    groups=(RaterGroup.PEER, RaterGroup.RECIPIENT),
    starts=date(2026, 3, 1),
)
WAVE = Wave(
    id="q-2026Q4",
    campaign="q",
    period="2026Q4",
    opens_at=NOW - timedelta(days=2),
    closes_at=NOW + timedelta(days=12),
    tally_key=b"t" * 32,
    state=WaveState.OPEN,
    form="f1",
)


def person(number: int, *, opted_out: bool = False) -> Person:
    return Person(f"p{number}", Kind.STAFF, f"人{number}", opted_out=opted_out)


def telegram(number: int, interview: str | None = None) -> Chat:
    return Chat(Address("telegram", f"{1000 + number}"), f"p{number}", "zh", interview)


def interview(
    number: int = 1, subject: str = "s1", turn: int = 70, complete: bool = False
) -> SealedInterview:
    return SealedInterview(
        id=f"i{number}-{subject}",
        person=f"p{number}",
        purpose="rating",
        form="f1",
        turn=turn,
        complete=complete,
        state=b"sealed",
        touched_at=NOW - 2 * 24 * HOUR,
        wave=WAVE.id,
        subject=subject,
        group=RaterGroup.PEER,
    )


def assignment(number: int = 1, subject: str = "s1") -> Assignment:
    return Assignment(WAVE.id, f"p{number}", subject, RaterGroup.PEER)


def found_world(tx: SqlTransaction) -> None:
    """A form, a campaign with an open wave, and two subjects."""
    tx.put_form("f1", "服务满意度", b"<h:html/>")
    tx.put_campaign(CAMPAIGN)
    tx.put_wave(WAVE)
    tx.put_subjects([Subject("s1", {"zh": "一科"}, parent="s2"), Subject("s2", {"zh": "局"})])


def found_roll(tx: SqlTransaction, people: int) -> None:
    """The world, with ``people`` on the roll of its wave, each on Telegram, each to rate s1."""
    found_world(tx)
    tx.put_people(person(number) for number in range(people))
    for number in range(people):
        tx.put_chat(telegram(number))
    tx.put_relations(Relation(f"p{number}", "s1", RaterGroup.PEER) for number in range(people))
    tx.draw_assignments(WAVE, CAMPAIGN, NOW)
