"""Sending webhooks: to the very address that was judged, once, and no further.

A name is looked up here, every address it has must be public, and the connection is made to one of
them: looking it up again, as HTTP libraries do, would let the name lead elsewhere the second time.
No redirect is followed, no proxy of the environment is used, nothing of the answer but its status
is kept. What is owed and what came of it is written in transactions; the network is between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import httpx

from desk.audit import Act
from desk.connections import hooks
from desk.connections.destinations import all_public, url_trouble
from desk.connections.hooks import ATTEMPTS, next_attempt, secret_of, signed
from desk.store import DeskStore, DeskTransaction, Hook, Notice
from surveys.ballots import SpoiledError

PATIENCE = 10.0  # seconds for everything between looking up the name and the answer
TAKEN = timedelta(minutes=2)  # a claim; longer than all of a batch at once can take
BATCH = 20
MOST_READ = 65_536  # bytes of the answer's body, read so that the other side is not cut off
AGENT = "Minyi-Webhook/1"
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class NotSentError(Exception):
    """It was not taken. ``code`` names the sentence that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round did."""

    sent: int = 0
    failed: int = 0  # for good
    later: int = 0


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of ``host``, as this machine's resolver gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass
class Pinned(httpx.AsyncBaseTransport):
    """Connects to an address that was judged; Host and the certificate stay those of the name."""

    inner: httpx.AsyncBaseTransport
    resolve: Resolve
    private: bool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """NotSentError ``unknown`` or ``private`` where there is no address that may be used."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = await self.resolve(host, port)
        except (OSError, UnicodeError):
            raise NotSentError("unknown") from None
        if not addresses:
            raise NotSentError("unknown")
        if not self.private and not all_public(addresses):
            raise NotSentError("private")
        request.extensions = {**request.extensions, "sni_hostname": host.rstrip(".")}
        request.url = request.url.copy_with(host=addresses[0])
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


@dataclass
class Post:
    """Sends what is owed to hooks. ``key`` is the application's; ``chance`` spreads repeats."""

    store: DeskStore
    clock: Callable[[], datetime]
    act: Callable[[], Act]
    key: bytes
    chance: Random
    private: bool = False
    resolve: Resolve = look_up
    trust: ssl.SSLContext | None = None

    async def deliver(self) -> Delivered:
        """Send everything that is due; safe beside other processes that do the same."""
        sent = failed = later = 0
        while batch := await self._claimed():
            async with self._client() as client:
                outcomes = await asyncio.gather(*(self._one(client, each) for each in batch))
            sent += outcomes.count("sent")
            failed += outcomes.count("failed")
            later += outcomes.count("due")
        return Delivered(sent, failed, later)

    async def _claimed(self) -> Sequence[Notice]:
        now = self.clock()
        return await self.store.write(lambda tx: tx.claim_notices(now, now + TAKEN, BATCH))

    def _client(self) -> httpx.AsyncClient:
        inner = httpx.AsyncHTTPTransport(
            verify=self.trust or True,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        transport = Pinned(inner, self.resolve, self.private)
        return httpx.AsyncClient(
            transport=transport, trust_env=False, follow_redirects=False, timeout=PATIENCE
        )

    async def _one(self, client: httpx.AsyncClient, notice: Notice) -> str:
        hook = await self.store.read(lambda tx: tx.hook(notice.hook))
        try:
            await self._send(client, hook, notice)
        except NotSentError as error:
            return await self._note_failure(notice, error.code)
        await self.store.write(lambda tx: tx.note_notice(notice.id, "sent", "", None))
        return "sent"

    async def _send(self, client: httpx.AsyncClient, hook: Hook | None, notice: Notice) -> None:
        if hook is None or hook.disabled:
            raise NotSentError("disabled")
        if url_trouble(hook.url, private=self.private):
            raise NotSentError("private")  # the setting has changed since it was entered
        message = str(json.loads(notice.body)["id"])
        headers = {"Content-Type": "application/json", "User-Agent": AGENT, "Accept": "*/*"}
        try:
            secret = secret_of(hook, self.key)
        except SpoiledError:
            raise NotSentError("secret") from None
        headers |= signed(secret, message, self.clock(), notice.body)
        status = await _posted(client, hook.url, headers, notice.body.encode())
        if status == 410:
            raise NotSentError("gone")
        if not 200 <= status < 300:
            raise NotSentError("moved" if 300 <= status < 400 else f"status {status}")

    async def _note_failure(self, notice: Notice, code: str) -> str:
        now, act = self.clock(), self.act()
        again = next_attempt(notice.attempts + 1, now, self.chance)
        final = again is None or code in {"gone", "disabled"}

        def work(tx: DeskTransaction) -> None:
            if code == "gone":
                hooks.disable(tx, act, notice.hook)
            state = "failed" if final else "due"
            tx.note_notice(notice.id, state, code, None if final else again)

        await self.store.write(work)
        return "failed" if final else "due"


async def _posted(client: httpx.AsyncClient, url: str, headers: dict[str, str], body: bytes) -> int:
    """The status that ``url`` answers with; NotSentError where it does not."""
    try:
        async with (
            asyncio.timeout(PATIENCE),
            client.stream("POST", url, headers=headers, content=body) as response,
        ):
            with contextlib.suppress(httpx.HTTPError):
                await _drain(response)
            return response.status_code
    except (TimeoutError, httpx.TimeoutException):
        raise NotSentError("slow") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotSentError("certificate" if _untrusted(error) else "unreachable") from None


async def _drain(response: httpx.Response) -> None:
    came = 0
    async for chunk in response.aiter_raw():
        came += len(chunk)
        if came >= MOST_READ:
            return


def _untrusted(error: BaseException | None) -> bool:
    """Whether a certificate is behind ``error``; httpx hands it on as a plain ConnectError."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


__all__ = ["ATTEMPTS", "Delivered", "NotSentError", "Pinned", "Post", "look_up"]
