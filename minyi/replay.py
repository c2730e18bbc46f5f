"""minyi demo --data FILE: real ratings replayed through the same path as everyone's.

Raters become people, what they rated becomes subjects; a wave is planned, delivered, interviewed,
tallied and scored, and every histogram that comes out is compared with the file.
"""

from __future__ import annotations

import csv
import gzip
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from evaluation.method_file import shipped
from minyi import steps
from minyi.house import House, Pace, open_house
from minyi.listening import listen
from minyi.playbill import Playbill
from minyi.serving import Open
from minyi.staging import BEAT, OPENS, PERIOD, UNLIMITED, Options, Watch, published, staged
from rehearsal.backstage import Backstage
from rehearsal.clock import RehearsalClock
from rehearsal.district import FIRST_CHAT
from rehearsal.ratings import INSTEVAL, Layout, Rating, UnreadableRatings, by_rater, read_ratings
from storage import migrate
from surveys.campaigns import QUARTERLY, Campaign
from surveys.cells import GRADES, Cell, RaterGroup, Withheld
from surveys.forms.form import Form
from surveys.forms.label_media import put_questionnaire
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import compile_xlsform
from surveys.people import Address, Chat, Kind, Person, Relation, Subject

WAVE = "replay"
CROWD = 200  # personas handed to the stage at once
LABELS = ("Very satisfied", "Satisfied", "Fairly satisfied", "Dissatisfied", "Very dissatisfied")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the tally wrote, held against the file. ``wrong`` must be empty."""

    equal: int
    merged: int
    dropped: int
    pools: int
    wrong: tuple[str, ...]


async def replay(options: Options) -> None:
    """The whole play; StepError where a histogram differs from the file."""
    console = Console()
    console.print("Setting the stage …")
    ratings = load_ratings(Path(options.data), options.sample, options.seed)
    with tempfile.TemporaryDirectory(prefix="minyi-replay-") as folder:
        async with Backstage(*UNLIMITED) as stage:
            sock = listen("127.0.0.1", options.port)
            settings = staged(Path(folder), stage.url, sock.getsockname()[1])
            migrate(settings.database)
            clock = RehearsalClock(OPENS - timedelta(days=1))
            pace = Pace(clock.now, rate=None, sleep=clock.sleep)
            async with open_house(settings, pace) as house, Open(house, sock, every=BEAT):
                began = time.monotonic()
                campaign = await load(house, ratings)
                await rate(house, stage, clock, console, ratings, campaign)
                await report(house, console, ratings, campaign, time.monotonic() - began)


def load_ratings(path: Path, sample: int, seed: int) -> list[Rating]:
    """The file's ratings; InstEval's own columns are known. RuntimeError names every bad row."""
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig") as file:
            header = next(csv.reader(file), [])
        known = {"s", "d", "y"} <= set(header)
        layout = Layout(INSTEVAL, "rating") if known else Layout()
        ratings = read_ratings(path, layout, sample=sample, seed=seed)
    except (OSError, EOFError) as error:
        raise RuntimeError(f"{path} cannot be read: {error}. Check the path.") from None
    except UnreadableRatings as error:
        raise RuntimeError(f"{error}\nMend these and try again.") from None
    if not ratings:
        raise RuntimeError(f"{path} has no ratings. It needs rater, subject, indicator, value.")
    return ratings


def questionnaire(indicators: Sequence[str]) -> Form:
    """One five-grade question for each indicator, as an XLSForm like any other."""
    rows = [
        f"| | select_one grade | q{n} | {name}: how do you rate ${{subject}}? | {name} |"
        for n, name in enumerate(indicators)
    ]
    choices = [f"| | grade | {GRADES - n} | {label} |" for n, label in enumerate(LABELS)]
    table = "\n".join(
        [
            "| survey | | | | |",
            "| | type | name | label::English (en) | bind::minyi:indicator |",
            "| | hidden | subject | | |",
            *rows,
            "| choices | | | |",
            "| | list_name | name | label::English (en) |",
            *choices,
            "| settings | | | |",
            "| | form_title | form_id | default_language | namespaces |",
            '| | Replay | replay | English (en) | minyi="urn:minyi" |',
        ]
    )
    return read_xform(compile_xlsform(table.encode(), ".md", "replay"), "replay")


async def load(house: House, ratings: Sequence[Rating]) -> Campaign:
    """Subjects, raters with their chats, relations and one campaign."""
    indicators = sorted({rating.indicator for rating in ratings})
    form = questionnaire(indicators)
    house.method = shipped("single_group").with_indicators(indicators)
    group = (RaterGroup.RECIPIENT,)
    start = OPENS.date()
    campaign = Campaign(WAVE, {"": "Replay"}, form.hash, group, start, QUARTERLY, reminders=())
    raters = list(by_rater(ratings))
    units = {rating.subject: rating.unit for rating in ratings}

    def work(tx: Any) -> None:
        tx.put_subjects(Subject(f"unit {u}", {"": f"Unit {u}"}) for u in set(units.values()) if u)
        tx.put_subjects(
            Subject(name, {"": title(name)}, parent=f"unit {unit}" if unit else None)
            for name, unit in units.items()
        )
        tx.put_people(Person(rater, Kind.CITIZEN, language="en") for rater in raters)
        for number, rater in enumerate(raters):
            tx.put_chat(Chat(Address("telegram", str(FIRST_CHAT + number)), rater, "en"))
        pairs = {(rating.rater, rating.subject) for rating in ratings}
        tx.put_relations(Relation(r, s, RaterGroup.RECIPIENT) for r, s in sorted(pairs))
        put_questionnaire(tx, form, {})
        tx.put_campaign(campaign)

    await house.store.write(work)
    return campaign


def title(subject: str) -> str:
    """What people read; a bare number would be found inside other numbers."""
    return f"Subject {subject}"


def personas(ratings: Iterable[Rating]) -> list[dict[str, Any]]:
    """Each rater, who answers exactly what the file says."""
    return [
        {
            "id": FIRST_CHAT + number,
            "language": "en",
            "first": None,
            "traits": {"patience": 45.0},
            "opinion": {
                "kind": "recorded",
                "grades": [[title(r.subject), f"{r.indicator}:", r.value] for r in given],
            },
        }
        for number, given in enumerate(by_rater(ratings).values())
    ]


async def rate(
    house: House,
    stage: Backstage,
    clock: RehearsalClock,
    console: Console,
    ratings: Sequence[Rating],
    campaign: Campaign,
) -> None:
    """Open the wave, let everybody answer, close it."""
    closes = OPENS + campaign.window
    with Playbill(console, clock.now, OPENS - timedelta(days=1), closes) as bill:
        bill.scene("the raters take their places")
        people = personas(ratings)
        for at in range(0, len(people), CROWD):
            await stage.enter(people[at : at + CROWD])
        watch = Watch(house, stage, bill, every=2.0)
        await watch.beside(clock.flow(OPENS + timedelta(minutes=1), real=1))
        bill.scene("the invitations go out, and people answer")
        await watch.until(lambda: opened(house))
        await watch.learn()
        await watch.settle(still=5)
        bill.scene("the wave has closed: tally, score, publish")
        await watch.beside(clock.flow(closes + timedelta(minutes=1), real=1))
        await watch.until(lambda: published(house))


async def opened(house: House) -> bool:
    """Whether anybody has begun."""
    return await house.store.read(
        lambda tx: any(tx.interview_counts(wave.id)[0] for wave in tx.waves())
    )


def compare(
    ratings: Iterable[Rating], cells: Iterable[Cell], withheld: Iterable[Withheld], k: int
) -> Comparison:
    """Hold every cell against the histogram computed from the file directly."""
    expected: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for rating in ratings:
        expected[rating.subject, rating.indicator][rating.value] += 1
    truth = {
        place: tuple(count[grade] for grade in range(1, GRADES + 1))
        for place, count in expected.items()
    }
    found = list(cells)
    plain = {(c.subject, c.indicator): c.counts for c in found if not c.pooled}
    held = list(withheld)
    gone = {(w.subject, w.indicator) for w in held}
    wrong = [
        f"{place}: the file says {counts}, the tally {plain.get(place, 'nothing')}"
        for place, counts in truth.items()
        if (plain.get(place) != counts if sum(counts) >= k else place not in gone)
    ]
    wrong += [f"{place}: not in the file" for place in plain if place not in truth]
    pools = [cell for cell in found if cell.pooled]
    wrong += [_pool_differs(pool, truth) for pool in pools if _pool(pool, truth) != pool.counts]
    merged = sum(1 for w in held if w.fate == "merged")
    return Comparison(len(plain), merged, len(held) - merged, len(pools), tuple(wrong))


def _pool(pool: Cell, truth: Mapping[tuple[str, str], tuple[int, ...]]) -> tuple[int, ...]:
    parts = [truth.get((subject, pool.indicator), (0,) * GRADES) for subject in pool.pooled]
    return tuple(map(sum, zip(*parts, strict=True)))


def _pool_differs(pool: Cell, truth: Mapping[tuple[str, str], tuple[int, ...]]) -> str:
    return f"pool of {pool.subject}: the file says {_pool(pool, truth)}, the tally {pool.counts}"


async def report(
    house: House, console: Console, ratings: Sequence[Rating], campaign: Campaign, seconds: float
) -> None:
    """What came out, and what it took."""
    cells = await house.store.read(lambda tx: tx.cells(PERIOD))
    withheld = await house.store.read(lambda tx: tx.withheld(PERIOD))
    run = await house.store.read(lambda tx: tx.score_run(PERIOD))
    result = compare(ratings, cells, withheld, campaign.k)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    raters, subjects = len({r.rater for r in ratings}), len({r.subject for r in ratings})
    console.print(
        f"{len(ratings):,} ratings of {subjects:,} subjects by {raters:,} raters, "
        f"{seconds:,.0f} s in all: {len(ratings) / seconds:,.0f} ratings a second from plan to "
        f"publication; peak memory {memory:,.0f} MB (bot, web, store; the stage apart).\n"
        f"Histograms equal to the file's: {result.equal:,}. Under k={campaign.k}: "
        f"{result.merged:,} merged into {result.pools:,} pools of their unit, "
        f"{result.dropped:,} dropped. Differences: {len(result.wrong):,}.\n"
        f"Method {run.method if run else 'none'}.",
        soft_wrap=True,
    )
    if result.wrong:
        raise steps.StepError("\n".join(result.wrong[:20]))
