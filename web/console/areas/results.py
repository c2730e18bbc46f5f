"""Results: what was published, how questionnaires fared, what may be taken along; own reports."""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from desk import dropoff as fared
from desk.exporting import FORMATS, OPEN, export
from desk.leaving import results_taken
from desk.roles import May
from desk.store import DeskTransaction
from evaluation.publication import PublishedCard, published_from_json
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.people import Text
from surveys.words import pick
from web.console.context import Context
from web.console.doors import Door
from web.naming import QUARTER, Names

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Quarter:
    """A published quarter and the cards that the reader may see."""

    period: str
    cards: tuple[PublishedCard, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the results page lists."""

    quarters: list[Quarter]
    counted: list[tuple[Wave, Campaign]]
    names: dict[str, Text]


def _quarters(tx: DeskTransaction, within: frozenset[str] | None) -> list[Quarter]:
    found = []
    for period in tx.publications():
        stored = tx.publication(period)
        cards = () if stored is None else published_from_json(stored)
        mine = tuple(card for card in cards if within is None or card.subject in within)
        found.append(Quarter(period, mine))
    return [quarter for quarter in found if quarter.cards]


async def results(at: Context) -> Response:
    """Published quarters; for whoever sees everything also the questionnaires and the files."""

    def work(tx: DeskTransaction) -> tuple[bool, Shown]:
        within = at.reach(tx, May.RESULTS_READ)
        campaigns = {campaign.id: campaign for campaign in tx.campaigns()}
        counted = [
            (wave, campaigns[wave.campaign])
            for wave in reversed(tx.waves())
            if wave.state is WaveState.TALLIED and within is None
        ]
        names = {subject.id: subject.name for subject in tx.subjects()}
        return within is None, Shown(_quarters(tx, within), counted, names)

    whole, shown = await at.read(work)
    names = Names(at.language, at.site.methods, shown.names, {})
    return at.page("results/list.html", whole=whole, shown=shown, names=names, pick=pick,
                   tables=OPEN, formats=FORMATS)  # fmt: skip


async def report(at: Context) -> Response:
    """A rated person's own cards, quarter by quarter."""

    def work(tx: DeskTransaction) -> tuple[list[Quarter], dict[str, Text]]:
        within = at.reach(tx, May.REPORT_READ)
        return _quarters(tx, within), {subject.id: subject.name for subject in tx.subjects()}

    quarters, subjects = await at.read(work)
    names = Names(at.language, at.site.methods, subjects, {})
    return at.page("results/report.html", quarters=quarters, names=names)


async def dropoff(at: Context) -> Response:
    """Where people stopped and what they left out, question by question."""
    wave = at.request.path_params["wave"]

    def work(tx: DeskTransaction) -> tuple[fared.Dropoff, Campaign | None]:
        if at.reach(tx, May.RESULTS_READ) is not None:
            raise HTTPException(404)  # these figures cannot be told apart by unit
        found = fared.dropoff(tx, wave)
        stored = tx.wave(wave)
        return found, None if stored is None else tx.campaign(stored.campaign)

    try:
        found, campaign = await at.read(work)
    except fared.DropoffError:
        raise HTTPException(404) from None
    rows = [tuple(fared.cells(found, row, at.language)) for row in found.rows]
    title = pick(campaign.title, at.language) if campaign is not None else wave
    heads, notes = tuple(fared.heads(at.language)), tuple(fared.notes(found, at.language))
    return at.page("results/dropoff.html", title=title, rows=rows, heads=heads, notes=notes)


async def download(at: Context) -> Response:
    """One table of one quarter as a file; nothing that may not be published is in it.

    It is recorded before the first byte leaves.
    """
    name, period, kind = (at.request.path_params[key] for key in ("table", "period", "kind"))
    if name not in OPEN or kind not in FORMATS or not QUARTER.fullmatch(period):
        raise HTTPException(404)
    if await at.read(lambda tx: at.reach(tx, May.RESULTS_READ)) is not None:
        raise HTTPException(403, May.RESULTS_READ)
    await at.write(lambda tx: results_taken(tx, at.act(), (name,), (period,), kind))
    folder = tempfile.TemporaryDirectory(prefix="minyi-export-")
    file = Path(folder.name) / f"minyi-{UNSAFE.sub('-', name)}-{period}.{kind}"
    await export(at.console.store, (name,), (period,), file, kind)
    gone = BackgroundTask(asyncio.to_thread, folder.cleanup)
    return FileResponse(file, media_type=TYPES[kind], filename=file.name, background=gone)


DOORS = (
    Door("/results", results, May.RESULTS_READ),
    Door("/results/waves/{wave}", dropoff, May.RESULTS_READ),
    Door("/results/{period}/{table}.{kind}", download, May.RESULTS_READ),
    Door("/report", report, May.REPORT_READ),
)
