"""A campaign rehearsed with simulated people: what to assume, and what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.campaigns.campaigning import known
from desk.campaigns.foreseeing import occasion, reach
from desk.campaigns.rehearsed import Told
from desk.campaigns.rehearsing import Wish, begin, wished
from desk.campaigns.wrongs import CampaignError
from desk.roles import May
from desk.store import DeskTransaction, Work, WorkState
from desk.works import Far
from surveys.campaigns import Campaign
from surveys.words import pick
from web.console.campaign_telling import moment
from web.console.context import Context
from web.console.doors import Door

PATIENCE = 1.5  # seconds: a small campaign has been played before the next page is asked for
FIELDS = ("response", "people", "seed")


async def page(at: Context) -> Response:
    """What a rehearsal is, and what to assume."""
    usual = Wish()
    return await _asked(at, {name: str(getattr(usual, name)) for name in FIELDS})


async def _asked(
    at: Context, fields: Mapping[str, str], wrong: CampaignError | None = None
) -> Response:
    def looked(tx: DeskTransaction) -> dict[str, Any]:
        made = _known(tx, at)
        return {"made": made, "wave": occasion(tx, made, at.now), "reach": reach(tx, made, at.now)}

    values = await at.read(looked)
    wrongs = {each.field: each.said(at.language) for each in wrong.wrongs} if wrong else {}
    return at.page(
        "campaigns/rehearse.html", status=422 if wrong else 200, fields=fields, wrongs=wrongs,
        when=moment(at.language), pick=pick,
        address=address(values["made"].id), **values,
    )  # fmt: skip


async def start(at: Context) -> Response:
    """Begin it; the next page shows how far it is."""
    run, console = at.console.rehearse, at.console
    if run is None:
        raise HTTPException(404)
    fields = {name: at.fields.get(name, "") for name in FIELDS}
    campaign = await at.read(lambda tx: _known(tx, at).id)
    name = f"r{secrets.token_hex(8)}"
    try:
        await begin(console.works, console.store, console.clock, at.act(), name, campaign,
                    wished(fields), console.approval_above, run)  # fmt: skip
    except CampaignError as wrong:
        return await _asked(at, fields, wrong)
    await console.works.settled(name, PATIENCE)
    return RedirectResponse(f"/desk/works/{name}", 303)


async def result(at: Context, found: Work, far: Far | None, cut: bool) -> Response:
    """How far it is (``far``), or what it showed; ``cut``: it was interrupted."""
    at.demand(May.CAMPAIGNS_WRITE)
    work = cast(Mapping[str, Any], found.result)

    campaign = str(work["campaign"])

    def names(tx: DeskTransaction) -> dict[str, str]:
        return {each.id: pick(each.name, at.language) for each in tx.subjects()}

    made = await at.read(lambda tx: tx.campaign(campaign))
    title = pick(made.title, at.language) if made else ""

    told = None
    if found.state is WorkState.DONE:
        named = await at.read(names)
        told = Told.of(work["report"], at.language, lambda key: named.get(key) or key)
    return at.page("works/rehearsal.html", work=found, running=far is not None, far=far, cut=cut,
                   told=told, long=work.get("why") == "long",
                   title=title or campaign, address=address(campaign))  # fmt: skip


def address(campaign: str) -> str:
    """Where the campaign's page is."""
    return f"/desk/campaigns/{quote(campaign, safe='/')}"


def _known(tx: DeskTransaction, at: Context) -> Campaign:
    try:
        return known(tx, str(at.request.path_params["campaign"]))
    except CampaignError:
        raise HTTPException(404) from None


_ONE = "/campaigns/{campaign:path}/rehearse"
DOORS = (
    Door(_ONE, page, May.CAMPAIGNS_WRITE),
    Door(_ONE, start, May.CAMPAIGNS_WRITE, "POST"),
)
