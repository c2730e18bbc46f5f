"""Who did what, when and from where; whether the record of it holds; taking it out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from desk.audit import Entry
from desk.auditing import KINDS, check, exported, told
from desk.campaigns import rhythm
from desk.leaving import audit_taken
from desk.roles import May
from desk.store import DeskTransaction, Sought
from web.console.context import WORDS, Context
from web.console.doors import Door

SHOWN = 20  # entries on a page
BRIEF = 3  # changed fields of an entry on that page; its own page has all of them
SHORT = 60  # characters of a value there
LONGEST = 200  # characters of a filter
FILTERS = ("who", "action", "what", "since", "until", "text")
SPOKEN = {"roles": "role.", "group": "campaigns.group.", "groups": "campaigns.group.",
          "action": "approvals.action.", "decision": "approvals.fate.", "shift": "campaigns.shift.",
          "strata": "campaigns.strata."}  # fmt: skip
"""Fields whose values have words elsewhere, by the beginning of their keys."""
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9.]+)?[+-][0-9]{2}:[0-9]{2}")
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
ACTIONS = tuple(
    sorted(key.removeprefix("action.") for key in WORDS.keys() if key.startswith("action."))  # noqa: SIM118
)


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry, before and after; None where there was nothing, or is no more."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as a page shows it."""

    entry: Entry
    at: datetime | None  # None where it is no moment any more
    changes: Sequence[Change]


async def entries(at: Context) -> Response:
    """The newest entries that fit the filter."""
    asked, wrong = _asked(at)
    older = _number(at.request.query_params.get("older", ""))

    def work(tx: DeskTransaction) -> Sequence[Entry]:
        return tx.audit(_sought(tx, at, asked), older, SHOWN + 1)

    found = [] if wrong else await at.read(work)
    lines = [_line(each, at) for each in found[:SHOWN]]
    kept = {name: value for name, value in asked.items() if value}
    onward = ""
    if len(found) > SHOWN:
        onward = "/desk/audit?" + urlencode({**kept, "older": found[SHOWN - 1].seq})
    return at.page(
        "audit/list.html", status=422 if wrong else 200, lines=lines, asked=asked, wrong=wrong,
        onward=onward, older=older, kept=urlencode(kept), actions=_actions(at, asked["action"]),
        brief=BRIEF, short=SHORT,
    )  # fmt: skip


async def entry(at: Context) -> Response:
    """One entry, with what holds it in the chain."""
    seq = _number(at.request.path_params["seq"])
    found = await at.read(lambda tx: tx.audit(Sought(), seq + 1, 1)) if seq else ()
    if not found or found[0].seq != seq:
        raise HTTPException(404)
    return at.page("audit/entry.html", line=_line(found[0], at))


async def verified(at: Context) -> Response:
    """Every entry looked at, now."""
    noted = at.console.kept_head() if at.console.kept_head is not None else None
    verdict = await check(at.console.store, at.console.audit_key, noted=noted)
    said = [told(flaw, at.language) for flaw in verdict.flaws]
    sound = noted is not None and not noted.flaw
    return at.page("audit/verdict.html", verdict=verdict, flaws=said,
                   kept=noted.mark if sound and noted else None)  # fmt: skip


async def export(at: Context) -> Response:
    """What the filter shows, or all of it, as a file; the entry that says so is in it already."""
    kind = at.request.path_params["kind"]
    asked, wrong = _asked(at)
    if kind not in KINDS or wrong:
        raise HTTPException(404)
    sought = await at.read(lambda tx: _sought(tx, at, asked))
    await at.write(lambda tx: audit_taken(tx, at.act(), sought, kind))
    whole = "" if sought == Sought() else "-part"
    name = f"minyi-audit{whole}-{at.now.astimezone(at.console.zone):%Y%m%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    pieces = exported(at.console.store, sought, kind, at.console.zone)
    return StreamingResponse(pieces, media_type=TYPES[kind], headers=headers)


# what was asked for


