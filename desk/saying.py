"""What the desk has to say, kept by key until the reader's language is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from surveys.words import LANGUAGES, Words


@dataclass(frozen=True, slots=True)
class Saying:
    """One sentence of words.toml with what fills its places; a place may hold a saying itself."""

    key: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def said(self, language: str) -> str:
        """The sentence in ``language``."""
        filled = {
            name: value.said(language) if hasattr(value, "said") else value
            for name, value in self.arguments.items()
        }
        return Words.of("desk").say(self.key, language, **filled)

    def everywhere(self) -> dict[str, str]:
        """The sentence in every language, for what is kept and read later."""
        return {language: self.said(language) for language in LANGUAGES}


class SpokenError(Exception):
    """A refusal that people read; its text is English, as a terminal shows it."""

    def __init__(self, saying: Saying) -> None:
        super().__init__(saying.said("en"))
        self.saying = saying


def shown(cell: str, most: int = 40) -> str:
    """``cell`` as it may stand in a sentence: cut, and nothing invisible in it."""
    cut = cell if len(cell) <= most else cell[:most] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)
