"""A campaign as typed, and everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from desk.campaigns.audiences import audience_of
from desk.campaigns.days import calendar
from desk.campaigns.manners import QUIET, manners_of
from desk.campaigns.rules import trouble_with
from desk.campaigns.wrongs import Wrong
from desk.store import DeskTransaction
from surveys.campaigns import QUARTERLY, Campaign
from surveys.cells import RaterGroup
from surveys.forms.xform import read_xform
from surveys.recurrence import first_opening

ID = re.compile(r"[^\W_][\w.-]{0,39}")
RESERVED = ("new", "coming")  # addresses of the console
REMINDERS = 5
TITLE = 200  # characters


@dataclass(frozen=True, slots=True)
class Wish:
    """A campaign as typed: everything is still text. An empty field asks for nothing special."""

    id: str
    form: str  # the first letters of a version
    title_zh: str
    title_en: str
    groups: str  # SUP,PEER
    starts: str  # 2026-12-01
    recurrence: str
    zone: str
    hour: str
    days: str
    reminders: str  # 3,7
    k: str
    # whom, see desk/campaigns/audiences.py
    units: str = ""  # ids, with commas
    tags: str = ""  # with commas
    rest_days: str = ""
    sample: str = ""
    strata: str = ""  # unit | tag | kind
    quotas: str = ""  # a line each: unit; tag; people
    per_rater: str = ""
    per_subject: str = ""
    at_most: str = ""
    # how, see desk/campaigns/manners.py
    shift: str = "none"  # none | before | after
    quiet_from: str = QUIET[0]  # o'clock
    quiet_until: str = QUIET[1]
    grace: str = "1"  # hours
    messages_invite_zh: str = ""
    messages_invite_en: str = ""
    messages_remind_zh: str = ""
    messages_remind_en: str = ""
    paid: str = ""  # yes

    def packed(self) -> str:
        """As one text, to be done later; only what differs from the usual."""
        usual = {each.name: each.default for each in fields(self)}
        told = {name: text for name, text in asdict(self).items() if text != usual[name]}
        return json.dumps(told, ensure_ascii=False, sort_keys=True)

    @classmethod
    def unpacked(cls, text: str) -> Wish:
        """The reverse of :meth:`packed`."""
        return cls(**json.loads(text))


def planned(tx: DeskTransaction, wish: Wish, now: datetime) -> tuple[Campaign | None, list[Wrong]]:
    """The campaign that ``wish`` means, as far as it means one, and what is wrong with it.

    Whether its id is free is not looked at.
    """
    wrongs: list[Wrong] = []
    if not ID.fullmatch(wish.id) or wish.id in RESERVED:
        wrongs.append(Wrong("id", "id", {"id": wish.id[:80]}))
    version, wrong = askable(tx, wish.form)
    wrongs += [wrong] if wrong else []
    made = _put_together(tx, wish, version, wrongs)
    if made is not None:
        first = first_opening(made, calendar(tx))
        today = now.astimezone(ZoneInfo(made.zone)).date()
        if first is not None and first.date() < today:
            wrongs.append(Wrong("starts", "past", {"day": first.date().isoformat()}))
    return made, wrongs


def _put_together(
    tx: DeskTransaction, wish: Wish, version: str, wrongs: list[Wrong]
) -> Campaign | None:
    titles = {"zh": wish.title_zh.strip(), "en": wish.title_en.strip()}
    title = {language: words for language, words in titles.items() if words}
    wrongs += _title(title)
    groups = _groups(wish.groups, wrongs)
    starts = _day(wish.starts, wrongs)
    hour = _number("hour", wish.hour, 0, 23, wrongs)
    days = _number("days", wish.days, 1, 90, wrongs)
    reminders = _reminders(wish.reminders, days or 90, wrongs)
    k = _number("k", wish.k, 3, 50, wrongs)
    audience = audience_of(tx, wish, k or 0, wrongs)
    manners = manners_of(wish, wrongs)
    known = wish.zone in available_timezones()
    if not known:
        wrongs.append(Wrong("zone", "zone", {"text": wish.zone[:80]}))
    rule = wish.recurrence.strip().removeprefix("RRULE:") or QUARTERLY
    trouble = trouble_with(rule, starts or date(2026, 1, 1))
    if trouble is not None:
        code, detail = trouble
        said = {"rule": rule[:200], "detail": detail, "day": wish.starts}
        wrongs.append(Wrong("recurrence", code, said))
    if starts is None or hour is None or days is None or k is None or not known or trouble:
        return None
    window = timedelta(days=days)
    return Campaign(wish.id, title, version, groups, starts, rule, wish.zone, hour, window,
                    reminders, k, audience=audience, shift=manners.shift, quiet=manners.quiet,
                    grace=manners.grace, messages=manners.messages, paid=manners.paid)  # fmt: skip


def askable(tx: DeskTransaction, form: str) -> tuple[str, Wrong | None]:
    """The one version that begins with ``form``, or why it cannot be asked.

    A questionnaire of which nothing is counted would waste everybody's time.
    """
    if not form:
        return "", Wrong("form", "no_form")
    forms = [version for version, _ in tx.forms() if version.startswith(form)]
    if len(forms) != 1:
        return "", Wrong("form", "form_many" if forms else "form", {"form": form[:80]})
    found = read_xform(tx.form(forms[0]) or b"", forms[0])
    if any(each.indicator or each.reason or each.remark for each in found.questions):
        return forms[0], None
    return "", Wrong("form", "form_keeps_nothing")


def _title(title: Mapping[str, str]) -> list[Wrong]:
    if not title:
        return [Wrong("title_zh", "no_title")]
    return [
        Wrong(f"title_{language}", "title")
        for language, words in title.items()
        if len(words) > TITLE or not words.isprintable()
    ]


def _groups(text: str, wrongs: list[Wrong]) -> tuple[RaterGroup, ...]:
    found: list[RaterGroup] = []
    words = [word.strip() for word in text.replace("，", ",").split(",") if word.strip()]
    for word in words:
        try:
            found.append(RaterGroup(word.upper()))
        except ValueError:
            wrongs.append(Wrong("groups", "group", {"group": word[:40]}))
    if not words:
        wrongs.append(Wrong("groups", "no_group"))
    return tuple(dict.fromkeys(found))


def _day(text: str, wrongs: list[Wrong]) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2200:
        wrongs.append(Wrong("starts", "day", {"text": text[:40]}))
        return None
    return day


def _number(name: str, text: str, least: int, most: int, wrongs: list[Wrong]) -> int | None:
    typed = text.strip()
    if re.fullmatch(r"[0-9]{1,4}", typed) and least <= int(typed) <= most:
        return int(typed)
    wrongs.append(Wrong(name, name, {"text": text[:40]}))
    return None


def _reminders(text: str, days: int, wrongs: list[Wrong]) -> tuple[timedelta, ...]:
    words = [word.strip() for word in re.split("[,，、]", text) if word.strip()]
    whole = all(re.fullmatch("[0-9]{1,3}", word) and 0 < int(word) < days for word in words)
    found = sorted({int(word) for word in words}) if whole else []
    if not whole or len(found) > REMINDERS:
        wrongs.append(Wrong("reminders", "reminders", {"text": text[:60]}))
        return ()
    return tuple(timedelta(days=day) for day in found)