def _asked(at: Context) -> tuple[dict[str, str], set[str]]:
    """The filter as typed, and which of its fields are no days."""
    query = at.request.query_params
    asked = {name: query.get(name, "").strip()[:LONGEST] for name in FILTERS}
    wrong = {name for name in ("since", "until") if asked[name] and _day(asked[name]) is None}
    return asked, wrong


def _sought(tx: DeskTransaction, at: Context, asked: Mapping[str, str]) -> Sought:
    """Days are those of the desk's zone; a name or a login is as good as an id."""
    since, until = _day(asked["since"]), _day(asked["until"])
    sought = Sought(asked["who"], asked["action"], asked["what"], text=asked["text"])
    if since is not None:
        sought = replace(sought, since=_begins(since, at))
    if until is not None and until < date.max:
        sought = replace(sought, before=_begins(until + timedelta(days=1), at))
    typed = asked["who"].casefold()
    for account in tx.accounts() if typed else ():
        if typed in {account.login.casefold(), account.name.casefold()}:
            return replace(sought, who=account.id)
    return sought


def _begins(day: date, at: Context) -> str:
    """The beginning of ``day`` as the audit writes moments, which are in order as texts."""
    try:
        moment = datetime.combine(day, time(), at.console.zone).astimezone(UTC)
    except OverflowError:  # the first day that there is
        return day.isoformat()
    return moment.isoformat(timespec="seconds")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    """An entry's number as typed; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _actions(at: Context, chosen: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be chosen, by kind of thing; what was asked for is always among it."""
    known = sorted({*ACTIONS, *([chosen] if chosen else [])})
    groups: dict[str, list[tuple[str, str]]] = {}
    for action in known:
        key = f"action.{action}"
        label = at.say(key) if key in WORDS.keys() else action  # noqa: SIM118
        groups.setdefault(action.partition(".")[0], []).append((action, label))
    return list(groups.items())


# what is shown


def _line(entry: Entry, at: Context) -> Line:
    before, after = _facts(entry.before), _facts(entry.after)
    names = [*before, *(name for name in after if name not in before)]
    changes = [Change(name, _said(before, name, at), _said(after, name, at)) for name in names]
    try:
        moment: datetime | None = datetime.fromisoformat(entry.at).astimezone(UTC)
    except (ValueError, OverflowError):  # somebody changed it; verifying names it
        moment = None
    return Line(entry, moment, changes)


def _facts(text: str) -> Mapping[str, Any]:
    """What stands in before or after; an entry that somebody changed may hold anything."""
    try:
        facts = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {"?": text}
    return facts if isinstance(facts, dict) else {"?": facts}


def _said(facts: Mapping[str, Any], name: str, at: Context) -> str | None:
    if name not in facts:
        return None
    return _told(facts[name], name, at)


def _told(value: Any, name: str, at: Context) -> str:
    """One value of field ``name`` in words, where there are words for it."""
    language = at.language
    if isinstance(value, bool):
        return WORDS.say("audit.yes" if value else "audit.no", language)
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, dict):
        value = [f"{key}={_told(each, '', at)}" for key, each in value.items()]
    if isinstance(value, list):
        return ("、" if language == "zh" else ", ").join(_told(e, name, at) for e in value)
    if MOMENT.fullmatch(str(value)):
        return _moment(str(value), at)
    if name == "recurrence" and isinstance(value, str):
        return rhythm.told(value, language)
    known, dot, about = str(value).partition(":")
    key = f"{SPOKEN.get(name, 'audit.value.' + name + '.')}{known}"
    return f"{WORDS.say(key, language)}{dot}{about}" if key in WORDS.keys() else str(value)  # noqa: SIM118


def _moment(text: str, at: Context) -> str:
    try:
        return at.moment(datetime.fromisoformat(text))
    except (ValueError, OverflowError):  # somebody changed it
        return text


DOORS = (
    Door("/audit", entries, May.AUDIT_READ),
    Door("/audit/verify", verified, May.AUDIT_READ),
    Door("/audit/export/{kind}", export, May.AUDIT_READ),
    Door("/audit/{seq}", entry, May.AUDIT_READ),
)
