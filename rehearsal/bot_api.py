"""The Bot API over HTTP: ``/bot<token>/<method>``, as an ASGI application.

The path of a call is short on purpose, with no framework in between: a rehearsal sends thousands
of messages. Everything else (``/``, ``/stage/...``) is Starlette's, in ``control``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hmac import compare_digest

from starlette.types import ASGIApp, Receive, Scope, Send

from rehearsal.calls import Call
from rehearsal.faults import Fault
from rehearsal.messages import dump
from rehearsal.methods import METHODS
from rehearsal.parameters import Parameters, read_parameters
from rehearsal.polling import LongPoll
from rehearsal.refusals import Refusal
from rehearsal.telegram import Stage
from rehearsal.webhooks import Deliveries


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: status, JSON text, seconds of ``Retry-After``; ``cut``: nothing at all."""

    code: int
    body: str
    retry_after: int = 0
    cut: bool = False


class BotApi:
    """Serves one stage. ``pages`` answers every path that is no Bot API call."""

    def __init__(
        self,
        stage: Stage,
        pages: ASGIApp,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.stage = stage
        self._pages = pages
        self._sleep = sleep
        self._poll = LongPoll(stage)
        self._deliveries = Deliveries(stage, self.call, sleep)
        stage.on_webhook = self._webhook_changed

    async def close(self) -> None:
        self._poll.close()
        await self._deliveries.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the stage speaks HTTP only, not {scope['type']}")
        path: str = scope["path"]
        if path.startswith("/bot"):
            await _respond(await self._serve(path[4:], scope, receive), send)
        elif path.startswith("/file/bot"):
            await self._serve_file(path[9:], send)
        else:
            await self._pages(scope, receive, send)

    async def _serve(self, rest: str, scope: Scope, receive: Receive) -> Answer:
        token, _, method = rest.partition("/")
        try:
            parameters = await read_parameters(scope, receive)
            self._check(token)
        except Refusal as refusal:
            self.stage.calls.note(method, refusal.code)
            return _refused(refusal)
        return await self.call(method, parameters)

    def _check(self, token: str) -> None:
        if ":" not in token:
            raise Refusal(401, "Unauthorized: invalid token specified")
        if not compare_digest(token.encode(), self.stage.token.encode()):
            raise Refusal(401, "Unauthorized")

    async def call(self, method: str, parameters: Parameters) -> Answer:
        """Perform one call, faults included. Never raises a ``Refusal``: it is the answer."""
        stage = self.stage
        fault: Fault | None = None
        if stage.faults.waiting:
            chat_id = parameters.integer("chat_id") or None
            fault = stage.faults.take(method.lower(), chat_id)
        if fault is None:
            return await self._perform(method, parameters)
        if fault.code and not fault.drop_response:
            await self._sleep(fault.delay)
            return self._note(method, parameters, fault.refusal())
        answer = await self._perform(method, parameters)
        await self._sleep(fault.delay)
        if fault.drop_response:
            return _refused(fault.refusal()) if fault.code else Answer(0, "", cut=True)
        return answer

    async def _perform(self, method: str, parameters: Parameters) -> Answer:
        name = method.lower()
        try:
            if name == "getupdates":
                result = await self._poll.get_updates(parameters)
            elif name in METHODS:
                result = METHODS[name](self.stage, parameters)
            else:
                raise Refusal(404, "Not Found: method not found")
        except Refusal as refusal:
            return self._note(method, parameters, refusal)
        self.stage.calls.note(method, 200)
        self._keep(method, parameters, 200, result)
        return Answer(200, f'{{"ok":true,"result":{result}}}')

    def _note(self, method: str, parameters: Parameters, refusal: Refusal) -> Answer:
        self.stage.calls.note(method, refusal.code)
        self._keep(method, parameters, refusal.code, refusal.description)
        return _refused(refusal)

    def _keep(self, method: str, parameters: Parameters, code: int, result: str) -> None:
        if self.stage.keep_calls:
            self.stage.calls.kept.append(Call(method, parameters.recorded(), code, result))

    def _webhook_changed(self) -> None:
        if self.stage.webhook.url:
            self._poll.end("terminated by setWebhook request")
        self._deliveries.renew()

    async def _serve_file(self, rest: str, send: Send) -> None:
        token, _, path = rest.partition("/")
        fault = self.stage.faults.take("download", None)
        if fault is not None:
            await self._sleep(fault.delay)
        file = self.stage.files.get(path.removeprefix("files/"))
        try:
            self._check(token)
            if file is None:
                raise Refusal(404, "Not Found")
            if fault is not None and fault.code:
                raise fault.refusal()
        except Refusal as refusal:
            await _respond(_refused(refusal), send)
            return
        if fault is not None and fault.drop_response:
            await _respond(Answer(0, "", cut=True), send)
            return
        await _send(send, 200, [(b"content-type", b"application/octet-stream")], file.content)


def _refused(refusal: Refusal) -> Answer:
    body: dict[str, object] = {
        "ok": False,
        "error_code": refusal.code,
        "description": refusal.description,
    }
    if refusal.retry_after:
        body["parameters"] = {"retry_after": refusal.retry_after}
    return Answer(refusal.code, dump(body), refusal.retry_after)


async def _respond(answer: Answer, send: Send) -> None:
    if answer.cut:
        # A promised body that never comes: the server closes the connection on it.
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-length", b"2")]})
        return
    headers = [(b"content-type", b"application/json")]
    if answer.retry_after:
        headers.append((b"retry-after", str(answer.retry_after).encode()))
    await _send(send, answer.code, headers, answer.body.encode())


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
