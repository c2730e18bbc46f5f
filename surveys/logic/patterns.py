"""Regular expressions as Java reads them, which is how ODK does."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterator
from functools import lru_cache
from re._constants import MAX_REPEAT, MAXREPEAT, MIN_REPEAT  # type: ignore[import-not-found]
from re._parser import SubPattern, parse  # type: ignore[import-not-found]
from typing import Any


@lru_cache(maxsize=256)
def pattern_of(rule: str) -> re.Pattern[str] | None:
    """A regular expression as Java reads it; None where it cannot be read, or might never end.

    ``\\d``, ``\\w`` and ``\\s`` are ASCII; ``\\p{L}`` and its like are known by category.
    """
    rule = re.sub(r"\\(p|P)\{(?:Is|In)?(\w+)\}", _category, rule).replace("(?<", "(?P<")
    rule = re.sub(r"\(\?P<([=!])", r"(?<\1", rule)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a set within a set: read as Python reads it
            read = re.compile(rule, re.ASCII)
            return None if _explodes(parse(rule, re.ASCII)) else read
    except (re.error, OverflowError, RecursionError):
        return None


def _explodes(parsed: Any, *, within: bool = False) -> bool:
    """Whether something repeated without end is repeated without end.

    One answer under ``(a+)+`` could keep everybody waiting for years, and the interpreter with it.
    """
    for operation, argument in parsed:
        if operation in _REPEATS:
            _, most, below = argument
            endless = most == MAXREPEAT
            if (endless and within) or _explodes(below, within=within or endless):
                return True
            continue
        below = argument if isinstance(argument, list | tuple) else ()
        if any(_explodes(part, within=within) for part in _parts(below)):
            return True
    return False


def _parts(argument: Any) -> Iterator[Any]:
    """The patterns inside an operation's argument, however deep it holds them."""
    for part in argument:
        if isinstance(part, SubPattern):
            yield part
        elif isinstance(part, list | tuple):
            yield from _parts(part)


_REPEATS = (MAX_REPEAT, MIN_REPEAT)
_POSIX = {
    "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9", "Upper": "A-Z", "Lower": "a-z",
    "Punct": r"!-/:-@\[-`{-~",
    "Han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f",
}  # fmt: skip


def _category(match: re.Match[str]) -> str:
    ranges = _POSIX.get(match[2]) or _ranges(match[2])
    if not ranges:
        return match[0]  # left as it is, Python refuses it
    opened = match.string.count("[", 0, match.start()) > match.string.count("]", 0, match.start())
    if match[1] == "P":
        return match[0] if opened else f"[^{ranges}]"
    return ranges if opened else f"[{ranges}]"


@lru_cache(maxsize=32)
def _ranges(category: str) -> str:
    """The characters whose general category begins with ``category``, for a set."""
    members = [n for n in range(0x32000) if unicodedata.category(chr(n)).startswith(category)]
    runs: list[list[int]] = []
    for n in members:
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in runs)
