"""Waves in the field, live: who was asked, who could be reached, who has answered, why not."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.fieldwork import Fieldwork, fieldwork, in_order
from desk.outcomes import FORMULAS, LARGE, Outcomes, label, number, outcomes
from desk.roles import May
from desk.store import DeskTransaction
from surveys.campaigns import Wave, WaveState
from surveys.dispositions import Disposition
from surveys.people import Text
from surveys.words import pick
from web import drawing
from web.console.context import Context
from web.console.doors import Door
from web.naming import Names

SHOWN = 100  # waves in the list


@dataclass(frozen=True, slots=True)
class Seen:
    """A wave's fieldwork, what its subjects are called, and what became of everybody.

    Whoever sees only some of its subjects is not told the last.
    """

    found: Fieldwork
    names: dict[str, Text]
    came: Outcomes | None


async def waves(at: Context) -> Response:
    """Every wave, the open ones first."""

    def work(tx: DeskTransaction) -> list[Fieldwork]:
        within = at.reach(tx, May.FIELDWORK_READ)
        ordered = in_order(tx.waves(), at.now)[:SHOWN]
        found = (fieldwork(tx, wave.id, within) for wave in ordered)
        return [each for each in found if each is not None]

    return at.page("fieldwork/waves.html", waves=await at.read(work), pick=pick)


async def wave(at: Context) -> Response:
    """One wave, drawn; it looks again by itself while the wave is open."""
    return await _wave(at, "fieldwork/wave.html")


async def now(at: Context) -> Response:
    """The figures alone, for the page that looks again."""
    return await _wave(at, "fieldwork/figures.html")


async def _wave(at: Context, template: str) -> Response:
    name = at.request.path_params["wave"]

    def work(tx: DeskTransaction) -> Seen | None:
        within = at.reach(tx, May.FIELDWORK_READ)
        found = fieldwork(tx, name, within)
        if found is None:
            return None
        came = outcomes(tx, found.wave, found.campaign) if within is None else None
        return Seen(found, {subject.id: subject.name for subject in tx.subjects()}, came)

    seen = await at.read(work)
    if seen is None:
        raise HTTPException(404)
    found = seen.found
    live = found.wave.state is WaveState.OPEN
    names = Names(at.language, (), seen.names, {})
    return at.page(template, found=found, names=names, live=live, pick=pick, bars=_bars(at, found),
                   came=seen.came, fates=_fates(at, found.wave, seen.came), seconds=_often(found),
                   formulas=FORMULAS, draw=drawing)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the drawing: ``count`` of ``whole``; ``said`` is the count as it may be told."""

    label: str
    said: str
    percent: float


def _bars(at: Context, found: Fieldwork) -> list[Bar]:
    """From everybody asked down to whole interviews; each as a share of what was asked."""
    if not found.messages and found.begun is None and found.complete is None:
        return []
    invited = next((each for each in found.messages if each.stage == "invite"), None)
    lines: list[tuple[str, int | None, int]] = []
    if invited is not None and found.addressed:
        lines.append(("sent", invited.sent, found.addressed))
        lines.append(("gone", invited.gone, found.addressed))
        lines.append(("unknown", invited.unknown, found.addressed))
        lines.append(("due", invited.due, found.addressed))
    if found.wave.state is not WaveState.TALLIED:
        lines.append(("begun", found.begun, found.asked))
    lines.append(("complete", found.complete, found.asked))
    return [_bar(at, key, count, whole) for key, count, whole in lines]


def _bar(at: Context, key: str, count: int | None, whole: int) -> Bar:
    rounded = key in {"begun", "complete"}
    if count is None:
        said = at.say("fieldwork.few")
    elif rounded:
        said = at.say("fieldwork.at_least", count=at.number(count), whole=at.number(whole))
    else:
        said = at.say("fieldwork.of", count=at.number(count), whole=at.number(whole))
    percent = 100 * (count or 0) / whole if whole else 0.0
    return Bar(at.say(f"fieldwork.bar.{key}"), said, min(percent, 100.0))


def _often(found: Fieldwork) -> int:
    """Seconds until the page looks again: counting a large wave takes its time."""
    return 5 if found.people <= LARGE else 60


def _fates(at: Context, wave: Wave, came: Outcomes | None) -> list[Bar]:
    """What became of everybody, each as a share of all."""
    if came is None:
        return []
    over = wave.state is WaveState.TALLIED
    return [
        Bar(
            label(each, at.language),
            number(came, each, at.language),
            100 * (count or 0) / max(came.people, 1),
        )
        for each, count in came.numbers.items()
        if not (over and each is Disposition.WAITING)
    ]


DOORS = (
    Door("/fieldwork", waves, May.FIELDWORK_READ),
    Door("/fieldwork/{wave}", wave, May.FIELDWORK_READ),
    Door("/fieldwork/{wave}/now", now, May.FIELDWORK_READ),
)
