"""What Telegram allows, and how fast."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound the stage enforces. Rates are messages a second; 0 means unlimited.

    ``chat_burst`` messages may follow each other at once in one chat before ``per_chat`` holds.
    Lengths are UTF-16 code units, sizes bytes, times seconds.
    """

    overall: int = 30
    per_chat: float = 1.0
    chat_burst: int = 3
    text_units: int = 4096
    caption_units: int = 1024
    toast_units: int = 200
    buttons: int = 100
    row_buttons: int = 8
    markup_bytes: int = 10_240
    callback_bytes: int = 64
    callback_kept: float = 150.0
    message_kept: float = 86_400.0
    deletable: float = 172_800.0
    download_bytes: int = 20 * 1024 * 1024
    poll_longest: int = 50
    poll_repeat: float = 3.0
    """A poll repeating its offset within so many seconds waits that long when nothing is there."""


class Pace:
    """Messages accepted lately: a strict sliding second overall, a leaky bucket for each chat.

    The bucket is the virtual scheduling form of GCRA (ITU-T I.371): a chat's next message is due
    ``1 / per_chat`` seconds after its last one was, and may come ``chat_burst - 1`` of those early.
    """

    def __init__(self) -> None:
        self._lately: deque[float] = deque()
        self._due: dict[int, float] = {}

    def take(self, chat_id: int, now: float, limits: Limits) -> float:
        """Accept a message and return 0, or return the seconds to wait and accept nothing."""
        lately = self._lately
        while lately and lately[0] <= now - 1.0:
            lately.popleft()
        if limits.overall and len(lately) >= limits.overall:
            return lately[0] + 1.0 - now
        if limits.per_chat > 0:
            step = 1.0 / limits.per_chat
            due = max(self._due.get(chat_id, now), now)
            early = due - now - step * (limits.chat_burst - 1)
            if early > 1e-9:
                return early
            self._due[chat_id] = due + step
        if limits.overall:
            lately.append(now)
        return 0.0


def whole_seconds(wait: float) -> int:
    """``retry_after`` as Telegram gives it: whole seconds, at least one."""
    return max(1, math.ceil(wait - 1e-9))


def units(text: str) -> int:
    """Length in UTF-16 code units, the only length Telegram knows."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
