"""The reader's side of a concern: list, open, answer, close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from concerns.intake import ANSWER
from concerns.statement import Statement, unpacked
from concerns.store import State, StoredConcern
from surveys.ballots import SpoiledError, seal, unpad, unseal
from surveys.files.attachments import read as attachment_of
from surveys.keys import Keyring


class DeskError(ValueError):
    """Something a reader asked for that cannot be done; the message says why and what to do."""


def find(tx: Any, concern: str) -> StoredConcern:
    """The concern with this id, or whose id begins so; DeskError where none or several do."""
    found = [row for row in tx.concerns() if row.id.startswith(concern)]
    exact = [row for row in found if row.id == concern]
    match exact or found:
        case [one]:
            return one  # type: ignore[no-any-return]
        case []:
            raise DeskError(f"There is no concern {concern}. 'minyi concerns list' shows them.")
    raise DeskError(f"Several concerns begin with {concern}. Give more of the id.")


def read(tx: Any, keyring: Keyring, concern: StoredConcern) -> Sequence[Statement]:
    """Both sides' statements, opened with the reader's secret key."""
    secret = SealedBox(PrivateKey(keyring.reader_secret(concern.reader)))
    return [_opened(entry.author, entry.box, secret, keyring) for entry in tx.entries(concern.id)]


def files(concern: StoredConcern, statements: Sequence[Statement]) -> Sequence[tuple[str, str]]:
    """(file name, token) of everything that was handed over, in order. Names are ours."""
    tokens = [token for statement in statements for token in statement.files]
    return [
        (f"{concern.id}-{number}.{attachment_of(token).ext}", token)
        for number, token in enumerate(tokens, 1)
    ]


def answer(tx: Any, keyring: Keyring, concern: StoredConcern, text: str) -> None:
    """Add the reader's answer; the person is told that there is news, never what."""
    if not text.strip():
        raise DeskError("An answer needs words.")
    if concern.state is State.CLOSED:
        raise DeskError("This concern is closed, so nothing was sent to the person.")
    tx.add_entry(concern.id, "handler", seal(text.strip().encode(), keyring.app_key(), ANSWER))
    tx.put_concern(replace(concern, state=State.ANSWERED))


def close(tx: Any, concern: StoredConcern) -> None:
    """Close the case. Its statements stay."""
    tx.put_concern(replace(concern, state=State.CLOSED))


def unannounced(tx: Any) -> Sequence[tuple[StoredConcern, int]]:
    """Concerns whose newest answer has not been announced to the person: (concern, seq)."""
    waiting = []
    for concern in tx.concerns():
        answers = [e.seq for e in tx.entries(concern.id) if e.author == "handler"]
        if answers and tx.note(_announced(concern)) != str(answers[-1]):
            waiting.append((concern, answers[-1]))
    return waiting


def announced(tx: Any, concern: StoredConcern, seq: int) -> None:
    """Remember that the person was told of answer number ``seq``."""
    tx.put_note(_announced(concern), str(seq))


def _announced(concern: StoredConcern) -> str:
    return f"announced:{concern.id}"


def _opened(author: str, box: bytes, secret: SealedBox[PrivateKey], keyring: Keyring) -> Statement:
    try:
        if author == "handler":
            return Statement("handler", unseal(box, keyring.app_key(), ANSWER).decode())
        return unpacked(unpad(secret.decrypt(box)))
    except (CryptoError, SpoiledError, ValueError, TypeError) as error:
        raise DeskError("This key does not open this concern: it was sealed to another.") from error
