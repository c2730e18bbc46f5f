"""The ledger of deliveries: drawn in sets, claimed by one statement, never repeated blindly.

A row is ``due`` until somebody notes what became of it. A claim writes ``claimed_until``; the
beginning of the sending writes ``begun_at``. A claim that ran out goes back by itself where nothing
was begun; where it was, the sender died in between, and the row becomes ``unknown``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from storage.campaigns import OPEN
from storage.columns import Moment, round_up
from storage.facts import FactRows
from storage.tables import (
    BEGUN,
    DUE,
    assignments,
    campaigns,
    chats,
    deliveries,
    interviews,
    people,
    waves,
)
from storage.unit import insert_new
from surveys.campaigns import INVITE, Delivery, Outcome

_ROUNDS = 50  # of ``limit`` rows each: how many moot rows one claim clears away at most
_NOW = bindparam("now", type_=Moment)
_DRAWN = (
    select(
        bindparam("wave", type_=Text),
        chats.c.person,
        bindparam("stage", type_=Text),
        chats.c.handle,
        chats.c.language,
        bindparam("due_at", type_=Moment),
        literal(0),
        literal(Outcome.DUE, deliveries.c.state.type),
        literal(""),
    )
    .join(people, people.c.id == chats.c.person)
    .where(
        chats.c.channel == "telegram",
        chats.c.reachable == true(),
        people.c.opted_out == false(),
        exists().where(
            assignments.c.wave == bindparam("wave", type_=Text), assignments.c.person == people.c.id
        ),
    )
)
_DRAWN_COLUMNS = [
    "wave",
    "person",
    "stage",
    "handle",
    "language",
    "due_at",
    "attempts",
    "state",
    "detail",
]
_OPEN_WAVES = (
    select(waves.c.id, campaigns.c.zone)
    .join(campaigns, campaigns.c.id == waves.c.campaign)
    .where(OPEN)
)
_LOST = (
    update(deliveries)
    .where(BEGUN, deliveries.c.claimed_until <= _NOW)
    .values(state=Outcome.UNKNOWN, claimed_until=null())
)
_BEGIN = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("which"),
        DUE,
        deliveries.c.begun_at.is_(None),
        deliveries.c.claimed_until > _NOW,
    )
    .values(begun_at=_NOW, attempts=deliveries.c.attempts + 1)
)
_NOTE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("which"))
    .values(
        state=bindparam("outcome"),
        detail=bindparam("what"),
        due_at=func.coalesce(bindparam("later", type_=Moment), deliveries.c.due_at),
        claimed_until=null(),
        begun_at=null(),
    )
)
_UNREACHABLE = (
    update(chats)
    .where(
        chats.c.channel == "telegram",
        chats.c.handle
        == select(deliveries.c.handle)
        .where(deliveries.c.id == bindparam("which"))
        .scalar_subquery(),
    )
    .values(reachable=false())
)
_COUNTS = (
    select(deliveries.c.stage, deliveries.c.state, func.count())
    .where(deliveries.c.wave == bindparam("wave"))
    .group_by(deliveries.c.stage, deliveries.c.state)
    .order_by(deliveries.c.stage, deliveries.c.state)
)


_FORGET = delete(deliveries).where(
    deliveries.c.wave == bindparam("of_wave"), deliveries.c.stage != INVITE
)
_REMINDERS = "reminders:"


class DeliveryRows(FactRows):
    __slots__ = ()

    def draw_deliveries(self, wave: str, stage: str, due_at: datetime) -> int:
        """Leaves out who has opted out or blocked us; returns the rows added."""
        draw = insert_new(self._dialect, deliveries).from_select(_DRAWN_COLUMNS, _DRAWN)
        drawn = self._changed(draw, {"wave": wave, "stage": stage, "due_at": due_at})
        if drawn and self._dialect == "postgresql":
            # else, until its vacuum comes by, it takes a full table for an empty one and sorts
            # every due row at every claim
            self._connection.exec_driver_sql("ANALYZE deliveries")
        return drawn

    def claim_deliveries(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """At most 50 x ``limit`` moot rows are cleared away in one call, so it stays short."""
        self._changed(_LOST, {"now": now})
        midnights = {
            row.id: now.astimezone(ZoneInfo(row.zone)).replace(
                hour=0, minute=0, second=0, microsecond=0
            )
            for row in self._all(_OPEN_WAVES, {"now": now})
        }
        if not midnights:
            return []
        claim = _claim(midnights)
        taken: list[Any] = []
        for _ in range(_ROUNDS):
            wanted = limit - len(taken)
            values = {"now": now, "until": round_up(until), "wanted": wanted}
            rows = self._all(claim, values) if wanted > 0 else []
            if not rows:
                break
            taken += [row for row in rows if row.state is Outcome.DUE]
        taken.sort(key=lambda row: (row.due_at, row.id))
        return [
            Delivery(
                row.id, row.wave, row.person, row.stage, row.handle, row.language, row.attempts
            )
            for row in taken
        ]

    def begin_delivery(self, delivery: int, now: datetime) -> bool:
        return self._changed(_BEGIN, {"which": delivery, "now": now}) == 1

    def note_delivery(
        self, delivery: int, outcome: Outcome, detail: str = "", due_at: datetime | None = None
    ) -> None:
        """``Outcome.GONE`` also makes every later delivery to that address moot."""
        self._changed(
            _NOTE, {"which": delivery, "outcome": outcome, "what": detail, "later": due_at}
        )
        if outcome is Outcome.GONE:
            self._changed(_UNREACHABLE, {"which": delivery})

    def delivery_counts(self, wave: str) -> Sequence[tuple[str, Outcome, int]]:
        rows = [(row[0], row[1], row[2]) for row in self._all(_COUNTS, {"wave": wave})]
        kept = json.loads(self.note(_REMINDERS + wave) or "[]")
        return rows + [(stage, Outcome(outcome), number) for stage, outcome, number in kept]

    def forget_reminders(self, wave: str) -> None:
        """Keep their counts only: a reminder that became moot says that somebody had answered."""
        counts = [row for row in self.delivery_counts(wave) if row[0] != INVITE]
        self.put_note(_REMINDERS + wave, json.dumps(counts))
        self._changed(_FORGET, {"of_wave": wave})


def _claim(midnights: dict[str, datetime]) -> Update:
    """Takes due rows of these waves, each with the midnight that its today began at."""
    due = (
        select(deliveries.c.id)
        .where(
            DUE,
            deliveries.c.due_at <= _NOW,
            or_(deliveries.c.claimed_until.is_(None), deliveries.c.claimed_until <= _NOW),
            # || '' keeps the planner off the wave's index: it would sort the whole wave each time
            deliveries.c.wave.concat("").in_(list(midnights)),
        )
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(bindparam("wanted"))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    todays = {wave: literal(midnight, Moment) for wave, midnight in midnights.items()}
    moot = _moot(case(todays, value=deliveries.c.wave))
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(due.c.id)))
        .values(
            state=case(
                (moot, literal(Outcome.MOOT, deliveries.c.state.type)),
                else_=literal(Outcome.DUE, deliveries.c.state.type),
            ),
            claimed_until=bindparam("until", type_=Moment),
        )
        .returning(deliveries)
    )


def _moot(today: ColumnElement[datetime]) -> ColumnElement[bool]:
    of_person = and_(
        interviews.c.wave == deliveries.c.wave, interviews.c.person == deliveries.c.person
    )
    opted_out = exists().where(people.c.id == deliveries.c.person, people.c.opted_out == true())
    unreachable = exists().where(
        chats.c.channel == "telegram",
        chats.c.handle == deliveries.c.handle,
        chats.c.reachable == false(),
    )
    complete = exists().where(
        of_person, interviews.c.subject == assignments.c.subject, interviews.c.complete == true()
    )
    left = exists().where(
        assignments.c.wave == deliveries.c.wave,
        assignments.c.person == deliveries.c.person,
        ~complete.correlate(deliveries, assignments),
    )
    busy = exists().where(
        of_person, interviews.c.complete == false(), interviews.c.touched_at >= today
    )
    reminder = deliveries.c.stage.like("remind%")
    return or_(
        opted_out.correlate(deliveries),
        unreachable.correlate(deliveries),
        and_(reminder, or_(~left.correlate(deliveries), busy.correlate(deliveries))),
    )
