"""The browser's application: routes, files, and pages for what went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from evaluation.method import Method
from evaluation.method_file import shipped
from surveys.people import Text
from surveys.words import LANGUAGES
from web import chat, doors, health, media, results
from web.console.console import Console
from web.console.doors import PREFIX
from web.console.house import console_routes
from web.console.trouble import trouble as desk_trouble
from web.handover import Handover
from web.protection import SafetyHeaders, safety
from web.site import HERE, Reader, Site, Talker, inside, page

YEAR = 365 * 86400
TROUBLES = {
    400: "cookie",
    403: "elsewhere",
    404: "missing",
    405: "missing",
    408: "slow",
    413: "long",
}


class KeptFiles(StaticFiles):
    """Static files; an address with the content's hash may be kept for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        hashed = bool(scope["query_string"])
        kept = f"public, max-age={YEAR}, immutable" if hashed else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def create_app(
    conversation: Talker,
    store: Reader,
    *,
    clock: Callable[[], datetime],
    public_url: str,
    extra_routes: Sequence[BaseRoute] = (),
    organisation: Text | None = None,
    bot_username: str = "",
    try_payload: str = "",
    methods: Sequence[Method] | None = None,
    console: Console | None = None,
) -> Starlette:
    """The whole site.

    ``clock`` gives the present (aware). ``public_url`` is what visitors type, with its scheme;
    https makes cookies insist on it. ``organisation`` names who asks, in each language.
    ``try_payload`` is the deep link behind "try the chat" on the front page. ``methods`` are those
    that scorecards were made by, for the names on them; by default the ones we ship. ``console``
    is the administrators' desk; without it there is none.
    """
    known = tuple(methods or (shipped("quarterly"), shipped("single_group")))
    routes: list[BaseRoute] = [
        *extra_routes,  # first, since the webhook is asked for most often
        Route("/", home),
        health.alive(),
        Route("/language/{code}", choose_language),
        *chat.routes(),
        *doors.routes(),
        *media.routes(),
        *results.routes(),
        *(console_routes() if console is not None else ()),
        *(_api(console, public_url, bot_username) if console is not None else ()),
        Mount("/static", KeptFiles(directory=HERE / "static")),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(SafetyHeaders, secure=public_url.startswith("https://"))],
        exception_handlers={HTTPException: trouble, 500: broken},
    )
    app.state.handover = Handover()
    app.state.console = console
    app.state.site = Site(
        conversation,
        store,
        clock,
        public_url.rstrip("/"),
        organisation or {},
        bot_username,
        try_payload,
        known,
    )
    return app


def _api(console: Console, public_url: str, bot_username: str) -> list[Mount]:
    from web.api.app import PREFIX as AT
    from web.api.app import create_api  # half a second that pages without a desk do not need

    mount = Mount(AT, create_api(console, public_url, None, bot_username))
    # also an address with a line break in it is answered as the API answers
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return [mount]


async def home(request: Request) -> Response:
    """What this is, and the doors."""
    return page(request, "home.html", {})


async def choose_language(request: Request) -> Response:
    """Keep the reader's language in a cookie and go back to the page."""
    code = request.path_params["code"]
    if code not in LANGUAGES:
        raise HTTPException(404)
    response = RedirectResponse(inside(request.query_params.get("to", "/")), 303)
    response.set_cookie("language", code, max_age=YEAR, samesite="lax")
    return response


async def trouble(request: Request, problem: Exception) -> Response:
    """A page that says what is wrong and what to do."""
    status, headers = 500, None
    if _at_the_desk(request):
        return await desk_trouble(request, problem)
    if isinstance(problem, HTTPException):
        status, headers = problem.status_code, problem.headers
        if problem.detail == "large":
            return _trouble_page(request, "large", status, headers)
    kind = TROUBLES.get(status, "broken")
    return _trouble_page(request, kind, status, headers)


async def broken(request: Request, problem: Exception) -> Response:
    """Our own mistake. The exception goes on to the server's log.

    Starlette answers this one outside of all middleware, hence the headers here.
    """
    safe = {**safety(secure=request.app.state.site.secure), "Cache-Control": "no-store"}
    if _at_the_desk(request):
        response = await desk_trouble(request, problem)
        response.headers.update(safe)
        return response
    return _trouble_page(request, "broken", 500, safe)


def _at_the_desk(request: Request) -> bool:
    path = request.url.path
    return request.app.state.console is not None and (
        path == PREFIX or path.startswith(f"{PREFIX}/")
    )


def _trouble_page(
    request: Request, kind: str, status: int, headers: Mapping[str, str] | None
) -> Response:
    return page(request, "trouble.html", {"kind": kind}, status=status, headers=headers)
