"""What a channel showed, in the one form in which channels are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.transcripts.script import RECEIPT, Act, Script, masked


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on a screen: its words and its rows of labels."""

    text: str
    rows: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        lines = ("  " + " ".join(f"[{label}]" for label in row) for row in self.rows)
        return "\n".join((self.text, *lines))


class Player(Protocol):
    """Somebody with a screen of this channel before them."""

    cannot: tuple[type[Act], ...]  # what nobody can do in this channel

    async def do(self, act: Act, *, twice: bool = False) -> Sequence[Shown]:
        """Do it, and read what is said to it. ``twice``: it is about to be done once more."""
        ...


async def play(script: Script, player: Player) -> Script:
    """The conversation with what ``player`` read in it."""
    said: list[str] = []
    receipt = ""
    following = [exchange.heard for exchange in script.exchanges[1:]] + [""]
    for exchange, then in zip(script.exchanges, following, strict=True):
        act = exchange.act(receipt)
        if isinstance(act, player.cannot):
            said.append(exchange.said)  # so nothing can be said to it
            continue
        words = "\n\n".join(
            str(shown) for shown in await player.do(act, twice=then == exchange.heard)
        )
        if found := RECEIPT.search(words):
            receipt = found[0]
        said.append(masked(words))
    return script.with_said(said)
