"""Who rates whom: derived from the tree of units, nominated, and ended."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.approvals import ApprovalError, deciders
from desk.nominating import NOMINATED, nominate
from desk.relating import NOMINATE, RelationError, Rule, derive, end, identify, look, own
from desk.roles import May
from desk.store import DeskTransaction
from surveys.people import Person, Subject
from web.console.areas.roster import named
from web.console.context import Context
from web.console.doors import Door
from web.console.paging import linked


async def preview(at: Context) -> Response:
    """What would be added, before it is."""
    asked = at.request.query_params
    rules = [rule for rule in Rule if rule in asked]

    def work(tx: DeskTransaction) -> tuple[object, dict[str, Subject], dict[str, Person]]:
        seen = look(tx, rules)
        people = {each.rater: tx.person(each.rater) for each in seen.first}
        return seen, {s.id: s for s in tx.subjects()}, {k: p for k, p in people.items() if p}

    seen, subjects, people = await at.read(work)
    return at.page("relating/derive.html", rules=tuple(Rule), chosen=rules, seen=seen,
                   none="look" in asked and not rules, people=people,
                   named=lambda key: named(at, subjects.get(key), key))  # fmt: skip


async def add(at: Context) -> Response:
    """Add it."""
    rules = [rule for rule in Rule if rule in at.fields]
    done = await at.write(lambda tx: derive(tx, at.act(), rules))
    return at.go("/desk/roster", "relating.done", count=at.number(done.count))


async def proposing(at: Context) -> Response:
    """Who should rate a unit or official: to be filled in."""
    return await _proposing(at, at.request.query_params.get("id", ""))


async def _proposing(at: Context, key: str, wrong: str = "") -> Response:
    def work(tx: DeskTransaction) -> tuple[Subject | None, bool]:
        return tx.subject(key), not deciders(tx, NOMINATE, at.account.id, at.now)

    subject, alone = await at.read(work)
    if subject is None:
        raise HTTPException(404)
    return at.page("relating/nominate.html", status=422 if wrong else 200, subject=subject,
                   alone=alone,
                   title=named(at, subject, key), sides=NOMINATED, wrong=wrong,
                   typed=at.fields.get("people", ""),
                   chosen=at.fields.get("group", ""))  # fmt: skip


async def propose(at: Context) -> Response:
    """Propose them; a second person decides."""
    key, typed = at.fields.get("id", ""), at.fields.get("people", "")
    side = next((each for each in NOMINATED if each == at.fields.get("group", "")), None)
    if side is None:
        return await _proposing(at, key, at.say("relating.side"))
    try:
        await at.write(lambda tx: nominate(tx, at.act(), at.account, key, side, typed))
    except RelationError as error:
        return await _proposing(at, key, error.saying.said(at.language))
    except ApprovalError as error:
        return await _proposing(at, key, error.said(at.language))
    return at.go(linked("/desk/roster/unit", id=key), "relating.asked")


async def stop(at: Context) -> Response:
    """A relation ends."""
    person, subject = at.fields.get("id", ""), at.fields.get("subject", "")
    if await at.write(lambda tx: end(tx, at.act(), person, subject)) is None:
        raise HTTPException(404)
    return at.go(linked("/desk/roster/person", id=person), "relating.ended")


async def holding(at: Context) -> Response:
    """Which person an official is: to be filled in."""
    return await _holding(at, at.request.query_params.get("id", ""))


async def _holding(at: Context, key: str, wrong: str = "") -> Response:
    def work(tx: DeskTransaction) -> tuple[Subject | None, str]:
        return tx.subject(key), own(tx, key) or ""

    subject, person = await at.read(work)
    if subject is None or subject.kind != "official":
        raise HTTPException(404)
    return at.page("relating/self.html", status=422 if wrong else 200, subject=subject,
                   title=named(at, subject, key), wrong=wrong,
                   typed=at.fields.get("person", person))  # fmt: skip


async def hold(at: Context) -> Response:
    """An official is this person from now on; nobody, where the field is empty."""
    key, typed = at.fields.get("id", ""), at.fields.get("person", "").strip()
    try:
        await at.write(lambda tx: identify(tx, at.act(), key, typed))
    except RelationError as error:
        return await _holding(at, key, error.saying.said(at.language))
    return at.go(linked("/desk/roster/unit", id=key), "relating.held")


DOORS = (
    Door("/roster/derive", preview, May.ROSTER_WRITE),
    Door("/roster/derive", add, May.ROSTER_WRITE, "POST"),
    Door("/roster/nominate", proposing, May.ROSTER_WRITE),
    Door("/roster/nominate", propose, May.ROSTER_WRITE, "POST"),
    Door("/roster/self", holding, May.ROSTER_WRITE),
    Door("/roster/self", hold, May.ROSTER_WRITE, "POST"),
    Door("/roster/relation/end", stop, May.ROSTER_WRITE, "POST"),
)
