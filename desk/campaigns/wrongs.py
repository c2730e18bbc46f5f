"""What is wrong with a campaign as typed, in words that say how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as made_by

from desk.campaigns.rhythm import WORDS


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one field of a wish. ``code`` is a key of campaigns.toml under wrong."""

    field: str
    code: str
    arguments: Mapping[str, object] = made_by(default_factory=dict)

    def said(self, language: str) -> str:
        """In words, with how to mend it."""
        return WORDS.say(f"wrong.{self.code}", language, **self.arguments)


class CampaignError(ValueError):
    """The campaign cannot be made or changed so; ``wrongs`` say why and how to mend it."""

    def __init__(self, wrongs: Iterable[Wrong]) -> None:
        self.wrongs = tuple(wrongs)
        super().__init__(self.said("en"))

    def said(self, language: str) -> str:
        """All of it in words, a line each."""
        return "\n".join(each.said(language) for each in self.wrongs)
