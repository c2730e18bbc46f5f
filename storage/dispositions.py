"""What became of everybody on a roll: counted from the rows of the moment, kept once it is over."""

from __future__ import annotations

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
    true,
)

from storage.tables import assignments, deliveries, dispositions, interviews, people
from storage.unit import Unit
from surveys.campaigns import Outcome
from surveys.dispositions import Counts, Disposition

_WAVE: BindParameter[str] = bindparam("of_wave")


def _any(outcome: Outcome) -> ColumnElement[int]:
    """1 where any message of the person came to ``outcome``."""
    return func.max(case((deliveries.c.state == outcome, 1), else_=0)).label(outcome.value)


def _fate(disposition: Disposition) -> ColumnElement[Disposition]:
    return literal(disposition, dispositions.c.disposition.type)


_ASKED = (
    select(assignments.c.person, func.count().label("asked"))
    .where(assignments.c.wave == _WAVE)
    .group_by(assignments.c.person)
    .subquery("asked")
)
_TALKED = (
    select(
        interviews.c.person,
        func.sum(case((interviews.c.complete, 1), else_=0)).label("finished"),
    )
    .where(interviews.c.wave == _WAVE)
    .group_by(interviews.c.person)
    .subquery("talked")
)
_TOLD = (
    select(
        deliveries.c.person,
        *(_any(each) for each in (Outcome.SENT, Outcome.UNKNOWN, Outcome.GONE, Outcome.DUE)),
    )
    .where(deliveries.c.wave == _WAVE)
    .group_by(deliveries.c.person)
    .subquery("told")
)
_FATE = case(
    (_TALKED.c.finished >= _ASKED.c.asked, _fate(Disposition.COMPLETE)),
    (_TALKED.c.finished > 0, _fate(Disposition.PARTIAL)),
    (people.c.opted_out == true(), _fate(Disposition.REFUSED)),
    (_TALKED.c.person.is_not(None), _fate(Disposition.BREAK_OFF)),
    (_TOLD.c.sent == 1, _fate(Disposition.NO_ANSWER)),
    (_TOLD.c.unknown == 1, _fate(Disposition.UNKNOWN)),
    (_TOLD.c.gone == 1, _fate(Disposition.NON_CONTACT)),
    # whoever has left is asked no more, though the row is still due
    (people.c.left == true(), _fate(Disposition.NON_CONTACT)),
    (_TOLD.c.due == 1, _fate(Disposition.WAITING)),
    else_=_fate(Disposition.NON_CONTACT),
).label("fate")
_FATES = (
    select(_FATE)
    .select_from(_ASKED)
    .outerjoin(_TALKED, _TALKED.c.person == _ASKED.c.person)
    .outerjoin(_TOLD, _TOLD.c.person == _ASKED.c.person)
    .outerjoin(people, people.c.id == _ASKED.c.person)
    .subquery("fates")
)
_COUNTED = select(_FATES.c.fate, func.count()).group_by(_FATES.c.fate)
_RECORDED = select(dispositions.c.disposition, dispositions.c.people).where(
    dispositions.c.wave == _WAVE
)
_FORGET = delete(dispositions).where(dispositions.c.wave == _WAVE)


class DispositionRows(Unit):
    __slots__ = ()

    def dispositions(self, wave: str) -> Counts:
        return {row[0]: int(row[1]) for row in self._all(_COUNTED, {"of_wave": wave})}

    def put_dispositions(self, wave: str, counts: Counts) -> None:
        """Those of nobody are kept too: that it was nobody is known."""
        self._changed(_FORGET, {"of_wave": wave})
        rows = ({"wave": wave, "disposition": fate, "people": n} for fate, n in counts.items())
        self._put(dispositions, rows)

    def recorded_dispositions(self, wave: str) -> Counts:
        return {row[0]: int(row[1]) for row in self._all(_RECORDED, {"of_wave": wave})}
