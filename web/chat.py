"""The chat page: turns a request into something heard, and lays out the replies."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from surveys.reply import Heard, Looked, Opened, Reply, Tapped, Typed
from surveys.words import LANGUAGES
from web.handover import Handover, Turn
from web.protection import Visitor, comes_from_us, form_of, only_looks, remember, visitor_of
from web.site import first_tag, language_of, page, site_of

PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what Telegram allows after ?start=
LONGEST = 4000  # characters of one typed message


def routes() -> list[Route]:
    """The chat's addresses."""
    return [
        Route("/c", show, methods=["GET"]),
        Route("/c/say", say, methods=["POST"]),
        Route("/c/say", again, methods=["GET"]),
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
    form = new_form()

    async def answer() -> Turn:
        return Turn("", await _receive(request, visitor, Opened(payload)))

    await _handover(request).once(visitor.address, form, answer)
    response = _onward(form)
    remember(response, visitor, site)
    return response


async def show(request: Request) -> Response:
    """The page itself: the replies just given, else where the conversation stands."""
    site = site_of(request)
    visitor = visitor_of(request, site)
    if visitor.new and only_looks(request):
        return page(request, "home.html", {})
    after = request.query_params.get("after", "")
    turn = _handover(request).fetch(visitor.address, after) if after else None
    if turn is None:
        turn = Turn("", await _receive(request, visitor, Looked()))
    response = page(
        request, "chat.html", _values(request, visitor, turn), language=_spoken(request, turn)
    )
    remember(response, visitor, site)
    return response


async def say(request: Request) -> Response:
    """The person typed something or pressed a button."""
    site = site_of(request)
    visitor = visitor_of(request, site)
    fields = await form_of(request)
    if not comes_from_us(request, site, visitor, fields.get("proof", "")):
        raise HTTPException(403)
    if visitor.new:
        raise HTTPException(400, "cookie")
    heard, said = _heard(fields)
    form = submission(fields)

    async def answer() -> Turn:
        return Turn(said, await _receive(request, visitor, heard))

    first = await _handover(request).once(visitor.address, form, answer)
    if "hx-request" not in request.headers:
        return _onward(form)
    return await _swap(request, visitor, form, fields, first)


async def again(request: Request) -> Response:
    """Somebody opened the form's own address, from a page of trouble."""
    return RedirectResponse("/c", 303)


async def _swap(
    request: Request, visitor: Visitor, form: str, fields: Mapping[str, str], first: bool
) -> Response:
    """The new messages alone, for htmx to append."""
    turn = _handover(request).fetch(visitor.address, form) if first else None
    if turn is None:
        turn = Turn("", await _receive(request, visitor, Looked()))
    language = _spoken(request, turn)
    if language != fields.get("shown", language):
        # The frame around the talk must change its language too.
        _handover(request).put_back(visitor.address, form, turn)
        return Response(headers={"HX-Redirect": f"/c?after={form}"})
    values = _values(request, visitor, turn) | {"typed": "data" not in fields}
    headers = {}
    if values["ended"] and fields.get("text", "").startswith("/"):
        # An aside such as /privacy leaves the question, and its buttons, open.
        values["ended"] = False
        headers["X-Keep-Buttons"] = "yes"
    return page(request, "turn.html", values, language=language, headers=headers)


def _heard(fields: Mapping[str, str]) -> tuple[Heard, str]:
    """What was heard, and how to show it back to the person."""
    if data := fields.get("data"):
        return Tapped(data), fields.get(f"label {data}", "")
    text = fields.get("text", "").replace("\r\n", "\n").strip()[:LONGEST]
    return (Typed(text), fields.get(f"label {text}", text)) if text else (Looked(), "")


async def _receive(request: Request, visitor: Visitor, heard: Heard) -> tuple[Reply, ...]:
    site = site_of(request)
    chosen = request.cookies.get("language", "")
    hint = chosen if chosen in LANGUAGES else first_tag(request)
    return await site.conversation.receive(visitor.address, heard, site.clock(), hint=hint)


def _spoken(request: Request, turn: Turn) -> str:
    """The language of the talk, so that the frame around it speaks the same."""
    language = turn.replies[-1].language if turn.replies else ""
    return language if language in LANGUAGES else language_of(request)


def _values(request: Request, visitor: Visitor, turn: Turn) -> dict[str, object]:
    return {
        "turn": turn,
        "proof": visitor.proof,
        "once": new_form(),
        "ended": not any(reply.rows or reply.question for reply in turn.replies),
        "longest": LONGEST,
    }


def _onward(form: str) -> Response:
    return RedirectResponse(f"/c?after={form}", 303)


def _handover(request: Request) -> Handover:
    handover: Handover = request.app.state.handover
    return handover


def submission(fields: Mapping[str, str]) -> str:
    """What is heard once: one form with one thing said in it.

    Another button of a page gone back to is another press; the core knows whether it is stale.
    """
    once = fields.get("once")
    if not once:
        return new_form()
    said = f"{fields.get('data', '')}\0{fields.get('text', '')}"
    return hashlib.blake2b(said.encode(), key=once.encode()[:64], digest_size=12).hexdigest()


def new_form() -> str:
    """A random number for one form."""
    return secrets.token_urlsafe(12)
