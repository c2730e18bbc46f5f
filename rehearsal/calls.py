"""What the bot did: counters always, whole calls where a test asked to keep them."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One answered call; ``result`` is the JSON text of the result, or the description."""

    method: str
    parameters: dict[str, Any]
    code: int
    result: str


class Calls:
    """Counts by method and code, messages by chat and second. ``keep``: how many calls to hold."""

    def __init__(self, keep: int = 0) -> None:
        self.by: Counter[tuple[str, int]] = Counter()
        self.per_chat: Counter[int] = Counter()
        self.per_second: Counter[int] = Counter()
        self.worst_second = 0
        self.kept: deque[Call] = deque(maxlen=keep)
        self._lately: deque[float] = deque()

    def note(self, method: str, code: int) -> None:
        self.by[method, code] += 1

    def note_message(self, chat_id: int, now: float) -> None:
        """A message delivered; the worst second is any window of one second, not a clock's."""
        self.per_chat[chat_id] += 1
        self.per_second[int(now)] += 1
        lately = self._lately
        lately.append(now)
        while lately[0] <= now - 1.0:
            lately.popleft()
        self.worst_second = max(self.worst_second, len(lately))

    def counters(self) -> dict[str, Any]:
        """JSON-ready; ``seconds`` maps unix seconds to messages delivered in them."""
        return {
            "calls": [
                {"method": method, "code": code, "count": count}
                for (method, code), count in sorted(self.by.items())
            ],
            "messages": sum(self.per_chat.values()),
            "worst_second": self.worst_second,
            "seconds": {str(second): count for second, count in sorted(self.per_second.items())},
            "per_chat": {str(chat): count for chat, count in sorted(self.per_chat.items())},
        }
