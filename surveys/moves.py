"""What somebody may do in an interview. ``turn`` is the one a button was drawn for."""

from __future__ import annotations

from dataclasses import dataclass

from surveys.forms.form import Kind
from surveys.typed.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Answered:
    """Words typed in answer to the question that is open."""

    words: str


@dataclass(frozen=True, slots=True)
class Added:
    """Words sent before the question now open had been shown: they go on with the last answer."""

    words: str


@dataclass(frozen=True, slots=True)
class Amended:
    """The last typed message that was taken reads otherwise now."""

    words: str


@dataclass(frozen=True, slots=True)
class Gave:
    """Something that is not words: a shared place, a file that was kept. ``value`` is ready."""

    kind: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Chose:
    """The button of choice number ``index`` was pressed, as drawn at ``turn``."""

    index: int
    turn: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The value that the question came with is the answer."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The gathered choices are all."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """No answer to this question."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class WentBack:
    """Take the last answer back."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Revised:
    """In the review: answer line number ``index`` again."""

    index: int
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """In the review: it is right as it stands."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something was given that cannot be taken; ``trouble`` says why."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Showed:
    """Nothing is answered; show where the interview stands (looked, resumed, other language)."""


Move = (
    Answered
    | Added
    | Amended
    | Gave
    | Chose
    | Kept
    | Done
    | Skipped
    | WentBack
    | Revised
    | Sent
    | Refused
    | Showed
)
