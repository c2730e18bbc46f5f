"""Numbers as people write them: Arabic, full-width, circled, Chinese and English.

Nothing is guessed. Whatever may mean two numbers has two readings, and the person is asked.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from itertools import pairwise

_SAME = str.maketrans(  # formal and traditional numerals, old tens, the signs that people type
    "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億兩〇○負點−–—﹣个個",
    "一二二三三四五六六七八九十百千万亿两零零负点----个个",
)
_OLD_TENS = {"廿": "二十", "卅": "三十", "卌": "四十"}
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_D = "[一二两三四五六七八九]"
_SECTION = re.compile(  # below 10,000; 零 before ones where tens are left out
    rf"({_D}千)?(零?{_D}百)?(零?(?:{_D})?十)?(((?<![千百])|零){_D})?"
)
_SHORT = re.compile(r"(.*[\d一二两三四五六七八九十])([百千万亿])([1-9一二三四五六七八九])")
ARABIC = r"(?:\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,9})?|\.\d{1,9}"
"""An unsigned number in Arabic digits, as a regular expression."""
_ONES = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: value * 10
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SCALES = {"thousand": 10**3, "million": 10**6}
ENGLISH = "|".join((*sorted((*_ONES, *_TENS), key=len, reverse=True), "hundred", *_SCALES))
"""The English number words, as one side of a regular expression."""
CHINESE = "零一二三四五六七八九两十百千万亿"
"""The characters of a Chinese whole number after :func:`tidy`."""


def tidy(words: str) -> str:
    """Words with every digit and sign in one form: ３ ③ ❸ 3️⃣ Ⅲ are 3, 壹 is 一, − is -.

    Raised digits and fractions (5², 5½) become a stroke, so that they are not read as 52 or 51/2.
    """
    kept = []
    for char in words:
        kind = unicodedata.decomposition(char).partition(" ")[0]
        value = unicodedata.numeric(char, None)
        if kind in {"<super>", "<sub>", "<fraction>"}:
            kept.append("⁄" if value is not None else char)
        elif value is not None and unicodedata.category(char) in {"No", "Nl"} and char != "〇":
            kept.append(str(int(value)) if value == int(value) else "⁄")
        elif char == "🔟":
            kept.append("10")
        elif char not in "\ufe0e\ufe0f\u20e3":  # what makes a digit a key cap
            kept.append(char)
    text = unicodedata.normalize("NFKC", "".join(kept)).casefold().translate(_SAME)
    for old, new in _OLD_TENS.items():
        text = text.replace(old, new)
    return " ".join(text.split())


def whole_number(words: str) -> int | None:
    """The whole number that ``words`` are and nothing else; None where they may be two or none."""
    found = readings(words)
    return int(found[0]) if len(found) == 1 and found[0] == int(found[0]) else None


def readings(words: str) -> tuple[Decimal, ...]:
    """What ``words``, a number and nothing else, may mean: no number, one, or two.

    三百五 is 305 to some and 350 to others; 三四 is "three or four", not 34.
    """
    text = tidy(words)
    for mark, sign in (("负", -1), ("minus ", -1), ("零下", -1), ("-", -1), ("+", 1)):
        if text.startswith(mark):
            text, factor = text.removeprefix(mark).strip(), sign
            break
    else:
        factor = 1
    return tuple(factor * found for found in _unsigned(text))


def _unsigned(text: str) -> tuple[Decimal, ...]:
    if re.fullmatch(ARABIC + r"|\d{1,15}\.", text):
        return (Decimal(text.replace(",", "")),)
    if text in {"半", "半个", "half", "a half"}:
        return (Decimal("0.5"),)
    for mark in ("个半", " and a half"):
        if text.endswith(mark):
            whole = _whole(text.removesuffix(mark))
            return (whole[0] + Decimal("0.5"),) if len(whole) == 1 else ()
    pointed = re.fullmatch(rf"([{CHINESE}]+)点([零一二三四五六七八九]{{1,9}})", text)
    if pointed:
        whole = _whole(pointed[1])
        tail = "".join(str(_DIGITS[char]) for char in pointed[2])
        return (Decimal(f"{whole[0]}.{tail}"),) if len(whole) == 1 else ()
    spoken = re.fullmatch(r"([a-z -]+) point ((?:[a-z]+ ?){1,9})", text)
    if spoken:
        ones, digits = _english(spoken[1]), [_ONES.get(word, 10) for word in spoken[2].split()]
        said = ones is not None and max(digits) < 10
        return (Decimal(f"{ones}." + "".join(map(str, digits))),) if said else ()
    return _whole(text)


def _whole(text: str) -> tuple[Decimal, ...]:
    """The readings of an unsigned whole number, ``3.5万`` included."""
    short = _SHORT.fullmatch(text)
    if short:
        head, unit = _counted(short[1] + short[2]), _UNITS[short[2]]
        digit = _DIGITS[short[3]] if short[3] in _DIGITS else int(short[3])
        return () if head is None else (head + digit, head + digit * (unit // 10))
    if text and all(char in _DIGITS for char in text):
        return _row(text)
    counted = _counted(text)
    if counted is None:
        english = _english(text)
        return () if english is None else (Decimal(english),)
    return (counted,)


def _row(text: str) -> tuple[Decimal, ...]:
    """Digit after digit: 二〇二六. Two neighbours are "one or the other": 三四, 两三."""
    digits = [_DIGITS[char] for char in text]
    if len(digits) == 2 and 0 not in digits:
        low, high = sorted(digits)
        if digits[1] - digits[0] == 1 or text in {"三两", "三五"}:
            return (Decimal(low), Decimal(high))
    steps = {after - before for before, after in pairwise(digits)}
    if (len(digits) > 1 and ("两" in text or steps == {1})) or len(digits) > 15:
        return ()  # 一二三 is three numbers
    return (Decimal("".join(map(str, digits))),)


def _counted(text: str) -> Decimal | None:
    """Digits with units: 两万三千, 3.5万, 一亿零五十."""
    for unit in "亿万":
        if unit in text:
            head, _, tail = text.partition(unit)
            high, low = _counted(head), Decimal(0)
            if tail:
                found = _counted(tail.removeprefix("零"))
                if found is None or found >= _UNITS[unit] or found == 0 or "." in head:
                    return None
                low = found
            return None if not high else high * _UNITS[unit] + low
    mixed = re.fullmatch(rf"({ARABIC})([百千]?)", text)
    if mixed:
        return Decimal(mixed[1].replace(",", "")) * _UNITS.get(mixed[2], 1)
    return _section(text)


def _section(text: str) -> Decimal | None:
    if not text or not _SECTION.fullmatch(text):
        return None
    total, digit = 0, 0
    for char in text:
        if char in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[char], 0
        else:
            digit = _DIGITS[char]
    return Decimal(total + digit)


def _english(text: str) -> int | None:
    """``one hundred and twenty-five``; None for any other words."""
    text = re.sub(r"\b(hundred|thousand|million) and\b", r"\1", text)
    text = re.sub(r"^an? (?=hundred|thousand|million)", "one ", text)
    if text == "zero":
        return 0
    total, part, room, scale = 0, 0, 100, 10**9
    for word in re.split(r"[ -]+", text):
        small = _ONES.get(word) or _TENS.get(word)
        if small and small < room:
            part, room = part + small, 10 if word in _TENS else 0
        elif word == "hundred" and 0 < part < 10:
            part, room = part * 100, 100
        elif word in _SCALES and part and _SCALES[word] < scale:
            scale = _SCALES[word]
            total, part, room = total + part * scale, 0, 100
        else:
            return None
    return total + part


def shown(number: Decimal) -> str:
    """A number as ODK keeps it: no exponent, no zeros after the last digit, no minus zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
