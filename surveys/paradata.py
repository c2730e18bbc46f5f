"""How a questionnaire fares, counted question by question; never who, never when.

Each interview of a wave counts once, when it is finished, by what became of each question in it:
answered or skipped. So going back takes nothing away and adds nothing, and whoever changes their
answers later is not counted again. Only trouble is counted as it happens, once a refused move.
Where unfinished interviews stand is read from their own states, at the tally.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from surveys.ballots import SpoiledError, seal, unseal
from surveys.forms.form import Form, Question
from surveys.typed.trouble import Trouble
from surveys.view import View

_PURPOSE = b"paradata"
_BLOCK = 256  # drafts are padded to a multiple of this
_MOST = 0xFFFF_FFFF
_ELSEWHERE = frozenset({"stale", "at_start", "hasty", "amended_late"})


class What(StrEnum):
    """What is noticed: of a question, or (FINISHED) of an interview."""

    FINISHED = "finished"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    TROUBLED = "troubled"


_OF_A_QUESTION = (What.ANSWERED, What.SKIPPED, What.TROUBLED)


@dataclass(frozen=True, slots=True)
class Noticed:
    """One thing to count. ``question`` is a path without positions; '' for the interview."""

    wave: str
    question: str
    what: What


Counts = Counter[tuple[str, What]]
"""(question, what) -> how often. Adding two (``+``) merges what two processes counted."""


def at_end(wave: str, seen: View) -> list[Noticed]:
    """What to count of an interview that ends as ``seen``.

    A repeated question counts once: as answered where any occurrence was.
    """
    answered = {spot.question.path for spot in seen.spots if seen.answers.get(spot.path)}
    shown = dict.fromkeys(spot.question.path for spot in seen.spots)
    return [
        Noticed(wave, "", What.FINISHED),
        *(Noticed(wave, q, What.ANSWERED if q in answered else What.SKIPPED) for q in shown),
    ]


def at_refusal(wave: str, question: Question, trouble: Trouble) -> list[Noticed]:
    """What to count of a refused move: nothing where the move did not try to answer."""
    return [] if trouble.key in _ELSEWHERE else [Noticed(wave, question.path, What.TROUBLED)]


class Paradata:
    """The counts of one process, in its memory. Belongs to the thread of its event loop."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}

    def add(self, noticed: Iterable[Noticed]) -> None:
        """Count; nothing of what is counted is remembered."""
        for one in noticed:
            self._counts.setdefault(one.wave, Counter())[one.question, one.what] += 1

    def counted(self) -> Mapping[str, Counts]:
        """The counts by wave, as they are now; a wave of which nothing is known is left out."""
        return {wave: Counter(counts) for wave, counts in self._counts.items()}

    def forget_all_but(self, waves: Iterable[str]) -> None:
        """Let go of waves that are over."""
        kept = set(waves)
        self._counts = {wave: each for wave, each in self._counts.items() if wave in kept}


def dump(form: Form, counts: Counts) -> bytes:
    """Counts as bytes: of one length for all counts of ``form``. Whatever it lacks is left out."""
    numbers = [min(counts[slot], _MOST) for slot in _slots(form)]
    return struct.pack(f">{len(numbers)}I", *numbers)


def restore(form: Form, data: bytes) -> Counts:
    """The inverse of :func:`dump`; ValueError for bytes of another form."""
    slots = _slots(form)
    if len(data) != 4 * len(slots):
        raise ValueError(f"{len(data)} bytes are not the counts of {len(slots)} slots")
    numbers = struct.unpack(f">{len(slots)}I", data)
    return Counter({slot: number for slot, number in zip(slots, numbers, strict=True) if number})


def seal_draft(form: Form, counts: Counts, process: str, key: bytes) -> bytes:
    """A process's counts so far, sealed with the wave's key; all of one form have one length.

    ``process`` goes in with them: a draft copied to another place in the table opens nowhere.
    """
    return seal(_signed(process) + dump(form, counts), key, _PURPOSE, _BLOCK)


def open_draft(form: Form, box: bytes, process: str, key: bytes) -> Counts:
    """The inverse of :func:`seal_draft`; SpoiledError for what this process did not put there."""
    plain, name = unseal(box, key, _PURPOSE), _signed(process)
    if not plain.startswith(name):
        raise SpoiledError("another process's counts")
    try:
        return restore(form, plain[len(name) :])
    except ValueError as error:
        raise SpoiledError(str(error)) from error


def _signed(process: str) -> bytes:
    name = process.encode()
    return len(name).to_bytes(2, "big") + name


def _slots(form: Form) -> Sequence[tuple[str, What]]:
    asked = [question.path for question in form.questions if question.asks]
    return [("", What.FINISHED), *((path, what) for path in asked for what in _OF_A_QUESTION)]
