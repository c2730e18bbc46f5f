"""Dates as people write them, in Chinese and English.

Nothing is guessed: 03/04/2026 and "last Friday" on a Saturday have two readings each, and the
person is asked which. A day without a year is this year's where that is also the nearest one;
around the turn of the year it is asked. Weeks begin on Monday.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from surveys.typed.numbers import CHINESE, ENGLISH, tidy, whole_number
from surveys.typed.trouble import Trouble

_MONTHS = {
    "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4,
    "may": 5, "june": 6, "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9,
    "sept": 9, "sep": 9, "october": 10, "oct": 10, "november": 11, "nov": 11, "december": 12,
    "dec": 12,
}  # fmt: skip
_MONTH = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_WEEKDAYS = {
    "monday": 0, "mon": 0, "1": 0, "tuesday": 1, "tues": 1, "tue": 1, "2": 1, "wednesday": 2,
    "wed": 2, "3": 2, "thursday": 3, "thurs": 3, "thur": 3, "thu": 3, "4": 3, "friday": 4,
    "fri": 4, "5": 4, "saturday": 5, "sat": 5, "6": 5, "sunday": 6, "sun": 6, "7": 6, "日": 6,
    "天": 6,
}  # fmt: skip
_NAMED = "|".join(sorted((name for name in _WEEKDAYS if len(name) > 1), key=len, reverse=True))
_WEEKDAY = rf"(?:(?:周|星期|礼拜)(?P<chinese>[1-7日天])|(?P<english>{_NAMED})\b\.?)"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_NEAR = {
    "大前天": -3, "前天": -2, "前日": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "明天": 1,
    "明日": 1, "后天": 2, "後天": 2, "大后天": 3, "the day before yesterday": -2,
    "day before yesterday": -2, "yesterday": -1, "today": 0, "tomorrow": 1,
    "the day after tomorrow": 2, "day after tomorrow": 2,
}  # fmt: skip
_YEARS = {
    "前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2, "last year": -1, "this year": 0,
    "next year": 1,
}  # fmt: skip
_SPOKEN_MONTHS = {
    "上个月": -1, "上月": -1, "这个月": 0, "本月": 0, "下个月": 1, "下月": 1, "last month": -1,
    "this month": 0, "next month": 1,
}  # fmt: skip
_FARTHEST = 36600  # days that may be counted from today: a hundred years

Day = date | Trouble
_Parse = Callable[[re.Match[str], date], Day]


def plain(words: str) -> str:
    """Tidy words with Arabic numbers only: 十一月二十二日 -> 11月22日, half past two -> ... 2."""
    text = re.sub(r"[\s,。、.!?]+$", "", tidy(words))
    text = re.sub(rf"[{CHINESE}]+", _arabic, text)
    text = re.sub(rf"\b(?:{ENGLISH})(?:[ -](?:{ENGLISH}))*\b", _arabic, text)
    return " ".join(text.split())


def _arabic(match: re.Match[str]) -> str:
    number = whole_number(match[0])
    if number is None:
        return match[0]
    return f"{number:02}" if re.fullmatch("零[^零]", match[0]) else str(number)


def first_of(text: str, today: date, span: str) -> Day | None:
    """The first day of the year or month (``span``) that plain ``text`` names; else None."""
    if span == "year" and text in _YEARS:
        return _made(today.year + _YEARS[text], 1, 1)
    if span == "year" and (match := re.fullmatch(r"(?:in )?([12]\d{3}) ?年?", text)):
        return _made(int(match[1]), 1, 1)
    if text in _SPOKEN_MONTHS:
        return _month_from(today, _SPOKEN_MONTHS[text], 1)
    text = _with_year(text, today)
    for pattern, year, month in (
        (r"([12]\d{3})(?: ?年 ?|[-/.])(\d{1,2}) ?月?(?:份)?", 1, 2),
        (r"(\d{1,2})[-/. ]([12]\d{3})", 2, 1),
        (rf"{_MONTH},? ?([12]\d{{3}})", 2, 1),
        (r"([12]\d{3})([01]\d)", 1, 2),
    ):
        if match := re.fullmatch(pattern, text):
            number = _MONTHS.get(match[month]) or int(match[month])
            return _made(int(match[year]), number, 1)
    return None


def day_of(text: str, today: date) -> Day:
    """The single day that plain ``text`` names. A weekday written beside it has to agree."""
    for pattern in (rf"(?P<rest>.+?)[ ,]*\(?{_WEEKDAY}\)?", rf"\(?{_WEEKDAY}\)?[ ,]+(?P<rest>.+)"):
        match = re.fullmatch(pattern, text)
        if match and re.search(r"\d|天|day", match["rest"]):
            day = _bare(match["rest"], today)
            weekday = _WEEKDAYS[match["chinese"] or match["english"]]
            if isinstance(day, date) and day.weekday() != weekday:
                return Trouble("wrong_weekday", {"date": day.isoformat()})
            if day != Trouble("not_a_date"):
                return day
    return _bare(text, today)


def _bare(text: str, today: date) -> Day:
    text = re.sub(r"^(?:on |in the |it was |是|在|于) ?", "", text)
    if text in _NEAR:
        return today + timedelta(days=_NEAR[text])
    text = _with_year(text, today)
    for pattern, parse in _STYLES:
        if match := re.fullmatch(pattern, text):
            return parse(match, today)
    return Trouble("not_a_date")


def _with_year(text: str, today: date) -> str:
    """今年 and its like before a month become the year's number."""
    for name, offset in _YEARS.items():
        if re.match(rf"{name} ?的?\d", text):
            return f"{today.year + offset}年" + text.removeprefix(name).lstrip(" 的")
    return text


