"""The director's side: what a demo or a test in another process asks of the stage, as JSON."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from rehearsal.cast import Cast
from rehearsal.faults import Fault
from rehearsal.limits import Limits
from rehearsal.messages import User
from rehearsal.personas import Persona
from rehearsal.refusals import StageMistake
from rehearsal.stored import Place
from rehearsal.telegram import Stage
from rehearsal.view import page

NOTE = "A rehearsal on this machine only. It pretends to be Telegram; nothing here leaves it."
_INDEX = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rehearsal stage (not Telegram)</title>
<h1>Rehearsal stage</h1>
<p><strong>{note}</strong></p>
<p>本机排练用，不是 Telegram；任何内容都不会离开这台机器。</p>
<p>{people} people on stage, {messages} messages sent by the bot, {pending} updates waiting.</p>
<p><a href="/stage/counters">counters</a> <a href="/stage/progress">progress</a>
<a href="/stage/faults">faults</a></p>
</html>"""

Handler = Callable[[Any], Any]


def pages(stage: Stage, cast: Cast) -> Starlette:
    """``/`` and ``/stage/...``. Mistakes come back as ``{"error": ...}`` with status 400."""
    director = Director(stage, cast)
    routes = [Route("/", director.index), Route("/stage/chat", director.chat)]
    for path, handler in director.reads.items():
        routes.append(Route(f"/stage/{path}", _reading(handler), methods=["GET"]))
    for path, handler in director.acts.items():
        routes.append(Route(f"/stage/{path}", _acting(handler), methods=["POST"]))
    routes.append(Route("/stage/faults", _acting(director.clear_faults), methods=["DELETE"]))
    # A page elsewhere must not steer the stage through a name that points here.
    hosts = ["127.0.0.1", "localhost", "[::1]"]
    return Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)]
    )


