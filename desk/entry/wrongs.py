"""What may be wrong when accounts are made, changed or signed in to: a code and its sentence."""

from __future__ import annotations

from surveys.words import Words

WORDS = Words.of("desk", "accounts")


class AccountError(ValueError):
    """It cannot be done so. ``code`` is a key of accounts.toml under wrong; ``field`` is where."""

    def __init__(self, code: str, field: str = "", **arguments: object) -> None:
        self.code = code
        self.field = field
        self.arguments = arguments
        super().__init__(self.said("en"))

    def said(self, language: str) -> str:
        """In words, with how to mend it."""
        return WORDS.say(f"wrong.{self.code}", language, **self.arguments)
