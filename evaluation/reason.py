"""Why something is withheld or marked: a code and its arguments; the words are in words.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """``code`` is a key of words.toml, ``arguments`` fill its placeholders."""

    code: str
    arguments: Mapping[str, str | int | float] = field(default_factory=dict)
