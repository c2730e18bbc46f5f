"""A request sent twice is done once: the answer is kept in the transaction that makes the change.

A repeat that comes while the first is under way waits for it, since both write; one that comes
after a crash finds either the change and its answer, or neither.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from desk.store import DeskTransaction, Remembered
from surveys.ballots import seal, unseal

KEPT = timedelta(hours=24)
_PURPOSE = b"idempotency"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: an HTTP status and the text of the body."""

    status: int
    body: str


class ReusedError(ValueError):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One request under a key. Both digests are SHA-256; ``seal_key`` hides answers at rest."""

    key: str
    request: str
    at: datetime
    seal_key: bytes = field(repr=False)

    @classmethod
    def of(cls, owner: str, key: str, request: bytes, at: datetime, seal_key: bytes) -> Errand:
        """``owner`` is the token's digest: two tokens never meet under one key."""
        named = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()
        return cls(named, hashlib.sha256(request).hexdigest(), at, seal_key)

    def before(self, tx: DeskTransaction) -> Answer | None:
        """The first answer where this was asked before; None: do it, then :meth:`keep`.

        ReusedError where something else was asked under the key.
        """
        mine = Remembered(self.key, self.request, 0, "", self.at)
        found = tx.remember(mine)
        if found is not None and self.at - found.made_at >= KEPT:
            tx.forget(self.key)
            found = tx.remember(mine)
        if found is None:
            return None
        if found.request != self.request:
            raise ReusedError(self.key)
        box = base64.b64decode(found.body)
        return Answer(found.status, unseal(box, self.seal_key, _PURPOSE).decode())

    def keep(self, tx: DeskTransaction, answer: Answer) -> None:
        """Keep the answer. It may hold a secret that is shown once, hence the seal."""
        box = seal(answer.body.encode(), self.seal_key, _PURPOSE)
        body = base64.b64encode(box).decode()
        tx.put_remembered(Remembered(self.key, self.request, answer.status, body, self.at))
