"""minyi serve: bot, browser and the ticking clock in one process, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import logging
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from starlette.routing import BaseRoute, Route

from minyi import counting, scoring, steps, sweeping
from minyi.configuration import Configuration
from minyi.house import House, open_house
from minyi.opening import NotReadyError

if TYPE_CHECKING:
    from bot.assembly import Inbound

WEBHOOK = "/telegram"
TICK = 5.0  # seconds between two looks at what is due
log = structlog.get_logger("minyi")


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: it would die of the signal before the rest is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to :func:`serve`."""
        yield


async def send(house: House) -> None:
    """Send whatever the ledger owes now; this can take hours."""
    sent = await steps.deliver(house, house.clock())
    if sent.sent or sent.unknown or sent.gone:
        log.info("delivered", sent=sent.sent, unknown=sent.unknown, gone=sent.gone)


async def plan(house: House) -> None:
    """Make and open the waves that are due."""
    report = await steps.plan(house, house.clock())
    if report.opened:
        log.info("waves opened", opened=report.opened, deliveries=report.deliveries)


async def tally(house: House) -> None:
    """Count the waves that have closed."""
    counted = await steps.tally(house, house.clock())
    if counted.waves:
        log.info("tallied", waves=counted.waves, ballots=counted.ballots, cells=counted.cells)


async def publish(house: House) -> None:
    """Score and publish the quarters that are complete; one process at a time."""
    now = house.clock()
    term = now + timedelta(minutes=5)
    if not await house.store.write(lambda tx: tx.take_lease("scoring", house.name, now, term)):
        return
    for period in await house.store.read(scoring.unscored):
        scored = await scoring.score(house, period)
        await scoring.publish(house, period)
        log.info("published", period=period, scored=scored.scored, withheld=scored.withheld)


async def sweep(house: House) -> None:
    """Delete the files that nobody kept."""
    gone = await sweeping.sweep(house, house.clock())
    if gone:
        log.info("files deleted", files=gone)


async def count(house: House) -> None:
    """Put away what was counted of open waves."""
    await counting.keep_in_time(house, house.clock())


JOBS = {
    "plan": plan,
    "send": send,
    "count": count,
    "tally": tally,
    "publish": publish,
    "sweep": sweep,
}


def reason(error: BaseException) -> str:
    """What failed and where. Our own refusals in words; of anything else no word and no value:
    a library's message may quote what somebody wrote.
    """
    if isinstance(error, steps.StepError | NotReadyError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-3:]]
    return f"{type(error).__name__} at {' > '.join(places)}"


class Open:
    """A house with its doors open: web server, bot and ticker. Use as ``async with``.

    ``every`` is seconds between two looks at what is due; ``try_payload`` the deep link behind
    "try the chat" on the front page.
    """

    def __init__(
        self, house: House, sock: socket.socket, *, every: float = TICK, try_payload: str = ""
    ) -> None:
        self.house = house
        self.username = ""
        self._sock = sock
        self._every = every
        self._try_payload = try_payload
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._inbound: Inbound | None = None
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._busy = {name: asyncio.Lock() for name in JOBS}

    async def __aenter__(self) -> Open:
        settings = self.house.settings
        routes: Sequence[BaseRoute] = ()
        if settings.token is not None:
            self._inbound = self.house.inbound(settings.token)
            self.username = await self._introduced(self._inbound)
            if settings.telegram_mode == "webhook":
                routes = await self._webhook(self._inbound)
            else:
                self._tasks.append(asyncio.create_task(self._inbound.polling().run(self._stop)))
        self._server = Server(self._web(routes))
        self._tasks.append(asyncio.create_task(self._server.serve(sockets=[self._sock])))
        for name, job in JOBS.items():
            self._scheduler.add_job(
                self._guarded,
                "interval",
                args=(name, job),
                seconds=self._every,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a long round is no warning
        self._scheduler.start()
        gc.collect()
        gc.freeze()  # what is loaded now stays: 1.3 to 1.5 times the requests, measured
        gc.set_threshold(50_000, 20, 100)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._scheduler.pause()
        for lock in self._busy.values():  # its executor would cancel a round in the middle
            await lock.acquire()
        self._scheduler.shutdown(wait=False)
        self._stop.set()
        self._server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._inbound is not None:
            await self._inbound.close()
        await self._last_counts()

    async def _last_counts(self) -> None:
        try:
            await counting.keep(self.house)
        except Exception as error:  # a minute of counts is not worth a failing stop
            log.error("count failed", reason=reason(error))

    async def _introduced(self, inbound: Inbound) -> str:
        """The bot's name. Telegram being away must not keep the browser's doors shut."""
        from aiogram.exceptions import AiogramError, TelegramUnauthorizedError

        try:
            return await inbound.introduce(patience=5)
        except TelegramUnauthorizedError:
            raise NotReadyError(
                "Telegram refuses MINYI_TELEGRAM_TOKEN. Ask @BotFather for the right one."
            ) from None
        except AiogramError as error:
            log.warning("telegram does not answer; still trying", reason=type(error).__name__)
            return ""

    async def _guarded(self, name: str, job: Callable[[House], Awaitable[None]]) -> None:
        async with self._busy[name]:
            try:
                await job(self.house)
            except Exception as error:  # the next round tries again; the rows know what is due
                log.error(f"{name} failed", reason=reason(error))

    async def _webhook(self, inbound: Inbound) -> Sequence[BaseRoute]:
        key = self.house.keyring.app_key()
        secret = hashlib.blake2b(key=key, digest_size=24, person=b"webhook").hexdigest()
        hook = inbound.webhook(secret)
        await hook.open(self.house.settings.public_url + WEBHOOK)
        return [Route(WEBHOOK, hook.receive, methods=["POST"])]

    def _web(self, routes: Sequence[BaseRoute]) -> uvicorn.Config:
        from minyi.console import console_of
        from web.app import create_app

        settings = self.house.settings
        app = create_app(
            self.house.conversation,
            self.house.store,
            clock=self.house.clock,
            public_url=settings.public_url,
            organisation=settings.organisation,
            bot_username=self.username,
            try_payload=self._try_payload,
            methods=[self.house.method],
            extra_routes=routes,
            console=console_of(self.house),
        )
        return uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; NotReadyError with what to do where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is named
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise NotReadyError(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Stop what is using it, or set MINYI_PORT (and MINYI_PUBLIC_URL) to another."
        ) from None
    return sock


def until_told() -> asyncio.Event:
    """An event that SIGINT or SIGTERM sets."""
    told = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    return told


def set_log_level(level: str) -> None:
    """Log from ``level`` (debug, info, warning, error) on, to stderr, ours and the libraries'."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(number, logging.WARNING), format="%(levelname)s %(message)s")
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.dev.ConsoleRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def serve(configuration: Configuration) -> None:
    """Run until SIGINT or SIGTERM; answers under way are finished first."""
    settings = configuration.settings
    set_log_level(settings.log_level)
    told = until_told()
    sock = listen(settings.host, settings.port)
    async with open_house(settings) as house:
        house.sources, house.settings_file = configuration.sources, configuration.file
        async with Open(house, sock):
            log.info("ready", url=settings.public_url, bot=settings.token is not None)
            await told.wait()
    log.info("stopped")
