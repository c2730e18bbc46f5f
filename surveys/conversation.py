"""One conversation core for every channel.

``receive`` opens the one unit of work of a turn. What a channel shows is what was kept; whatever
was answered is on disk when ``receive`` returns.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from surveys.conduct import FormShelf, Sitting
from surveys.errands import Errand
from surveys.people import Address, Chat, Kind, Person
from surveys.reply import Heard, Reply, Typed
from surveys.store import Store
from surveys.visit import Setting, Visit
from surveys.words import nearest


class Conversation:
    """Answers whatever is heard from an address, in one unit of work.

    ``errands`` maps a purpose (``rating``, ``concern``) to what gives its interviews an end.
    ``concern_form`` is the content hash of the questionnaire with which a concern is raised.
    """

    def __init__(
        self,
        store: Store,
        errands: Mapping[str, Errand],
        setting: Setting,
        concern_form: str | None = None,
    ) -> None:
        self._store = store
        self._errands = errands
        self._setting = setting
        self._concern_form = concern_form
        self._shelf = FormShelf()

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = ""
    ) -> tuple[Reply, ...]:
        """Answer one event of ``address`` at ``now`` (aware).

        When this returns, whatever was answered is on disk: the channel acknowledges after it.
        ``hint`` is the client's language (any BCP 47 tag, '' where it does not say), used only at
        first contact.
        """
        return await self._store.write(lambda tx: self._turn(tx, address, heard, now, hint))

    def _turn(
        self, tx: Any, address: Address, heard: Heard, now: datetime, hint: str
    ) -> tuple[Reply, ...]:
        chat = tx.chat(address) or _meet(tx, address, hint or self._setting.language)
        event = heard.event if isinstance(heard, Typed) else 0
        sitting = Sitting(tx, chat, now, self._errands, self._shelf, event)
        visit = Visit(sitting, self._setting, self._concern_form)
        return visit.hear(heard)


def _meet(tx: Any, address: Address, hint: str) -> Chat:
    """Somebody new: a person without a name, in the client's language."""
    person = Person(secrets.token_urlsafe(9), Kind.CITIZEN)
    tx.put_people([person])
    chat = Chat(address, person.id, nearest(hint))
    tx.put_chat(chat)
    return chat
