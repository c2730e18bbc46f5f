"""A campaign rehearsed before it opens: leave to do it, and what of the office is copied for it.

Copied are the campaign, its questionnaire, the ids of what is rated, and for everybody who would be
asked a number, a language, a zone and whom they would rate: no name, no id, no address. Whom the
next wave asks is drawn on the office's own rows, by the very draw that opens it; the rehearsal
then happens elsewhere. Who took part in anything is never looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nsmallest

from desk.audit import Act, record
from desk.campaigns.campaigning import known
from desk.campaigns.foreseeing import ON_THE_ROLL, Fate, Foreseen, Occasion, foresee, occasion
from desk.campaigns.opening import why_held
from desk.campaigns.outlook import look, notes
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.store import DeskStore, DeskTransaction, Work, WorkState
from desk.works import Moved, Works, finish
from surveys.audience import Audience
from surveys.campaigns import Campaign
from surveys.lots import drawn_number, key_of
from surveys.people import Subject
from surveys.tally import Side
from surveys.words import LANGUAGES

KIND = "rehearsal"
LEASE = "rehearsal"
LASTS = timedelta(minutes=10)  # by the wall clock; more is broken off
FEW, MOST = 500, 2000  # simulated people, unless asked otherwise and at most
LARGEST_SEED = 2**32
Report = Mapping[str, object]
"""What came of it, as plain data; see :mod:`desk.campaigns.rehearsed`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """``response``: percent of those told who are assumed to answer; at most ``people`` play.

    With the same ``seed`` they do the same again.
    """

    response: int = 40
    people: int = FEW
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Rater:
    """Somebody who would be asked; ``told``: a message can reach them."""

    language: str
    zone: str
    told: bool
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole wave, of which a part may be rehearsed."""

    people: int
    assignments: int
    reachable: int
    subjects: int


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that a rehearsal is handed. ``campaign`` has its audience drawn already.

    It begins at ``begins``, the opening or now, whichever is later. ``held``: what would keep the
    wave from opening (cap, second, or ''). ``notes`` are what to look out for, in each language.
    """

    campaign: Campaign
    form: bytes
    subjects: tuple[Subject, ...]
    opens_at: datetime
    begins: datetime
    raters: tuple[Rater, ...]
    whole: Whole
    held: str
    wish: Wish
    notes: tuple[Mapping[str, str], ...] = ()


class TooLongError(Exception):
    """It was not over within LASTS."""


Run = Callable[[Script, Moved], Awaitable[Report]]
"""Plays a script, away from the office's own rows."""


def wished(fields: Mapping[str, str]) -> Wish:
    """The wish that was typed; an empty field is the usual one. CampaignError for what is wrong."""
    usual, wrongs = Wish(), list[Wrong]()

    def whole(name: str, least: int, most: int) -> int:
        text = fields.get(name, "").strip()
        if not text:
            return int(getattr(usual, name))
        if not (text.isascii() and text.isdecimal() and len(text) < 12) or not (
            least <= int(text) <= most
        ):
            told = {"text": text[:20], "least": least, "most": most}
            wrongs.append(Wrong(name, f"rehearsal_{name}", told))
            return int(getattr(usual, name))
        return int(text)

    wish = Wish(whole("response", 1, 100), whole("people", 1, MOST), whole("seed", 0, LARGEST_SEED))
    if wrongs:
        raise CampaignError(wrongs)
    return wish


# ---- leave to do it: one at a time, on record


