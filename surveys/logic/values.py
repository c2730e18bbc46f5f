"""XPath's values and how one kind becomes another: text, number, truth, nodes (a list)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from surveys.logic.days import days_of

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def text_of(value: Any) -> str:
    """XPath's string(): a node-set is its first node's text, 3.0 is '3', 1e21 has no exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return text_of(value[0]) if value else ""
    if isinstance(value, etree._Element):
        return "".join(value.itertext()) if len(value) else value.text or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _digits(value)
    return str(value)


def _digits(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    whole = round(value)
    if abs(value - whole) < 1e-12:  # JavaRosa's: 1.1 * 10 shows as 11
        return str(whole)
    return f"{Decimal(repr(value)):f}"


def truth(value: Any) -> bool:
    """XPath's boolean(): a node-set is true when it is not empty, NaN is false."""
    return bool(value) and value == value  # noqa: PLR0124 - NaN


def number_of(value: Any) -> float:
    """XPath's number(), where a date is its days since 1970-01-01 and a time a part of a day."""
    if isinstance(value, (float, bool)):  # a union would be made anew each time
        return float(value)
    text = text_of(value).strip()
    if not text:
        return math.nan
    if (text.isdigit() and text.isascii()) or _NUMBER.fullmatch(text):
        return float(text)
    days = days_of(text)
    return math.nan if days is None else days


def whole(value: Any) -> float:
    """int(): the number before the point."""
    number = number_of(value)
    return float(int(number)) if math.isfinite(number) else number


def each(values: tuple[Any, ...]) -> Iterator[Any]:
    """Node-sets taken apart."""
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def position_of(node: etree._Element) -> int:
    """Where ``node`` stands among its siblings of the same name, counted from 1."""
    return 1 + sum(1 for _ in node.itersiblings(node.tag, preceding=True))


def place_of(node: etree._Element) -> list[tuple[str, int]]:
    """(name, position) of everything from the root to ``node``."""
    way = [node, *node.iterancestors()]
    return [(step.tag, position_of(step)) for step in reversed(way)]
