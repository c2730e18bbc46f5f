"""A campaign being made, page by page: what was typed so far, kept so that nothing is lost."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from desk.campaigns.manners import QUIET
from desk.campaigns.rhythm import Every, On, Rhythm, rule_of, shift_of
from desk.campaigns.wishing import Wish
from desk.campaigns.wrongs import Wrong
from desk.store import DeskTransaction, Upload
from surveys.campaigns import Shift
from surveys.cells import RaterGroup
from surveys.sizing import Measure

KEY = re.compile(r"[0-9a-f]{20}")
LONGEST = 2000  # characters kept of one field
FIELDS: Mapping[int, tuple[str, ...]] = {
    1: ("form", "title_zh", "title_en", "messages_invite_zh", "messages_invite_en",
        "messages_remind_zh", "messages_remind_en"),
    2: (*RaterGroup, "k", "units", "tags", "rest_days", "sample", "strata", "quotas", "per_rater",
        "per_subject", "at_most", "measure", "points", "confidence", "response"),
    3: ("starts", "every", "on", "month_of_quarter", "month_of_year", "weekday", "day",
        "recurrence", "hour", "zone", "days", "reminders", "shift", "quiet_from", "quiet_until",
        "grace", "paid"),
    4: ("id",),
}  # fmt: skip
"""What each page asks for."""
WRONG: Mapping[str, int] = {"groups": 2} | {
    name: page for page, names in FIELDS.items() for name in names
}
"""The page on which a wrong field is mended."""
Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What stands in the fields before anybody types."""

    zone: ZoneInfo
    k: int


def blank(key: str, defaults: Defaults, now: datetime) -> dict[str, str]:
    """The fields before anything was typed."""
    today = now.astimezone(defaults.zone).date()
    given = {
        "k": str(defaults.k),
        "starts": today.isoformat(),
        "every": Every.QUARTER.value,
        "on": On.DAY.value,
        "month_of_quarter": "3",
        "month_of_year": "12",
        "weekday": "0",
        "day": "10",
        "hour": "9",
        "zone": defaults.zone.key,
        "days": "14",
        "reminders": "3,7",
        "measure": Measure.SCORE.value,
        "points": "5",
        "confidence": "95",
        "response": "40",  # as a rehearsal assumes
        "shift": "none",
        "quiet_from": QUIET[0],
        "quiet_until": QUIET[1],
        "grace": "1",
        "id": f"c-{today.year}-{key[:4]}",
    }
    return {name: given.get(name, "") for names in FIELDS.values() for name in names}


def typed(
    tx: DeskTransaction, account: str, key: str, defaults: Defaults, now: datetime
) -> dict[str, str]:
    """What ``account`` typed so far under ``key``; the blank fields where there is nothing."""
    kept = tx.upload(_name(key))
    fields = blank(key, defaults, now)
    if kept is not None and kept.account == account:
        fields |= json.loads(kept.content)
    return fields


def keep(tx: DeskTransaction, account: str, key: str, fields: Typed, now: datetime) -> None:
    """Keep everything typed, right or wrong. LookupError where the draft is somebody else's."""
    there = tx.upload(_name(key))
    if there is not None and there.account != account:
        raise LookupError(key)
    cut = {name: fields[name][:LONGEST] for names in FIELDS.values() for name in names}
    content = json.dumps(cut, ensure_ascii=False).encode("utf-8", "replace")
    tx.put_upload(Upload(_name(key), account, "campaign", content, now))


def _name(key: str) -> str:
    if not KEY.fullmatch(key):
        raise LookupError(key)
    return f"campaign-{key}"


def wish_of(fields: Typed) -> tuple[Wish, list[Wrong]]:
    """The campaign that the fields mean; what is wrong with how its days were chosen."""
    rhythm, wrongs = _rhythm(fields)
    groups = ",".join(group for group in RaterGroup if fields[group])
    said = {"id": fields["id"].strip(), "groups": groups, "recurrence": rule_of(rhythm),
            "zone": fields["zone"].strip(), "shift": shift_of(rhythm).value}  # fmt: skip
    if fields["shift"] not in ("", *Shift):
        wrongs.append(Wrong("shift", "shift", {"text": fields["shift"][:40]}))
    wanted = {each.name for each in dataclasses.fields(Wish)}
    same = {name: text for name, text in fields.items() if name in wanted}
    return Wish(**same | said), wrongs


def _rhythm(fields: Typed) -> tuple[Rhythm, list[Wrong]]:
    every = Every(fields["every"]) if fields["every"] in tuple(Every) else Every.QUARTER
    shift = Shift(fields["shift"]) if fields["shift"] in tuple(Shift) else Shift.NONE
    if every is Every.OWN:
        rule = fields["recurrence"].strip()
        return Rhythm(every, rule=rule or "-", shift=shift), []
    if every is Every.ONCE:
        return Rhythm(every, shift=shift), []
    if every is Every.WEEK:
        weekday = fields["weekday"] if fields["weekday"] in tuple("0123456") else "0"
        return Rhythm(every, day=int(weekday), shift=shift), []
    on = On(fields["on"]) if fields["on"] in tuple(On) else On.DAY
    most = 3 if every is Every.QUARTER else 12
    month = fields["month_of_quarter" if every is Every.QUARTER else "month_of_year"]
    day, wrongs = fields["day"].strip(), []
    if on is On.DAY and not (re.fullmatch("[0-9]{1,2}", day) and 1 <= int(day) <= 28):
        wrongs.append(Wrong("day", "month_day", {"text": day[:20]}))
        day = "10"
    chosen = int(month) if month in map(str, range(1, most + 1)) else most
    number = int(day) if on is On.DAY else 10
    return Rhythm(every, on, chosen, number, shift=shift), wrongs
