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
    BindParameter,
    Select,
    Table,
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
    union_all,
    update,
)

from storage.campaigns import OPEN, WAVES, CampaignRows
from storage.columns import Moment, round_up
from storage.facts import FactRows
from storage.tables import (
    BEGUN,
    DUE,
    assignments,
    chats,
    deliveries,
    interviews,
    people,
)
from surveys.campaigns import (
    ANSWERING,
    INVITE,
    REST,
    Campaign,
    Delivery,
    Outcome,
    Overdue,
    Wave,
    too_late,
)
from surveys.hours import decent, is_quiet
from surveys.hours import until as next_quiet

_ROUNDS = 50  # of ``limit`` rows each: how many moot rows one claim clears away at most
_NOW = bindparam("now", type_=Moment)
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
_OPEN_WAVES = WAVES.where(OPEN)
_UNCLAIMED = or_(deliveries.c.claimed_until.is_(None), deliveries.c.claimed_until <= _NOW)
_MINE: BindParameter[int] = bindparam("mine", expanding=True)
_ZONES = (
    select(deliveries.c.id, people.c.zone)
    .join(people, people.c.id == deliveries.c.person)
    .where(deliveries.c.id.in_(_MINE))
)
_REST = (
    update(deliveries)
    .where(
        DUE,
        deliveries.c.due_at <= _NOW,
        deliveries.c.wave == bindparam("of_wave"),
        deliveries.c.begun_at.is_(None),
        or_(_UNCLAIMED, deliveries.c.id.in_(_MINE)),
        func.coalesce(
            select(people.c.zone)
            .where(people.c.id == deliveries.c.person)
            .correlate(deliveries)
            .scalar_subquery(),
            bindparam("home", type_=Text),
        )
        == bindparam("where", type_=Text),
    )
    .values(due_at=bindparam("rested", type_=Moment), claimed_until=null())
)
_OWED = select(func.count(), func.min(deliveries.c.due_at)).where(
    deliveries.c.wave == bindparam("wave"), DUE, deliveries.c.due_at <= _NOW
)
_LAST = select(func.max(deliveries.c.due_at)).where(
    deliveries.c.wave == bindparam("wave"),
    deliveries.c.state.in_([Outcome.SENT, Outcome.UNKNOWN, Outcome.GONE]),
)
_SENT = select(deliveries.c.detail).where(
    deliveries.c.wave == bindparam("wave"),
    deliveries.c.handle == bindparam("handle"),
    deliveries.c.state == Outcome.SENT,
)
_LOST = (
    update(deliveries)
    .where(BEGUN, deliveries.c.claimed_until <= _NOW)
    .values(state=Outcome.UNKNOWN, due_at=deliveries.c.begun_at, claimed_until=null())
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
_OF_PERSON = and_(
    interviews.c.wave == deliveries.c.wave, interviews.c.person == deliveries.c.person
)
_REMINDER = deliveries.c.stage.like("remind%")
_UNWILLING = exists().where(
    people.c.id == deliveries.c.person,
    or_(people.c.opted_out == true(), people.c.left == true()),
)
_BLOCKED = exists().where(
    chats.c.channel == "telegram",
    chats.c.handle == deliveries.c.handle,
    chats.c.reachable == false(),
)
_COMPLETE = exists().where(
    _OF_PERSON, interviews.c.subject == assignments.c.subject, interviews.c.complete == true()
)
_LEFT = exists().where(
    assignments.c.wave == deliveries.c.wave,
    assignments.c.person == deliveries.c.person,
    ~_COMPLETE.correlate(deliveries, assignments),
)
_MOOT = or_(
    deliveries.c.handle == "",  # they have been forgotten since
    _UNWILLING.correlate(deliveries),
    _BLOCKED.correlate(deliveries),
    and_(_REMINDER, ~_LEFT.correlate(deliveries)),
)
"""Whoever it is for is not to get it any more."""
_BUSY = and_(
    _REMINDER,
    exists()
    .where(
        _OF_PERSON,
        interviews.c.complete == false(),
        interviews.c.touched_at > bindparam("since", type_=Moment),
    )
    .correlate(deliveries),
)
"""A reminder of what they are just answering."""
_EARLIER = deliveries.alias("earlier")
_CLOSE = and_(
    _REMINDER,
    exists()
    .where(
        _EARLIER.c.wave == deliveries.c.wave,
        _EARLIER.c.person == deliveries.c.person,
        _EARLIER.c.stage < deliveries.c.stage,
        or_(
            _EARLIER.c.state == Outcome.DUE,
            and_(
                _EARLIER.c.state.in_([Outcome.SENT, Outcome.UNKNOWN]),
                _EARLIER.c.due_at > bindparam("lately", type_=Moment),
            ),
        ),
    )
    .correlate(deliveries),
)
"""A reminder of what they were told only just now, or have not been told yet."""
_MOOT_STATE = (_MOOT, literal(Outcome.MOOT, deliveries.c.state.type))
_BEGIN = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("which"),
        DUE,
        deliveries.c.begun_at.is_(None),
        deliveries.c.claimed_until > _NOW,
    )
    .values(
        state=case(_MOOT_STATE, else_=deliveries.c.state),
        due_at=case((_BUSY, bindparam("back", type_=Moment)), else_=deliveries.c.due_at),
        claimed_until=case((_BUSY, null()), else_=deliveries.c.claimed_until),
        begun_at=case((_BUSY, null()), else_=_NOW),
        attempts=deliveries.c.attempts + case((_BUSY, 0), else_=1),
    )
    .returning(deliveries.c.state, deliveries.c.begun_at)
)


