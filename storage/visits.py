"""Links made for one visit each: rows <-> objects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, false, select, true, update

from storage.tables import interviews, visits
from storage.unit import Unit
from surveys.people import VisitLink
from surveys.visiting import PURPOSE

_LINK = select(visits.c.digest, visits.c.subject, visits.c.expires_at, visits.c.used).where(
    visits.c.digest == bindparam("which")
)
_SPEND = (
    update(visits)
    .where(visits.c.digest == bindparam("which"), visits.c.used == false())
    .values(used=true())
)
_THEIRS = (
    select(interviews.c.person, interviews.c.subject)
    .where(interviews.c.wave == bindparam("of_wave"), interviews.c.purpose == PURPOSE)
    .order_by(interviews.c.person)
)


class VisitRows(Unit):
    __slots__ = ()

    def put_visit_link(self, link: VisitLink) -> None:
        row = {
            "digest": link.digest,
            "subject": link.subject,
            "expires_at": link.expires_at,
            "used": link.used,
        }
        self._put(visits, [row])

    def visit_link(self, digest: str) -> VisitLink | None:
        row = self._one(_LINK, {"which": digest})
        return None if row is None else VisitLink(*row)

    def spend_visit_link(self, digest: str) -> bool:
        return self._changed(_SPEND, {"which": digest}) == 1

    def visit_places(self, wave: str) -> Sequence[tuple[str, str]]:
        return [(row.person, row.subject) for row in self._all(_THEIRS, {"of_wave": wave})]
