"""What waits for a second person, and what became of earlier requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk import approvals as two
from desk.accounts import Account
from desk.approvals import ACTIONS, ApprovalError, detailed, name_of
from desk.campaigns import rhythm
from desk.campaigns.campaigning import known, open_waves
from desk.campaigns.foreseeing import reach
from desk.campaigns.opening import OPEN
from desk.campaigns.seconding import CLOSE, CREATE, EXTEND
from desk.campaigns.wishing import Wish, planned
from desk.outcomes import roll
from desk.relating import NOMINATE, raters
from desk.roles import May, allows
from desk.store import Approval, Decision, DeskTransaction
from surveys.cells import RaterGroup
from surveys.words import pick
from web.console.context import WORDS, Context
from web.console.doors import Door

KEPT = 100  # requests in the history
CLOCK = "minyi"  # who asks when nobody does
ORDER = ("campaign", "subject", "group", "raters", "wave", "more", "people", "title_zh",
         "title_en", "form", "groups", "starts", "recurrence", "hour", "days", "reminders", "k",
         "units", "tags", "rest_days", "sample", "strata", "quotas", "per_rater", "per_subject",
         "at_most", "shift", "quiet_from", "quiet_until", "grace", "messages_invite_zh",
         "messages_invite_en", "messages_remind_zh", "messages_remind_en", "paid",
         "zone", "id")  # fmt: skip
"""In which order people want to read what will be done; anything else comes after it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as its reader sees it. ``able`` are those who could decide, but the asker."""

    request: Approval
    object: str  # what it is about, by its name where it has one
    asker: str
    asker_gone: bool
    decider: str
    facts: Sequence[tuple[str, str]]
    able: Sequence[str]
    mine: bool
    may_decide: bool
    barred: str  # why the reader is no second person, in words; '' where they are
    over: bool  # its time has run out

    @property
    def open(self) -> bool:
        return self.request.decision is Decision.OPEN and not self.over


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the page. ``alone`` are actions that only one account could ask for."""

    waiting: Sequence[Seen]
    done: Sequence[Seen]
    alone: Sequence[tuple[str, str]]


async def board(at: Context) -> Response:
    """Open requests on top, then the history."""

    def work(tx: DeskTransaction) -> Board:
        found = [_seen(tx, at, each) for each in tx.approvals()[:KEPT]]
        waiting = [_seen(tx, at, each) for each in tx.approvals(open_only=True)]
        alone = [(name, one.name) for name, one in two.alone(tx.accounts()).items()]
        return Board([each for each in waiting if each.open],
                     [each for each in found if not each.open], alone)  # fmt: skip

    return at.page("approvals/board.html", board=await at.read(work), refused="", note="")


async def one(at: Context, refused: str = "", status: int = 200) -> Response:
    """One request; after a refusal with why, and with what was typed."""
    name = at.request.path_params["approval"]

    def work(tx: DeskTransaction) -> Seen | None:
        found = tx.approval(name)
        return None if found is None else _seen(tx, at, found)

    seen = await at.read(work)
    if seen is None:
        raise HTTPException(404)
    note = at.fields.get("note", "")
    return at.page("approvals/one.html", status=status, seen=seen, refused=refused, note=note)


async def decide(at: Context) -> Response:
    """Agree or refuse. It takes the permission of what was asked for, not only that of reading."""
    name = at.request.path_params["approval"]
    asked = await at.read(lambda tx: tx.approval(name))
    if asked is None:
        raise HTTPException(404)
    if asked.action in ACTIONS:
        at.demand(ACTIONS[asked.action].permission)
    agree = {"yes": True, "no": False}.get(at.fields.get("agree", ""))
    if agree is None:
        return await one(at, at.say("approvals.choose"), 422)
    note = at.fields.get("note", "")
    try:
        done = await at.write(
            lambda tx: two.decide(tx, at.act(), at.account, name, agree, note, at.now)
        )
    except ApprovalError as error:
        return await one(at, error.said(at.language), 409)
    return at.go("/desk/approvals", f"approvals.said.{done.decision}")


async def withdraw(at: Context) -> Response:
    """Take back a request of one's own."""
    name = at.request.path_params["approval"]
    try:
        await at.write(lambda tx: two.withdraw(tx, at.act(), at.account, name, at.now))
    except ApprovalError as error:
        if error.code == "missing":
            raise HTTPException(404) from None
        return await one(at, error.said(at.language), 409)
    return at.go("/desk/approvals", "approvals.said.withdrawn")


def _seen(tx: DeskTransaction, at: Context, request: Approval) -> Seen:
    asker = tx.account(request.asked_by)
    doable = request.action in ACTIONS
    open_yet = doable and request.decision is Decision.OPEN
    able = two.able(tx, request, at.now) if open_yet else []
    mine = at.account.id == request.asked_by
    may = doable and not mine and _may(at.account, request.action)
    wrong = two.barred(tx, at.account, request, at.now) if may and open_yet else None
    return Seen(
        request,
        _object(tx, at, request.what),
        at.say("approvals.clock") if request.asked_by == CLOCK else name_of(tx, request.asked_by),
        asker is not None and asker.disabled,
        name_of(tx, request.decided_by),
        _facts(tx, at, request),
        [each.name for each in able],
        mine,
        may and wrong is None,
        "" if wrong is None else wrong.said(at.language),
        request.expires_at <= at.now,
    )


