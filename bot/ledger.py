"""Which updates run, which are finished, and up to where Telegram may forget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Ledger:
    """Update ids between their first sight and Telegram's forgetting them.

    Nothing is compared with an old high-water mark: after a quiet week Telegram restarts its
    numbers anywhere, and a survey bot has quiet weeks.
    """

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._finished: set[int] = set()

    @property
    def running(self) -> bool:
        """Whether anything that began has not finished."""
        return bool(self._running)

    @property
    def offset(self) -> int | None:
        """What ``getUpdates`` may say: all below it is finished. None: nothing to confirm."""
        if self._running:
            return min(self._running)
        return max(self._finished) + 1 if self._finished else None

    def begin(self, update_id: int) -> bool:
        """Whether ``update_id`` is new; then it runs."""
        if update_id in self._running or update_id in self._finished:
            return False
        self._running.add(update_id)
        return True

    def finish(self, update_id: int) -> None:
        """It is committed or buried."""
        if update_id in self._running:
            self._running.discard(update_id)
            self._finished.add(update_id)

    def confirmed(self, updates: Iterable[Mapping[str, Any]]) -> None:
        """Forget what a successful fetch at :attr:`offset` no longer returned."""
        self._finished &= {raw.get("update_id") for raw in updates}
