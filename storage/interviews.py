"""Interviews in progress, sealed: rows <-> objects. The turn guard lives in :data:`_KEEP`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, case, func, select, update

from storage.tables import interviews
from storage.unit import Unit, insert_new
from surveys.store import SealedInterview

INTERVIEWS = select(
    interviews.c.id,
    interviews.c.person,
    interviews.c.purpose,
    interviews.c.form,
    interviews.c.turn,
    interviews.c.complete,
    interviews.c.state,
    interviews.c.touched_at,
    interviews.c.wave,
    interviews.c.subject,
    interviews.c.rater_group,
)
_INTERVIEW = INTERVIEWS.where(interviews.c.id == bindparam("interview"))
_INTERVIEW_FOR = INTERVIEWS.where(
    interviews.c.wave == bindparam("wave"),
    interviews.c.person == bindparam("person"),
    interviews.c.subject == bindparam("subject"),
)
_FINISHED = INTERVIEWS.where(
    interviews.c.person == bindparam("person"),
    interviews.c.complete,
    interviews.c.wave.in_(bindparam("waves", expanding=True)),
).order_by(interviews.c.touched_at.desc(), interviews.c.id)
_KEEP = (
    update(interviews)
    .where(interviews.c.id == bindparam("which"), interviews.c.turn == bindparam("after"))
    .values(
        form=bindparam("new_form"),
        turn=bindparam("new_turn"),
        complete=bindparam("now_complete"),
        state=bindparam("new_state"),
        touched_at=bindparam("now_touched"),
    )
)
_COUNTS = select(
    func.count(), func.coalesce(func.sum(case((interviews.c.complete, 1), else_=0)), 0)
).where(interviews.c.wave == bindparam("wave"))


class InterviewRows(Unit):
    __slots__ = ()

    def interview(self, interview: str) -> SealedInterview | None:
        return _sealed(self._one(_INTERVIEW, {"interview": interview}))

    def interview_for(self, wave: str, person: str, subject: str) -> SealedInterview | None:
        values = {"wave": wave, "person": person, "subject": subject}
        return _sealed(self._one(_INTERVIEW_FOR, values))

    def finished_interviews(self, person: str, waves: Sequence[str]) -> Sequence[SealedInterview]:
        rows = self._all(_FINISHED, {"person": person, "waves": list(waves)})
        return [found for row in rows if (found := _sealed(row)) is not None]

    def open_interview(self, interview: SealedInterview) -> None:
        row = {
            "id": interview.id,
            "person": interview.person,
            "purpose": interview.purpose,
            "form": interview.form,
            "turn": interview.turn,
            "complete": interview.complete,
            "state": interview.state,
            "touched_at": interview.touched_at,
            "wave": interview.wave,
            "subject": interview.subject,
            "rater_group": interview.group,
        }
        self._changed(insert_new(self._dialect, interviews), row)

    def keep(self, interview: SealedInterview, after: int) -> bool:
        """Whose interview it is and about whom never changes; everything else is saved."""
        values = {
            "which": interview.id,
            "after": after,
            "new_form": interview.form,
            "new_turn": interview.turn,
            "now_complete": interview.complete,
            "new_state": interview.state,
            "now_touched": interview.touched_at,
        }
        return self._changed(_KEEP, values) == 1

    def interview_counts(self, wave: str) -> tuple[int, int]:
        row = self._one(_COUNTS, {"wave": wave})
        return (0, 0) if row is None else (int(row[0]), int(row[1]))


def _sealed(row: Any) -> SealedInterview | None:
    return None if row is None else SealedInterview(*row)
