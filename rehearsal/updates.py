"""What waits for the bot: Telegram's own queue of updates, the inbox of a careful bot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rehearsal.messages import dump
from rehearsal.refusals import StageMistake

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
FUTURE = 10


@dataclass(frozen=True, slots=True)
class Update:
    """``body`` is its JSON text. ``lane`` keeps order in webhook mode: one lane, one at a time."""

    update_id: int
    kind: str
    body: str
    expires_at: float
    lane: str


class UpdateQueue:
    """Updates in order of ``update_id``, each kept until confirmed or expired.

    ``allowed`` is None for Telegram's default set. ``on_arrival`` is the one consumer's doorbell.
    """

    def __init__(self, now: Callable[[], float], first_id: int = 700_000_001) -> None:
        self._now = now
        self._waiting: dict[int, Update] = {}
        self._next_id = first_id
        self.allowed: frozenset[str] | None = None
        self.on_arrival: Callable[[Update], None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def allow(self, kinds: Any) -> None:
        """Sticky; an empty list means the default set. Only updates created later are affected."""
        if isinstance(kinds, list):
            self.allowed = frozenset(map(str, kinds)) or None

    def wanted(self, kind: str) -> bool:
        return kind not in NOT_BY_DEFAULT if self.allowed is None else kind in self.allowed

    def put(self, kind: str, payload: str, lane: str, seconds: float) -> int | None:
        """Queue an update whose ``kind`` field is ``payload``; None where the bot wants no such."""
        if not self.wanted(kind):
            return None
        update_id = self._next_id
        body = f'{{"update_id":{update_id},"{kind}":{payload}}}'
        self._add(Update(update_id, kind, body, self._now() + seconds, lane))
        return update_id

    def put_raw(self, raw: Any, seconds: float = 86_400.0) -> int:
        """Queue any JSON object as it is, ``update_id`` added where it has none: poison."""
        if not isinstance(raw, dict):
            raise StageMistake("a raw update is a JSON object")
        update_id = raw.get("update_id", self._next_id)
        if not isinstance(update_id, int) or update_id < self._next_id:
            raise StageMistake(f"update_id must be a number of at least {self._next_id}")
        body = dump({**raw, "update_id": update_id})
        json.loads(body)
        self._next_id = update_id
        self._add(Update(update_id, "raw", body, self._now() + seconds, "raw"))
        return update_id

    def _add(self, update: Update) -> None:
        self._next_id = update.update_id + 1
        self._waiting[update.update_id] = update
        if self.on_arrival is not None:
            self.on_arrival(update)

    def take(self, offset: int, limit: int) -> list[Update]:
        """Confirm everything below ``offset``, then look at the first ``limit`` of the rest.

        A negative offset keeps only that many of the latest. An offset far in the future confirms
        nothing, as in the official server.
        """
        if offset < 0:
            self._drop(list(self._waiting)[:offset])
        elif offset <= self._next_id + FUTURE:
            self._drop(list(_until(self._waiting, offset)))
        self._expire()
        return list(islice(self._waiting.values(), limit))

    def all(self) -> list[Update]:
        self._expire()
        return list(self._waiting.values())

    def forget(self, update_id: int) -> None:
        self._waiting.pop(update_id, None)

    def clear(self) -> None:
        self._waiting.clear()

    def _drop(self, ids: Iterable[int]) -> None:
        for update_id in ids:
            del self._waiting[update_id]

    def _expire(self) -> None:
        now = self._now()
        self._drop([u.update_id for u in self._waiting.values() if u.expires_at <= now])


def _until(waiting: Iterable[int], offset: int) -> Iterable[int]:
    for update_id in waiting:
        if update_id >= offset:
            return
        yield update_id
