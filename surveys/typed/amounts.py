"""The one number that stands among other words: "about 5", 我有三个孩子."""

from __future__ import annotations

import re
from decimal import Decimal

from surveys.typed.numbers import ARABIC, CHINESE, ENGLISH, readings, tidy

_FILLERS = re.compile(
    r"差不多|大概|大约|大致|一共|总共|左右|今年|已经|我们家|我家|家里|我们|我|约|共|有|是|了|的|吧|啊|哦|呢|第|位|名"
    r"|个|口|次|人|岁|周岁|年龄|只|件|条|本|回|遍|张|户|虚岁"
)
_FILLER_WORDS = frozenset(
    [
        "about",
        "around",
        "approximately",
        "roughly",
        "maybe",
        "probably",
        "i",
        "i'm",
        "im",
        "am",
        "have",
        "has",
        "had",
        "we",
        "there",
        "are",
        "is",
        "was",
        "were",
        "it's",
        "it",
        "only",
        "just",
        "exactly",
        "in",
        "total",
        "the",
        "a",
        "an",
        "times",
        "time",
        "people",
        "persons",
        "person",
        "old",
        "of",
        "us",
        "please",
    ]
)
_SCALED = re.compile(  # a number of these is another number in another unit
    r"个?月|年|季度|周|星期|礼拜|天|日|小时|钟头|分钟|分|秒|万?元|块钱?|角|毛|公里|千米|里|厘米|毫米|米"
    r"|公斤|千克|毫克|斤|两|克|吨|度|平方米|平米|亩|%|°c|°"
)
_SCALED_WORDS = frozenset(
    [
        "year",
        "years",
        "yr",
        "yrs",
        "month",
        "months",
        "week",
        "weeks",
        "day",
        "days",
        "hour",
        "hours",
        "hr",
        "hrs",
        "h",
        "minute",
        "minutes",
        "min",
        "mins",
        "second",
        "seconds",
        "sec",
        "km",
        "kilometres",
        "kilometers",
        "m",
        "metres",
        "meters",
        "cm",
        "mm",
        "miles",
        "mile",
        "kg",
        "kilos",
        "g",
        "grams",
        "pounds",
        "lbs",
        "yuan",
        "rmb",
        "dollars",
        "dollar",
        "euros",
        "euro",
        "degrees",
        "percent",
        "points",
        "stars",
    ]
)
_TWISTING = re.compile(  # these change which number is meant, wherever the question holds them too
    r"[不没无未非别几多少余到至或和与以超内外上下前后每倍半之除乘加减\^⁄+/<>≤≥=~*]"
    r"|\b(?:not?|nor|or|and|than|more|less|fewer|least|most|over|under|above|below|almost|nearly"
    r"|between|half|quarter|per|but|except|never|none|to|ago|since|before|after|every|each|minus)\b"
    r"|n't"
)
_SETS = re.compile(r"十分(?=\S)|万一|千万|一般|一些|一点|一样|一定|一直|一起")
_TOKEN = re.compile(
    rf"(?:-|负|零下|minus )?(?:(?:{ARABIC})[百千万亿]*|[{CHINESE}]+(?:点[零一二三四五六七八九]+)?"
    rf"|\b(?:{ENGLISH})(?:(?:[ -]| and )(?:{ENGLISH}))*\b)"
)


def number_among(words: str, about: str) -> tuple[Decimal, ...]:
    """The readings of the one number in ``words``; none where other words may change it.

    ``about`` is what the question says. Beside the number stand only words that change nothing
    ("about", "个"), words of the question itself, and units that the question names: "2 hours" is
    no answer to a question that does not speak of hours, for it may ask for minutes.
    """
    text = tidy(words).strip(" .,。、!?:;'\"()[]「」“”")
    found = readings(text)
    if found or len(text) > 60:
        return found
    for filler in ("差不多", "一共"):
        text = text.replace(filler, " ")
    tokens = list(_TOKEN.finditer(text))
    if len(tokens) != 1 or _SETS.search(text):
        return ()
    token = tokens[0]
    before, after = text[: token.start()], text[token.end() :]
    glued = re.search(r"[a-z_.,-]$", before) or re.match(r"[kmwbxe](?![a-z])|[.,-]?\d", after)
    if glued or not _harmless(before, about) or not _harmless(after, about):
        return ()
    return readings(token[0])


def _harmless(rest: str, about: str) -> bool:
    """Whether ``rest`` leaves a number beside it as it is."""
    if _TWISTING.search(rest):
        return False
    known = tidy(about)
    rest = re.sub(r"\b(?:years?|yrs?)[ -]old\b", " ", rest)
    rest = _SCALED.sub(lambda unit: " " if unit[0] in known else unit[0], rest)
    if _SCALED.search(_FILLERS.sub(" ", rest)):
        return False
    asked = {word.rstrip("s") for word in re.findall(r"[a-z']+", known)}
    for word in re.findall(r"[a-z']+", rest):
        free = word in _FILLER_WORDS and word not in _SCALED_WORDS
        if not free and word.rstrip("s") not in asked:
            return False
    left = re.sub(r"[a-z']+", " ", _FILLERS.sub(" ", rest))
    return all(run in known for run in re.findall(r"[^\W\d_]+", left)) and not re.search(
        r"[\d%$€£¥]", left
    )
