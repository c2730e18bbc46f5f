"""People and units: the tree, the list, and a page for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.audit import someone
from desk.consenting import told_version
from desk.forgetting import ForgetError, forget
from desk.importing.samples import ORDER, sample
from desk.nominating import pending
from desk.relating import own, raters
from desk.roles import May
from desk.roster import (
    RosterError,
    Twig,
    chain,
    counts,
    edit_person,
    edit_subject,
    opt_out,
    tree,
    trimmed,
)
from desk.store import DeskTransaction, PeopleSought
from surveys.cells import THIRD_PARTIES, RaterGroup
from surveys.consenting import text_of, version
from surveys.people import Kind, Person, Subject
from surveys.words import LANGUAGES, pick
from web.console.context import Context
from web.console.doors import Door
from web.console.paging import Pages, linked, paged
from web.console.proving import sure

MOST = 300  # lines of the tree on one page
PER_PAGE = 50
ORDERS = ("id", "-id", "name", "-name", "unit", "-unit")
WORDS = ("name", "unit", "language", "tags", "zone")  # that the form of a person has


def named(at: Context, subject: Subject | None, key: str) -> str:
    """What a subject is called to the reader; its id where it has no name."""
    return (pick(subject.name, at.language) if subject is not None else "") or key


# units


@dataclass(frozen=True, slots=True)
class Units:
    """The tree as it is shown; ``whole`` is how many lines it would have."""

    twigs: list[Twig]
    whole: int
    rows: Mapping[str, int]


async def units(at: Context) -> Response:
    """Every unit that the reader may see, as a tree; an empty roster says what to do first."""
    text = at.request.query_params.get("q", "").strip()[:100]

    def work(tx: DeskTransaction) -> Units:
        within = at.reach(tx, May.ROSTER_READ)
        twigs = tree(tx.subjects(), tx.people_by_unit(), within)
        if text:
            twigs = [twig for twig in twigs if _fits(twig.subject, text)]
        return Units(trimmed(twigs, MOST), len(twigs), counts(tx) if within is None else {})

    found = await at.read(work)
    return at.page("roster/units.html", found=found, text=text, order=ORDER, languages=LANGUAGES,
                   named=lambda each: named(at, each, each.id))  # fmt: skip


def _fits(subject: Subject, text: str) -> bool:
    return any(text.casefold() in each.casefold() for each in (subject.id, *subject.name.values()))


@dataclass(frozen=True, slots=True)
class UnitSeen:
    """A unit or official, what stands above and below, and how many may rate it."""

    subject: Subject
    above: list[Subject]
    twigs: list[Twig]
    whole: int
    people: int
    raters: Mapping[RaterGroup, int]
    own: Person | None  # who the official is
    units: list[Subject]  # that may be chosen as parent
    waiting: str  # the nomination that waits for a second person; '' for none


async def unit(at: Context) -> Response:
    """One unit or official."""
    return await _unit(at, at.request.query_params.get("id", ""))


async def _unit(
    at: Context, key: str, typed: Mapping[str, str] | None = None, wrongs: RosterError | None = None
) -> Response:
    def work(tx: DeskTransaction) -> UnitSeen | None:
        subjects = {each.id: each for each in tx.subjects()}
        within = at.reach(tx, May.ROSTER_READ)
        if key not in subjects or (within is not None and key not in within):
            return None
        own_people = tx.people_by_unit()
        twigs = tree(list(subjects.values()), own_people, within, key)
        above = [each for each in chain(subjects, key) if within is None or each.id in within]
        choices = [each for each in subjects.values() if each.kind == "unit" and each.id != key]
        return UnitSeen(subjects[key], above[::-1], trimmed(twigs, MOST), len(twigs),
                        own_people.get(key, 0), raters(tx, key), _own(tx, at, key),
                        choices, pending(tx, key, at.now))  # fmt: skip

    seen = await at.read(work)
    if seen is None:
        raise HTTPException(404)
    subject = seen.subject
    fields = typed or {
        "zh": subject.name.get("zh", ""),
        "en": subject.name.get("en", ""),
        "parent": subject.parent or "",
    }
    return at.page("roster/unit.html", status=200 if wrongs is None else 422, seen=seen,
                   fields=fields, wrongs=_told(at, wrongs), groups=THIRD_PARTIES,
                   named=lambda each: named(at, each, each.id))  # fmt: skip


def _own(tx: DeskTransaction, at: Context, key: str) -> Person | None:
    """The person that the official ``key`` is, for whoever may see that person."""
    found = own(tx, key)
    person = None if found is None else tx.person(found)
    within = at.reach(tx, May.ROSTER_READ)
    return person if within is None or (person and person.unit in within) else None


async def change_unit(at: Context) -> Response:
    """Names and parent of a unit or official."""
    key = at.fields.get("id", "")
    typed = {name: at.fields.get(name, "").strip() for name in ("zh", "en", "parent")}
    try:
        done = await at.write(lambda tx: edit_subject(tx, at.act(), key, **typed))
    except RosterError as error:
        return await _unit(at, key, typed, error)
    if done is None:
        raise HTTPException(404)
    return at.go(linked("/desk/roster/unit", id=key), "roster.kept")


# people


@dataclass(frozen=True, slots=True)
class People:
    """One page of the people who fit; ``came`` by themselves and are not listed, in tens."""

    people: list[Person]
    pages: Pages
    units: dict[str, Subject]
    came: int


async def people(at: Context) -> Response:
    """People, searched, filtered and sorted; every choice stands in the address."""
    asked = at.request.query_params
    order = asked.get("order", "id")
    kind = next((each for each in Kind if each == asked.get("kind", "")), None)
    out = {"yes": True, "no": False}.get(asked.get("out", ""))

    def work(tx: DeskTransaction) -> People:
        sought = PeopleSought(
            asked.get("q", "").strip()[:100],
            asked.get("unit", "")[:100],
            kind,
            out,
            at.reach(tx, May.ROSTER_READ),
            order if order in ORDERS else "id",
            asked.get("tag", "").strip()[:40],
        )
        page = paged(asked)
        found, count = tx.seek_people(sought, (page - 1) * PER_PAGE, PER_PAGE)
        within = sought.within
        seen = (s for s in tx.subjects() if s.kind == "unit" and (within is None or s.id in within))
        came = counts(tx)["unlisted"] if within is None else 0
        return People(list(found), Pages(page, count, PER_PAGE), {s.id: s for s in seen}, came)

    found = await at.read(work)
    kept = {name: asked.get(name, "") for name in ("q", "unit", "tag", "kind", "out", "order")}
    return at.page("roster/people.html", found=found, kept=kept, kinds=tuple(Kind),
                   named=lambda key: named(at, found.units.get(key), key))  # fmt: skip


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """A person as the roster knows them, never whether or what they answered.

    ``telegram``: whether a message can reach them; None for who sees a unit of their own alone.
    A browser is not told: it would show that they came; nor is it where somebody went whom no table
    lists. ``others``: relations to subjects that the reader may not see.
    """

    person: Person
    unit: Subject | None
    telegram: bool | None
    rates: list[tuple[Subject | None, str, RaterGroup]]
    others: int
    units: list[Subject]


async def person(at: Context) -> Response:
    """One person."""
    return await _person(at, at.request.query_params.get("id", ""))


async def _person(
    at: Context, key: str, typed: Mapping[str, str] | None = None, wrongs: RosterError | None = None
) -> Response:
    def work(tx: DeskTransaction) -> PersonSeen | None:
        found = tx.person(key)
        within = at.reach(tx, May.ROSTER_READ)
        if found is None or (within is not None and (found.unit or "") not in within):
            return None
        subjects = {each.id: each for each in tx.subjects()}
        known = tx.relations_from(key) if found.listed else ()
        rates = [(subjects.get(r.subject), r.subject, r.group) for r in known]
        mine = [each for each in rates if within is None or each[1] in within]
        reached = any(each.channel == "telegram" for each in tx.addresses(key))
        telegram = reached if within is None else None
        units = [each for each in subjects.values() if each.kind == "unit"]
        return PersonSeen(found, subjects.get(found.unit or ""), telegram, mine[:MOST],
                          len(rates) - len(mine[:MOST]), units)  # fmt: skip

    seen = await at.read(work)
    if seen is None:
        raise HTTPException(404)
    known = seen.person
    fields = typed or {
        "name": known.name,
        "unit": known.unit or "",
        "language": known.language or "",
        "tags": ", ".join(known.tags),
        "zone": known.zone or "",
        "left": "yes" if known.left else "",
    }
    return at.page("roster/person.html", status=200 if wrongs is None else 422, seen=seen,
                   fields=fields, wrongs=_told(at, wrongs), languages=LANGUAGES,
                   consent=told_version(known),
                   named=lambda each, key: named(at, each, key))  # fmt: skip


async def change_person(at: Context) -> Response:
    """What the roster knows of a person."""
    key, left = at.fields.get("id", ""), bool(at.fields.get("left", ""))
    words = {name: at.fields.get(name, "").strip() for name in WORDS}
    typed = {**words, "left": "yes" if left else ""}
    try:
        done = await at.write(lambda tx: edit_person(tx, at.act(), key, left=left, **words))
    except RosterError as error:
        return await _person(at, key, typed, error)
    if done is None:
        raise HTTPException(404)
    return at.go(linked("/desk/roster/person", id=key), "roster.kept")


async def stop_asking(at: Context) -> Response:
    """A person said elsewhere that they do not want to be asked."""
    key = at.fields.get("id", "")
    if await at.write(lambda tx: opt_out(tx, at.act(), key)) is None:
        raise HTTPException(404)
    return at.go(linked("/desk/roster/person", id=key), "roster.out_now")


async def privacy(at: Context) -> Response:
    """What a version of the privacy text said; today's where none is named."""
    asked = at.request.query_params.get("version", "") or version()
    told = await at.read(lambda tx: text_of(tx, asked[:20]) if asked.isprintable() else None)
    if told is None:
        raise HTTPException(404)
    return at.page("roster/privacy.html", version=asked, told=told, now=asked == version())


