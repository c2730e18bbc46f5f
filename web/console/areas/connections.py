"""Tokens of the API, one's own and everybody's, and the page about the API itself."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.accounts import Token
from desk.connections import tokens
from desk.connections.tokens import MOST_DAYS, USUAL_DAYS, TokenRefusedError
from desk.roles import May
from desk.store import DeskTransaction
from web.console.api_guide import guide
from web.console.context import Context
from web.console.doors import Door
from web.console.proving import sure

HERE = "/desk/connections"
TERMS = (7, 30, USUAL_DAYS, 180, MOST_DAYS)  # days


async def connections(at: Context) -> Response:
    """One's own tokens, and the ways to everything else."""
    return await _page(at)


async def _page(at: Context, wrong: Mapping[str, str] | None = None) -> Response:
    mine = await at.read(lambda tx: list(tx.tokens(at.account.id)))
    scopes = tokens.offered(at.account)
    typed = {"days": str(USUAL_DAYS), **at.fields}
    return at.page(
        "connections/connections.html",
        status=422 if wrong else 200,
        tokens=mine,
        scopes_offered=scopes,
        terms=TERMS,
        typed=typed,
        wrong=wrong or {},
    )


async def make_token(at: Context) -> Response:
    """Make a token and show it, once."""
    scopes = [scope for scope in tokens.SCOPES if f"scope:{scope}" in at.fields]
    days = at.fields.get("days", "")
    act, name = at.act(), at.fields.get("name", "")

    def work(tx: DeskTransaction) -> tuple[Token, str]:
        term = int(days) if days.isdecimal() and len(days) < 4 else 0
        return tokens.make(tx, act, at.account, name, scopes, term)

    try:
        token, secret = await at.write(work)
    except TokenRefusedError as error:
        return await _page(at, error.wrong)
    return at.page("connections/token.html", token=token, secret=secret)


async def revoke_own(at: Context) -> Response:
    """Revoke one of one's own tokens."""
    return await _revoked(at, at.account.id, HERE)


async def everybodys(at: Context) -> Response:
    """The tokens of all accounts."""

    def work(tx: DeskTransaction) -> list[tuple[Token, str]]:
        names = {account.id: account.name for account in tx.accounts()}
        return [(token, names.get(token.account, token.account)) for token in tx.tokens()]

    return at.page("connections/everybody.html", found=await at.read(work))


async def revoke_any(at: Context) -> Response:
    """Revoke anybody's token."""
    return await _revoked(at, "", f"{HERE}/tokens")


async def _revoked(at: Context, account: str, onward: str) -> Response:
    act, token = at.act(), at.request.path_params["token"]
    if not await at.write(lambda tx: tokens.revoke(tx, act, token, account)):
        raise HTTPException(404)
    return at.go(onward, "connections.revoked")


async def about_api(at: Context) -> Response:
    """Every operation of the API and every code of its problems."""
    return at.page("connections/api.html", guide=guide(at.language), address=at.site.public_url)


DOORS = (
    Door("/connections", connections, May.TOKENS),
    Door("/connections", sure(make_token), May.TOKENS, "POST"),
    Door("/connections/tokens", everybodys, May.ACCOUNTS_READ),
    Door("/connections/tokens/{token}/revoke", revoke_own, May.TOKENS, "POST"),
    Door("/connections/tokens/{token}/revoke-any", revoke_any, May.ACCOUNTS_WRITE, "POST"),
    Door("/connections/api", about_api, May.TOKENS),
)
