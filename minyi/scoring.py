"""From counts to what is public: score a quarter, publish what the disclosure rules allow."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from evaluation.method import Method
from evaluation.publication import publish as published
from evaluation.publication import published_to_json
from evaluation.quarter import (
    QuarterInput,
    calibrate,
    cards_from_json,
    cards_to_json,
    freeze,
    thaw,
)
from evaluation.quarter import score as score_quarter
from evaluation.store import ScoreRun
from evaluation.workload import Task
from minyi.house import House
from minyi.steps import StepError
from surveys.campaigns import WaveState


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """A run of one quarter."""

    period: str
    scored: int
    withheld: int
    method: str
    input_hash: str


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What of a quarter is public now."""

    period: str
    cards: int


async def score(house: House, period: str) -> ScoreReport:
    """Freeze a quarter's inputs and make its scorecards; the run can be replayed to the byte."""
    report: ScoreReport = await house.store.write(lambda tx: _score(tx, period, house.method))
    return report


def _score(tx: Any, period: str, method: Method) -> ScoreReport:
    pending = [w.id for w in tx.waves() if w.period == period and w.state is not WaveState.TALLIED]
    if pending:
        raise StepError(
            f"{period} cannot be scored yet: {', '.join(sorted(pending))} not tallied. "
            "Wait for the close, or run 'minyi tally' after it."
        )
    quarter = quarter_input(tx, period, method)
    if not quarter.rating_class:
        raise StepError(f"There is nothing to score in {period}: nobody was on a roll in it.")
    frozen = freeze(quarter, method)
    cards = score_quarter(quarter, method)
    tx.put_score_run(
        ScoreRun(period, method.version, cards[0].input_hash, frozen, cards_to_json(cards))
    )
    withheld = sum(1 for card in cards if card.value is None)
    return ScoreReport(period, len(cards) - withheld, withheld, method.version, cards[0].input_hash)


def quarter_input(tx: Any, period: str, method: Method) -> QuarterInput:
    """Everything that a quarter's scores depend on, as it lies in the store.

    The constants come from the up to four quarters before; without any, the quarter is a trial.
    """
    runs = [run for back in range(1, 5) if (run := tx.score_run(quarter_before(period, back)))]
    history = [thaw(run.frozen)[0] for run in runs]
    turnout = tuple(tx.turnout(period))
    rated = {row.subject for row in turnout}
    return QuarterInput(
        period=period,
        salt=secrets.token_hex(16),
        rating_class={s.id: s.rating_class for s in tx.subjects() if s.id in rated},
        cells=tuple(tx.cells(period)),
        turnout=turnout,
        tasks=tuple(
            Task(row.subject, row.category, row.points, row.exposure)
            for row in tx.tasks(period)
            if row.subject in rated
        ),
        spreads=tuple(tx.spreads(period)),
        calibrations=calibrate(history, method) if history else (),
    )


def quarter_before(period: str, back: int) -> str:
    """The quarter ``back`` quarters before ``period``: 2026Q1, 1 -> 2025Q4."""
    year, quarter = period.split("Q")
    number = int(year) * 4 + int(quarter) - 1 - back
    return f"{number // 4}Q{number % 4 + 1}"


async def publish(house: House, period: str) -> PublishReport:
    """Publish what the disclosure rules allow of the newest run of ``period``."""
    report: PublishReport = await house.store.write(lambda tx: _publish(tx, period))
    return report


def _publish(tx: Any, period: str) -> PublishReport:
    run = tx.score_run(period)
    if run is None:
        raise StepError(f"{period} has not been scored. Run 'minyi score {period}' first.")
    _, method = thaw(run.frozen)
    cards = [published(card, method) for card in cards_from_json(run.cards)]
    tx.put_publication(period, published_to_json(cards))
    return PublishReport(period, len(cards))
