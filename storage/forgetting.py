"""Forgetting a person: their rows go, or stand under a name that belongs to nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
    union,
    update,
)

from desk.relating import NOMINATE
from storage.audit import AuditRows
from storage.desk_tables import approvals, uploads, works
from storage.interviews import INTERVIEWS
from storage.tables import (
    assignments,
    ballots,
    chats,
    deliveries,
    interviews,
    invites,
    people,
    relations,
)
from surveys.campaigns import Outcome
from surveys.store import SealedInterview

_VOICE = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("who"), 0)))
_HELD = select(people.c.id).where(people.c.id == bindparam("who")).with_for_update()
_WAVES = union(
    select(assignments.c.wave).where(assignments.c.person == bindparam("who")),
    select(deliveries.c.wave).where(deliveries.c.person == bindparam("who")),
    select(interviews.c.wave).where(
        interviews.c.person == bindparam("who"), interviews.c.wave.is_not(None)
    ),
).order_by("wave")
_ABOUT = (
    select(assignments.c.subject)
    .where(assignments.c.wave == bindparam("of_wave"), assignments.c.person == bindparam("who"))
    .order_by(assignments.c.subject)
)
_THEIRS = (
    INTERVIEWS.where(interviews.c.wave == bindparam("of_wave"))
    .where(interviews.c.person == bindparam("who"))
    .order_by(interviews.c.id)
    .with_for_update()
)
_LOOSE = INTERVIEWS.where(
    interviews.c.wave.is_(None), interviews.c.purpose == bindparam("what")
).order_by(interviews.c.id)
_DROP_INTERVIEW = delete(interviews).where(interviews.c.id == bindparam("which"))
_MOVE_BALLOT = (
    update(ballots)
    .where(ballots.c.wave == bindparam("of_wave"), ballots.c.rid == bindparam("old_rid"))
    .values(rid=bindparam("new_rid"))
)
_DROP_BALLOT = delete(ballots).where(
    ballots.c.wave == bindparam("of_wave"), ballots.c.rid == bindparam("old_rid")
)
_UNSENT = and_(deliveries.c.state == Outcome.DUE, deliveries.c.begun_at.is_(None))
_RENAME = tuple(
    update(table)
    .where(table.c.wave == bindparam("of_wave"), table.c.person == bindparam("who"))
    .values(person=bindparam("nobody"), **more)
    for table, more in (
        (assignments, {}),
        (interviews, {}),
        # one that is just being sent may arrive: what became of it is still noted
        (
            deliveries,
            {
                "handle": "",
                "detail": "",
                "state": case(
                    (_UNSENT, literal(Outcome.MOOT, deliveries.c.state.type)),
                    else_=deliveries.c.state,
                ),
                "claimed_until": case((_UNSENT, null()), else_=deliveries.c.claimed_until),
            },
        ),
    )
)
_MOVE_PLACE = tuple(
    update(table)
    .where(
        table.c.wave == bindparam("of_wave"),
        table.c.subject == bindparam("about"),
        table.c.person == bindparam("who"),
    )
    .values(person=bindparam("into"))
    for table in (assignments, interviews)
)
_DROP_CHATS = delete(chats).where(chats.c.person == bindparam("who"))
_DROP_PERSON = (
    delete(relations).where(relations.c.rater == bindparam("who")),
    delete(invites).where(
        invites.c.kind.not_in(("unit", "campaign")), invites.c.target == bindparam("who")
    ),
    delete(people).where(people.c.id == bindparam("who")),
)
_WORD = r"(?<![0-9A-Za-z_-]){}(?![0-9A-Za-z_-])"


class ForgettingRows(AuditRows):
    __slots__ = ()

    def hold_voice(self, person: str) -> None:
        if self._dialect == "sqlite":
            return  # its writer is alone from its first moment
        self._one(_VOICE, {"who": person})
        self._seen.clear()  # whoever had it may have changed what was seen

    def hold_person(self, person: str) -> bool:
        """Whoever counts a wave waits until this ends, and so does whoever links a chat."""
        self.audit_head()
        self.hold_voice(person)
        return self._one(_HELD, {"who": person}) is not None

    def person_waves(self, person: str) -> Sequence[str]:
        return [str(row.wave) for row in self._all(_WAVES, {"who": person})]

    def asked_about(self, wave: str, person: str) -> Sequence[str]:
        return [row.subject for row in self._all(_ABOUT, {"of_wave": wave, "who": person})]

    def interviews_of(self, wave: str, person: str) -> Sequence[SealedInterview]:
        rows = self._all(_THEIRS, {"of_wave": wave, "who": person})
        return [SealedInterview(*row) for row in rows]

    def loose_interviews(self, purpose: str) -> Sequence[SealedInterview]:
        return [SealedInterview(*row) for row in self._all(_LOOSE, {"what": purpose})]

    def drop_interviews(self, ids: Iterable[str]) -> None:
        self._many(_DROP_INTERVIEW, ({"which": each} for each in ids))

    def move_ballot(self, wave: str, rid: bytes, into: bytes) -> None:
        self._changed(_MOVE_BALLOT, {"of_wave": wave, "old_rid": rid, "new_rid": into})

    def drop_ballot(self, wave: str, rid: bytes) -> None:
        self._changed(_DROP_BALLOT, {"of_wave": wave, "old_rid": rid})

    def rename_in_wave(self, wave: str, person: str, nobody: str) -> None:
        for statement in _RENAME:
            self._changed(statement, {"of_wave": wave, "who": person, "nobody": nobody})

    def move_place(self, wave: str, subject: str, person: str, into: str) -> None:
        values = {"of_wave": wave, "about": subject, "who": person, "into": into}
        for statement in _MOVE_PLACE:
            self._changed(statement, values)

    def drop_chats(self, person: str) -> None:
        self._changed(_DROP_CHATS, {"who": person})

    def drop_person(self, person: str) -> None:
        for statement in _DROP_PERSON:
            self._changed(statement, {"who": person})

    def drop_mentions(self, words: Sequence[str], *, files: bool) -> None:
        for found, _ in self._mentioning(works, works.c.result, true(), words):
            self._changed(delete(works).where(works.c.id == found))
        proposed = approvals.c.action == NOMINATE
        for found, text in self._mentioning(approvals, approvals.c.arguments, proposed, words):
            arguments = json.loads(text)
            others = [each for each in json.loads(arguments["raters"]) if each not in words]
            arguments["raters"] = json.dumps(others, ensure_ascii=False)
            mine = approvals.c.id == found
            if others and not _mentions(json.dumps(arguments, ensure_ascii=False), words):
                self._changed(update(approvals).where(mine).values(arguments=arguments))
            else:
                self._changed(delete(approvals).where(mine))
        if files:
            self._changed(delete(uploads))

    def _mentioning(
        self, table: Table, column: Column[Any], fitting: ColumnElement[bool], words: Sequence[str]
    ) -> list[tuple[str, str]]:
        """(id, text of ``column``) of the rows that name one of ``words``."""
        kept = type_coerce(column, Text)
        somewhere = or_(*(kept.contains(_quoted(each), autoescape=True) for each in words))
        rows = self._all(select(table.c.id, kept).where(fitting, somewhere))
        return [(found, text) for found, text in rows if _mentions(text, words)]


def _quoted(word: str) -> str:
    """``word`` as it stands inside a JSON string."""
    return json.dumps(word, ensure_ascii=False)[1:-1]


def _mentions(text: str, words: Iterable[str]) -> bool:
    return any(_mentions_one(text, _quoted(each)) for each in words)


def _mentions_one(text: str, word: str) -> bool:
    """Whether ``word`` stands in ``text``, and not only as a piece of a longer number or id."""
    if not word.isascii():
        return word in text
    return re.search(_WORD.format(re.escape(word)), text) is not None