class DeliveryRows(CampaignRows, FactRows):
    __slots__ = ()

    def draw_deliveries(self, wave: str, *stages: tuple[str, datetime]) -> int:
        """Leaves out who has opted out or blocked us; returns the rows added.

        All stages in one statement: SQLite keeps in memory what a second one would change of the
        first one's pages.
        """
        self._analyse(assignments)  # its roll was just drawn
        found = _drawn(wave, stages)
        key = [found.selected_columns.person, found.selected_columns.stage]
        drawn = self._fill(deliveries, _DRAWN_COLUMNS, found, key)
        if drawn:
            self._analyse(deliveries)  # else it sorts every due row at every claim
        return drawn

    def _analyse(self, table: Table) -> None:
        """Until its vacuum comes by, PostgreSQL takes a table just filled for an empty one."""
        if self._dialect == "postgresql":
            self._connection.exec_driver_sql(f"ANALYZE {table.name}")

    def claim_deliveries(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """At most 50 x ``limit`` moot rows are cleared away in one call, so it stays short.

        Whoever is found in quiet hours is left for their end, with everybody of the same wave and
        zone, by one statement.
        """
        self._changed(_LOST, {"now": now})
        going = self._going(now)
        if not going:
            return []
        claim = _claim(going, now)
        taken: list[tuple[datetime, Delivery]] = []
        for _ in range(_ROUNDS):
            wanted = limit - len(taken)
            values = {"now": now, "until": round_up(until), "wanted": wanted,
                      "lately": now - REST, **_answering(now)}  # fmt: skip
            rows = self._all(claim, values) if wanted > 0 else []
            if not rows:
                break
            mine = [row for row in rows if row.state is Outcome.DUE and row.claimed_until]
            taken += self._awake(mine, going, now)
        taken.sort(key=lambda each: (each[0], each[1].id))
        return [delivery for _, delivery in taken]

    def _going(self, now: datetime) -> dict[str, tuple[Wave, Campaign]]:
        """The open waves, each with its campaign."""
        campaigns_by = {campaign.id: campaign for campaign in self.campaigns()}
        found = (Wave(*row) for row in self._all(_OPEN_WAVES, {"now": now}))
        return {wave.id: (wave, campaigns_by[wave.campaign]) for wave in found}

    def _awake(
        self, rows: list[Any], going: dict[str, tuple[Wave, Campaign]], now: datetime
    ) -> list[tuple[datetime, Delivery]]:
        """Those of the claimed ``rows`` that may be sent now, and their due times; others rest."""
        mine = [row.id for row in rows]
        zones = {row.id: row.zone for row in self._all(_ZONES, {"mine": mine})} if mine else {}
        awake: list[tuple[datetime, Delivery]] = []
        resting: set[tuple[str, str]] = set()
        for row in rows:
            wave, campaign = going[row.wave]
            zone = zones.get(row.id) or campaign.zone
            if (row.wave, zone) in resting:
                continue
            if is_quiet(now, ZoneInfo(zone), campaign.quiet):
                resting.add((row.wave, zone))
                continue
            quiet = next_quiet(now, ZoneInfo(zone), campaign.quiet) or wave.closes_at
            made = Delivery(row.id, row.wave, row.person, row.stage, row.handle, row.language,
                            row.attempts, min(quiet, wave.closes_at), campaign.paid)  # fmt: skip
            awake.append((row.due_at, made))
        for name, zone in sorted(resting):
            _, campaign = going[name]
            rested = decent(now, ZoneInfo(zone), campaign.quiet)
            self._changed(
                _REST,
                {"now": now, "of_wave": name, "home": campaign.zone, "where": zone,
                 "mine": mine, "rested": round_up(rested)},
            )  # fmt: skip
        return awake

    def begin_delivery(self, delivery: int, now: datetime) -> bool:
        begun = self._one(_BEGIN, {"which": delivery, "now": now, **_answering(now)})
        return begun is not None and begun.state is Outcome.DUE and begun.begun_at is not None

    def note_delivery(
        self, delivery: int, outcome: Outcome, detail: str = "", at: datetime | None = None
    ) -> None:
        """``Outcome.GONE`` also makes every later delivery to that address moot."""
        self._changed(_NOTE, {"which": delivery, "outcome": outcome, "what": detail, "later": at})
        if outcome is Outcome.GONE:
            self._changed(_UNREACHABLE, {"which": delivery})

    def delivery_counts(self, wave: str) -> Sequence[tuple[str, Outcome, int]]:
        rows = [(row[0], row[1], row[2]) for row in self._all(_COUNTS, {"wave": wave})]
        kept = json.loads(self.note(_REMINDERS + wave) or "[]")
        return rows + [(stage, Outcome(outcome), number) for stage, outcome, number in kept]

    def overdue(self, wave: str, now: datetime) -> Overdue:
        count, since = self._one(_OWED, {"wave": wave, "now": now})
        if not count:  # mostly: then all rows of a large wave need not be read
            return Overdue(0, None, None)
        return Overdue(int(count), since, self._one(_LAST, {"wave": wave})[0])

    def sent_messages(self, wave: str, handle: str) -> Sequence[int]:
        found = [row.detail for row in self._all(_SENT, {"wave": wave, "handle": handle})]
        return sorted(int(detail) for detail in found if detail.isdecimal())

    def forget_reminders(self, wave: str) -> None:
        """Keep their counts only: a reminder that became moot says that somebody had answered."""
        counts = [row for row in self.delivery_counts(wave) if row[0] != INVITE]
        self.put_note(_REMINDERS + wave, json.dumps(counts))
        self._changed(_FORGET, {"of_wave": wave})


def _drawn(wave: str, stages: Sequence[tuple[str, datetime]]) -> Select[Any]:
    """A message of each of ``stages`` for each address of whoever is on the roll of ``wave``."""
    owed = union_all(
        *(select(literal(stage, Text).label("stage"), literal(due_at, Moment).label("due_at"))
          for stage, due_at in stages)
    ).subquery("owed")  # fmt: skip
    return (
        select(
            literal(wave, Text),
            chats.c.person,
            owed.c.stage,
            chats.c.handle,
            chats.c.language,
            owed.c.due_at,
            literal(0),
            literal(Outcome.DUE, deliveries.c.state.type),
            literal(""),
        )
        .select_from(chats.join(people, people.c.id == chats.c.person).join(owed, true()))
        .where(
            chats.c.channel == "telegram",
            chats.c.reachable == true(),
            people.c.opted_out == false(),
            people.c.left == false(),
            exists().where(assignments.c.wave == wave, assignments.c.person == people.c.id),
        )
    )


def _claim(going: dict[str, tuple[Wave, Campaign]], now: datetime) -> Update:
    """Takes due rows of these waves, but for those that are not to be sent, now or any more."""
    due = (
        select(deliveries.c.id)
        .where(
            DUE,
            deliveries.c.due_at <= _NOW,
            _UNCLAIMED,
            # || '' keeps the planner off the wave's index: it would sort the whole wave each time
            deliveries.c.wave.concat("").in_(list(going)),
        )
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(bindparam("wanted"))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    late = [
        and_(deliveries.c.wave == name, deliveries.c.stage.in_(stages))
        for name, (wave, campaign) in going.items()
        if (stages := too_late(wave, campaign, now))
    ]
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(due.c.id)))
        .values(
            state=case(
                _MOOT_STATE,
                (or_(_CLOSE, *late), literal(Outcome.LATE, deliveries.c.state.type)),
                else_=literal(Outcome.DUE, deliveries.c.state.type),
            ),
            due_at=case((_BUSY, bindparam("back", type_=Moment)), else_=deliveries.c.due_at),
            claimed_until=case((_BUSY, null()), else_=bindparam("until", type_=Moment)),
        )
        .returning(deliveries)
    )


def _answering(now: datetime) -> dict[str, datetime]:
    """Since when whoever answered is in the middle of it, and when they may be reminded."""
    return {"since": now - ANSWERING, "back": round_up(now + ANSWERING)}
