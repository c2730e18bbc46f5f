"""The public board: published scorecards, drawn. Unrounded runs are never read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evaluation.publication import LEAST_FOR_DETAIL, PublishedCard, published_from_json
from evaluation.store import ScoreTransaction
from surveys.cells import RaterGroup, Reasons
from surveys.people import Text
from surveys.store import Transaction
from web import drawing
from web.naming import QUARTER, Names, choices_of
from web.site import language_of, page, site_of

LEAST_NAMED = 5  # a reason named by fewer ballots is not shown


@dataclass(frozen=True, slots=True)
class Published:
    """A period's published cards and what is needed to name things on them."""

    cards: tuple[PublishedCard, ...]
    reasons: tuple[Reasons, ...]
    subjects: dict[str, Text]
    choices: dict[tuple[str, str], Text]


@dataclass(frozen=True, slots=True)
class Why:
    """Reasons that one group named for a low rating; ``percents`` only from 30 ballots on."""

    group: RaterGroup
    question: str
    choices: tuple[str, ...]
    percents: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Move:
    """One step from the class average to the score, in rounded points."""

    key: str
    points: int
    start: float
    end: float


def routes() -> list[Route]:
    """The board's addresses."""
    return [
        Route("/results", periods),
        Route("/results/{period}", period),
        Route("/results/{period}/{subject}", subject),
    ]


async def periods(request: Request) -> Response:
    """Which quarters are published."""
    found = await site_of(request).store.read(lambda tx: cast(ScoreTransaction, tx).publications())
    names = Names(language_of(request), (), {}, {})
    return page(request, "periods.html", {"periods": found, "names": names})


async def period(request: Request) -> Response:
    """All scorecards of a quarter, by class; within a class by name, so that it is no ranking."""
    found, names = await _published(request)
    ordered = sorted(found.cards, key=lambda c: (c.rating_class, names.subject(c.subject)))
    classes = [(name, list(cards)) for name, cards in groupby(ordered, lambda c: c.rating_class)]
    values = {
        "period": request.path_params["period"],
        "names": names,
        "classes": classes,
        "draw": drawing,
        "headline": headline,
        "legend": _legend(found.cards, names),
    }
    return page(request, "results.html", values)


async def subject(request: Request) -> Response:
    """One scorecard in full."""
    found, names = await _published(request)
    wanted = request.path_params["subject"]
    card = next((each for each in found.cards if each.subject == wanted), None)
    if card is None:
        raise HTTPException(404)
    moves = waterfall(card)
    points = [place for move in moves for place in (move.start, move.end)]
    values = {
        "period": request.path_params["period"],
        "names": names,
        "card": card,
        "draw": drawing,
        "moves": moves,
        "axis": axis(points),
        "signed": signed,
        "whys": reasons_named(found.reasons, card.subject),
        "legend": _legend((card,), names),
    }
    return page(request, "subject.html", values)


def headline(card: PublishedCard) -> int | None:
    """Which detail stands for dissatisfaction in the list: people served first. Its index."""
    order = sorted(
        range(len(card.details)), key=lambda at: card.details[at].group != RaterGroup.RECIPIENT
    )
    return order[0] if order else None


def waterfall(card: PublishedCard) -> tuple[Move, ...]:
    """The contributions one after the other, the class average first; () without a score."""
    if card.value is None:
        return ()
    moves: list[Move] = []
    at = 0.0
    rest = [key for key in card.contributions if key not in ("baseline", "adjustment")]
    for key in ("baseline", *rest, "adjustment"):
        if key in card.contributions:
            points = card.contributions[key]
            moves.append(Move(key, points, at, at + points))
            at += points
    return tuple(moves)


def signed(points: int) -> str:
    """With its sign, and a true minus."""
    return f"{points:+d}".replace("-", "−") if points else "±0"


def axis(points: Sequence[float]) -> tuple[int, int]:
    """Whole tens around the moves, at least 20 points wide; the leap from nothing is left out."""
    shown = [each for each in points if each > 0] or [0.0]
    low = max(0, int((min(shown) - 3) // 10 * 10))
    high = min(110, int(-(-(max(shown) + 3) // 10) * 10))
    return low, max(high, low + 20)


def reasons_named(rows: Sequence[Reasons], subject: str) -> tuple[Why, ...]:
    """What was named about ``subject``, most often first.

    A reason named fewer than 5 times stays unsaid, and shares are given from 30 ballots on, to
    the nearest 5 percent: the same care as for ratings.
    """
    whys = []
    for row in rows:
        if row.subject != subject:
            continue
        kept = [(c, n) for c, n in row.counts.items() if n >= LEAST_NAMED]
        kept.sort(key=lambda pair: -pair[1])
        exact = tuple(5 * round(20 * n / row.n) for _, n in kept)
        percents = exact if row.n >= LEAST_FOR_DETAIL else None
        whys.append(Why(row.group, row.question, tuple(c for c, _ in kept), percents))
    return tuple(whys)


async def _published(request: Request) -> tuple[Published, Names]:
    wanted = request.path_params["period"]
    if not QUARTER.fullmatch(wanted):
        raise HTTPException(404)

    def look(tx: Transaction) -> Published | None:
        cards = cast(ScoreTransaction, tx).publication(wanted)
        if cards is None:
            return None
        return Published(
            published_from_json(cards),
            tuple(tx.reasons(wanted)),
            {each.id: each.name for each in tx.subjects()},
            choices_of(tx),
        )

    site = site_of(request)
    found = await site.store.read(look)
    if found is None:
        raise HTTPException(404)
    return found, Names(language_of(request), site.methods, found.subjects, found.choices)


def _legend(cards: Sequence[PublishedCard], names: Names) -> tuple[tuple[float, str], ...]:
    """Where each band begins and what it is called."""
    version = cards[0].method if cards else ""
    method = names.method(version)
    bands = method.bands if method and names.edges(version) else ()
    return tuple((band.start, names.band(version, band.id)) for band in bands)
