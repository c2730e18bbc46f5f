"""People, addresses, subjects, relations and deep links: rows <-> objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, false, select, true, update

from storage import tables
from storage.tables import chats, invites, people, relations, subjects
from storage.unit import Unit, Values
from surveys.people import Address, Chat, Invite, Person, Relation, Subject

PEOPLE = select(
    people.c.id,
    people.c.kind,
    people.c.name,
    people.c.unit,
    people.c.language,
    people.c.opted_out,
    people.c.left,
    people.c.zone,
    people.c.tags,
    people.c.consent,
)
_PERSON = PEOPLE.where(people.c.id == bindparam("id"))
_ADDRESSES = (
    select(chats.c.channel, chats.c.handle)
    .where(chats.c.person == bindparam("person"))
    .order_by(chats.c.channel, chats.c.handle)
)
_REACHABLE = (
    update(chats)
    .where(chats.c.channel == bindparam("channel_is"), chats.c.handle == bindparam("handle_is"))
    .values(reachable=bindparam("now"))
)
_POINT = (
    update(chats)
    .where(
        chats.c.channel == bindparam("channel_is"),
        chats.c.handle == bindparam("handle_is"),
        chats.c.person == bindparam("person_is"),
    )
    .values(interview=bindparam("now"), reachable=true())
)
SUBJECTS = select(
    subjects.c.id, subjects.c.name, subjects.c.kind, subjects.c.parent, subjects.c.rating_class
)
_SUBJECT = SUBJECTS.where(subjects.c.id == bindparam("id"))
_END_RELATION = delete(relations).where(
    relations.c.rater == bindparam("who"), relations.c.subject == bindparam("about")
)
_RELATIONS = select(relations.c.rater, relations.c.subject, relations.c.rater_group).order_by(
    relations.c.rater, relations.c.subject
)
INVITES = select(
    invites.c.token, invites.c.kind, invites.c.target, invites.c.used, invites.c.expires_at
)
_INVITE = INVITES.where(invites.c.token == bindparam("token"))
_SPEND = (
    update(invites)
    .where(invites.c.token == bindparam("which"), invites.c.used == false())
    .values(used=true())
)


class PeopleRows(Unit):
    __slots__ = ()

    def person(self, person: str) -> Person | None:
        row = self._one(_PERSON, {"id": person})
        return None if row is None else Person(*row)

    def people(self) -> Sequence[Person]:
        return [Person(*row) for row in self._all(PEOPLE.order_by(people.c.id))]

    def put_people(self, people: Iterable[Person]) -> None:
        self._put(tables.people, map(_person_row, people))

    def change_people(self, pairs: Iterable[tuple[Person | None, Person]]) -> int:
        return self._swap(tables.people, _person_row, pairs)

    def put_chat(self, chat: Chat) -> None:
        """They wrote, so they can be reached: a block noted earlier is forgotten."""
        self._put(chats, [_chat_row(chat)])

    def add_chats(self, new: Iterable[Chat]) -> int:
        return self._swap(chats, _chat_row, ((None, chat) for chat in new))

    def point_chat(self, chat: Chat) -> bool:
        """They wrote: as above. Its other columns may have changed since they were read."""
        where = {"channel_is": chat.address.channel, "handle_is": chat.address.handle}
        values = {**where, "person_is": chat.person, "now": chat.interview}
        return self._changed(_POINT, values) == 1

    def set_reachable(self, address: Address, reachable: bool) -> None:
        where = {"channel_is": address.channel, "handle_is": address.handle}
        self._changed(_REACHABLE, {**where, "now": reachable})

    def addresses(self, person: str) -> Sequence[Address]:
        return [Address(*row) for row in self._all(_ADDRESSES, {"person": person})]

    def subject(self, subject: str) -> Subject | None:
        row = self._one(_SUBJECT, {"id": subject})
        return None if row is None else Subject(*row)

    def subjects(self) -> Sequence[Subject]:
        return [Subject(*row) for row in self._all(SUBJECTS.order_by(subjects.c.id))]

    def put_subjects(self, subjects: Iterable[Subject]) -> None:
        self._put(tables.subjects, map(_subject_row, subjects))

    def change_subjects(self, pairs: Iterable[tuple[Subject | None, Subject]]) -> int:
        return self._swap(tables.subjects, _subject_row, pairs)

    def relations(self) -> Sequence[Relation]:
        return [Relation(*row) for row in self._all(_RELATIONS)]

    def put_relations(self, relations: Iterable[Relation]) -> None:
        """One relation for each rater and subject; a later one changes the group."""
        self._put(tables.relations, map(_relation_row, relations))

    def change_relations(self, pairs: Iterable[tuple[Relation | None, Relation]]) -> int:
        return self._swap(tables.relations, _relation_row, pairs)

    def drop_relations(self, relations: Iterable[Relation]) -> None:
        ended = ({"who": each.rater, "about": each.subject} for each in relations)
        self._many(_END_RELATION, ended)

    def invite(self, token: str) -> Invite | None:
        row = self._one(_INVITE, {"token": token})
        return None if row is None else Invite(*row)

    def invites(self) -> Sequence[Invite]:
        return [Invite(*row) for row in self._all(INVITES.order_by(invites.c.token))]

    def put_invites(self, invites: Iterable[Invite]) -> None:
        self._put(
            tables.invites,
            (
                {
                    "token": invite.token,
                    "kind": invite.kind,
                    "target": invite.target,
                    "used": invite.used,
                    "expires_at": invite.expires_at,
                }
                for invite in invites
            ),
        )

    def spend_invite(self, token: str) -> bool:
        return self._changed(_SPEND, {"which": token}) == 1


def _person_row(person: Person) -> Values:
    return {
        "id": person.id,
        "kind": person.kind,
        "name": person.name,
        "unit": person.unit,
        "language": person.language,
        "opted_out": person.opted_out,
        "left": person.left,
        "zone": person.zone,
        "tags": person.tags,
        "consent": person.consent,
    }


def _chat_row(chat: Chat) -> Values:
    return {
        "channel": chat.address.channel,
        "handle": chat.address.handle,
        "person": chat.person,
        "language": chat.language,
        "interview": chat.interview,
        "reachable": True,
    }


def _subject_row(subject: Subject) -> Values:
    return {
        "id": subject.id,
        "name": dict(subject.name),
        "kind": subject.kind,
        "parent": subject.parent,
        "rating_class": subject.rating_class,
    }


def _relation_row(relation: Relation) -> Values:
    return {
        "rater": relation.rater,
        "subject": relation.subject,
        "rater_group": relation.group,
    }
