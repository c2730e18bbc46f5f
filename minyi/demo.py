"""minyi demo: a whole quarter on a stage, through the real bot, then the doors stay open."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from evaluation.publication import published_from_json
from evaluation.store import TaskRow
from minyi import steps
from minyi.house import QUESTIONNAIRES, House, Pace, open_house
from minyi.opening import NotReadyError
from minyi.playbill import Playbill, farewell, scorecards
from minyi.serving import Open, listen, set_log_level, until_told
from minyi.settings import Settings
from rehearsal.backstage import TOKEN, Backstage
from rehearsal.clock import RehearsalClock
from rehearsal.district import District, district
from storage import migrate
from surveys.campaigns import QUARTERLY, Campaign
from surveys.cells import RaterGroup
from surveys.xlsform import load_form

ZONE = ZoneInfo("Asia/Shanghai")
PERIOD = "2026Q4"
FIRST_DAY = datetime(2026, 10, 9, 8, tzinfo=ZONE)
OPENS = datetime(2026, 12, 10, 9, tzinfo=ZONE)
CLOSES = OPENS + timedelta(days=14)
TRY = "u_household"
NEW_YEAR = datetime(2027, 1, 4, 9, tzinfo=ZONE)
ORGANISATION = ("青山区", "Green Hill District")
BEAT = 0.25  # real seconds between two looks at what is due
STAFF = (RaterGroup.SUPERIOR, RaterGroup.PEER, RaterGroup.SUBORDINATE)
UNLIMITED = ("--speed", "40000", "--overall", "0", "--per-chat", "0", "--keep-messages", "3")


@dataclass(frozen=True, slots=True)
class Options:
    """As typed. ``data`` is '' for the made-up district, else a file of ratings to replay."""

    once: bool = False
    data: str = ""
    sample: int = 0
    port: int = 8080
    seed: int = 20261210


def run(options: Options) -> int:
    """The exit status: 0 after a whole quarter, 1 with a plain sentence where it cannot play."""
    set_log_level("warning")
    try:
        if options.data:
            from minyi.replay import replay

            asyncio.run(replay(options))
        else:
            asyncio.run(play(options))
    except (NotReadyError, steps.StepError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def play(options: Options) -> None:
    """The made-up district's quarter."""
    console = Console()
    told = until_told()
    with tempfile.TemporaryDirectory(prefix="minyi-demo-") as folder:
        async with Backstage(*UNLIMITED) as stage:
            sock = listen("127.0.0.1", options.port)
            settings = staged(Path(folder), stage.url, sock.getsockname()[1])
            migrate(settings.database)
            clock = RehearsalClock(FIRST_DAY)
            pace = Pace(clock.now, rate=None, sleep=clock.sleep)
            async with (
                open_house(settings, pace) as house,
                Open(house, sock, every=BEAT, try_payload=TRY),
            ):
                playing = asyncio.create_task(quarter(house, stage, clock, console, options.seed))
                if await first(told, playing):
                    await show(house, console, settings)
                    if not options.once:
                        await clock.flow(NEW_YEAR, real=0.5)
                        await invite_audience(house)
                        farewell(console, f"{settings.public_url}/c/{TRY}", settings.public_url)
                        clock.run_at(1.0)
                        await told.wait()


