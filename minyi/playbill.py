"""What the demo shows in the terminal: the quarter passing, then its scorecards."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import segno
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from evaluation.method_file import shipped
from evaluation.publication import Answers, PublishedCard
from surveys.cells import THIRD_PARTIES, Withheld
from surveys.people import Subject
from web.naming import Names

BAR = 46
FIGURES = (
    "people on stage",
    "messages delivered",
    "interviews begun",
    "interviews complete",
    "answers given",
    "wrong taps",
    "wrong taps taken back",
    "silent",
    "stopped half-way",
    "blocked the bot",
)


class Playbill:
    """A live view: the date, the scene, and who has done what. Use as ``with``."""

    def __init__(
        self, console: Console, now: Callable[[], datetime], start: datetime, end: datetime
    ) -> None:
        self._now, self._start, self._end = now, start, end
        self._scene = ""
        self._figures = tuple((name, 0) for name in FIGURES)
        self._live = Live(console=console, get_renderable=self._draw, auto_refresh=False)
        self._plain = not console.is_terminal
        self._console = console

    def __enter__(self) -> Playbill:
        if not self._plain:
            self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._plain:
            self._line()
        else:
            self._live.stop()

    def scene(self, words: str) -> None:
        """Say what happens now."""
        if self._plain and self._scene:
            self._line()
        self._scene = words

    def figures(self, progress: Any, sent: int, begun: int, complete: int) -> None:
        """The newest numbers: of the stage and of the ledger."""
        deeds, states = progress["deeds"], progress["states"]
        counts = (
            progress["people"],
            sent,
            begun,
            complete,
            deeds["answers"],
            deeds["mistaps"],
            deeds["corrected"],
            states["silent"],
            states["stopped"],
            states["blocked"],
        )
        self._figures = tuple(zip(FIGURES, counts, strict=True))
        if not self._plain:
            self._live.refresh()  # from here, not from a thread: a busy loop would tear the view

    def _line(self) -> None:
        """Where nobody watches (a log, CI), one line a scene."""
        told = ", ".join(f"{name} {value}" for name, value in self._figures)
        self._console.print(f"{self._now():%Y-%m-%d} {self._scene}: {told}", soft_wrap=True)

    def _draw(self) -> Table:
        now = self._now()
        share = min(1.0, (now - self._start) / (self._end - self._start))
        full = round(share * BAR)
        view = Table.grid(padding=(0, 2))
        view.add_row(Text(f"{now:%Y-%m-%d}", style="bold"), "━" * full + "╌" * (BAR - full))
        view.add_row("", Text(self._scene, style="italic"))
        for name, value in self._figures:
            view.add_row(f"{value}", name)
        return view


def scorecards(
    console: Console,
    cards: Iterable[PublishedCard],
    subjects: Iterable[Subject],
    withheld: Sequence[Withheld],
    deliveries: Sequence[tuple[str, str, int]],
) -> None:
    """The published table, and what was left out."""
    table = Table(box=None, title="2026Q4", title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("who", no_wrap=True)
    table.add_column("score", justify="right")
    table.add_column("interval, 0–100", no_wrap=True)
    table.add_column("band")
    for group in THIRD_PARTIES:
        table.add_column(group, justify="right")
    table.add_column("own", justify="right")
    names = Names("zh", [shipped("quarterly")], {s.id: s.name for s in subjects}, {})
    reasons = replace(names, language="en")
    left_out: dict[str, list[str]] = {}  # why: whose score
    for card in sorted(cards, key=lambda each: each.rating_class, reverse=True):  # units first
        table.add_row(*_row(card, names))
        if why := " ".join(reasons.reason(card.method, reason) for reason in card.withheld):
            left_out.setdefault(why, []).append(names.subject(card.subject))
    console.print(table)
    for why, whose in left_out.items():
        console.print(f"{'、'.join(whose)}: {why}", highlight=False, soft_wrap=True)
    merged = sum(1 for held in withheld if held.fate == "merged")
    unknown = sum(n for _, outcome, n in deliveries if outcome == "unknown")
    gone = sum(n for _, outcome, n in deliveries if outcome == "gone")
    console.print(
        f"Cells of fewer than 5 ratings: {merged} merged into their parent unit, "
        f"{len(withheld) - merged} dropped. Messages whose arrival is unknown: {unknown}; "
        f"to people who had blocked the bot: {gone}."
    )


def _row(card: PublishedCard, names: Names) -> tuple[str, ...]:
    value = "—" if card.value is None else f"{card.value}"
    interval = "" if card.interval is None else f"{_bar(*card.interval)} {_span(card.interval)}"
    if card.withheld:
        interval = "withheld"
    answers = {each.group: _band(each) for each in card.answers}
    bands = "|".join(names.band(card.method, band) for band in card.bands) or "—"
    name = names.subject(card.subject)
    own = card.self_assessment and card.self_assessment.points
    heard = (answers.get(group, "–") for group in THIRD_PARTIES)
    return name, value, interval, bands, *heard, "" if own is None else f"{own}"


def _band(answers: Answers) -> str:
    if answers.answered is None:
        return "–"
    low, high = answers.answered
    return f"{low}+" if high is None else f"{low}-{high}"


def _span(pair: tuple[int, int]) -> str:
    return f"{pair[0]}–{pair[1]}" if pair[0] != pair[1] else f"{pair[0]}"


def _bar(low: int, high: int, width: int = 8) -> str:
    cells = ["·"] * width
    for at in range(max(0, low * width // 100), min(width, high * width // 100 + 1)):
        cells[at] = "█"
    return "".join(cells)


def farewell(console: Console, chat: str, url: str, desk: str) -> None:
    """How to try it; ``desk`` is the one-time link of the first administrator."""
    console.print("Now you. The chat, sized for a phone:")
    drawn = io.StringIO()
    segno.make(chat).terminal(drawn, compact=True)
    console.print(drawn.getvalue(), highlight=False)
    console.print(f"  {chat}\n  every page: {url}")
    console.print("The administrators' desk; this link works once and makes you the administrator:")
    console.print(f"  {desk}\nCtrl-C ends it.", soft_wrap=True)
