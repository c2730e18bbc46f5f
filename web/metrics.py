"""Figures for Prometheus: how the machine fares, and nothing about people.

No label names a person, unit, wave, path or address, and nothing counts answers. What goes on in
the chat is moreover let out in lots: between two readings of plain counters one conversation in a
quiet hour would show, and how many questions it had. So a counter stands still until a whole lot
has come together. Failures (5xx) are let out at once; they answer nobody.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METRICS = "/metrics"
LOT = 50
DOORS = {
    "c": "chat",
    "media": "chat",
    "telegram": "webhook",
    "desk": "desk",
    "api": "api",
    "static": "static",
    "healthz": "watch",
    "readyz": "watch",
    "metrics": "watch",
}
AT_ONCE = frozenset(("desk", "api", "watch"))  # doors that no answer comes in by
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Lots:
    """Holds observations back until ``size`` of them have come together. Any thread may add."""

    def __init__(self, size: int = LOT) -> None:
        self._size = size
        self._held: list[Callable[[], None]] = []
        self._lock = Lock()

    def add(self, release: Callable[[], None]) -> None:
        """Take one more; let all out where the lot is full."""
        with self._lock:
            self._held.append(release)
            if len(self._held) < self._size:
                return
            full, self._held = self._held, []
        for each in full:
            each()


class Meter:
    """All figures of one process, in a registry of their own."""

    def __init__(self, lot: int = LOT) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._chat, self._work = Lots(lot), Lots(lot)
        self._requests = self._counter("requests", "Requests answered.", "door", "status")
        self._seconds = self._histogram(
            "request_seconds", "From a request to its whole answer.", _FAST, "door"
        )
        self._commits = self._histogram("commit_seconds", "One group of units of work.", _FAST)
        self._groups = self._histogram("commit_units", "Units of work in one commit.", _SIZES)
        self._away = self._counter("database_away", "Groups not written: no database.")
        self._deliveries = self._counter("deliveries", "What became of messages.", "outcome")
        self._jobs = self._histogram("job_seconds", "One round of the clock's work.", _SLOW, "job")
        self._failures = self._counter("job_failures", "Rounds that failed.", "job")
        self._lag = self._histogram("loop_lag_seconds", "How late the event loop is.", _FAST)

    def request(self, door: str, status: int, seconds: float) -> None:
        """One request was answered; ``status`` is its HTTP status."""

        def release() -> None:
            self._requests.labels(door, f"{status // 100}xx").inc()
            self._seconds.labels(door).observe(seconds)

        if door in AT_ONCE or status >= 500:
            release()
        else:
            self._chat.add(release)

    def commit(self, units: int, seconds: float, gone: bool) -> None:
        """The store wrote a group, or could not: ``gone``."""
        if gone:
            self._away.inc()
            return

        def release() -> None:
            self._commits.observe(seconds)
            self._groups.observe(units)

        self._work.add(release)

    def delivered(self, outcome: str, count: int) -> None:
        """``count`` messages came to ``outcome``."""
        if count:
            self._deliveries.labels(outcome).inc(count)

    def job(self, name: str, seconds: float, *, failed: bool) -> None:
        """One round of the clock's work."""
        self._jobs.labels(name).observe(seconds)
        if failed:
            self._failures.labels(name).inc()

    def lag(self, seconds: float) -> None:
        """The event loop came back so much later than asked."""
        self._lag.observe(max(0.0, seconds))

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"minyi_{name}", meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"minyi_{name}", meaning, labels, buckets=buckets, registry=self.registry)


class Metered:
    """Tells ``meter`` of every request; the outermost layer but what finds the visitor."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self.app = app
        self.meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at the clock."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            self.meter.request(door_of(scope["path"]), status, time.perf_counter() - began)


def door_of(path: str) -> str:
    """The kind of address, of a handful: what visitors make up never becomes a label."""
    return DOORS.get(path.split("/", 2)[1] if path.startswith("/") else "", "pages")


def exposed(meter: Meter, token: str) -> Route:
    """/metrics for whoever sends ``Authorization: Bearer`` and ``token``."""
    wanted = f"Bearer {token}".encode()

    async def answer(request: Request) -> Response:
        sent = request.headers.get("authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(sent, wanted):
            return PlainTextResponse("", 401, {"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(meter.registry), media_type=CONTENT_TYPE_LATEST)

    return Route(METRICS, answer)
