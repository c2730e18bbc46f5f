"""minyi serve: bot, browser and the ticking clock in one process, until told to stop."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from starlette.routing import BaseRoute, Route

from minyi import alarming, auditing, counting, hooking, scoring, steps, sweeping
from minyi.configuration import Configuration
from minyi.house import House, open_house
from minyi.listening import GRACE, Server, configured, listen
from minyi.logs import set_log_level, where
from minyi.opening import NotReadyError
from minyi.readiness import Ticks, looks

if TYPE_CHECKING:
    from bot.assembly import Inbound

WEBHOOK = "/telegram"
TICK = 5.0  # seconds between two looks at what is due
log = structlog.get_logger("minyi")


async def send(house: House) -> None:
    """Send whatever the ledger owes now; this can take hours."""
    sent = await steps.deliver(house, house.clock())
    if house.meter is not None:
        for outcome in ("sent", "later", "unknown", "gone"):
            house.meter.delivered(outcome, getattr(sent, outcome))
    if sent.sent or sent.unknown or sent.gone:
        log.info("delivered", sent=sent.sent, unknown=sent.unknown, gone=sent.gone)


async def plan(house: House) -> None:
    """Make and open the waves that are due."""
    report = await steps.plan(house, house.clock())
    if report.opened:
        log.info("waves opened", opened=report.opened, deliveries=report.deliveries)
    if report.late:
        log.warning("waves opened late", waves=report.late)
    if report.expired:
        log.warning("waves expired unopened", waves=report.expired)


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
    "approvals": auditing.expire,
    "audit": auditing.keep_head,
    "tell": hooking.tell,
    "alarm": alarming.tell,
}


def reason(error: BaseException) -> str:
    """What failed and where. Our own refusals in words; of anything else no word and no value:
    a library's message may quote what somebody wrote.
    """
    if isinstance(error, steps.StepError | NotReadyError):
        return str(error)
    return where(error)


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
        self._ticks = Ticks(every)

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
        self._lag = asyncio.create_task(self._listen_for_lag())
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a long round is no warning
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # nor is a stranger's nonsense
        self._scheduler.start()
        gc.collect()
        gc.freeze()  # what is loaded now stays: 1.3 to 1.5 times the requests, measured
        gc.set_threshold(50_000, 20, 100)
        return self

    async def __aexit__(self, *_: object) -> None:
        """No new visitor and no new round; what is under way ends, within GRACE seconds."""
        self._ticks.stopping = True
        self._scheduler.pause()
        self._stop.set()
        self._server.should_exit = True
        self.house.send_no_more()
        await self._rounds_ended()
        self._scheduler.shutdown(wait=False)  # it cancels a round that has not ended by now
        self._lag.cancel()
        await asyncio.gather(*self._tasks, self._lag, return_exceptions=True)
        await self._works_ended()  # now nobody begins any more
        if self._inbound is not None:
            await self._inbound.close()
        await self._last_counts()

    async def _rounds_ended(self) -> None:
        """Its executor would cancel a round in the middle, so nobody may begin another."""
        late = list(self._busy)
        try:
            async with asyncio.timeout(GRACE):
                await asyncio.sleep(0)  # a round of this very moment sees that it is too late
                for name, lock in self._busy.items():
                    await lock.acquire()
                    late.remove(name)
        except TimeoutError:  # the rows know what is still due
            log.warning("interrupted", rounds=late)

    async def _works_ended(self) -> None:
        late = await self._console.works.close(GRACE)
        if late:
            log.warning("interrupted", works=late)

    async def _listen_for_lag(self) -> None:
        """How late this loop is, once a second."""
        while self.house.meter is not None:
            began = time.perf_counter()
            await asyncio.sleep(1)
            self.house.meter.lag(time.perf_counter() - began - 1)

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
        if self._stop.is_set():
            return
        async with self._busy[name]:
            self._ticks.note()
            began, failed = time.perf_counter(), False
            try:
                await job(self.house)
            except Exception as error:  # the next round tries again; the rows know what is due
                failed = True
                log.error(f"{name} failed", reason=reason(error))
            if self.house.meter is not None:
                self.house.meter.job(name, time.perf_counter() - began, failed=failed)

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
        self._console = console_of(self.house)
        app = create_app(
            self.house.conversation,
            self.house.store,
            clock=self.house.clock,
            public_url=settings.public_url,
            organisation=settings.organisation,
            bot_username=self.username,
            try_payload=self._try_payload,
            methods=[self.house.method],
            extra_routes=[*routes, *self._watched()],
            console=self._console,
        )
        return configured(app, settings, self.house.meter)

    def _watched(self) -> Sequence[BaseRoute]:
        """What machines ask for; /metrics only where there is a token for it."""
        from web.health import Health, ready
        from web.metrics import Meter, exposed

        routes = [ready(Health(looks(self.house, self._ticks)))]
        token = self.house.settings.metrics_token
        if token is not None:
            self.house.meter = Meter()
            self.house.store.watched_by(self.house.meter.commit)
            routes.append(exposed(self.house.meter, token.get_secret_value()))
        return routes


def until_told() -> asyncio.Event:
    """An event that SIGINT or SIGTERM sets."""
    told = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    return told


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