async def ask_to_forget(at: Context) -> Response:
    """What would go and what would stay, before it is done."""
    return await _ask_to_forget(at, at.request.query_params.get("id", ""))


async def _ask_to_forget(at: Context, key: str, wrong: str = "") -> Response:
    found = await at.read(lambda tx: tx.person(key))
    if found is None or at.console.keyring is None:
        raise HTTPException(404)
    return at.page("roster/forget.html", status=409 if wrong else 200, person=found, wrong=wrong,
                   mark=someone(at.act(), key))  # fmt: skip


async def forget_now(at: Context) -> Response:
    """Somebody asked for it in writing: nothing of them stays."""
    key, keyring = at.fields.get("id", ""), at.console.keyring
    if keyring is None:
        raise HTTPException(404)
    try:
        done = await at.write(lambda tx: forget(tx, at.act(), key, keyring))
    except ForgetError as error:
        return await _ask_to_forget(at, key, error.saying.said(at.language))
    if not done:
        raise HTTPException(404)
    return at.go("/desk/roster/people", "roster.forgotten")


def _told(at: Context, wrongs: RosterError | None) -> dict[str, str]:
    return {wrong.field: wrong.why.said(at.language) for wrong in wrongs.wrongs} if wrongs else {}


async def one_sample(at: Context) -> Response:
    """A small table to begin from."""
    name, language = (at.request.path_params[part] for part in ("table", "language"))
    content = sample(name, language)
    if content is None:
        raise HTTPException(404)
    headers = {"Content-Disposition": f'attachment; filename="minyi-{name}-{language}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


DOORS = (
    Door("/roster", units, May.ROSTER_READ),
    Door("/roster/unit", unit, May.ROSTER_READ),
    Door("/roster/unit", change_unit, May.ROSTER_WRITE, "POST"),
    Door("/roster/people", people, May.ROSTER_READ),
    Door("/roster/person", person, May.ROSTER_READ),
    Door("/roster/person", change_person, May.ROSTER_WRITE, "POST"),
    Door("/roster/privacy", privacy, May.ROSTER_READ),
    Door("/roster/person/stop", stop_asking, May.ROSTER_WRITE, "POST"),
    Door("/roster/person/forget", ask_to_forget, May.ROSTER_WRITE),
    Door("/roster/person/forget", sure(forget_now), May.ROSTER_WRITE, "POST"),
    Door("/roster/samples/{table}.{language}.csv", one_sample, May.ROSTER_READ),
)
