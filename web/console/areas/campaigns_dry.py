"""Who exactly the next wave of a campaign would ask, about whom and when; or why not."""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from desk.campaigns.campaigning import known
from desk.campaigns.foreseeing import Excerpt, Fate, Occasion, excerpt, foresee, listed, occasion
from desk.campaigns.wrongs import CampaignError
from desk.exporting import WRITERS
from desk.leaving import dry_run_taken
from desk.roles import May
from desk.store import DeskTransaction
from surveys.campaigns import Campaign
from surveys.words import pick
from web.console.campaign_telling import moment
from web.console.context import Context
from web.console.doors import Door
from web.console.paging import Pages, paged

PER_PAGE = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_NONE = Excerpt({}, ())


@dataclass(frozen=True, slots=True)
class Seen:
    """The campaign, its next wave, and the part of the people that the page shows."""

    made: Campaign
    wave: Occasion | None
    found: Excerpt
    names: dict[str, str]


async def page(at: Context) -> Response:
    """A page of the people, with the figures on top."""
    query = at.request.query_params
    asked, number = query.get("fate", ""), paged(query)
    fate = Fate(asked) if asked in tuple(Fate) else None

    def work(tx: DeskTransaction) -> Seen:
        made = _known(tx, at)
        wave = occasion(tx, made, at.now)
        names = {each.id: pick(each.name, at.language) for each in tx.subjects()}
        if wave is None:
            return Seen(made, None, _NONE, names)
        people = foresee(tx, made, wave.opens_at, wave.seed, at.now)
        found = excerpt(people, fate, (number - 1) * PER_PAGE, PER_PAGE)
        return Seen(made, wave, found, names)

    seen = await at.read(work)
    return at.page(
        "campaigns/dry_run.html", made=seen.made, wave=seen.wave, found=seen.found,
        pages=Pages(number, seen.found.whole, PER_PAGE), chosen=fate,
        kept={"fate": fate} if fate else {},
        named=lambda key: seen.names.get(key) or key, when=moment(at.language), pick=pick,
        address=f"/desk/campaigns/{quote(seen.made.id, safe='/')}",
    )  # fmt: skip


async def download(at: Context) -> Response:
    """All of it as a file. It is recorded before the first byte leaves."""

    def taken(tx: DeskTransaction) -> str:
        made = _known(tx, at)
        dry_run_taken(tx, at.act(), made.id, "csv")
        return made.id

    name = await at.write(taken)
    folder = tempfile.TemporaryDirectory(prefix="minyi-dry-run-")
    file = Path(folder.name) / f"minyi-{_UNSAFE.sub('-', name)}-dry-run.csv"

    def written(tx: DeskTransaction) -> None:
        made = _known(tx, at)
        wave = occasion(tx, made, at.now)
        people = foresee(tx, made, wave.opens_at, wave.seed, at.now) if wave else ()
        with file.open("wb") as to:
            WRITERS["csv"](to, [listed(people)])

    await at.read(written)
    gone = BackgroundTask(asyncio.to_thread, folder.cleanup)
    return FileResponse(file, media_type="text/csv; charset=utf-8", filename=file.name,
                        background=gone)  # fmt: skip


def _known(tx: DeskTransaction, at: Context) -> Campaign:
    try:
        return known(tx, str(at.request.path_params["campaign"]))
    except CampaignError:
        raise HTTPException(404) from None


_ONE = "/campaigns/{campaign:path}"
DOORS = (
    Door(f"{_ONE}/dry-run", page, May.CAMPAIGNS_WRITE),
    Door(f"{_ONE}/dry-run.csv", download, May.CAMPAIGNS_WRITE),
)
