"""A browser's cookies at the door: what it brings, and what it takes along."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from starlette.responses import Response

from desk.entry.entering import Seated, Visit, tidy
from desk.entry.throttle import DEVICE_KEPT, device_name
from web.console.context import Context
from web.console.doors import PREFIX, cookie_name, keep_cookie
from web.site import inside


def visit_of(at: Context, login: str = "") -> Visit:
    """This request as a visit; with the device cookie for ``login``, or for who is signed in."""
    known = login or (at.signed_in.login if at.signed_in is not None else "")
    device = at.request.cookies.get(_device(at, tidy(known)), "") if known else ""
    agent = at.request.headers.get("user-agent", "")
    console = at.console
    return Visit(
        at.origin, agent, at.now, console.app_key, console.second_factor, at.cookie, device
    )


def sit(at: Context, seated: Seated) -> None:
    """The rest of this request belongs to the session that began, its page included."""
    at.cookie, at.session, at.signed_in = seated.cookie, seated.session, seated.account
    at.__dict__.pop("language", None)  # it was the reader's; it may be the account's now


def hand_out(at: Context, response: Response, seated: Seated) -> Response:
    """Give the browser its new cookies."""
    secure = at.site.secure
    keep_cookie(response, seated.cookie, secure=secure)
    if seated.device:
        response.set_cookie(
            _device(at, seated.account.login), seated.device, httponly=True, samesite="lax",
            secure=secure, path="/", max_age=int(DEVICE_KEPT.total_seconds()),
        )  # fmt: skip
    return response


def take_back(at: Context, response: Response) -> Response:
    """The session is over: the browser forgets its cookie."""
    secure = at.site.secure
    response.delete_cookie(
        cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax"
    )
    return response


def onward(target: str) -> str:
    """``target`` where it is a page of the desk, else the first page."""
    return inside(target, PREFIX)


def patience(at: Context, until: datetime) -> str:
    """How long one has to wait, in words."""
    left = max(until - at.now, timedelta(seconds=1)).total_seconds()
    if left < 60:
        return at.say("entry.wait.seconds", count=math.ceil(left))
    return at.say("entry.wait.minutes", count=math.ceil(left / 60))


def _device(at: Context, login: str) -> str:
    prefix = "__Host-" if at.site.secure else ""
    return f"{prefix}minyi-device-{device_name(at.console.app_key, login)}"
