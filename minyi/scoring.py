"""From counts to what is public: score a quarter, publish what the disclosure rules allow."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from desk.audit import Act, record
from desk.connections.hooks import announce
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
from surveys.cells import GRADES, THIRD_PARTIES, Cell, RaterGroup, Spread, Turnout


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


def pending(tx: Any, period: str) -> list[str]:
    """The waves of ``period`` that are still to be counted. A paused campaign's unopened wave will
    not be.
    """
    running = {campaign.id for campaign in tx.campaigns() if not campaign.paused}
    return sorted(
        wave.id
        for wave in tx.waves()
        if wave.period == period
        and (
            wave.state is WaveState.OPEN
            or (wave.state is WaveState.PLANNED and wave.campaign in running)
        )
    )


def unscored(tx: Any) -> list[str]:
    """Quarters whose every wave is tallied, and that have not been scored."""
    tallied = {wave.period for wave in tx.waves() if wave.state is WaveState.TALLIED}
    return sorted(p for p in tallied if not pending(tx, p) and tx.score_run(p) is None)


def _score(tx: Any, period: str, method: Method) -> ScoreReport:
    waiting = pending(tx, period)
    if waiting:
        raise StepError(
            f"{period} cannot be scored yet: {', '.join(waiting)} not tallied. "
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
    Self-assessments are left out: they have no spread either, for no method weighs them.
    """
    runs = [run for back in range(1, 5) if (run := tx.score_run(quarter_before(period, back)))]
    history = [thaw(run.frozen)[0] for run in runs]
    turnout = turnouts(row for row in tx.turnout(period) if row.group in THIRD_PARTIES)
    rated = {row.subject for row in turnout}
    return QuarterInput(
        period=period,
        salt=secrets.token_hex(16),
        rating_class={s.id: s.rating_class for s in tx.subjects() if s.id in rated},
        cells=together(cell for cell in tx.cells(period) if cell.group in THIRD_PARTIES),
        turnout=turnout,
        tasks=tuple(
            Task(row.subject, row.category, row.points, row.exposure)
            for row in tx.tasks(period)
            if row.subject in rated
        ),
        spreads=spreads(tx.spreads(period)),
        calibrations=calibrate(history, method) if history else (),
    )


def together(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Each subject's histograms of the quarter as one: a campaign may have several waves in it."""
    sums: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for cell in cells:
        place = (cell.subject, cell.indicator, cell.group, cell.pooled)
        before = sums.get(place, (0,) * GRADES)
        sums[place] = tuple(map(sum, zip(before, cell.counts, strict=True)))
    return tuple(
        Cell(subject, indicator, group, counts, pooled)
        for (subject, indicator, group, pooled), counts in sums.items()
    )


def turnouts(rows: Iterable[Turnout]) -> tuple[Turnout, ...]:
    """Asked and answered of the quarter's waves added up; withheld where one wave's is."""
    sums: dict[tuple[str, RaterGroup], Turnout] = {}
    for row in rows:
        before = sums.get((row.subject, row.group), Turnout(row.subject, row.group, 0, 0))
        known = before.answered is not None and row.answered is not None
        answered = before.answered + row.answered if known else None  # type: ignore[operator]
        sums[row.subject, row.group] = replace(
            row, asked=before.asked + row.asked, answered=answered
        )
    return tuple(sums.values())


def spreads(rows: Iterable[Spread]) -> tuple[Spread, ...]:
    """The variances of the quarter's waves pooled, each weighed by its ballots."""
    sums: dict[tuple[str, RaterGroup], Spread] = {}
    for row in rows:
        before = sums.get((row.rating_class, row.group), replace(row, ballots=0))
        ballots = before.ballots + row.ballots
        variance = (before.variance * before.ballots + row.variance * row.ballots) / ballots
        sums[row.rating_class, row.group] = replace(row, variance=variance, ballots=ballots)
    return tuple(sums.values())


def quarter_before(period: str, back: int) -> str:
    """The quarter ``back`` quarters before ``period``: 2026Q1, 1 -> 2025Q4."""
    year, quarter = period.split("Q")
    number = int(year) * 4 + int(quarter) - 1 - back
    return f"{number // 4}Q{number % 4 + 1}"


async def publish(house: House, period: str) -> PublishReport:
    """Publish what the disclosure rules allow of the newest run of ``period``."""
    act = house.act()
    report: PublishReport = await house.store.write(lambda tx: _publish(tx, act, period))
    return report


def _publish(tx: Any, act: Act, period: str) -> PublishReport:
    run = tx.score_run(period)
    if run is None:
        raise StepError(f"{period} has not been scored. Run 'minyi score {period}' first.")
    _, method = thaw(run.frozen)
    own = tx.cells(period, RaterGroup.SELF)
    cards = [published(card, method, own) for card in cards_from_json(run.cards)]
    tx.put_publication(period, published_to_json(cards))
    after = {"cards": len(cards), "method": run.method, "input": run.input_hash}
    record(tx, act, "score.published", f"period:{period}", None, after)
    announce(tx, "results.published", {"period": period}, act.at)
    return PublishReport(period, len(cards))
