"""The chat page: turns a request into something heard, and lays out the replies."""

from __future__ import annotations

import re
import secrets
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from surveys.reply import Heard, Looked, Opened, Reply
from surveys.words import LANGUAGES
from web.asked import Asked, again, in_place
from web.composer import composer_for
from web.handover import Handover, Turn
from web.hearing import LONGEST, Saying, saying, submission
from web.keyboard import keyboard
from web.media import address
from web.posted import Posted, posted
from web.protection import Visitor, comes_from_us, only_looks, remember, visitor_of
from web.site import first_tag, language_of, page, site_of

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
    values = _values(visitor, turn)
    response = page(request, "chat.html", values, language=_spoken(request, turn))
    remember(response, visitor, site)
    return response


async def say(request: Request) -> Response:
    """The person typed something, pressed a button, shared a place or handed over a file."""
    visitor = visitor_of(request, site_of(request))
    if visitor.new:  # before the body is read: a stranger has nothing to hand over
        raise HTTPException(400, "cookie")
    async with posted(request) as form:
        return await _answer(request, visitor, form)


async def _answer(request: Request, visitor: Visitor, form: Posted) -> Response:
    if not comes_from_us(request, site_of(request), visitor, form.fields.get("proof", "")):
        raise HTTPException(403)
    done = saying(form, form.fields.get("shown", ""))
    number = submission(form) or new_form()
    about = Asked.read(form.fields.get("about", ""))

    async def answer() -> Turn:
        replies = await _receive(request, visitor, done.heard)
        if done.pressed and again(about, replies):  # a tick is seen in its box
            return Turn("", replies, done.pressed)
        return Turn(done.said, replies)

    first = await _handover(request).once(visitor.address, number, answer)
    if "hx-request" not in request.headers:
        return _onward(number)
    turn = _handover(request).fetch(visitor.address, number) if first else None
    if turn is None:
        turn = Turn("", await _receive(request, visitor, Looked()))
    language = _spoken(request, turn)
    if language != form.fields.get("shown", language):
        # The frame around the talk must change its language too.
        _handover(request).put_back(visitor.address, number, turn)
        return Response(headers={"HX-Redirect": f"/c?after={number}"})
    return _swap(request, visitor, turn, done, about)


async def reopen(request: Request) -> Response:
    """Somebody opened the form's own address, from a page of trouble."""
    return RedirectResponse("/c", 303)


def _swap(
    request: Request, visitor: Visitor, turn: Turn, done: Saying, about: Asked | None
) -> Response:
    """The new messages alone, for htmx to append or to put in the question's place."""
    values = _values(visitor, turn)
    asked: Asked | None = values["asked"]
    headers: dict[str, str] = {}
    if about is not None and asked is not None and about.place == asked.place:
        alone = not turn.said and len(turn.replies) == 1 and bool(turn.replies[0].rows)
        asked, headers = in_place(about, asked, alone=alone)
    elif values["ended"] and done.command:
        # An aside such as /privacy leaves the question, and its buttons, open.
        asked, headers = about, {"X-Keep-Buttons": "yes"}
        values["ended"] = False
    values |= {"asked": asked, "fresh": not (headers and done.pressed)}
    language = _spoken(request, turn)
    return page(request, "turn.html", values, language=language, headers=headers)


async def _receive(request: Request, visitor: Visitor, heard: Heard) -> tuple[Reply, ...]:
    site = site_of(request)
    chosen = request.cookies.get("language", "")
    hint = chosen if chosen in LANGUAGES else first_tag(request)
    return await site.conversation.receive(visitor.address, heard, site.clock(), hint=hint)


def _spoken(request: Request, turn: Turn) -> str:
    """The language of the talk, so that the frame around it speaks the same."""
    language = turn.replies[-1].language if turn.replies else ""
    return language if language in LANGUAGES else language_of(request)


def _values(visitor: Visitor, turn: Turn) -> dict[str, Any]:
    once = new_form()
    return {
        "turn": turn,
        "proof": visitor.proof,
        "once": once,
        "asked": Asked.of(turn.replies, once),
        "ended": not any(reply.rows or reply.question for reply in turn.replies),
        "composer": composer_for(turn.replies[-1].wants if turn.replies else None),
        "keyboard": keyboard,
        "address": address,
        "longest": LONGEST,
    }


def _onward(form: str) -> Response:
    return RedirectResponse(f"/c?after={form}", 303)


def _handover(request: Request) -> Handover:
    handover: Handover = request.app.state.handover
    return handover


def new_form() -> str:
    """A random number for one form."""
    return secrets.token_urlsafe(12)
