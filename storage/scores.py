"""The task list, score runs and publications: rows <-> objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, select

from evaluation.store import ScoreRun, TaskRow
from storage import ledgers
from storage.ledgers import publications, score_runs, tasks
from storage.unit import Unit, Values

_TASKS = (
    select(
        tasks.c.id,
        tasks.c.subject,
        tasks.c.period,
        tasks.c.category,
        tasks.c.points,
        tasks.c.exposure,
    )
    .where(tasks.c.period == bindparam("period"))
    .order_by(tasks.c.id)
)
_RUN = (
    select(
        score_runs.c.period,
        score_runs.c.method,
        score_runs.c.input_hash,
        score_runs.c.frozen,
        score_runs.c.cards,
    )
    .where(score_runs.c.period == bindparam("period"))
    .order_by(score_runs.c.seq.desc())
    .limit(1)
)
_PUBLICATION = select(publications.c.cards).where(publications.c.period == bindparam("period"))
_PUBLICATIONS = select(publications.c.period).order_by(publications.c.period.desc())


class ScoreRows(Unit):
    __slots__ = ()

    def tasks(self, period: str) -> Sequence[TaskRow]:
        return [TaskRow(*row) for row in self._all(_TASKS, {"period": period})]

    def put_tasks(self, tasks: Iterable[TaskRow]) -> None:
        self._put(ledgers.tasks, map(_task_row, tasks))

    def change_tasks(self, pairs: Iterable[tuple[TaskRow | None, TaskRow]]) -> int:
        return self._swap(ledgers.tasks, _task_row, pairs)

    def put_score_run(self, run: ScoreRun) -> None:
        row = {
            "period": run.period,
            "method": run.method,
            "input_hash": run.input_hash,
            "frozen": run.frozen,
            "cards": run.cards,
        }
        self._changed(score_runs.insert(), row)

    def score_run(self, period: str) -> ScoreRun | None:
        row = self._one(_RUN, {"period": period})
        return None if row is None else ScoreRun(*row)

    def put_publication(self, period: str, cards: bytes) -> None:
        self._put(publications, [{"period": period, "cards": cards}])

    def publication(self, period: str) -> bytes | None:
        row = self._one(_PUBLICATION, {"period": period})
        return None if row is None else bytes(row.cards)

    def publications(self) -> Sequence[str]:
        return [row.period for row in self._all(_PUBLICATIONS)]


def _task_row(task: TaskRow) -> Values:
    return {
        "id": task.id,
        "subject": task.subject,
        "period": task.period,
        "category": task.category,
        "points": task.points,
        "exposure": task.exposure,
    }