def _made(year: int, month: int, day: int) -> Day:
    try:
        if 1000 <= year <= 9000:  # 0026 is a slip of the finger
            return date(year, month, day)
    except ValueError:
        pass
    return Trouble("no_such_date", {"date": f"{year:04}-{month:02}-{day:02}"})


def _either(one: date, other: date) -> Trouble:
    earlier, later = sorted((one, other))
    return Trouble("either", {"one": earlier.isoformat(), "other": later.isoformat()})


def _year_first(match: re.Match[str], today: date) -> Day:
    return _made(int(match[1]), int(match[2]), int(match[3]))


def _month_and_day(first: int, second: int, year: int) -> tuple[int, int] | Trouble:
    """22 and 11 are clear, 3 and 4 are not."""
    both = 0 < min(first, second) < max(first, second) <= 12
    if both and 1000 <= year <= 9000:
        return _either(date(year, first, second), date(year, second, first))
    return (second, first) if first > 12 else (first, second)


def _year_last(match: re.Match[str], today: date) -> Day:
    year = int(match[3])
    found = _month_and_day(int(match[1]), int(match[2]), year)
    return found if isinstance(found, Trouble) else _made(year, *found)


def _slashed(match: re.Match[str], today: date) -> Day:
    """11/22, without a year."""
    found = _month_and_day(int(match[1]), int(match[2]), today.year)
    return found if isinstance(found, Trouble) else _yearless(*found, today)


def _month_day(match: re.Match[str], today: date) -> Day:
    return _yearless(int(match[1]), int(match[2]), today)


def _yearless(month: int, day: int, today: date) -> Day:
    """This year's day where it is the nearest one too; else which year is asked."""
    this = _made(today.year, month, day)
    if isinstance(this, Trouble):
        return this
    others = [_made(today.year + offset, month, day) for offset in (-1, 1)]
    days = [this, *(other for other in others if isinstance(other, date))]
    nearest = min(days, key=lambda one: abs(one - today))
    return this if nearest == this else _either(this, nearest)


def _english(match: re.Match[str], today: date) -> Day:
    name = next(part for part in match.groups() if part in _MONTHS)
    numbers = [part for part in match.groups() if part and part.isdigit()]
    year = [int(number) for number in numbers if len(number) == 4]
    day = next(int(number) for number in numbers if len(number) < 4)
    return _made(year[0], _MONTHS[name], day) if year else _yearless(_MONTHS[name], day, today)


