"""How often somebody may try, so that nobody can try for long, nor lock anybody else out.

After OWASP's "Slow Down Online Guessing Attacks with Device Cookies": a browser that once signed
in wholly carries a device cookie, and what it gets wrong counts against it alone. What strangers
get wrong counts against the login at their address (/64 for IPv6), against the login from
everywhere, against their address, and against the network about it (/24; /48 for IPv6); the latter
three are shared by honest people, so they bear more. However shut a login is from everywhere,
whoever has failed fewer than five times at it from their own address is looked at: others' failures
are no lock. So one address guesses five times a day, one network a hundred times, and all that
have used theirs up share one guess in a quarter of an hour.
An attempt is counted before the password is looked at, and taken back if it was right: a hundred
at once are a hundred. Everything is in the store, so all processes count together.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desk.accounts import Attempts
from desk.store import DeskTransaction

FREE, SHARED_FREE, WIDE_FREE = 5, 20, 100  # failures without waiting
LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(days=1)  # without another failure
DEVICE_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Lane:
    """What failures are counted under: a key in the store, and how many cost nothing.

    ``spares`` is the key of another lane: whoever still has free failures there is not held up
    here.
    """

    key: str
    free: int = FREE
    spares: str = ""


def lanes(app_key: bytes, login: str, origin: str, device: str, now: datetime) -> tuple[Lane, ...]:
    """The lanes of one attempt at ``login`` from address ``origin`` with cookie ``device``."""
    nonce = _nonce(app_key, login, device, now)
    if nonce:
        return (Lane(f"device:{_mac(app_key, 'device', nonce)}"),)
    pair = f"pair:{_mac(app_key, 'pair', login, network(origin))}"
    return (
        Lane(pair),
        Lane(f"login:{_mac(app_key, 'login', login)}", SHARED_FREE, spares=pair),
        *places(app_key, origin),
    )


def places(app_key: bytes, origin: str) -> tuple[Lane, ...]:
    """The lanes of address ``origin``, whatever is tried from there."""
    return (
        Lane(f"address:{_mac(app_key, 'address', network(origin))}", SHARED_FREE),
        Lane(f"area:{_mac(app_key, 'area', network(origin, wide=True))}", WIDE_FREE),
    )


def network(origin: str, *, wide: bool = False) -> str:
    """What one party holds: an IPv4 address, the first 64 bits of an IPv6 one.

    ``wide``: what a party with many addresses holds, a /24 or a /48.
    """
    try:
        address = ipaddress.ip_address(origin.partition("%")[0])
    except ValueError:
        return origin
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.version == 4 and not wide:
        return str(address)
    bits = {4: 24, 6: 48 if wide else 64}[address.version]
    return str(ipaddress.ip_network((address, bits), strict=False))


def begin(tx: DeskTransaction, ways: Iterable[Lane], now: datetime) -> datetime | None:
    """Count an attempt in each lane; where one is shut, count none and return until when."""
    tx.audit_head()  # nobody else counts meanwhile
    stood = [(lane, _stands(tx, lane, now)) for lane in ways]
    spared = _spared(stood)
    shut = [
        each.until
        for lane, each in stood
        if each.until is not None and each.until > now and lane.spares not in spared
    ]
    if shut:
        return max(shut)
    for lane, each in stood:
        count = each.count + 1
        until = now + wait(count, lane.free) if count >= lane.free else None
        tx.put_attempts(replace(each, count=count, last_at=now, until=until))
    return None


def wait(count: int, free: int = FREE) -> timedelta:
    """How long one waits after ``count`` failures: 1, 2, 4 … seconds, a quarter hour at most."""
    if count < free:
        return timedelta()
    return min(timedelta(seconds=2 ** min(count - free, 20)), LONGEST)


def failed(tx: DeskTransaction, ways: Iterable[Lane]) -> int:
    """How many failures the attempt that was counted makes, where one has to wait now; else 0."""
    found = [(lane, tx.attempts(lane.key)) for lane in ways]
    counts = [(lane, stood) for lane, stood in found if stood is not None]
    spared = _spared(counts)
    return max(
        (n.count for lane, n in counts if n.count >= lane.free and lane.spares not in spared),
        default=0,
    )


def take_back(tx: DeskTransaction, ways: Iterable[Lane]) -> None:
    """The attempt was right: as if it had not been counted."""
    for lane in ways:
        stood = tx.attempts(lane.key)
        if stood is None:
            continue
        count = max(stood.count - 1, 0)
        until = stood.until if count >= lane.free else None
        tx.put_attempts(replace(stood, count=count, until=until))


def forget(tx: DeskTransaction, ways: Iterable[Lane]) -> None:
    """A whole sign-in: its owner's failures are forgotten; what an address did is not."""
    ways = tuple(ways)
    clear(tx, ways)
    take_back(tx, (lane for lane in ways if lane.free != FREE))


def clear(tx: DeskTransaction, ways: Iterable[Lane]) -> None:
    """Forget what failed in lanes that are one party's own; those that are shared stay as they are.

    For an attempt that was taken back before: twice would wash an address clean.
    """
    for lane in ways:
        if lane.free == FREE:
            tx.drop_attempts(lane.key)


def _spared(stood: Iterable[tuple[Lane, Attempts]]) -> set[str]:
    """The lanes in which there are free failures left."""
    return {lane.key for lane, each in stood if each.count < lane.free}


def _stands(tx: DeskTransaction, lane: Lane, now: datetime) -> Attempts:
    stood = tx.attempts(lane.key)
    if stood is None or now - stood.last_at >= FORGOTTEN:
        return Attempts(lane.key, 0, now)
    return stood


# the device cookie: days since 1970, nonce, MAC over both and the login


def device_token(app_key: bytes, login: str, now: datetime) -> str:
    """A device cookie for ``login``; it grants nothing but a lane of its own."""
    days, nonce = str(int(now.timestamp()) // 86400), secrets.token_urlsafe(16)
    return f"{days}.{nonce}.{_mac(app_key, 'cookie', login, days, nonce)}"


def known(app_key: bytes, login: str, token: str, now: datetime) -> bool:
    """Whether ``token`` is a device cookie of ``login`` that is still good."""
    return bool(_nonce(app_key, login, token, now))


def device_name(app_key: bytes, login: str) -> str:
    """What tells the cookies of several people at one browser apart, and nothing about them."""
    return _mac(app_key, "name", login)[:10]


def _nonce(app_key: bytes, login: str, token: str, now: datetime) -> str:
    days, _, rest = token.partition(".")
    nonce, _, mac = rest.partition(".")
    right = _mac(app_key, "cookie", login, days, nonce)
    genuine = hmac.compare_digest(mac.encode(), right.encode())
    kept = int(now.timestamp()) // 86400 - int(days) if genuine else DEVICE_KEPT.days
    return nonce if kept < DEVICE_KEPT.days else ""


def _mac(app_key: bytes, *parts: str) -> str:
    message = "\0".join(("minyi throttle", *parts)).encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(hmac.digest(app_key, message, "sha256")[:18]).decode()