def _object(tx: DeskTransaction, at: Context, what: str) -> str:
    kind, _, key = what.partition(":")
    told = _value(tx, at, kind, key)
    return what if told == key else told


def _may(account: Account, action: str) -> bool:
    return allows(account.grants, ACTIONS[action].permission)


def _facts(tx: DeskTransaction, at: Context, request: Approval) -> list[tuple[str, str]]:
    """What exactly will happen: (what it is, how it will be), in the reader's language."""
    facts: list[tuple[str, str]] = []
    ordered = sorted(detailed(request.arguments), key=lambda pair: _place(pair[0]))
    for name, value in ordered:
        key = f"approvals.argument.{name}"
        label = at.say(key) if key in WORDS.keys() else name  # noqa: SIM118
        facts.append((label, _value(tx, at, name, value)))
    if request.decision is Decision.OPEN:
        facts += _of_waves(tx, at, request)
    if request.action == CREATE:
        asked = _people(tx, request.arguments.get("wish", ""), at.now)
        if asked is not None:
            facts.append((at.say("approvals.people"), at.number(asked)))
    if request.action == NOMINATE:
        sides = raters(tx, request.arguments.get("subject", ""))
        told = [f"{at.say(f'campaigns.group.{side}')} {at.number(n)}" for side, n in sides.items()]
        joint = "、" if at.language == "zh" else ", "
        facts.append((at.say("approvals.raters_now"), joint.join(told) or "0"))
        already = _already(tx, request) if request.decision is Decision.OPEN else ""
        if already:
            facts.append((at.say("approvals.already"), _value(tx, at, "raters", already)))
    return facts


def _of_waves(tx: DeskTransaction, at: Context, request: Approval) -> Iterator[tuple[str, str]]:
    """The waves that are to open, to go on or to end: their last days, as they are and would be."""
    if request.action == CLOSE:
        waves = open_waves(tx, request.arguments["campaign"], at.now)
    elif request.action in (OPEN, EXTEND):
        waves = [wave for wave in [tx.wave(request.arguments["wave"])] if wave is not None]
    else:
        return
    for wave in waves:
        made = known(tx, wave.campaign)
        if "campaign" not in request.arguments:
            label = at.say("approvals.argument.campaign")
            yield label, _value(tx, at, "campaign", wave.campaign)
        if request.action == CLOSE:
            yield at.say("approvals.argument.wave"), wave.id
            people = roll(tx.people_asked(wave.id), made)
            yield at.say("approvals.argument.people"), at.number(people)
        yield at.say("approvals.opens"), at.moment(wave.opens_at)
        yield at.say("approvals.ends"), at.closing(wave.closes_at)
        if request.action == EXTEND:
            longer = timedelta(days=int(request.arguments["more"]))
            yield at.say("approvals.would_end"), at.closing(wave.closes_at + longer)
        if request.action == CLOSE:
            last = at.moment(at.now + made.grace)
            begun = at.say("approvals.begun", until=last) if made.grace else ""
            yield at.say("approvals.would_end"), at.say("approvals.at_once") + begun


def _already(tx: DeskTransaction, request: Approval) -> str:
    """The ids, as JSON, of those nominated who rate the subject already: for them nothing changes.

    '' for none.
    """
    subject = request.arguments["subject"]
    rating = [
        each for each in json.loads(request.arguments["raters"])
        if any(relation.subject == subject for relation in tx.relations_from(each))
    ]  # fmt: skip
    return json.dumps(rating) if rating else ""


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _groups(text: str) -> list[RaterGroup] | None:
    try:
        return [RaterGroup(word.strip().upper()) for word in text.split(",")]
    except ValueError:
        return None


def _people(tx: DeskTransaction, wish: str, now: datetime) -> int | None:
    try:
        made, _ = planned(tx, Wish.unpacked(wish), now)
    except (ValueError, TypeError):  # of an older version
        return None
    return None if made is None else reach(tx, made, now).people


def _value(tx: DeskTransaction, at: Context, name: str, value: str) -> str:
    joint = "、" if at.language == "zh" else ", "
    match name:
        case "groups" if (groups := _groups(value)) is not None:
            return joint.join(at.say(f"campaigns.group.{group}") for group in groups)
        case "form":
            titles = [title for version, title in tx.forms() if version.startswith(value)]
            return f"{titles[0]} ({value[:12]})" if len(titles) == 1 else value
        case "recurrence":
            return rhythm.told(value, at.language)
        case "group" if (groups := _groups(value)) is not None:
            return at.say(f"campaigns.group.{groups[0]}")
        case "raters":
            people = [(each, tx.person(each)) for each in json.loads(value)]
            return joint.join(f"{p.name} ({key})" if p and p.name else key for key, p in people)
        case "subject" if (rated := tx.subject(value)) is not None:
            return f"{pick(rated.name, at.language)} ({value})"
        case "campaign":
            found = tx.campaign(value)
            title = "" if found is None else " / ".join(found.title.values())
            return f"{title} ({value})" if title else value
    return value


DOORS = (
    Door("/approvals", board, May.APPROVALS_READ),
    Door("/approvals/{approval}", one, May.APPROVALS_READ),
    Door("/approvals/{approval}/decide", decide, May.APPROVALS_READ, "POST"),
    Door("/approvals/{approval}/withdraw", withdraw, May.APPROVALS_READ, "POST"),
)
