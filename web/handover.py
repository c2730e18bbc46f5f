"""Between a form and the page that shows its answer; and each form counts once.

Replies wait here, in memory only, from the POST until the redirected GET fetches them: seconds. In
another process or after a restart they are gone, and the page shows where things stand instead.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from surveys.people import Address
from surveys.reply import Reply

ROOM = 2000  # forms remembered at one time


@dataclass(frozen=True, slots=True)
class Turn:
    """What the person said ('' for none) and what came back.

    ``pressed`` is the label of a button that showed its own question again, '' for none.
    """

    said: str
    replies: tuple[Reply, ...]
    pressed: str = ""


@dataclass(slots=True)
class _Form:
    done: asyncio.Event = field(default_factory=asyncio.Event)
    turn: Turn | None = None


class Handover:
    """Forms received lately, by visitor and the form's random number."""

    def __init__(self) -> None:
        self._forms: OrderedDict[tuple[Address, str], _Form] = OrderedDict()

    async def once(self, who: Address, form: str, answer: Callable[[], Awaitable[Turn]]) -> bool:
        """Run ``answer`` for the first arrival of ``form``; a repetition waits and gets False.

        Where ``answer`` fails the form is forgotten, so that it can be sent again.
        """
        key = (who, form)
        if known := self._forms.get(key):
            await known.done.wait()
            return False
        entry = self._forms[key] = _Form()
        try:
            entry.turn = await answer()
        except BaseException:
            self._forms.pop(key, None)
            raise
        finally:
            entry.done.set()
        while len(self._forms) > ROOM:
            self._forms.popitem(last=False)
        return True

    def fetch(self, who: Address, form: str) -> Turn | None:
        """The turn that waits under ``form``, once; then only the fact that it came is kept."""
        entry = self._forms.get((who, form))
        if entry is None:
            return None
        turn, entry.turn = entry.turn, None
        return turn

    def put_back(self, who: Address, form: str, turn: Turn) -> None:
        """Let ``turn`` be fetched once more, by the page a redirect leads to."""
        if entry := self._forms.get((who, form)):
            entry.turn = turn
