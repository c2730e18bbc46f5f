"""One conversation core for every channel.

``receive`` opens the one unit of work of a turn. What a channel shows is what was kept; whatever
was answered is on disk when ``receive`` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from surveys.arriving import meet
from surveys.attendant import Attendant
from surveys.conduct import FormShelf, Sitting
from surveys.errands import Errand
from surveys.files.attachments import LIMITS, Vault, take
from surveys.forms.form import Kind
from surveys.moves import Gave
from surveys.paradata import Noticed, Paradata
from surveys.people import Address
from surveys.reply import Handed, Heard, Located, Reply, Typed
from surveys.store import Store
from surveys.turns import OvertakenError
from surveys.typed.trouble import Trouble
from surveys.visit import Setting, Visit

T = TypeVar("T")


class Conversation:
    """Answers whatever is heard from an address, in one unit of work.

    ``errands`` maps a purpose (``rating``, ``concern``) to what gives its interviews an end.
    ``concern_form`` is the content hash of the questionnaire with which a concern is raised.
    ``vault`` keeps the files that people hand over; without one none can be. ``attendant`` hears
    commands first. ``paradata`` is what this process has counted.
    """

    def __init__(
        self,
        store: Store,
        errands: Mapping[str, Errand],
        setting: Setting,
        concern_form: str | None = None,
        vault: Vault | None = None,
        attendant: Attendant | None = None,
    ) -> None:
        self._store = store
        self._errands = errands
        self._setting = setting
        self._concern_form = concern_form
        self._vault = vault
        self._attendant = attendant
        self._shelf = FormShelf()
        self.paradata = Paradata()

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = ""
    ) -> tuple[Reply, ...]:
        """Answer one event of ``address`` at ``now`` (aware).

        When this returns, whatever was answered is on disk: the channel acknowledges after it.
        ``hint`` is the client's language (any BCP 47 tag, '' where it does not say), used only at
        first contact.
        """
        taken = None
        if isinstance(heard, Handed):
            taken = await self._taken(address, heard, now, hint)

        def work(tx: Any) -> tuple[tuple[Reply, ...], list[Noticed]]:
            visit = self._visit(tx, address, heard, now, hint, taken)
            return visit.hear(heard), visit.sitting.noticed

        replies, noticed = await self._turn(work)
        self.paradata.add(noticed)  # only now: a unit of work may have run more than once
        return replies

    async def _turn(self, work: Callable[[Any], T]) -> T:
        """Once more where the chat became somebody else's, or nobody's, on the way."""
        try:
            return await self._store.write(work)
        except OvertakenError:
            return await self._store.write(work)

    async def medium(self, form: str, name: str) -> bytes:
        """The picture, sound or film of a label; LookupError where there is none."""
        found: tuple[str, bytes] | None = await self._store.read(
            lambda tx: tx.form_media(form, name)
        )
        if found is None:
            raise LookupError(f"the questionnaire {form} has no file {name}")
        return found[1]

    async def _taken(
        self, address: Address, heard: Handed, now: datetime, hint: str
    ) -> Gave | Trouble | None:
        """Fetch, check and keep a file that is wanted now, outside of any transaction."""
        wanted: tuple[Kind, bool] | None = await self._turn(
            lambda tx: self._visit(tx, address, heard, now, hint).wants(heard.kind)
        )
        if wanted is None or self._vault is None:
            return None
        kind, keeps = wanted
        limit = LIMITS[kind]
        if heard.size > limit:
            return Trouble("file_too_large", {"limit": limit // 1_000_000})
        try:
            content = await heard.fetch(limit)
        except ValueError:
            return Trouble("file_not_fetched", {"limit": limit // 1_000_000})
        vault = self._vault if keeps else None
        token = await take(vault, kind, content, self._store, now.date())
        return token if isinstance(token, Trouble) else Gave(heard.kind, token)

    def _visit(
        self,
        tx: Any,
        address: Address,
        heard: Heard,
        now: datetime,
        hint: str,
        taken: Gave | Trouble | None = None,
    ) -> Visit:
        chat = tx.chat(address)
        if chat is None or tx.person(chat.person) is None:  # forgotten while they were just writing
            chat = meet(tx, address, hint or self._setting.language)
        event = heard.event if isinstance(heard, Typed | Located | Handed) else 0
        zone = self._setting.zone
        sitting = Sitting(tx, chat, now, self._errands, self._shelf, event, zone)
        return Visit(sitting, self._setting, self._concern_form, taken, self._attendant)
