"""Signing in with the organisation's own sign-in: out to the issuer, and back."""

from __future__ import annotations

import hmac
import logging
from datetime import timedelta
from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.accounts import Ticket
from desk.entry import throttle
from desk.entry.entering import Seated
from desk.entry.outside import Claimed, Refusal, come_in
from desk.entry.sessions import digest_of
from desk.store import DeskTransaction
from web.console.arriving import hand_out, onward, visit_of
from web.console.console import OpenId
from web.console.context import Context
from web.console.doors import SIGN_IN, Door
from web.console.openid import Flow, Issuer, SilentError, UntrueError, ask, discover, redeem

TERM = timedelta(minutes=10)  # between going out and coming back
KEPT = timedelta(minutes=5)  # how long we remember where the issuer's doors are
STATUS = {"stale": 400, "often": 429, "away": 503}  # and 403 for everything else
_log = logging.getLogger("minyi.desk")


async def start(at: Context) -> Response:
    """Remember the flow and send the browser out.

    By a page of its own that goes on by itself: a form may, by our own policy, lead nowhere else.
    """
    setting = _setting(at)
    flow = Flow()
    if await at.write(lambda tx: throttle.begin(tx, _lanes(at), at.now)) is not None:
        return _refused(at, setting, "often", "too many at that address")
    try:
        issuer = await _issuer(at, setting)
    except SilentError as error:
        return _refused(at, setting, "away", str(error))
    data = {
        "nonce": flow.nonce,
        "verifier": flow.verifier,
        "to": onward(at.fields.get("to", "")),
    }
    ticket = Ticket(digest_of(flow.state), "oidc", digest_of(at.cookie), at.now + TERM, data)
    await at.write(lambda tx: tx.put_ticket(ticket))
    address = ask(issuer, setting, flow, _back(at))
    return at.page("openid/onward.html", address=address, name=setting.name)


async def back(at: Context) -> Response:
    """The browser is back from the issuer, with a code or with an error."""
    setting = _setting(at)
    asked = at.request.query_params
    state = asked.get("state", "")
    ticket = await at.write(lambda tx: tx.spend_ticket(digest_of(state), "oidc", at.now))
    if ticket is None or not hmac.compare_digest(ticket.account, digest_of(at.cookie)):
        return _refused(at, setting, "stale", "no such flow in this browser")
    if "error" in asked or not asked.get("code"):
        return _refused(at, setting, "declined", "the issuer sent no code")
    flow = Flow(state, ticket.data["nonce"], ticket.data["verifier"])
    try:
        issuer = await _issuer(at, setting)
        if asked.get("iss", "" if issuer.names_itself else issuer.name) != issuer.name:
            raise UntrueError("another issuer sent the code")
        who = await redeem(issuer, setting, flow, _back(at), asked["code"], at.now)
    except SilentError as error:
        return _refused(at, setting, "away", str(error))
    except UntrueError as error:
        return _refused(at, setting, "untrue", str(error))
    outcome = await at.write(partial(_enter, at=at, who=who))
    if isinstance(outcome, Refusal):
        return _refused(at, setting, outcome, "no account opens")
    return hand_out(at, RedirectResponse(ticket.data["to"], 303), outcome)


def _enter(tx: DeskTransaction, at: Context, who: Claimed) -> Seated | Refusal:
    found = come_in(tx, who, visit_of(at))
    if isinstance(found, Seated):
        throttle.take_back(tx, _lanes(at))
    return found


def _lanes(at: Context) -> tuple[throttle.Lane, ...]:
    """Flows begun from one address and never finished count as failures there."""
    return throttle.places(at.console.app_key, at.origin)


def _setting(at: Context) -> OpenId:
    if at.console.openid is None:
        raise HTTPException(404)
    return at.console.openid


def _back(at: Context) -> str:
    return f"{at.site.public_url}{SIGN_IN}/openid/back"


async def _issuer(at: Context, setting: OpenId) -> Issuer:
    """Its doors, asked for again every few minutes."""
    state = at.request.app.state
    kept = getattr(state, "openid_issuer", None)
    if kept is None or not timedelta() <= at.now - kept[0] < KEPT:
        kept = (at.now, await discover(setting))
        state.openid_issuer = kept
    found: Issuer = kept[1]
    return found


def _refused(at: Context, setting: OpenId, why: str, log: str) -> Response:
    """A page that says what to do. The log names nobody."""
    _log.warning("sign-in by OpenID refused: %s (%s)", why, log)
    status = STATUS.get(why, 403)
    return at.page("openid/refused.html", status=status, why=str(why), name=setting.name)


DOORS = (
    Door("/sign-in/openid", start, None, "POST"),
    Door("/sign-in/openid/back", back, None),
)
