"""Long lists a page at a time, with addresses that can be kept and sent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Pages:
    """Page ``at`` (from 1) of ``count`` lines, ``each`` to a page."""

    at: int
    count: int
    each: int

    @property
    def last(self) -> int:
        return max(1, -(-self.count // self.each))

    @property
    def first_line(self) -> int:
        return min((self.at - 1) * self.each + 1, self.count)

    @property
    def last_line(self) -> int:
        return min(self.at * self.each, self.count)


def paged(asked: Mapping[str, str]) -> int:
    """The page that an address asks for, from 1; 1 for anything that is no page."""
    text = asked.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def linked(path: str, **asked: object) -> str:
    """``path`` with what is asked for; empty values are left out."""
    kept = {name: str(value) for name, value in asked.items() if value not in ("", None)}
    return f"{path}?{urlencode(kept)}" if kept else path
