"""The chat page: whoever comes by a link or a code talks here."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from surveys.reply import Opened
from surveys.words import LANGUAGES
from web.media import address
from web.posted import posted
from web.protection import Visitor, comes_from_us, only_looks, remember, visitor_of
from web.site import first_tag, language_of, page, site_of
from web.talking import Booth

PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what Telegram allows after ?start=


def routes() -> list[Route]:
    """The chat's addresses."""
    return [
        Route("/c", show, methods=["GET"]),
        Route("/c/say", say, methods=["POST"]),
        Route("/c/say", reopen, methods=["GET"]),
        Route("/c/{payload}", enter, methods=["GET"]),
    ]


async def enter(request: Request) -> Response:
    """By link or QR code: the payload is heard once, then the address bar forgets it."""
    site = site_of(request)
    payload = request.path_params["payload"]
    if not PAYLOAD.fullmatch(payload):
        raise HTTPException(404)
    if only_looks(request):
        return page(request, "home.html", {})
    visitor = visitor_of(request, site)
    response = await _booth(request, visitor).enter(Opened(payload))
    remember(response, visitor, site)
    return response


async def show(request: Request) -> Response:
    """The page itself: the replies just given, else where the conversation stands."""
    site = site_of(request)
    visitor = visitor_of(request, site)
    if visitor.new and only_looks(request):
        return page(request, "home.html", {})
    booth = _booth(request, visitor)
    turn = await booth.turn()
    response = page(request, "chat.html", booth.values(turn), language=booth.spoken(turn))
    remember(response, visitor, site)
    return response


async def say(request: Request) -> Response:
    """The person typed something, pressed a button, shared a place or handed over a file."""
    site = site_of(request)
    visitor = visitor_of(request, site)
    if visitor.new:  # before the body is read: a stranger has nothing to hand over
        raise HTTPException(400, "cookie")
    async with posted(request, files=True) as form:
        if not comes_from_us(request, site, visitor, form.fields.get("proof", "")):
            raise HTTPException(403)
        return await _booth(request, visitor).answer(form)


async def reopen(request: Request) -> Response:
    """Somebody opened the form's own address, from a page of trouble."""
    return RedirectResponse("/c", 303)


def _booth(request: Request, visitor: Visitor) -> Booth:
    site = site_of(request)
    chosen = request.cookies.get("language", "")
    return Booth(
        request=request,
        talker=site.conversation,
        who=visitor.address,
        proof=visitor.proof,
        path="/c",
        address=address,
        now=site.clock(),
        hint=chosen if chosen in LANGUAGES else first_tag(request),
        shown=language_of(request),
    )
