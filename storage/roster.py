"""The roster a page at a time: people sought, counted, and the links that lead to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select

from desk.store import PeopleSought
from storage.audiences import LISTED, bears
from storage.people import INVITES, PEOPLE
from storage.tables import chats, invites, people, relations
from storage.unit import Unit
from surveys.cells import RaterGroup
from surveys.people import Invite, Person, Relation

_ORDERS = {"id": people.c.id, "name": people.c.name, "unit": people.c.unit}
_BY_UNIT = select(func.coalesce(people.c.unit, ""), func.count()).group_by(people.c.unit)
_BY_TAGS = select(people.c.tags, func.count()).group_by(people.c.tags)
_FROM = (
    select(relations.c.rater, relations.c.subject, relations.c.rater_group)
    .where(relations.c.rater == bindparam("person"))
    .order_by(relations.c.subject)
)
_RATERS = (
    select(relations.c.rater_group, func.count())
    .where(relations.c.subject == bindparam("subject"))
    .group_by(relations.c.rater_group)
)
_RATERS_AS = (
    select(relations.c.rater)
    .where(
        relations.c.subject == bindparam("subject"), relations.c.rater_group == bindparam("side")
    )
    .order_by(relations.c.rater)
)
_HANDLES = select(chats.c.handle, chats.c.person).where(chats.c.channel == bindparam("channel"))
_INVITES = INVITES.where(
    invites.c.kind == bindparam("kind"),
    invites.c.target.in_(bindparam("targets", expanding=True)),
).order_by(invites.c.target, invites.c.token)
_DROP = delete(invites).where(invites.c.token == bindparam("which"))


class RosterRows(Unit):
    __slots__ = ()

    def seek_people(
        self, sought: PeopleSought, offset: int = 0, limit: int = 50
    ) -> tuple[Sequence[Person], int]:
        fitting = _fitting(sought)
        column = _ORDERS[sought.order.removeprefix("-")]
        ordered = column.desc() if sought.order.startswith("-") else column.asc()
        page = PEOPLE.where(*fitting).order_by(ordered, people.c.id).offset(offset).limit(limit)
        count = self._one(select(func.count()).select_from(people).where(*fitting))
        return [Person(*row) for row in self._all(page)], int(count[0])

    def people_by_unit(self) -> Mapping[str, int]:
        return {unit: int(count) for unit, count in self._all(_BY_UNIT)}

    def people_by_tag(self) -> Mapping[str, int]:
        found = Counter[str]()
        for tags, count in self._all(_BY_TAGS):
            found.update(dict.fromkeys(tags, int(count)))
        return found

    def relations_from(self, person: str) -> Sequence[Relation]:
        return [Relation(*row) for row in self._all(_FROM, {"person": person})]

    def raters_of(self, subject: str) -> Mapping[RaterGroup, int]:
        rows = self._all(_RATERS, {"subject": subject})
        return {RaterGroup(group): int(count) for group, count in rows}

    def raters_as(self, subject: str, group: RaterGroup) -> Sequence[str]:
        rows = self._all(_RATERS_AS, {"subject": subject, "side": group})
        return [row.rater for row in rows]

    def handles(self, channel: str) -> Mapping[str, str]:
        return {row.handle: row.person for row in self._all(_HANDLES, {"channel": channel})}

    def invites_to(self, kind: str, targets: Sequence[str]) -> Sequence[Invite]:
        if not targets:
            return []
        rows = self._all(_INVITES, {"kind": kind, "targets": list(targets)})
        return [Invite(*row) for row in rows]

    def drop_invites(self, tokens: Iterable[str]) -> None:
        self._many(_DROP, ({"which": token} for token in tokens))


def _fitting(sought: PeopleSought) -> list[ColumnElement[bool]]:
    fitting: list[ColumnElement[bool]] = [LISTED]
    if sought.text:
        fitting.append(
            or_(
                people.c.id.icontains(sought.text, autoescape=True),
                people.c.name.icontains(sought.text, autoescape=True),
            )
        )
    if sought.unit:
        fitting.append(people.c.unit == sought.unit)
    if sought.kind is not None:
        fitting.append(people.c.kind == sought.kind)
    if sought.opted_out is not None:
        fitting.append(people.c.opted_out == sought.opted_out)
    if sought.tag:
        fitting.append(bears(sought.tag))
    if sought.within is not None:
        fitting.append(people.c.unit.in_(sorted(sought.within)))
    return fitting
