"""Whom a campaign may ask: one condition, for drawing the roll, for counting and for foreseeing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    distinct,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from storage.people import SUBJECTS
from storage.tables import assignments, campaigns, chats, deliveries, people, relations, waves
from storage.unit import Unit
from surveys.audience import Candidate, Prospect, below
from surveys.campaigns import INVITE, Campaign, Outcome, Wave, WaveState
from surveys.cells import THIRD_PARTIES, RaterGroup
from surveys.people import Kind, Subject

_CHUNK = 2000
_OTHERS = [each for each in THIRD_PARTIES if each is not RaterGroup.RECIPIENT]
_ARRIVED = (Outcome.SENT, Outcome.UNKNOWN, Outcome.DUE)  # or may have, or still will
_CANDIDATE = (  # codes as plain text: reading a million typed values is most of a draw's time
    relations.c.rater,
    relations.c.subject,
    type_coerce(relations.c.rater_group, Text),
    people.c.unit,
    type_coerce(people.c.tags, Text),
    type_coerce(people.c.kind, Text),
)
_GROUPS: Mapping[str, RaterGroup] = {group.value: group for group in RaterGroup}
_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_TELEGRAM = exists().where(
    chats.c.person == people.c.id, chats.c.channel == "telegram", chats.c.reachable == true()
)
_WILLING = and_(people.c.opted_out == false(), people.c.left == false())
_TAGS = type_coerce(people.c.tags, Text)
LISTED = or_(  # as Person.listed
    people.c.kind == Kind.STAFF,
    people.c.name != "",
    func.coalesce(people.c.unit, "") != "",
    _TAGS != "[]",
)
_JOINED = relations.join(people, people.c.id == relations.c.rater)
_ROLL_COLUMNS = ["wave", "person", "subject", "rater_group"]


class AudienceRows(Unit):
    __slots__ = ()

    def candidates(self, campaign: Campaign, now: datetime) -> Iterator[Candidate]:
        for row in self._streamed(self._eligible(campaign, now, *_CANDIDATE)):
            yield _candidate(*row)

    def prospects(self, campaign: Campaign, now: datetime) -> Iterator[Prospect]:
        standing = (people.c.name, people.c.zone, people.c.opted_out, people.c.left)
        asked = select(
            *_CANDIDATE, *standing, self._lately(campaign, now).label("lately"), _TELEGRAM
        )
        found = asked.select_from(_JOINED).where(*self._about(campaign))
        for row in self._streamed(found):
            name, zone, opted_out, left, lately, telegram = row[6:]
            yield Prospect(_candidate(*row[:6]), name, zone, opted_out, left, bool(lately),
                           bool(telegram))  # fmt: skip

    def draw_assignments(self, wave: Wave, campaign: Campaign, now: datetime) -> int:
        roll = (literal(wave.id, Text), *_CANDIDATE[:3])
        asked = self._eligible(campaign, now, *roll)
        return self._fill(assignments, _ROLL_COLUMNS, asked, _CANDIDATE[:2])

    def count_raters(
        self, campaign: Campaign, now: datetime, *, unlisted: bool = False
    ) -> tuple[int, int, int]:
        counts = (func.count(distinct(relations.c.rater)), func.count())
        found = self._eligible(campaign, now, *counts)
        found = found.where(not_(LISTED)) if unlisted else found
        raters, asked = self._one(found)
        reachable = self._one(found.with_only_columns(counts[0]).where(_TELEGRAM))
        return int(raters), int(asked), int(reachable[0])

    def count_shared(
        self, one: Campaign, two: Campaign, now: datetime, *, unlisted: bool = False
    ) -> int:
        others = self._eligible(two, now, relations.c.rater)
        count = self._eligible(one, now, func.count(distinct(relations.c.rater)))
        count = count.where(not_(LISTED)) if unlisted else count
        return int(self._one(count.where(relations.c.rater.in_(others)))[0])

    def rater_sides(
        self, campaign: Campaign, now: datetime, *, unlisted: bool = False
    ) -> Sequence[tuple[str, RaterGroup, int]]:
        side = (relations.c.subject, relations.c.rater_group)
        found = self._eligible(campaign, now, *side, func.count()).group_by(*side)
        rows = self._all(found.where(not_(LISTED)) if unlisted else found)
        return [(subject, group, int(count)) for subject, group, count in rows]

    def _streamed(self, found: Select[Any]) -> Iterator[Any]:
        """By person and subject, read as they are asked for."""
        ordered = found.order_by(relations.c.rater, relations.c.subject)
        return iter(self._connection.execute(ordered.execution_options(yield_per=_CHUNK)))

    def _eligible(
        self, campaign: Campaign, now: datetime, *columns: ColumnElement[Any]
    ) -> Select[Any]:
        """``columns`` of everything that ``campaign`` may ask at ``now``."""
        conditions = [*self._about(campaign), _WILLING]
        if campaign.audience.rest_days:
            conditions.append(~self._lately(campaign, now))
        return select(*columns).select_from(_JOINED).where(*conditions)

    def _about(self, campaign: Campaign) -> list[ColumnElement[bool]]:
        """Whom the campaign is about, whether they may be asked just now or not."""
        audience = campaign.audience
        conditions: list[ColumnElement[bool]] = [relations.c.rater_group.in_(campaign.groups)]
        if audience.units:
            tree = [Subject(*row) for row in self._all(SUBJECTS)]
            conditions.append(people.c.unit.in_(sorted(below(audience.units, tree))))
        if audience.tags:
            conditions.append(or_(*(bears(tag) for tag in audience.tags)))
        return conditions

    def _lately(self, campaign: Campaign, now: datetime) -> ColumnElement[bool]:
        """Whether another campaign asked the person within the days of rest.

        A roll, while there is one, also names those who have no address that is written to. Nobody
        rests because they came by a window's code: by who does, it could be seen who came.
        """
        since = now - timedelta(days=campaign.audience.rest_days)
        opened = (
            select(waves.c.id, waves.c.state, campaigns.c.groups)
            .join(campaigns, campaigns.c.id == waves.c.campaign)
            .where(
                waves.c.campaign != campaign.id,
                waves.c.state != WaveState.PLANNED,
                waves.c.opens_at > since,
                waves.c.opens_at <= now,
            )
        )
        rows = self._all(opened) if campaign.audience.rest_days else ()
        # whoever is asked about themselves alone is not to be missing where they rate others
        found = [row for row in rows if set(row.groups) != {RaterGroup.SELF}]
        if not found:
            return false()
        invited = exists().where(
            deliveries.c.wave.in_([row.id for row in found]),
            deliveries.c.person == people.c.id,
            deliveries.c.stage == INVITE,
            deliveries.c.state.in_(_ARRIVED),
        )
        enrolled = exists().where(
            assignments.c.wave.in_([row.id for row in found if row.state is WaveState.OPEN]),
            assignments.c.person == people.c.id,
            assignments.c.rater_group.in_(_OTHERS),
        )
        return or_(invited, enrolled)


def _candidate(
    person: str, subject: str, group: str, unit: str | None, tags: str, kind: str
) -> Candidate:
    return Candidate(person, subject, _GROUPS[group], unit, _words(tags), _KINDS[kind])


@lru_cache(maxsize=4096)  # many people bear the same tags
def _words(tags: str) -> tuple[str, ...]:
    return tuple(json.loads(tags))


def bears(tag: str) -> ColumnElement[bool]:
    """That a person has ``tag``: the quoted word stands in the JSON list.

    ``replace`` tells capitals apart, unlike LIKE.
    """
    word = literal(json.dumps(tag, ensure_ascii=False), Text)
    return func.replace(_TAGS, word, literal("", Text)) != _TAGS
