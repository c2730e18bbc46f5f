"""Who may answer a command before the conversation does: for people who work here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from surveys.people import Address
from surveys.reply import Reply

OWN = "o"  # the action of a button that the attendant drew


class Attendant(Protocol):
    """Answers commands and buttons of people who work here, each in the unit of work it came in."""

    def heard(
        self, tx: Any, address: Address, text: str, language: str, now: datetime
    ) -> tuple[Reply, ...] | None:
        """The answer to ``text``, typed words that begin with a slash.

        None where it is no command of ours, or nobody of ours typed it: then the conversation
        answers as it would anybody.
        """
        ...

    def pressed(
        self, tx: Any, address: Address, name: str, language: str, now: datetime
    ) -> tuple[Reply, ...] | None:
        """The answer to the button ``Press(OWN, name)``; None as for :meth:`heard`."""
        ...

    def forgotten(self, tx: Any, addresses: Sequence[Address], now: datetime) -> None:
        """Whoever talks from ``addresses`` is being forgotten: they do nothing here any more."""
        ...
