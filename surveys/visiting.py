"""A visit to an office: whoever was served rates it once, by a link that names nobody.

Nothing that is kept joins the person to the office: the place on the roll, the interview and the
ballot stand under a keyed hash of the person and the link. The link itself is kept as a keyed hash,
so a copy of the database opens none, and does not say which link led to which interview either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from surveys.forgetting import from_waves
from surveys.people import Address
from surveys.rating import Rating

PURPOSE = "visit"


class Visiting(Rating):
    """The errand of a rating after a visit. It differs in whom the rows name: nobody."""

    def owner(self, person: str, interview: str) -> str:
        """A keyed hash, so that only the chat that opened the link goes on with it."""
        return _keyed(self._keyring.app_key(), f"{person}\x1f{interview}", b"visit-owner")

    def digest(self, token: str) -> str:
        """What a link with ``token`` is kept under."""
        return digest_of(self._keyring.app_key(), token)

    def interview(self, token: str) -> str:
        """The id of the one interview that ``token`` leads to."""
        return _keyed(self._keyring.app_key(), token, b"visit-interview")

    def asks(self, wave: str) -> bool:
        """Whether an interview of ``wave`` can be begun: its keys are here."""
        return self._keyring.wave_keys(wave) is not None

    def forget(self, tx: Any, person: str, addresses: Sequence[Address], *, own: bool) -> None:
        """As of other ratings; theirs are found by trying."""
        theirs = [row for row in tx.visit_interviews() if row[1] == self.owner(person, row[0])]
        for _, owner in theirs:
            from_waves(tx, self._keyring, owner, own=own)


def digest_of(key: bytes, token: str) -> str:
    """What a link with ``token`` is kept under; ``key`` is the application's own (32 bytes)."""
    return _keyed(key, token, b"visit-link")


def _keyed(key: bytes, words: str, purpose: bytes) -> str:
    made = hashlib.blake2b(words.encode(), key=key, digest_size=16, person=purpose)
    return made.hexdigest()
