"""How a campaign behaves towards people, as typed: its days off, quiet hours, grace and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from desk.campaigns.wrongs import Wrong
from surveys.campaigns import Shift
from surveys.inviting import STAGES, trouble_with
from surveys.people import Text
from surveys.words import LANGUAGES

GRACE = 168  # hours: a week
QUIET = ("21", "8")  # o'clock, where nothing else is typed


class Manners(Protocol):
    """The fields of a wish that are read here."""

    @property
    def shift(self) -> str: ...
    @property
    def quiet_from(self) -> str: ...
    @property
    def quiet_until(self) -> str: ...
    @property
    def grace(self) -> str: ...
    @property
    def paid(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The same as a campaign has it."""

    shift: Shift
    quiet: tuple[int, int]
    grace: timedelta
    messages: Mapping[str, Text]
    paid: bool


def manners_of(wish: Manners, wrongs: list[Wrong]) -> Kept:
    """What the fields mean; what is wrong is added to ``wrongs``, and a usual value stands in."""
    shift = wish.shift.strip() or Shift.NONE.value
    if shift not in tuple(Shift):
        wrongs.append(Wrong("shift", "shift", {"text": shift[:40]}))
        shift = Shift.NONE.value
    begins = _hours("quiet_from", "quiet", wish.quiet_from or QUIET[0], 23, wrongs)
    ends = _hours("quiet_until", "quiet", wish.quiet_until or QUIET[1], 23, wrongs)
    grace = _hours("grace", "grace", wish.grace or "0", GRACE, wrongs)
    paid = wish.paid.strip().casefold()
    if paid not in ("", "no", "yes"):
        wrongs.append(Wrong("paid", "paid", {"text": paid[:40]}))
    words = {
        name: getattr(wish, name)
        for name in (f"messages_{s}_{language}" for s in STAGES for language in LANGUAGES)
    }
    return Kept(Shift(shift), (begins, ends), timedelta(hours=grace), messages_of(words, wrongs),
                paid == "yes")  # fmt: skip


def _hours(name: str, code: str, text: str, most: int, wrongs: list[Wrong]) -> int:
    typed = text.strip()
    if re.fullmatch("[0-9]{1,3}", typed) and int(typed) <= most:
        return int(typed)
    wrongs.append(Wrong(name, code, {"text": text[:40], "most": most}))
    return 0


def messages_of(fields: Mapping[str, str], wrongs: list[Wrong]) -> dict[str, Text]:
    """Own words by stage and language, of fields such as ``messages_invite_zh``.

    A stage without any is not there; a language without any has the usual words.
    """
    found: dict[str, Text] = {}
    for stage in STAGES:
        words: dict[str, str] = {}
        for language in LANGUAGES:
            name = f"messages_{stage}_{language}"
            text = fields[name].replace("\r\n", "\n").strip()
            wrong = trouble_with(text)
            if wrong is not None:
                code, facts = wrong
                wrongs.append(Wrong(name, f"message_{code}", facts))
            elif text:
                words[language] = text
        if words:
            found[stage] = words
    return found