def _month_from(today: date, offset: int, day: int) -> Day:
    index = today.year * 12 + today.month - 1 + offset
    return _made(index // 12, index % 12 + 1, day)


def _spoken_month(match: re.Match[str], today: date) -> Day:
    return _month_from(today, _SPOKEN_MONTHS[match[1]], int(match[2]))


def _counted(match: re.Match[str], today: date) -> Day:
    """3天前, 3 days ago, in 2 weeks: days and weeks; a month ago is no certain day."""
    groups = match.groupdict()
    number = 1 if groups["n"] in {"a", "an"} else int(groups["n"])
    days = number * (1 if groups["unit"][0] in "天日d" else 7)
    if days > _FARTHEST:
        return Trouble("not_a_date")
    past = "前" in (groups.get("way") or "") or groups.get("way") == "ago"
    return today + timedelta(days=-days if past else days)


def _weekday(match: re.Match[str], today: date) -> Day:
    """上周三: this week is the one that began on the last Monday."""
    wanted = _WEEKDAYS[match[2]]
    monday = today - timedelta(days=today.weekday())
    offset = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, "下下": 2}.get(match[1])
    if offset is None:
        return _nearby(wanted, today)
    return monday + timedelta(days=7 * offset + wanted)


def _english_weekday(match: re.Match[str], today: date) -> Day:
    """Last Friday is clear from Monday to Friday, next Friday from Friday to Sunday."""
    which, wanted = match[1], _WEEKDAYS[match[2]]
    this = today + timedelta(days=wanted - today.weekday())
    week = timedelta(days=7)
    if which == "last":
        return this - week if this >= today else _either(this, this - week)
    if which == "next":
        return this + week if this <= today else _either(this, this + week)
    if which == "this" and this >= today:
        return this
    return _nearby(wanted, today)


def _nearby(wanted: int, today: date) -> Day:
    """A weekday by itself: the last one or the next; on that very day, today or a week ago."""
    ahead = (wanted - today.weekday()) % 7
    return _either(today + timedelta(days=ahead - 7), today + timedelta(days=ahead))


_STYLES: tuple[tuple[str, _Parse], ...] = (
    (r"(\d{4})(?: ?年 ?| ?[-/.] ?)(\d{1,2})(?: ?月 ?| ?[-/.] ?)(\d{1,2}) ?[日号]?", _year_first),
    (r"(\d{4})(\d{2})(\d{2})", _year_first),
    (r"(\d{1,2}) ?[-/.] ?(\d{1,2}) ?[-/.] ?(\d{4})", _year_last),
    (r"(\d{1,2})[-/.](\d{1,2})", _slashed),
    (r"(\d{1,2}) ?月 ?(\d{1,2}) ?[日号]?", _month_day),
    (rf"(?:the )?{_DAY}(?: of)?[ -]?{_MONTH}(?:[ ,-]+(\d{{4}}))?", _english),
    (rf"{_MONTH} ?(?:the )?{_DAY}(?:[ ,]+(\d{{4}}))?", _english),
    (rf"(\d{{4}})[ ,-]+{_MONTH}[ -]{_DAY}", _english),
    (rf"({'|'.join(_SPOKEN_MONTHS)})的?(\d{{1,2}})[日号]", _spoken_month),
    (r"(?P<n>\d{1,5}) ?(?P<unit>天|日|个?星期|个?礼拜|周)(?P<way>[以之]?[前后])", _counted),
    (r"(?P<n>\d{1,5}|an?) (?P<unit>days?|weeks?) (?P<way>ago|from now)", _counted),
    (r"in (?P<n>\d{1,5}|an?) (?P<unit>days?|weeks?)", _counted),
    (r"(上上|上|这|本|下下|下)?个?(?:周|星期|礼拜)([1-6日天])", _weekday),
    (rf"(?:(last|this|next) )?({_NAMED})", _english_weekday),
)
