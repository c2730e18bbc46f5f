"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes.

Six digits, 30 seconds, SHA-1: what every app can do. The secret is stored sealed with the
application's key, recovery codes as an HMAC under it; that key lies outside the database.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import unicodedata
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote, urlencode

from pyotp import TOTP

from desk.accounts import Account
from surveys.ballots import SpoiledError, seal, unseal

STEP, WINDOW = 30, 1  # seconds; steps that a clock may be wrong
CODES = 10
_PURPOSE = b"minyi totp"
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0 o, no 1 i l


def offered(app_key: bytes, session: str) -> str:
    """The secret (base32, 160 bits) that ``session`` (a digest) may enrol.

    Computed, so that looking at the page stores nothing and a reload shows the same picture. A
    session enrols once: it gets another cookie, hence another secret, when it has.
    """
    mac = hmac.digest(app_key, b"minyi totp offered " + session.encode(), "sha256")
    return base64.b32encode(mac[:20]).decode()


def uri(secret: str, login: str, organisation: str) -> str:
    """What the QR code says (otpauth://)."""
    label = quote(f"{organisation}:{login}", safe="")
    asked = urlencode({"secret": secret, "issuer": organisation, "period": STEP}, quote_via=quote)
    return f"otpauth://totp/{label}?{asked}"


def sealed(account: str, secret: str, app_key: bytes) -> bytes:
    """``secret`` for the store; it opens only with the key, for this account."""
    return seal(f"{account} {secret}".encode(), app_key, _PURPOSE, block=128)


def secret_of(account: Account, app_key: bytes) -> str:
    """The account's secret; '' where it has none, or where its box is not ours."""
    try:
        owner, _, secret = unseal(account.totp, app_key, _PURPOSE).decode().partition(" ")
    except SpoiledError:
        return ""
    return secret if owner == account.id else ""


def step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The time step, later than ``after``, that ``code`` is good for at ``now``; None for none.

    Each step is accepted once (RFC 6238, 5.2): the caller stores what is returned as ``after``.
    """
    typed = _bare(code)
    if not secret or len(typed) != 6:
        return None
    clock, present = TOTP(secret), int(now.timestamp()) // STEP
    good = None
    for step in range(present - WINDOW, present + WINDOW + 1):  # all of them, whatever matches
        right = hmac.compare_digest(clock.generate_otp(step).encode(), typed.encode())
        if right and step > after:
            good = step
    return good


def new_codes(account: str, app_key: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Recovery codes (50 bits each) for people, and what is stored of them."""
    drawn = ["".join(secrets.choice(_SIGNS) for _ in range(10)) for _ in range(CODES)]
    shown = tuple(f"{code[:5]}-{code[5:]}" for code in drawn)
    return shown, tuple(_stored(account, code, app_key) for code in drawn)


def spend(account: Account, code: str, app_key: bytes) -> Account | None:
    """The account without recovery code ``code``; None where it has no such code."""
    typed = _stored(account.id, _bare(code).lower(), app_key)
    found = [kept for kept in account.recovery if hmac.compare_digest(kept, typed)]
    if not found:
        return None
    left = tuple(kept for kept in account.recovery if kept not in found)
    return replace(account, recovery=left)


def _stored(account: str, code: str, app_key: bytes) -> str:
    message = f"minyi recovery {account} {code}".encode()
    return hmac.digest(app_key, message, "sha256").hex()


def _bare(code: str) -> str:
    plain = unicodedata.normalize("NFKC", code[:40])  # a Chinese keyboard may write wide digits
    return "".join(sign for sign in plain if sign.isascii() and sign.isalnum())
