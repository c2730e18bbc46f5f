"""Every address of the desk, who may come in, and what is checked before anybody does."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.accounts import Stage
from desk.entry.sessions import TOUCHED, seated, touch
from desk.roles import May
from web.console.context import Context, console_of, proof_of
from web.posted import posted
from web.protection import TOKEN

Handler = Callable[[Context], Awaitable[Response]]
PREFIX = "/desk"
SIGN_IN = f"{PREFIX}/sign-in"


@dataclass(frozen=True, slots=True)
class Door:
    """One address. ``path`` comes after /desk. ``may`` None: open before signing in.

    ``stages`` are how far a session must have come; changes are POST and nothing else. Where a door
    takes no ``files``, a body that could bring some is not read. ``again`` answers, and changes
    nothing, where the form was made for a session that this very form has since replaced.
    """

    path: str
    handler: Handler
    may: May | None
    method: str = "GET"
    stages: tuple[Stage, ...] = (Stage.FULL,)
    files: bool = False
    again: Handler | None = None


def routes(doors: Sequence[Door]) -> list[Route]:
    """The doors as routes; GET and POST of one path are two doors."""
    return [
        Route(PREFIX + door.path, _guarded(door), methods=[door.method], name=door.path)
        for door in doors
    ]


def cookie_name(secure: bool) -> str:
    """The ``__Host-`` prefix makes browsers refuse the cookie from anywhere else."""
    return "__Host-minyi-desk" if secure else "minyi-desk"


def keep_cookie(response: Response, secret: str, *, secure: bool) -> None:
    """Give the browser its session; it ends with the browser, and sooner by the server's rule."""
    response.set_cookie(
        cookie_name(secure), secret, httponly=True, samesite="lax", secure=secure, path="/"
    )


def _guarded(door: Door) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if "\0" in request.url.path + unquote(request.url.query):
            raise HTTPException(404)  # it names nothing, and PostgreSQL refuses to look for it
        context = await identified(request)
        if door.may is not None:
            refused = _refused(door, context)
            if refused is not None:
                return refused
        if request.method == "POST":
            return await _posted(door, context)
        fresh = not context.cookie
        if fresh:  # a form before signing in needs a proof as well
            context.cookie = secrets.token_urlsafe(32)
        response = await door.handler(context)
        if fresh and not any(
            k == b"set-cookie" and b"minyi-desk" in v for k, v in response.raw_headers
        ):
            keep_cookie(response, context.cookie, secure=context.site.secure)
        return response

    return endpoint


async def identified(request: Request) -> Context:
    """The request with its session, where its cookie has one that holds."""
    console = console_of(request)
    context = Context(request, console, console.clock())
    cookie = request.cookies.get(cookie_name(context.site.secure), "")
    if not TOKEN.fullmatch(cookie):
        return context
    context.cookie = cookie
    found = await console.store.read(lambda tx: seated(tx, cookie, context.now))
    if found is not None:
        session, context.signed_in = found
        context.session = session
        if context.now - session.seen_at > TOUCHED:
            await console.store.write(lambda tx: touch(tx, session, context.now))
    return context


def _refused(door: Door, context: Context) -> Response | None:
    """Why the reader cannot come in: signed out, half signed in, or without the permission."""
    session = context.session
    if session is None:
        return _onward(context, SIGN_IN)
    if session.stage not in door.stages:
        step = {Stage.PASSWORD: f"{SIGN_IN}/code", Stage.ENROL: f"{PREFIX}/second-factor"}
        return _onward(context, step.get(session.stage, PREFIX))
    if door.may is not None and door.stages == (Stage.FULL,):
        context.demand(door.may)
    return None


def _onward(context: Context, path: str) -> Response:
    request = context.request
    if request.headers.get("hx-request"):  # a fragment cannot show a whole page
        return Response(status_code=401, headers={"HX-Redirect": path})
    if request.method != "GET":
        raise HTTPException(401)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    to = f"?to={quote(back, safe='/')}" if path == SIGN_IN and back != PREFIX else ""
    return RedirectResponse(path + to, 303)


async def _posted(door: Door, context: Context) -> Response:
    async with posted(context.request, files=door.files) as form:
        sent = form.fields.get("proof", "") or context.request.headers.get("x-proof", "")
        if not _ours(context, sent):
            if door.again is not None:
                return await door.again(context)
            raise HTTPException(403, "proof")
        context.fields, context.file = form.fields, form.file
        return await door.handler(context)


def _ours(context: Context, proof: str) -> bool:
    """Whether one of our own pages, made for this very session, sent the form."""
    site = context.request.headers.get("sec-fetch-site", "same-origin")
    known = bool(context.cookie) and hmac.compare_digest(
        proof.encode(), proof_of(context.cookie).encode()
    )
    return known and site in ("same-origin", "none")
