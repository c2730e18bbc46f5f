"""The question a form was drawn for, so that the same question again can stand in its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from surveys.reply import Reply

_WRITTEN = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9a-f]{16})\.([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it stands on a page.

    ``message`` is the element's id there; ``place`` and ``words`` are digests of which question it
    is and of what is to be read and heard in it.
    """

    message: str
    place: str
    words: str

    def __str__(self) -> str:
        """As a hidden field of the forms that answer it."""
        return f"{self.message}.{self.place}.{self.words}"

    @classmethod
    def read(cls, written: str) -> Asked | None:
        """The inverse of ``str``; None for anything else."""
        found = _WRITTEN.fullmatch(written)
        return None if found is None else cls(*found.groups())

    @classmethod
    def of(cls, replies: Sequence[Reply], message: str) -> Asked | None:
        """The question at the end of ``replies``, to stand as ``message``; None where is none."""
        if not replies or not replies[-1].place:
            return None
        last = replies[-1]
        words = _digest(last.language, last.text, bool(last.rows), *last.media)
        return cls(message, _digest(last.place), words)


def again(about: Asked | None, replies: Sequence[Reply]) -> bool:
    """Whether ``replies`` end with the very question that a form was ``about``."""
    asked = Asked.of(replies, "")
    return about is not None and asked is not None and about.place == asked.place


def in_place(about: Asked, asked: Asked, *, alone: bool) -> tuple[Asked, dict[str, str]]:
    """The question as it stands once htmx did what the headers say: put it where ``about`` was.

    Where ``asked`` comes ``alone`` and only its buttons are different, nothing else is touched, and
    nothing read out again.
    """
    message = f"#m-{about.message}"
    headers = {"HX-Retarget": message, "HX-Reswap": "outerHTML"}
    if not alone:
        return asked, headers
    headers["X-In-Place"] = "yes"  # the page stays where it is scrolled to
    if about.words != asked.words:
        return asked, headers
    return about, headers | {"HX-Retarget": f"{message} .rows", "HX-Reselect": ".rows"}


def _digest(*parts: object) -> str:
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).hexdigest()
