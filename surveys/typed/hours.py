"""Times of day as people write them, in Chinese and English."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from surveys.typed.dates import plain
from surveys.typed.trouble import Trouble

_PERIODS = {
    "dawn": "凌晨",
    "am": "早上|早晨|清晨|上午|早",
    "ante": "am|in the morning",
    "noon": "中午|正午",
    "pm": "下午|午后|傍晚|pm|in the afternoon",
    "evening": "晚上|晚间|夜晚|晚|in the evening",
    "night": "夜里|半夜|深夜|夜间|at night",
}
_PERIOD = {word: name for name, words in _PERIODS.items() for word in words.split("|")}
_BEFORE = "|".join(sorted((w for w in _PERIOD if not w.isascii()), key=len, reverse=True))
_AFTER = "|".join(word for word in _PERIOD if word.isascii())
_CLOCK = re.compile(
    rf"(?P<before>{_BEFORE})? ?(?:at |around |about )?(?P<h>\d{{1,2}})"
    r"(?: ?(?:[:.](?P<m>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?|h(?P<hm>\d{2})?"
    r"|(?P<dian>点钟?|时)(?P<sharp>整)?(?:过?(?P<half>半)|(?P<quarter>[13])刻|(?P<mm>\d{2})"
    r"|过?(?P<fen>\d{1,2})分(?:钟|(?P<ss>\d{1,2})秒)?)?| ?(?P<oclock>o'?clock)))?"
    rf" ?(?P<after>{_AFTER})?"
)
_PAST = re.compile(
    r"(?:at )?(?P<n>\d{1,2}|half|a? ?quarter)(?: minutes?)? (?P<way>past|after|to|before) "
    rf"(?P<h>\d{{1,2}})(?: (?P<after>{_AFTER}))?"
)
_SHY = re.compile(  # 差五分三点, 三点差五分
    rf"(?P<before>{_BEFORE})?(?:差(?P<n>\d{{1,2}}|1刻)分?钟? ?(?P<h>\d{{1,2}})点钟?"
    r"|(?P<h2>\d{1,2})点钟?差(?P<n2>\d{1,2}|1刻)分?钟?)"
)
MIDNIGHT = {"midnight", "午夜", "半夜", "at midnight"}
_NOON = {"noon", "midday", "正午", "中午", "at noon", "12 noon", "noon 12"}

Clock = time | Trouble


def clocked(words: str) -> str:
    text = plain(words)
    text = re.sub(r"\b([ap])\. ?m\b\.?", r"\1m", text)
    return re.sub(r"(\d)([ap]m)\b", r"\1 \2", text)


def time_of(text: str) -> Clock:
    if len(text) > 40:
        return Trouble("not_a_time")
    if text in _NOON:
        return time(12)
    if text in MIDNIGHT:
        return time(0)
    if match := re.fullmatch(r"([01]\d|2[0-3])([0-5]\d)", text):
        return time(int(match[1]), int(match[2]))
    if match := _PAST.fullmatch(text) or _SHY.fullmatch(text):
        return _relative(match.groupdict())
    if match := _CLOCK.fullmatch(text):
        return _clock(match.groupdict())
    return Trouble("not_a_time")


def _relative(groups: dict[str, str | None]) -> Clock:
    """A quarter to three, 差五分三点."""
    said = groups.get("n") or groups.get("n2") or ""
    named = {"half": 30, "quarter": 15, "a quarter": 15, "1刻": 15}
    minutes = named.get(said.strip()) or int(said)
    hour = int(groups.get("h") or groups.get("h2") or 0)
    found = _hour(hour, 0, _named(groups), spoken=True)
    if groups.get("way") in {None, "to", "before"}:
        minutes = -minutes
    if not 0 < abs(minutes) < 60:
        return Trouble("not_a_time")
    if isinstance(found, Trouble):
        if found.key != "either":
            return found
        return _two(_shift(time(hour % 12), minutes), _shift(time(hour % 12 + 12), minutes))
    return _shift(found, minutes)


def _shift(start: time, minutes: int) -> time:
    return (datetime.combine(date(2000, 1, 2), start) + timedelta(minutes=minutes)).time()


def _named(groups: dict[str, str | None]) -> str:
    names = {_PERIOD[w] for w in (groups.get("before"), groups.get("after")) if w}
    return names.pop() if len(names) == 1 else "" if not names else "both"


def _clock(groups: dict[str, str | None]) -> Clock:
    hour, period = int(groups["h"] or 0), _named(groups)
    spoken = bool(groups["dian"] or groups["oclock"])
    written = groups["m"] or groups["hm"]
    if not spoken and not written and not period:
        return Trouble("not_a_time")  # a number by itself
    minute = int(written or groups["mm"] or groups["fen"] or 0)
    if groups["half"]:
        minute = 30
    elif groups["quarter"]:
        minute = 15 * int(groups["quarter"])
    second = int(groups["s"] or groups["ss"] or 0)
    if minute > 59 or second > 59 or hour > 23:
        return Trouble("not_a_time")
    padded = bool(written) and (groups["h"] or "").startswith("0")
    if not period and not spoken and (padded or hour > 6):
        return time(hour, minute, second)
    found = _hour(hour, minute, period, spoken or not padded)
    return found if isinstance(found, Trouble) else found.replace(second=second)


_HOURS = {  # what an hour means in each part of the day, as shifts by hour
    "dawn": {12: 0} | {hour: hour for hour in range(7)},
    "am": {hour: hour for hour in range(12)},
    "ante": {12: 0} | {hour: hour for hour in range(12)},
    "noon": {11: 11, 12: 12, 1: 13, 2: 14, 13: 13, 14: 14},
    "pm": {12: 12} | {hour: hour + 12 for hour in range(1, 12)} | {h: h for h in range(13, 24)},
    "evening": {hour: hour + 12 for hour in range(5, 12)} | {h: h for h in range(17, 24)} | {12: 0},
    "night": {hour: hour + 12 for hour in range(7, 12)}
    | {hour: hour for hour in (*range(6), *range(19, 24))}
    | {12: 0},
}


def _hour(hour: int, minute: int, period: str, spoken: bool) -> Clock:
    if hour > 23:
        return Trouble("not_a_time")
    if not period:
        if spoken and 0 < hour < 12:
            return _two(time(hour, minute), time(hour + 12, minute))
        return time(hour, minute)
    meant = _HOURS.get(period, {}).get(hour)
    return Trouble("not_a_time") if meant is None else time(meant, minute)


def _two(one: time, other: time) -> Trouble:
    earlier, later = sorted((one, other))
    return Trouble("either", {"one": f"{earlier:%H:%M}", "other": f"{later:%H:%M}"})
