"""The ballot box and what leaves it: rows <-> objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from secrets import token_bytes
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Table,
    bindparam,
    delete,
    func,
    null,
    select,
    update,
)

from storage import tables
from storage.deliveries import DeliveryRows
from storage.ledgers import paradata_drafts
from storage.tables import assignments, ballots, chats, deliveries, interviews, waves
from surveys.campaigns import Outcome, WaveState
from surveys.cells import Cell, RaterGroup, Reasons, Spread, Tally, Turnout, Withheld
from surveys.store import Assignment

_CHUNK = 1000  # sealed ballots in memory at once while they are read
_WAVE: BindParameter[str] = bindparam("of_wave")
_BALLOTS = (
    select(ballots.c.rid, ballots.c.box)
    .where(ballots.c.wave == _WAVE)
    .order_by(ballots.c.rid)  # PostgreSQL would hand them out in order of arrival
    .execution_options(yield_per=_CHUNK)
)
_BALLOT_COUNT = select(func.count()).select_from(ballots).where(ballots.c.wave == _WAVE)
_ROLL = (
    select(
        assignments.c.wave, assignments.c.person, assignments.c.subject, assignments.c.rater_group
    )
    .where(assignments.c.wave == _WAVE)
    .order_by(assignments.c.subject, assignments.c.person)
)
_SIDES = (
    select(assignments.c.subject, assignments.c.rater_group, func.count())
    .where(assignments.c.wave == _WAVE)
    .group_by(assignments.c.subject, assignments.c.rater_group)
    .order_by(assignments.c.subject, assignments.c.rater_group)
)
_ASKED = select(func.count(func.distinct(assignments.c.person))).where(assignments.c.wave == _WAVE)
_TALLIED = (
    update(waves)
    .where(waves.c.id == _WAVE, waves.c.state != WaveState.TALLIED)
    .values(state=WaveState.TALLIED)
)
_CLOSE = (
    update(chats)
    .where(chats.c.interview.in_(select(interviews.c.id).where(interviews.c.wave == _WAVE)))
    .values(interview=null()),
    delete(interviews).where(interviews.c.wave == _WAVE),
)
_DROP_ROLL = delete(assignments).where(assignments.c.wave == _WAVE)
_FORGET = (
    *_CLOSE,
    _DROP_ROLL,
    delete(paradata_drafts).where(paradata_drafts.c.wave == _WAVE),
    update(deliveries)
    .where(
        deliveries.c.wave == _WAVE,
        deliveries.c.state == Outcome.DUE,
        deliveries.c.begun_at.is_(None),
    )
    .values(state=Outcome.MOOT, claimed_until=null()),
)


_EMPTY = delete(ballots).where(ballots.c.wave == _WAVE)


class BallotRows(DeliveryRows):
    __slots__ = ()

    def put_ballot(self, wave: str, rid: bytes, box: bytes) -> None:
        self._put(ballots, [{"wave": wave, "rid": rid, "box": box}])

    def ballots(self, wave: str) -> Iterator[tuple[bytes, bytes]]:
        """(row id, sealed ballot) by row id, read as they are asked for: in this work only."""
        for row in self._connection.execute(_BALLOTS, {"of_wave": wave}):
            yield bytes(row.rid), bytes(row.box)

    def ballot_count(self, wave: str) -> int:
        row = self._one(_BALLOT_COUNT, {"of_wave": wave})
        return 0 if row is None else int(row[0])

    def roll(self, wave: str) -> Sequence[Assignment]:
        return [Assignment(*row) for row in self._all(_ROLL, {"of_wave": wave})]

    def sides(self, wave: str) -> Sequence[tuple[str, RaterGroup, int]]:
        return [(row[0], row[1], int(row[2])) for row in self._all(_SIDES, {"of_wave": wave})]

    def people_asked(self, wave: str) -> int:
        return int(self._one(_ASKED, {"of_wave": wave})[0])

    def drop_roll(self, wave: str) -> None:
        self._changed(_DROP_ROLL, {"of_wave": wave})

    def close_box(self, wave: str) -> None:
        for statement in _CLOSE:
            self._changed(statement, {"of_wave": wave})

    def record_tally(self, wave: str, period: str, tally: Tally) -> int:
        """Also makes unsent deliveries moot. ValueError where the wave is unknown or tallied.

        Interviews go first: whoever is just finishing one holds its row, so by the time the box is
        emptied their ballot is in it, and is counted in what is returned.
        """
        if not self._changed(_TALLIED, {"of_wave": wave}):
            raise ValueError(f"wave {wave!r} is not there to be tallied, or was tallied before")
        for table, rows in _leaving(tally).items():
            self._many(table.insert(), ({"period": period, "wave": wave, **row} for row in rows))
        self._many(tables.remarks.insert(), _remarks(period, tally))
        for statement in _FORGET:
            self._changed(statement, {"of_wave": wave})
        self.forget_reminders(wave)
        return self._changed(_EMPTY, {"of_wave": wave})

    def cells(self, period: str, group: RaterGroup | None = None) -> Sequence[Cell]:
        sides = [] if group is None else [tables.cells.c.rater_group == group]
        return [
            Cell(row.subject, row.indicator, row.rater_group, tuple(row.counts), tuple(row.pooled))
            for row in self._of(tables.cells, period, *sides)
        ]

    def reasons(self, period: str) -> Sequence[Reasons]:
        return [
            Reasons(row.subject, row.question, row.rater_group, row.n, row.counts)
            for row in self._of(tables.reasons, period)
        ]

    def turnout(self, period: str, wave: str = "") -> Sequence[Turnout]:
        return [
            Turnout(row.subject, row.rater_group, row.asked, row.answered)
            for row in self._of(tables.turnout, period)
            if wave in {"", row.wave}
        ]

    def spreads(self, period: str) -> Sequence[Spread]:
        return [
            Spread(row.rating_class, row.rater_group, row.variance, row.ballots)
            for row in self._of(tables.spreads, period)
        ]

    def withheld(self, period: str) -> Sequence[Withheld]:
        return [
            Withheld(row.subject, row.rater_group, row.indicator, row.fate, row.into)
            for row in self._of(tables.withheld, period)
        ]

    def remarks(self, period: str) -> Sequence[tuple[str, str]]:
        return [(row.subject, row.remark) for row in self._of(tables.remarks, period)]

    def _of(self, table: Table, period: str, *fitting: ColumnElement[bool]) -> Sequence[Any]:
        keys = table.primary_key.columns
        return self._all(select(table).where(table.c.period == period, *fitting).order_by(*keys))


def _leaving(tally: Tally) -> Mapping[Table, list[dict[str, Any]]]:
    return {
        tables.cells: [
            {
                "subject": cell.subject,
                "indicator": cell.indicator,
                "rater_group": cell.group,
                "pool": _pool(cell.pooled),
                "counts": list(cell.counts),
                "pooled": list(cell.pooled),
            }
            for cell in tally.cells
        ],
        tables.reasons: [
            {
                "subject": named.subject,
                "question": named.question,
                "rater_group": named.group,
                "n": named.n,
                "counts": dict(named.counts),
            }
            for named in tally.reasons
        ],
        tables.turnout: [
            {
                "subject": turnout.subject,
                "rater_group": turnout.group,
                "asked": turnout.asked,
                "answered": turnout.answered,
            }
            for turnout in tally.turnout
        ],
        tables.spreads: [
            {
                "rating_class": spread.rating_class,
                "rater_group": spread.group,
                "variance": spread.variance,
                "ballots": spread.ballots,
            }
            for spread in tally.spreads
        ],
        tables.withheld: [
            {
                "subject": cell.subject,
                "rater_group": cell.group,
                "indicator": cell.indicator,
                "fate": cell.fate,
                "into": cell.into,
            }
            for cell in tally.withheld
        ],
    }


def _remarks(period: str, tally: Tally) -> Iterator[dict[str, Any]]:
    for subject, remarks in tally.remarks.items():
        for remark in remarks:
            yield {
                "period": period,
                "lot": token_bytes(16),
                "subject": subject,
                "remark": remark,
            }


def _pool(pooled: tuple[str, ...]) -> str:
    return sha256(json.dumps(pooled).encode()).hexdigest()[:32] if pooled else ""
