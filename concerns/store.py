"""What concerns need to have remembered. Everything a person said lies sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """Where a concern stands. A case is never deleted by answering it."""

    RECEIVED = "received"
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StoredConcern:
    """One concern. ``reply_to`` is the person's address, sealed with the application key.

    ``receipt_hash`` finds it again; the receipt itself is known to the person alone.
    ``opened_on`` is a day, not a moment: a moment would join it to a log line.
    """

    id: str
    receipt_hash: bytes
    reader: str  # who may read it: handler | leader | oversight
    kind: str
    state: State
    reply_to: bytes
    opened_on: date


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement in the case, append-only; ``seq`` counts from 1.

    ``box`` from the person is sealed to the reader's public key; ``box`` from the handler is
    sealed with the application key, so that the chat can show it when the person asks.
    """

    concern: str
    seq: int
    author: str  # person | handler
    box: bytes


class ConcernTransaction(Protocol):
    """The part of a unit of work that concerns use."""

    def put_concern(self, concern: StoredConcern) -> None: ...
    def concern(self, concern: str) -> StoredConcern | None: ...
    def concern_by_receipt(self, receipt_hash: bytes) -> StoredConcern | None: ...
    def concerns(self) -> Sequence[StoredConcern]: ...
    def add_entry(self, concern: str, author: str, box: bytes) -> Entry: ...
    def entries(self, concern: str) -> Sequence[Entry]: ...