async def first(told: asyncio.Event, playing: asyncio.Task[None]) -> bool:
    """True when the play is over; False, and it is broken off, when somebody pressed Ctrl-C."""
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({waiting, playing}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not playing.done():
        playing.cancel()
        return False
    playing.result()
    return True


def staged(folder: Path, api_url: str, port: int) -> Settings:
    """Settings of a house on a stage: everything in ``folder``, Telegram at ``api_url``."""
    return Settings.model_validate(
        {
            "telegram_token": TOKEN,
            "telegram_api_url": api_url,
            "data_dir": folder,
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "organisation_zh": ORGANISATION[0],
            "organisation_en": ORGANISATION[1],
        }
    )


async def quarter(
    house: House, stage: Backstage, clock: RehearsalClock, console: Console, seed: int
) -> None:
    """October to the end of December: people join, a campaign opens, closes, is scored."""
    made = district(seed)
    await load(house, made)
    with Playbill(console, clock.now, FIRST_DAY, CLOSES) as bill:
        bill.scene("people scan the code at a window; staff use their links")
        await stage.enter(made.personas)
        watch = Watch(house, stage, bill)
        await watch.settle()
        await watch.beside(clock.flow(OPENS, real=3))
        await watch.follow(clock, house)
        bill.scene("the wave has closed: tally, score, publish")
        await watch.until(lambda: published(house))


async def published(house: House) -> bool:
    """Whether the quarter's scorecards are out."""
    return await house.store.read(lambda tx: tx.publication(PERIOD)) is not None


class Watch:
    """Looks at stage and ledger while time passes, and tells the playbill."""

    def __init__(self, house: House, stage: Backstage, bill: Playbill) -> None:
        self._house = house
        self._stage = stage
        self._bill = bill
        self._waves: tuple[str, ...] = ()

    async def follow(self, clock: RehearsalClock, house: House) -> None:
        """From the opening to the close, stopping where messages fall due until all is quiet."""
        days = [("the invitations go out", 0), ("a reminder, after three days", 3)]
        days += [("a last reminder, after seven days", 7)]
        for scene, day in days:
            due = OPENS + timedelta(days=day, minutes=1)
            await self.beside(clock.flow(due, real=1))
            self._bill.scene(scene)
            await self.learn()
            await self.settle()
        await self.beside(clock.flow(CLOSES + timedelta(minutes=1), real=2))

    async def learn(self) -> None:
        """Take note of the waves that there are now."""
        self._waves = await self._house.store.read(lambda tx: tuple(w.id for w in tx.waves()))

    async def look(self) -> tuple[int, ...]:
        """One look; the figures that stand still when nothing happens any more."""
        progress = await self._stage.ask("progress")
        counters = await self._stage.ask("counters")
        counts = await self._house.store.read(self._counts)
        self._bill.figures(progress, *counts)
        return (progress["deeds"]["answers"], counters["pending_updates"], *counts)

    async def settle(self, still: float = 1.2) -> None:
        """Wait until nothing has moved for ``still`` real seconds."""
        before, since = await self.look(), time.monotonic()
        while time.monotonic() - since < still:
            await asyncio.sleep(0.2)
            now = await self.look()
            if now != before:
                before, since = now, time.monotonic()

    async def beside(self, passing: Awaitable[None]) -> None:
        """Keep looking while ``passing`` runs."""
        task = asyncio.ensure_future(passing)
        while not task.done():
            await self.look()
            await asyncio.wait({task}, timeout=0.2)
        task.result()

    async def until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Keep looking until ``done``."""
        while not await done():
            await asyncio.sleep(0.2)
            await self.look()

    def _counts(self, tx: Any) -> tuple[int, int, int]:
        """Messages sent, interviews begun, interviews complete, over the waves of the play."""
        sent = begun = complete = 0
        for wave in self._waves:
            sent += sum(n for _, outcome, n in tx.delivery_counts(wave) if outcome == "sent")
            one, other = tx.interview_counts(wave)
            begun, complete = begun + one, complete + other
        return sent, begun, complete


async def load(house: House, made: District) -> None:
    """Subjects, staff, relations, tasks, links and the two campaigns."""
    service = load_form(QUESTIONNAIRES / "service.md")
    leadership = load_form(QUESTIONNAIRES / "leadership.md")
    starts = date(2026, 12, 1)

    def work(tx: Any) -> None:
        tx.put_subjects(made.subjects)
        tx.put_people(made.people)
        tx.put_relations(made.relations)
        tx.put_invites(made.invites)
        tx.put_tasks(
            TaskRow(f"t{number}", subject, PERIOD, category, points)
            for number, (subject, category, points) in enumerate(made.tasks)
        )
        for form, groups in ((service, (RaterGroup.RECIPIENT,)), (leadership, STAFF)):
            tx.put_form(form.hash, form.title, form.source)
            tx.put_campaign(Campaign(form.id, form.titles, form.hash, groups, starts, QUARTERLY))

    await house.store.write(work)


async def show(house: House, console: Console, settings: Settings) -> None:
    """The scorecards as they were published."""
    cards = await house.store.read(lambda tx: tx.publication(PERIOD))
    subjects = await house.store.read(lambda tx: tx.subjects())
    withheld = await house.store.read(lambda tx: tx.withheld(PERIOD))
    deliveries = await house.store.read(
        lambda tx: [row for wave in tx.waves() for row in tx.delivery_counts(wave.id)]
    )
    scorecards(console, published_from_json(cards or b"[]"), subjects, withheld, deliveries)
    console.print(f"Results in the browser: {settings.public_url}/results/{PERIOD}\n")


async def invite_audience(house: House) -> None:
    """Open a wave for whoever watches, in the next quarter: the counted one stays counted."""
    service = await house.store.read(lambda tx: tx.campaign("service"))
    assert service is not None
    today = house.clock().astimezone(ZONE).date()
    campaign = replace(
        service,
        id="audience",
        starts=today,
        recurrence="FREQ=DAILY;COUNT=1",
        opens_hour=0,
        window=timedelta(days=90),
        reminders=(),
    )
    await house.store.write(lambda tx: tx.put_campaign(campaign))
    await steps.plan(house, house.clock())
