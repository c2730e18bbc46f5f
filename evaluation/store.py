"""What scoring needs to have remembered: the task list, frozen runs and what was published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task of ``subject`` in ``period``: its category, approved points and share of the days.

    ``category`` is basic, phased or urgent; ``points`` >= 0; ``exposure`` 0..1.
    """

    id: str
    subject: str
    period: str
    category: str
    points: float
    exposure: float = 1.0


@dataclass(frozen=True, slots=True)
class ScoreRun:
    """One run, replayable: the frozen input bytes and the full scorecards they gave."""

    period: str
    method: str
    input_hash: str
    frozen: bytes
    cards: bytes


class ScoreTransaction(Protocol):
    """The part of a unit of work that scoring uses."""

    def tasks(self, period: str) -> Sequence[TaskRow]: ...
    def put_tasks(self, tasks: Iterable[TaskRow]) -> None: ...
    def put_score_run(self, run: ScoreRun) -> None:
        """Append a run; the newest of a period counts."""
        ...

    def score_run(self, period: str) -> ScoreRun | None: ...
    def put_publication(self, period: str, cards: bytes) -> None: ...
    def publication(self, period: str) -> bytes | None: ...
    def publications(self) -> Sequence[str]:
        """Published periods, newest first."""
        ...
