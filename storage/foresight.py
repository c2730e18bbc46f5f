"""Who opens a chat asks for its interview, wave and subject next: they are fetched together.

One question to the database instead of four is most of an answer's cost, above all on PostgreSQL,
where each is a journey. What was seen is remembered, the newest row of each table, until the unit
of work ends or writes to that table: so it never stands in for a row that has changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Table, bindparam, select

from storage.campaigns import WAVES, CampaignRows
from storage.interviews import INTERVIEWS, InterviewRows
from storage.people import SUBJECTS, PeopleRows
from storage.tables import campaigns, chats, interviews, people, subjects, waves
from surveys.campaigns import Campaign, Wave
from surveys.people import Address, Chat, Person, Subject
from surveys.store import SealedInterview

_Key = TypeVar("_Key")
_Row = TypeVar("_Row")
_CHAT = [chats.c.person, chats.c.language, chats.c.interview]
_INTERVIEW = [*INTERVIEWS.selected_columns]
_WAVE = [*WAVES.selected_columns]
_SUBJECT = [*SUBJECTS.selected_columns]
_OPENED = (
    select(*_CHAT, *_INTERVIEW, *_WAVE, *_SUBJECT)
    .select_from(chats)
    .outerjoin(interviews, interviews.c.id == chats.c.interview)
    .outerjoin(waves, waves.c.id == interviews.c.wave)
    .outerjoin(subjects, subjects.c.id == interviews.c.subject)
    .where(chats.c.channel == bindparam("channel"), chats.c.handle == bindparam("handle"))
)
_TO_INTERVIEW = len(_CHAT)
_TO_WAVE = _TO_INTERVIEW + len(_INTERVIEW)
_TO_SUBJECT = _TO_WAVE + len(_WAVE)


class ForesightRows(PeopleRows, CampaignRows, InterviewRows):
    __slots__ = ()

    def chat(self, address: Address) -> Chat | None:
        return self._once(chats, address, self._opened)

    def put_chat(self, chat: Chat) -> None:
        super().put_chat(chat)
        self._seen[chats] = chat.address, chat

    def point_chat(self, chat: Chat) -> bool:
        pointed = super().point_chat(chat)
        if pointed:
            self._seen[chats] = chat.address, chat
        return pointed

    def person(self, person: str) -> Person | None:
        return self._once(people, person, super().person)

    def interview(self, interview: str) -> SealedInterview | None:
        return self._once(interviews, interview, super().interview)

    def wave(self, wave: str) -> Wave | None:
        return self._once(waves, wave, super().wave)

    def campaign(self, campaign: str) -> Campaign | None:
        return self._once(campaigns, campaign, super().campaign)

    def subject(self, subject: str) -> Subject | None:
        return self._once(subjects, subject, super().subject)

    def _opened(self, address: Address) -> Chat | None:
        row = self._one(_OPENED, {"channel": address.channel, "handle": address.handle})
        if row is None:
            return None
        for table, kind, columns in (
            (interviews, SealedInterview, row[_TO_INTERVIEW:_TO_WAVE]),
            (waves, Wave, row[_TO_WAVE:_TO_SUBJECT]),
            (subjects, Subject, row[_TO_SUBJECT:]),
        ):
            if columns[0] is not None:
                self._seen[table] = columns[0], kind(*columns)
        return Chat(address, *row[:_TO_INTERVIEW])

    def _once(self, table: Table, key: _Key, read: Callable[[_Key], _Row | None]) -> _Row | None:
        """The row of ``table`` under ``key``, as it was seen or else as it is read now."""
        row: _Row | None
        seen_key, row = self._seen.get(table, (None, None))
        if seen_key != key:
            row = read(key)
            if row is not None:
                self._seen[table] = key, row
        return row
