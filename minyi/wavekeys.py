"""The keys of waves under a passphrase: the one way in which they may enter a backup.

The passphrase becomes a key by argon2id (256 MiB, three passes); what it opens would open the
sealed ballots of every wave that was open when the backup was made.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.secret import SecretBox
from nacl.utils import random

from surveys.keys import WaveKeys

SHORTEST = 12  # characters of a passphrase
_HEAD = b"minyi waves 1\n"
_KDF = pwhash.argon2id
_KEY = 32


class PassphraseError(Exception):
    """The passphrase cannot be used, or opens nothing; the text says which."""


def seal_waves(keys: Mapping[str, WaveKeys], passphrase: str) -> bytes:
    """``keys`` by wave, to be opened by nobody without ``passphrase``."""
    if len(passphrase) < SHORTEST:
        raise PassphraseError(f"The passphrase is shorter than {SHORTEST} characters.")
    plain = {wave: b64encode(k.rid_key + k.tally_secret).decode() for wave, k in keys.items()}
    salt = random(_KDF.SALTBYTES)
    box = SecretBox(_stretched(passphrase, salt)).encrypt(json.dumps(plain).encode())
    return _HEAD + salt + bytes(box)


def open_waves(sealed: bytes, passphrase: str) -> dict[str, WaveKeys]:
    """What :func:`seal_waves` was handed. PassphraseError where the passphrase is another."""
    body = sealed.removeprefix(_HEAD)
    salt, box = body[: _KDF.SALTBYTES], body[_KDF.SALTBYTES :]
    if body == sealed or len(salt) < _KDF.SALTBYTES:
        raise PassphraseError("These are no sealed wave keys, or of a newer Minyi.")
    try:
        plain = json.loads(SecretBox(_stretched(passphrase, salt)).decrypt(box))
    except (CryptoError, ValueError, RecursionError):
        raise PassphraseError("The passphrase does not open the keys of the waves.") from None
    try:
        raw = {str(wave): b64decode(secrets) for wave, secrets in plain.items()}
    except (AttributeError, TypeError, ValueError):
        raise PassphraseError("What is sealed is no wave keys.") from None
    if any(len(secrets) != 2 * _KEY for secrets in raw.values()):
        raise PassphraseError("What is sealed is no wave keys.")
    return {wave: WaveKeys(secrets[:_KEY], secrets[_KEY:]) for wave, secrets in raw.items()}


def fits(keys: WaveKeys, public: bytes) -> bool:
    """Whether the tally secret belongs to a wave whose public tally key is ``public``."""
    return bytes(PrivateKey(keys.tally_secret).public_key) == public


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return _KDF.kdf(
        SecretBox.KEY_SIZE,
        passphrase.encode(),
        salt,
        opslimit=_KDF.OPSLIMIT_MODERATE,
        memlimit=_KDF.MEMLIMIT_MODERATE,
    )
