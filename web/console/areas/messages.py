"""A campaign's own words for its invitation and reminders, with what people will read beside."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.campaigns.campaigning import known
from desk.campaigns.rewording import FIELDS, example, previews, reword, typed
from desk.campaigns.wrongs import CampaignError
from desk.roles import May
from desk.store import DeskTransaction
from surveys.campaigns import Campaign, Wave
from surveys.inviting import LONGEST
from surveys.words import pick
from web.console.context import Context
from web.console.doors import Door


async def page(at: Context) -> Response:
    """The words as they are."""
    return await _shown(at, None)


async def change(at: Context) -> Response:
    """Keep them, or only show what they would look like."""
    fields = {name: at.fields.get(name, "") for name in FIELDS}
    if at.fields.get("only") == "preview":
        return await _shown(at, fields)
    name = str(at.request.path_params["campaign"])
    try:
        await at.write(lambda tx: reword(tx, at.act(), name, fields))
    except CampaignError as error:
        if error.wrongs[0].field == "campaign":
            raise HTTPException(404) from None
        return await _shown(at, fields)
    return at.go(f"/desk/campaigns/{quote(name, safe='/')}/messages", "messages.said")


async def _shown(at: Context, fields: dict[str, str] | None) -> Response:
    def looked(tx: DeskTransaction) -> tuple[Campaign, Wave]:
        made = known(tx, str(at.request.path_params["campaign"]))
        return made, example(tx, made, at.now)

    try:
        made, wave = await at.read(looked)
    except CampaignError:
        raise HTTPException(404) from None
    words = typed(made) if fields is None else fields
    shown, wrongs = previews(made, wave, words, at.site.organisation)
    return at.page(
        "campaigns/messages.html", status=422 if wrongs else 200, made=made, fields=words,
        shown=shown, wrongs={wrong.field: wrong.said(at.language) for wrong in wrongs},
        unsaved=fields is not None, most=LONGEST, pick=pick,
        address=f"/desk/campaigns/{quote(made.id, safe='/')}",
    )  # fmt: skip


_ONE = "/campaigns/{campaign:path}/messages"
DOORS = (
    Door(_ONE, page, May.CAMPAIGNS_WRITE),
    Door(_ONE, change, May.CAMPAIGNS_WRITE, "POST"),
)