class Director:
    """Reads answer a GET's query, acts a POST's JSON body."""

    def __init__(self, stage: Stage, cast: Cast) -> None:
        self._stage = stage
        self._cast = cast
        self.reads: dict[str, Handler] = {
            "transcript": self.transcript,
            "counters": self.counters,
            "calls": self.calls,
            "faults": self.faults,
            "progress": self.progress,
        }
        self.acts: dict[str, Handler] = {
            "users": self.users,
            "say": self.say,
            "edit": self.edit,
            "locate": self.locate,
            "hand": self.hand,
            "press": self.press,
            "block": lambda body: self._on_user(body, stage.block),
            "unblock": lambda body: self._on_user(body, stage.unblock),
            "deactivate": lambda body: self._on_user(body, stage.deactivate),
            "poison": self.poison,
            "faults": self.add_faults,
            "limits": self.limits,
            "people": self.people,
            "begin": self.begin,
        }

    async def index(self, _: Request) -> Response:
        counts = {
            "people": len(self._stage.chats),
            "messages": sum(self._stage.calls.per_chat.values()),
            "pending": len(self._stage.updates),
        }
        return HTMLResponse(_INDEX.format(note=NOTE, **counts))

    async def chat(self, request: Request) -> Response:
        """``?user=``: that person's chat as a page."""
        try:
            chat = self._stage.chat(_number(request.query_params, "user"))
        except StageMistake as mistake:
            return JSONResponse({"error": str(mistake)}, 400)
        return HTMLResponse(page(chat))

    def transcript(self, query: Any) -> Any:
        chat = self._stage.chat(_number(query, "user"))
        state = {"blocked": chat.user.blocked, "deactivated": chat.user.deactivated}
        return {"user": chat.user.id, **state, "messages": chat.transcript()}

    def counters(self, _: Any) -> Any:
        waiting = {"pending_updates": len(self._stage.updates), "faults": self._stage.faults.used}
        return {**self._stage.calls.counters(), **waiting}

    def calls(self, query: Any) -> Any:
        last = _number(query, "last") if "last" in query else 50
        kept = list(self._stage.calls.kept)[-last:]
        names = ("method", "parameters", "code", "result")
        return [{name: getattr(call, name) for name in names} for call in kept]

    def faults(self, _: Any) -> Any:
        return self._stage.faults.listed()

    def progress(self, _: Any) -> Any:
        return self._cast.progress()

    def users(self, body: Any) -> Any:
        """A list of ``{id, name, language?, started?}``; all are added or none."""
        added = [_user(raw) for raw in _list(body)]
        known = [user.id for user in added if user.id in self._stage.chats]
        if known or len({user.id for user in added}) < len(added):
            raise StageMistake(f"users already on stage or given twice: {known}")
        for user in added:
            self._stage.add_user(user)
        return {"added": len(added)}

    def say(self, body: Any) -> Any:
        message = self._stage.say(_number(body, "user"), str(body.get("text", "")))
        return {"message_id": message.message_id}

    def edit(self, body: Any) -> Any:
        user = _number(body, "user")
        message = self._stage.edit(user, str(body.get("text", "")), body.get("message_id"))
        return {"message_id": message.message_id}

    def locate(self, body: Any) -> Any:
        """``user``, and what a place has; ``message_id`` moves a live one."""
        user = _number(body, "user")
        given = {name: body[name] for name in Place.__dataclass_fields__ if name in body}
        try:
            place = Place(**given)
        except TypeError as wrong:
            raise StageMistake(f"a place: {wrong}") from None
        message = self._stage.locate(user, place, body.get("message_id"))
        return {"message_id": message.message_id}

    def hand(self, body: Any) -> Any:
        """``user``, ``kind``, ``content`` in base64; ``name``, ``mime``, ``caption`` as wanted."""
        user, kind = _number(body, "user"), str(body.get("kind", ""))
        try:
            content = b64decode(str(body.get("content", "")), validate=True)
        except binascii.Error as wrong:
            raise StageMistake(f"content is base64: {wrong}") from None
        more = {name: str(body.get(name, "")) for name in ("name", "mime", "caption")}
        return {"message_id": self._stage.hand(user, kind, content, **more).message_id}

    def press(self, body: Any) -> Any:
        query_id = self._stage.press(
            _number(body, "user"),
            label=body.get("label"),
            data=body.get("data"),
            message_id=body.get("message_id"),
            stale=bool(body.get("stale", False)),
        )
        return {"callback_query_id": query_id}

    def poison(self, body: Any) -> Any:
        """Any JSON object, put into the bot's queue as it is."""
        return {"update_id": self._stage.updates.put_raw(body)}

    def add_faults(self, body: Any) -> Any:
        """One fault or a list of them; all are set or none."""
        faults = [Fault.read(raw) for raw in (body if isinstance(body, list) else [body])]
        for fault in faults:
            self._stage.faults.add(fault)
        return self._stage.faults.listed()

    def clear_faults(self, _: Any) -> Any:
        self._stage.faults.clear()
        return []

    def limits(self, body: Any) -> Any:
        """Change some limits; answers all of them."""
        known = {field.name for field in fields(Limits)}
        if not isinstance(body, dict) or set(body) - known:
            raise StageMistake(f"limits are {', '.join(sorted(known))}")
        if not all(isinstance(value, int | float) and value >= 0 for value in body.values()):
            raise StageMistake("limits are numbers of at least 0")
        self._stage.limits = replace(self._stage.limits, **body)
        return {name: getattr(self._stage.limits, name) for name in sorted(known)}

    def people(self, body: Any) -> Any:
        return {"added": self._cast.add([Persona.read(raw) for raw in _list(body)])}

    def begin(self, _: Any) -> Any:
        return {"begun": self._cast.begin()}

    @staticmethod
    def _on_user(body: Any, act: Callable[[int], None]) -> Any:
        act(_number(body, "user"))
        return {"done": True}


def _reading(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return _answer(handler, dict(request.query_params))

    return answer


def _acting(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            return JSONResponse({"error": "the body is not JSON"}, 400)
        return _answer(handler, body)

    return answer


def _answer(handler: Handler, given: Any) -> Response:
    headers = {"X-Rehearsal": "local; pretends to be Telegram"}
    try:
        return JSONResponse(handler(given), headers=headers)
    except StageMistake as mistake:
        return JSONResponse({"error": str(mistake)}, 400, headers)


def _list(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise StageMistake("the body is a JSON list")
    return body


def _number(body: Any, name: str) -> int:
    try:
        return int(body[name])
    except (KeyError, TypeError, ValueError):
        raise StageMistake(f"{name} is needed, a whole number") from None


def _user(raw: Any) -> User:
    if not isinstance(raw, dict) or set(raw) - {"id", "name", "language", "started"}:
        raise StageMistake("a user has id, name, language, started")
    number = _number(raw, "id")
    name = str(raw.get("name", f"Person {number}"))
    return User(number, name, str(raw.get("language", "en")), started=bool(raw.get("started")))
