"""minyi demo: a whole quarter on a stage, through the real bot, then the doors stay open."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from desk.entry import welcoming
from desk.outcomes import in_a_line, outcomes
from evaluation.publication import published_from_json
from evaluation.store import TaskRow
from minyi import steps
from minyi.conversing import QUESTIONNAIRES
from minyi.house import House, Pace, open_house
from minyi.listening import listen
from minyi.playbill import Playbill, farewell, scorecards
from minyi.serving import Open, until_told
from minyi.settings import Settings
from minyi.staging import (
    BEAT,
    CLOSES,
    OPENS,
    PERIOD,
    UNLIMITED,
    ZONE,
    Options,
    Watch,
    published,
    staged,
)
from rehearsal.backstage import Backstage
from rehearsal.clock import RehearsalClock
from rehearsal.district import District, district
from storage import migrate
from surveys.campaigns import QUARTERLY, Campaign
from surveys.cells import RaterGroup
from surveys.forms.label_media import put_questionnaire
from surveys.forms.xlsform import load_form
from surveys.words import pick

FIRST_DAY = datetime(2026, 10, 9, 8, tzinfo=ZONE)
TRY = "u_household"
NEW_YEAR = datetime(2027, 1, 4, 9, tzinfo=ZONE)
STAFF = (RaterGroup.SUPERIOR, RaterGroup.PEER, RaterGroup.SUBORDINATE, RaterGroup.SELF)


async def play(options: Options) -> None:
    """The made-up district's quarter."""
    console = Console()
    console.print("Setting the stage …")
    told = until_told()
    with tempfile.TemporaryDirectory(prefix="minyi-demo-") as folder:
        async with Backstage(*UNLIMITED) as stage:
            sock = listen("127.0.0.1", options.port)
            settings = staged(Path(folder), stage.url, sock.getsockname()[1])
            # whoever looks for five minutes need not install an authenticator first
            settings = settings.model_copy(update={"second_factor": "none"})
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
                        await clock.flow(NEW_YEAR - timedelta(hours=1), real=0.5)
                        await invite_audience(house)
                        await clock.flow(NEW_YEAR, real=0.5)
                        await steps.plan(house, house.clock())
                        desk = await house.store.write(lambda tx: welcoming.found(tx, house.act()))
                        url = settings.public_url
                        path = welcoming.path(desk or "")
                        farewell(console, f"{url}/c/{TRY}", url, f"{url}{path}")
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
            put_questionnaire(tx, form, {})
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
    for title, became in await house.store.read(response):
        console.print(f"{title}: {became}", highlight=False, soft_wrap=True)
    console.print(f"Results in the browser: {settings.public_url}/results/{PERIOD}\n")


def response(tx: Any) -> list[tuple[str, str]]:
    """What became of everybody asked, by campaign."""
    told = []
    for wave in tx.waves():
        campaign = tx.campaign(wave.campaign)
        came = outcomes(tx, wave, campaign)
        if came is not None:
            told.append((pick(campaign.title, "zh"), in_a_line(came, "en")))
    return told


async def invite_audience(house: House) -> None:
    """A campaign for whoever watches, in the next quarter: the counted one stays counted."""
    service = await house.store.read(lambda tx: tx.campaign("service"))
    assert service is not None
    campaign = replace(
        service,
        id="audience",
        title={"zh": "请您试一试", "en": "Try it yourself"},
        starts=NEW_YEAR.date(),
        recurrence="FREQ=DAILY;COUNT=1",
        opens_hour=NEW_YEAR.hour,
        window=timedelta(days=90),
        reminders=(),
    )
    await house.store.write(lambda tx: tx.put_campaign(campaign))
