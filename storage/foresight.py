"""Who opens a chat asks for its interview, wave and subject next: they are fetched together.

One question to the database instead of four is most of an answer's cost, above all on PostgreSQL,
where each is a journey. What was foreseen is forgotten at the first write of the unit of work, so
that it never stands in for a row that has changed since.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import bindparam, select

from storage.campaigns import WAVES, CampaignRows
from storage.interviews import INTERVIEWS, InterviewRows
from storage.people import SUBJECTS, PeopleRows
from storage.tables import chats, interviews, subjects, waves
from surveys.campaigns import Wave
from surveys.people import Address, Chat, Subject
from surveys.store import SealedInterview

_Seen = TypeVar("_Seen", SealedInterview, Wave, Subject)
_CHAT = [chats.c.person, chats.c.language, chats.c.interview, chats.c.heard]
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
        row = self._one(_OPENED, {"channel": address.channel, "handle": address.handle})
        if row is None:
            return None
        for kind, columns in (
            (SealedInterview, row[_TO_INTERVIEW:_TO_WAVE]),
            (Wave, row[_TO_WAVE:_TO_SUBJECT]),
            (Subject, row[_TO_SUBJECT:]),
        ):
            if columns[0] is not None:
                self._foreseen[kind] = kind(*columns)
        return Chat(address, *row[:_TO_INTERVIEW])

    def interview(self, interview: str) -> SealedInterview | None:
        return self._known(SealedInterview, interview) or super().interview(interview)

    def wave(self, wave: str) -> Wave | None:
        return self._known(Wave, wave) or super().wave(wave)

    def subject(self, subject: str) -> Subject | None:
        return self._known(Subject, subject) or super().subject(subject)

    def _known(self, kind: type[_Seen], key: str) -> _Seen | None:
        seen: _Seen | None = self._foreseen.get(kind)
        return seen if seen is not None and seen.id == key else None
