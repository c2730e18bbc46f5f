"""The one way in: token, rate, permission, size and kind are judged before anything is read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message

from desk.accounts import Account, Token
from desk.connections import tokens
from desk.connections.idempotency import Errand
from desk.roles import May, allows
from desk.works import FullError
from web.api.call import JSON, Call
from web.api.limits import Limits, Standing, neighbourhood
from web.api.operations import Operation
from web.api.problems import WORDS, Fault, ProblemError, respond
from web.console.console import Console

PATIENCE = 60.0  # seconds for a whole body
COME_BACK = 20  # seconds, where other tables are being brought in
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="minyi"'}
KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Gate(APIRoute):
    """A route that lets nobody in without a token that opens it."""

    operation: Operation  # set where it is mounted

    def get_route_handler(self) -> Handler:
        """The handler behind the gate; whatever it raises is told as a problem."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            rate: dict[str, str] = {}
            try:
                call = await _known(request, rate)
                _permitted(call, self.operation.may)
                self._parameters(request)
                with self._place(call):
                    call = await self._with_body(request, call)
                    request.state.call = call
                    response = await inner(Request(request.scope, _replayed(call.body)))
            except Exception as error:
                response = respond(request, error)
                if response.status_code == 500:
                    raise
            response.headers.update(rate)
            return response

        return handle

    @contextmanager
    def _place(self, call: Call) -> Iterator[None]:
        """Room for what takes much memory; ProblemError where there is none, before it comes."""
        with ExitStack() as held:
            if self.operation.heavy:
                try:
                    held.enter_context(call.console.works.place())
                except FullError:
                    after = {"Retry-After": str(COME_BACK)}
                    raise ProblemError("full", headers=after, seconds=COME_BACK) from None
            yield

    def _parameters(self, request: Request) -> None:
        """A misspelt parameter would be a filter that does nothing; so it is refused."""
        known = {field.alias for field in _query(self.dependant)}
        asked = [name for name, _ in request.query_params.multi_items()]
        faults = [
            Fault(WORDS.all_of("invalid.parameter"), parameter=name)
            for name in dict.fromkeys(asked)
            if name not in known
        ]
        faults += [
            Fault(WORDS.all_of("invalid.twice"), parameter=name)
            for name in sorted({name for name in asked if asked.count(name) > 1})
        ]
        if faults:
            raise ProblemError("malformed", faults=faults)

    async def _with_body(self, request: Request, call: Call) -> Call:
        """The call with its body and its idempotency key, both within bounds."""
        takes = self.body_field is not None or self.operation.kinds is not None
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        kinds = tuple(self.operation.kinds or (JSON,)) if takes else ()
        if takes and kind not in kinds:
            raise ProblemError("kind", kinds=", ".join(kinds))
        body = await _read(request, self.operation.most if takes else 0)
        call = replace(call, kind=kind, body=body)
        given = request.headers.get("idempotency-key")
        if request.method != "POST" or given is None:
            return call
        key = KEY.fullmatch(given)
        if key is None:
            fault = Fault(WORDS.all_of("invalid.key"), parameter="Idempotency-Key")
            raise ProblemError("malformed", faults=[fault])
        asked = f"{request.method} {request.url.path}?{request.url.query}\n{kind}\n".encode()
        errand = Errand.of(call.token.digest, key[1], asked + body, call.now, call.console.app_key)
        return replace(call, errand=errand)


async def _known(request: Request, rate: dict[str, str]) -> Call:
    """Whose token it is; ``rate`` is filled with what the answer says about its limit."""
    console: Console = request.app.state.console
    limits: Limits = request.app.state.limits
    origin = request.client.host if request.client else "?"
    near, now = neighbourhood(origin), console.clock()
    secret = _bearer(request)
    found = await console.store.read(lambda tx: tokens.holder(tx, secret, now))
    if found is None:
        if not (wrong := limits.wrong.take(near, now)).allowed:
            raise _busy(wrong)  # a good token is never kept out by its neighbours' bad ones
        challenge = {"WWW-Authenticate": CHALLENGE["WWW-Authenticate"] + ', error="invalid_token"'}
        raise ProblemError("token_invalid", headers=challenge)
    token, account = found
    standing = limits.token.take(token.id, now)
    rate["RateLimit-Policy"] = limits.token.policy
    rate["RateLimit"] = f'"token";r={standing.left};t={standing.wait}'
    if not standing.allowed:
        raise _busy(standing)
    await _note_used(console, token, now.astimezone(console.zone).date().isoformat())
    return Call(console, token, account, tokens.effective(token, account), now, origin)


def _bearer(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise ProblemError("token_missing", headers=CHALLENGE)
    return secret.strip()


async def _note_used(console: Console, token: Token, day: str) -> None:
    if token.used_on != day:
        await console.store.write(lambda tx: tokens.note_used(tx, token, day))


def _busy(standing: Standing) -> ProblemError:
    seconds = max(1, standing.wait)
    return ProblemError("busy", headers={"Retry-After": str(seconds)}, seconds=seconds)


def _permitted(call: Call, may: May) -> None:
    if may in call.may:
        return
    code = "role_missing" if not _allowed(call.account, may) else "scope_missing"
    said = f'{CHALLENGE["WWW-Authenticate"]}, error="insufficient_scope", scope="{may}"'
    headers = {"WWW-Authenticate": said}
    raise ProblemError(code, headers=headers, more={"needed": may.value}, needed=may.value)


def _allowed(account: Account, may: May) -> bool:
    return allows(account.grants, may)


async def _read(request: Request, most: int) -> bytes:
    """The body; ProblemError where it is larger than ``most`` bytes or does not arrive."""
    try:
        declared = int(request.headers.get("content-length", "0"))
    except ValueError:
        declared = 0
    if declared > most:
        raise ProblemError("large", most=most)
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise ProblemError("large", most=most)
    except (TimeoutError, ClientDisconnect):
        raise ProblemError("slow") from None
    return bytes(body)


def _replayed(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _query(dependant: Any) -> list[Any]:
    """The query's fields, those of dependencies included."""
    found = list(dependant.query_params)
    for below in dependant.dependencies:
        found += _query(below)
    return found
