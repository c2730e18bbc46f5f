"""The ballot box: sealed, padded, overwritable ballots; and sealing for what must not be read.

A ballot's row id is an HMAC under a key outside the database, so the same person overwrites the
same row and nobody else can name it. Its content is a sealed box (X25519, XSalsa20-Poly1305) to
the wave's tally key, padded to one size, so neither row nor length tells what was said.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox

from surveys.cells import GRADES, RaterGroup
from surveys.forms.form import Form
from surveys.typed.understand import TEXT_LIMIT

BLOCK = 256  # a form's ballots are padded to one size, a multiple of this
SUBJECT_LIMIT = 64  # code points of a subject's id
STATE = b"interview"  # the purpose that interview states are sealed for
STATE_BLOCK = 1024  # interview states are padded to a multiple of this


# ours fail in none of these ways; 1e999 as a grade or ten thousand brackets are somebody's attempt
_SPOILT = (CryptoError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


Opener = SealedBox[PrivateKey]


class SpoiledError(ValueError):
    """A ballot that cannot be opened or read. It is counted, never guessed."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one rater says of one subject: whitelisted fields, and no person.

    ``ratings`` maps indicator -> grade 1..5; an indicator left out was not answered.
    ``reasons`` maps a question's name -> the choices named.
    """

    subject: str
    group: RaterGroup
    ratings: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remark: str = ""


def ballot_id(rid_key: bytes, wave: str, person: str, subject: str) -> bytes:
    """16 bytes naming the row of (wave, person, subject); needs the wave's key to compute."""
    message = "\x1f".join((wave, person, subject)).encode()
    return hmac.new(rid_key, message, hashlib.sha256).digest()[:16]


def ballot_size(form: Form) -> int:
    """Bytes that any ballot of ``form`` fits in: the one size that all its ballots are padded to.

    A code point takes at most 4 bytes as JSON in UTF-8 (control characters, which would take 6,
    are not let in). A subject's id has at most 64 of them.
    """
    size = 64 + 4 * SUBJECT_LIMIT
    for question in form.questions:
        if question.indicator:
            size += _json_size(question.indicator) + 8
        elif question.reason:
            size += sum(_json_size(c.name) + 2 for c in question.choices)
            size += _json_size(question.name) + 8
        elif question.remark:
            size += 4 * TEXT_LIMIT + 8
    return -(-size // BLOCK) * BLOCK


def _json_size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())


def seal_ballot(ballot: Ballot, tally_key: bytes, size: int) -> bytes:
    """The ballot padded to ``size`` bytes and sealed to the wave's public tally key.

    Raises ValueError where it does not fit, before anything is written.
    """
    fields = [ballot.subject, ballot.group, ballot.ratings, ballot.reasons, ballot.remark]
    plain = json.dumps(fields, ensure_ascii=False).encode()
    return bytes(SealedBox(PublicKey(tally_key)).encrypt(pad(plain, size, limit=size)))


def tally_opener(tally_secret: bytes) -> Opener:
    """What opens a wave's ballots: made once, since making it costs as much as opening one."""
    return SealedBox(PrivateKey(tally_secret))


def open_ballot(box: bytes, opener: Opener) -> Ballot:
    """The inverse of :func:`seal_ballot`; raises SpoiledError where a box is not ours.

    Content is checked again here: whoever can write to the database can put anything in the box.
    """
    try:
        plain = unpad(opener.decrypt(box))
        subject, group, ratings, reasons, remark = json.loads(plain)
        ballot = Ballot(
            str(subject),
            RaterGroup(group),
            {str(name): int(grade) for name, grade in ratings.items()},
            {str(name): tuple(map(str, chosen)) for name, chosen in reasons.items()},
            str(remark),
        )
    except _SPOILT as error:
        raise SpoiledError(type(error).__name__) from error
    if not all(1 <= grade <= GRADES for grade in ballot.ratings.values()):
        raise SpoiledError("grade out of range")
    return ballot


def seal(plain: bytes, key: bytes, purpose: bytes, block: int = STATE_BLOCK) -> bytes:
    """Seal with a secret key (32 bytes) for one ``purpose`` (at most 16 bytes), padded."""
    return bytes(_box(key, purpose).encrypt(pad(plain, block)))


def unseal(box: bytes, key: bytes, purpose: bytes) -> bytes:
    """The inverse of :func:`seal`; SpoiledError for another key or purpose, or a changed box."""
    try:
        return unpad(_box(key, purpose).decrypt(box))
    except (CryptoError, ValueError) as error:
        raise SpoiledError(type(error).__name__) from error


def pad(plain: bytes, block: int, limit: int | None = None) -> bytes:
    """Length (4 bytes), content, zeros up to a multiple of ``block``."""
    size = len(plain) + 4
    if limit is not None and size > limit:
        raise ValueError(f"{len(plain)} bytes do not fit in a ballot of {limit}")
    return len(plain).to_bytes(4, "big") + plain + bytes(-size % block)


def unpad(padded: bytes) -> bytes:
    """The inverse of :func:`pad`; ValueError where the length does not fit."""
    length = int.from_bytes(padded[:4], "big")
    if length > len(padded) - 4:
        raise ValueError("padding")
    return padded[4 : 4 + length]


def _box(key: bytes, purpose: bytes) -> SecretBox:
    return SecretBox(hashlib.blake2b(key=key, digest_size=32, person=purpose).digest())