def take_turn(tx: DeskTransaction, act: Act, campaign: str, wish: Wish, holder: str) -> None:
    """Put on record that ``campaign`` is rehearsed, and keep others from it until it is over.

    CampaignError where there is no such campaign, no wave to come, or another one under way.
    """
    made = known(tx, campaign)
    if occasion(tx, made, act.at) is None:
        raise CampaignError([Wrong("rehearsal", "rehearsal_over")])
    term = act.at + LASTS + timedelta(minutes=1)
    if not tx.take_lease(LEASE, holder, act.at, term):
        minutes = int(LASTS.total_seconds() // 60) + 1
        raise CampaignError([Wrong("rehearsal", "rehearsal_busy", {"minutes": minutes})])
    told = {"response": wish.response, "people": wish.people, "seed": wish.seed}
    record(tx, act, "campaign.rehearsed", f"campaign:{campaign}", None, told)


async def rehearse(
    store: DeskStore, campaign: str, wish: Wish, limit: int, act: Act, holder: str, run: Run,
    moved: Moved,
) -> Report:  # fmt: skip
    """What comes of it; after :func:`take_turn`, and the turn is over then, whatever happens.

    Above ``limit`` people two decide. TooLongError, or whatever kept it from being played.
    """
    try:
        script = await store.read(lambda tx: scripted(tx, campaign, wish, limit, act.at))
        return await run(script, moved)
    finally:
        await store.write(lambda tx: tx.drop_lease(LEASE, holder))


async def begin(
    works: Works, store: DeskStore, clock: Callable[[], datetime], act: Act, name: str,
    campaign: str, wish: Wish, limit: int, run: Run,
) -> Work:  # fmt: skip
    """Begin it as long work called ``name``; CampaignError as :func:`take_turn` says."""
    await store.write(lambda tx: take_turn(tx, act, campaign, wish, name))
    work = Work(name, KIND, act.who, act.at, act.at, result={"campaign": campaign})

    async def do(moved: Moved) -> None:
        try:
            report = await rehearse(store, campaign, wish, limit, act, name, run, moved)
        except TooLongError:
            why = {"why": "long"}
            await store.write(lambda tx: finish(tx, work, clock(), WorkState.FAILED, why))
            return
        await store.write(lambda tx: finish(tx, work, clock(), WorkState.DONE, {"report": report}))

    return await works.begin(store, clock, work, do)


# ---- what is copied


@dataclass
class _Sight:
    """The whole roll, seen once through; memory grows with what is rated, not with who rates."""

    people: int = 0
    assignments: int = 0
    reachable: int = 0
    raters: Counter[str] = field(default_factory=Counter)

    def see(self, one: Foreseen) -> None:
        self.people += 1
        self.assignments += len(one.sides)
        self.reachable += one.fate is Fate.ASKED
        self.raters.update({subject for subject, _ in one.sides})


def scripted(tx: DeskTransaction, campaign: str, wish: Wish, limit: int, now: datetime) -> Script:
    """What a rehearsal of the campaign's next wave is handed, were it drawn as things stand."""
    made = known(tx, campaign)
    coming, form = occasion(tx, made, now), tx.form(made.form)
    if coming is None or form is None:
        raise CampaignError([Wrong("rehearsal", "rehearsal_over")])
    seen = _Sight()
    for one in _roll(tx, made, coming, now):
        seen.see(one)
    chosen = _chosen(seen, wish)
    raters = _raters(tx, made, coming, now, wish, chosen)
    rated = {subject for each in raters for subject, _ in each.sides}
    return Script(
        campaign=replace(made, paused=False, audience=Audience(), agreed=seen.people),
        form=form,
        subjects=_with_those_above(tx, rated),
        opens_at=coming.opens_at,
        begins=max(now, coming.opens_at),
        raters=raters,
        whole=Whole(seen.people, seen.assignments, seen.reachable, len(seen.raters)),
        held=why_held(made, seen.people, limit),
        wish=wish,
        notes=tuple(
            {language: each.said(language) for language in LANGUAGES}
            for each in notes(tx, made, now, look(made.form, form))
        ),
    )


def _roll(
    tx: DeskTransaction, made: Campaign, coming: Occasion, now: datetime
) -> Iterator[Foreseen]:
    found = foresee(tx, made, coming.opens_at, coming.seed, now)
    return (one for one in found if one.fate in ON_THE_ROLL)


def _chosen(seen: _Sight, wish: Wish) -> frozenset[str] | None:
    """The subjects that are rehearsed, with all their raters; None for all.

    Fewer people of each subject would tell nothing of what may be published: so a part is made of
    whole subjects, by chance.
    """
    if seen.people <= wish.people:
        return None
    key, chosen, raters = _key(wish), list[str](), 0
    for subject in sorted(seen.raters, key=lambda each: drawn_number(key, each)):
        raters += seen.raters[subject]
        if chosen and raters > wish.people:
            break
        chosen.append(subject)
    return frozenset(chosen)


def _raters(
    tx: DeskTransaction, made: Campaign, coming: Occasion, now: datetime, wish: Wish,
    chosen: frozenset[str] | None,
) -> tuple[Rater, ...]:  # fmt: skip
    """Those who rate what was chosen; where even they are too many, some of them by chance."""
    key = _key(wish)
    cast = (
        (one, tuple(side for side in one.sides if chosen is None or side[0] in chosen))
        for one in _roll(tx, made, coming, now)
    )
    some = nsmallest(
        wish.people,
        ((one, sides) for one, sides in cast if sides),
        key=lambda each: drawn_number(key, "person", each[0].person),
    )
    return tuple(
        _rater(tx, made, one, sides) for one, sides in sorted(some, key=lambda each: each[0].person)
    )


def _rater(tx: DeskTransaction, made: Campaign, one: Foreseen, sides: tuple[Side, ...]) -> Rater:
    person = tx.person(one.person)
    language, zone = (person.language, person.zone) if person else (None, None)
    return Rater(language or "zh", zone or made.zone, one.fate is Fate.ASKED, sides)


def _with_those_above(tx: DeskTransaction, rated: set[str]) -> tuple[Subject, ...]:
    """What is rated and every unit above it, by id: their names stay where they are."""
    every = {subject.id: subject for subject in tx.subjects()}
    wanted = set(rated)
    for name in rated:
        at = every[name].parent
        while at is not None and at in every and at not in wanted:
            wanted.add(at)
            at = every[at].parent
    return tuple(
        replace(every[name], name=dict.fromkeys(LANGUAGES, name)) for name in sorted(wanted)
    )


def _key(wish: Wish) -> bytes:
    return key_of(f"rehearsal {wish.seed}")
