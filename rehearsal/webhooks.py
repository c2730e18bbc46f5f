"""Updates pushed to the bot, and the three methods that say where."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from rehearsal.messages import dump
from rehearsal.parameters import Parameters, decode_body
from rehearsal.refusals import Refusal, bad_request
from rehearsal.telegram import Stage, Webhook
from rehearsal.updates import Update

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
LONGEST_DELAY = 60.0
_SECRET = re.compile(r"[A-Za-z0-9_-]*")


def loopback(host: str) -> bool:
    """Whether ``host`` is this machine by name or by number."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def set_webhook(stage: Stage, p: Parameters) -> str:
    url, secret = p.text("url"), p.text("secret_token")
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise bad_request("invalid webhook URL specified")
    if url and not loopback(parts.hostname or ""):
        raise bad_request("bad webhook: a rehearsal reaches loopback addresses only")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    connections = min(max(p.integer("max_connections", 40), 1), 100)
    hook = Webhook(url, secret, connections) if url else Webhook()
    kinds = p.structure("allowed_updates", "can't parse allowed_updates JSON object")
    return _change(stage, hook, kinds, drop=p.flag("drop_pending_updates"))


def delete_webhook(stage: Stage, p: Parameters) -> str:
    return _change(stage, Webhook(), None, drop=p.flag("drop_pending_updates"))


def _change(stage: Stage, hook: Webhook, kinds: Any, *, drop: bool) -> str:
    stage.updates.allow(kinds)
    if drop:
        stage.updates.clear()
    stage.webhook = hook
    stage.trouble.at, stage.trouble.what = 0, ""
    if stage.on_webhook is not None:
        stage.on_webhook()
    return "true"


def get_webhook_info(stage: Stage, _: Parameters) -> str:
    hook, trouble = stage.webhook, stage.trouble
    info: dict[str, Any] = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(stage.updates),
    }
    if hook.url:
        info["max_connections"] = hook.max_connections
        info["ip_address"] = "127.0.0.1"
    if trouble.at:
        info["last_error_date"], info["last_error_message"] = trouble.at, trouble.what
    if stage.updates.allowed is not None:
        info["allowed_updates"] = sorted(stage.updates.allowed)
    return dump(info)


class Deliveries:
    """Pushes updates while a webhook is set.

    One lane for a person's texts, one for their taps: in order within a lane, side by side across
    lanes, as in the official server. Anything but 2xx is tried again: at once, then after 2, 4, ...
    60 seconds, until the update expires; a ``Retry-After`` header is honoured instead. A 2xx answer
    that names a ``method`` is executed as a call.
    """

    def __init__(
        self,
        stage: Stage,
        execute: Callable[[str, Parameters], Awaitable[object]],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._stage = stage
        self._execute = execute
        self._sleep = sleep
        self._lanes: dict[str, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(40)

    def renew(self) -> None:
        """Start, restart or stop after the webhook changed; what was not accepted stays queued."""
        self._stop()
        hook = self._stage.webhook
        if not hook.url:
            return
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=60)
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        self._slots = asyncio.Semaphore(hook.max_connections)
        self._stage.updates.on_arrival = self._arrived
        for update in self._stage.updates.all():
            self._arrived(update)

    async def close(self) -> None:
        tasks = list(self._tasks)
        self._stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _stop(self) -> None:
        if self._stage.updates.on_arrival == self._arrived:
            self._stage.updates.on_arrival = None
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._lanes = {}

    def _arrived(self, update: Update) -> None:
        lane = self._lanes.get(update.lane)
        if lane is not None:
            lane.append(update)
            return
        self._lanes[update.lane] = lane = deque([update])
        task = asyncio.ensure_future(self._run(self._lanes, update.lane, self._stage.webhook))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, lanes: dict[str, deque[Update]], name: str, hook: Webhook) -> None:
        lane = lanes[name]
        while lane:
            await self._deliver(lane[0], hook)
            lane.popleft()
        del lanes[name]

    async def _deliver(self, update: Update, hook: Webhook) -> None:
        delay, failed = 1.0, 0
        while True:
            async with self._slots:
                wait = await self._push(update, hook)
            if wait is None:
                self._stage.updates.forget(update.update_id)
                return
            if not wait and failed:
                delay = min(LONGEST_DELAY, delay * 2)
                wait = delay
            failed += 1
            if self._stage.now() + wait > update.expires_at:
                self._stage.updates.forget(update.update_id)
                return
            await self._sleep(wait)

    async def _push(self, update: Update, hook: Webhook) -> float | None:
        """None when accepted, else the seconds the bot asked us to wait (0: it did not say)."""
        session = self._session
        if session is None:
            return 0.0
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers[SECRET_HEADER] = hook.secret
        try:
            async with session.post(
                hook.url, data=update.body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                kind, body = answer.headers.get("Content-Type", ""), await answer.read()
                status, later = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            self._note(f"Connection failed: {type(failure).__name__}")
            return 0.0
        if not 200 <= status < 300:
            self._note(f"Wrong response from the webhook: {status} {answer.reason}")
            return min(float(later), 3600.0) if later.isdigit() else 0.0
        await self._obey(kind, body)
        return None

    async def _obey(self, kind: str, body: bytes) -> None:
        try:
            values = await decode_body(kind.encode("latin-1"), body)
        except Refusal:
            return
        method = values.pop("method", None)
        if isinstance(method, str) and method:
            await self._execute(method, Parameters(values))

    def _note(self, what: str) -> None:
        self._stage.trouble.at, self._stage.trouble.what = int(self._stage.now()), what
