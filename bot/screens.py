"""What stands on people's screens, as far as this process has put it there."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

CHATS = 20_000


@dataclass(frozen=True, slots=True)
class Screen:
    """Our messages in one chat, by their ids, which grow within it.

    ``live`` carry buttons, or may still; ``asked`` is the one in which the open question stands, 0
    where none is known; ``place`` is the question that was shown last.
    """

    live: tuple[int, ...] = ()
    asked: int = 0
    place: str = ""

    def is_past(self, message: int) -> bool:
        """Whether ``message`` stands above the one with the newest buttons."""
        return bool(self.live) and message < max(self.live)

    def is_hasty(self, event: int) -> bool:
        """Whether the person's message ``event`` was sent before the open question was there."""
        return 0 < event < self.asked


class Screens:
    """The screens of the ``most`` chats heard last. A restart forgets them all, and may."""

    def __init__(self, most: int = CHATS) -> None:
        self._most = most
        self._screens: OrderedDict[int, Screen] = OrderedDict()

    def __len__(self) -> int:
        return len(self._screens)

    def of(self, chat: int) -> Screen:
        """What is known of ``chat``; an empty screen where nothing is."""
        return self._screens.get(chat, Screen())

    def keep(self, chat: int, screen: Screen) -> None:
        """Note what stands there now."""
        self._screens[chat] = screen
        self._screens.move_to_end(chat)
        if len(self._screens) > self._most:
            self._screens.popitem(last=False)
