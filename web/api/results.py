"""Results: the scorecards of published quarters, exactly as they were published."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from desk.leaving import results_taken
from desk.roles import May
from desk.store import DeskTransaction
from evaluation.publication import PublishedCard, published_from_json
from web.api.call import Call, Caller
from web.api.operations import Operation
from web.api.paging import Page, Paged
from web.api.problems import ProblemError

Period = Annotated[
    str, Path(description="A quarter, as 2026Q4.", pattern=r"^[0-9]{4}Q[1-4]$", examples=["2026Q4"])
]


class PeriodModel(BaseModel):
    """A quarter that was published."""

    period: str = Field(description="The quarter, as 2026Q4.")
    cards: int = Field(description="How many of its scorecards this account may see.")


class ReasonModel(BaseModel):
    """Why something is withheld or marked."""

    code: str = Field(description="The reason, for programs.")
    arguments: dict[str, str | int | float] = Field(description="What it is about.")


class AnswersModel(BaseModel):
    """How many of one rater group answered, never more exactly than may be told."""

    group: str = Field(description="SUP, PEER, SUB or SVC.")
    standing: str = Field(description="What its ratings count for.")
    asked: int | None = Field(description="How many were asked; null where it is not known.")
    answered: list[int | None] | None = Field(
        description="[from, to] people; to is null for “and more”; null where it must not be said."
    )
    silent: list[int] | None = Field(
        description="[from, to] whole percent who stayed silent; null where `withheld` says why."
    )
    withheld: ReasonModel | None = Field(description="Why `silent` is not told.")


class DetailModel(BaseModel):
    """How many of at least 30 gave which grade."""

    group: str = Field(description="SUP, PEER, SUB or SVC.")
    indicator: str = Field(description="The question's indicator.")
    counts: list[int] = Field(description="Ratings of the grades 1 to 5.")
    dissatisfied: int = Field(description="Whole percent who gave 1 or 2.")
    low: int = Field(description="Where the interval around that begins, in whole percent.")
    high: int = Field(description="Where it ends.")


class SelfModel(BaseModel):
    """What the official gave themselves. It counts towards no score."""

    marks: dict[str, int] = Field(description="Indicator -> points, 20 to 100.")
    points: int | None = Field(description="Their mean by the weights of the work; null: unknown.")
    gap: int | None = Field(description="How far that lies above `value`; null without either.")


class CardModel(BaseModel):
    """One scorecard as it was published. Points are 20 to 100."""

    model_config = ConfigDict(title="Card")

    subject: str = Field(description="Whose it is: a subject's id.")
    period: str = Field(description="The quarter.")
    rating_class: str = Field(description="Only cards of one class may be compared.")
    value: int | None = Field(description="The score, rounded to `step`; null where withheld.")
    step: int | None = Field(description="What the score is rounded to.")
    interval: list[int] | None = Field(description="[low, high] around the score, in points.")
    bands: list[str] = Field(description="One band; two: undetermined between them.")
    capped: bool = Field(description="Whether the band was held down by a rule.")
    withheld: list[ReasonModel] = Field(description="Why there is no score.")
    category_weights: dict[str, float] = Field(description="Task category -> its weight, 0 to 1.")
    contributions: dict[str, int] = Field(
        description="What moved the score, in points, each rounded by itself."
    )
    answers: list[AnswersModel] = Field(description="How many answered, by rater group.")
    details: list[DetailModel] = Field(description="Histograms of at least 30 ratings.")
    held_back: list[ReasonModel] = Field(description="Which details are not told, and why.")
    flags: list[ReasonModel] = Field(description="What to be careful about.")
    method: str = Field(description="The version of the method that it was scored by.")
    input_hash: str = Field(description="SHA-256 of the frozen input of the score.")
    trial: bool = Field(description="Whether it was a rehearsal and counts for nothing.")
    self_assessment: SelfModel | None = Field(
        None, description="Beside the score; null without one."
    )


async def periods(call: Caller, page: Paged) -> Page[PeriodModel]:
    """The quarters that were published."""

    def work(tx: DeskTransaction) -> list[PeriodModel]:
        within = call.reach(tx, May.RESULTS_READ)
        counted = [(p, len(_cards(tx, p, within) or ())) for p in tx.publications()]
        return [PeriodModel(period=period, cards=cards) for period, cards in counted]

    items, onward = page.cut(await call.read(work), lambda each: (each.period,))
    return Page(items=list(items), next=onward)


async def cards(call: Caller, period: Period, page: Paged) -> Page[CardModel]:
    """A quarter's scorecards that this account may see, as they were published."""
    found = await _published(call, period)
    shown, onward = page.cut(found, lambda card: (card.subject,))
    return Page(items=[_model(card) for card in shown], next=onward)


async def card(
    call: Caller,
    period: Period,
    subject: Annotated[
        str, Path(description="A subject's id.", pattern=r"^[^\s\x00-\x1f\x7f/]{1,64}$")
    ],
) -> CardModel:
    """One scorecard, as it was published."""
    cards = await _published(call, period)
    found = next((each for each in cards if each.subject == subject), None)
    if found is None:
        raise ProblemError("missing")
    return _model(found)


async def _published(call: Call, period: str) -> tuple[PublishedCard, ...]:
    """The cards that the account may see."""
    found = await call.read(lambda tx: _cards(tx, period, call.reach(tx, May.RESULTS_READ)))
    if found is None:
        raise ProblemError("missing")
    await call.leaves(
        "results.exported",
        f"results:{period}",
        lambda tx, act: results_taken(tx, act, ("scorecards",), (period,), "api"),
    )
    return found


def _cards(
    tx: DeskTransaction, period: str, within: frozenset[str] | None
) -> tuple[PublishedCard, ...] | None:
    stored = tx.publication(period)
    if stored is None:
        return None
    cards = published_from_json(stored)
    return tuple(card for card in cards if within is None or card.subject in within)


def _model(card: PublishedCard) -> CardModel:
    return CardModel.model_validate(card, from_attributes=True)


OPERATIONS = (
    Operation("GET", "/results", periods, May.RESULTS_READ, Page[PeriodModel]),
    Operation("GET", "/results/{period}", cards, May.RESULTS_READ, Page[CardModel], refuses=(422,)),
    Operation("GET", "/results/{period}/{subject}", card, May.RESULTS_READ, CardModel),
)
