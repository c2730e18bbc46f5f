"""One person's turns at the same moment, in two servers or two chats.

What makes a place on the roll, or changes who somebody is, holds the person's voice first, and then
looks whose the chat is: it may have become somebody else's, or nobody's, while it waited.
"""

from __future__ import annotations

from typing import Any

from surveys.people import Chat


class OvertakenError(Exception):
    """The chat is not this person's any more: nothing is kept, and the turn is taken anew."""


def alone(tx: Any, chat: Chat) -> Chat:
    """``chat`` as it stands once no other turn of its person goes on beside this one."""
    tx.hold_voice(chat.person)
    return still(tx, chat)


def still(tx: Any, chat: Chat) -> Chat:
    """``chat`` as it stands; OvertakenError where its person is another, or forgotten."""
    now: Chat | None = tx.chat(chat.address)
    if now is None or now.person != chat.person:
        raise OvertakenError
    return now
