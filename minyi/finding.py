"""How one thing stands, as ``minyi doctor`` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Good; worth knowing; must be mended."""

    GOOD = "good"
    NOTE = "note"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands. ``mend`` says what to do where ``state`` is MEND."""

    state: State
    name: str
    what: str
    mend: str = ""
