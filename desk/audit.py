"""Who did what to what, when and from where: append-only, hash-chained, sealed.

Each entry's ``hash`` covers everything in it and the hash before it, so whoever holds an export
can check the chain with nothing but SHA-256. Each hash is ``seal``-ed with a key that lies outside
the database: whoever can write to the database cannot write an entry that holds. Entries never
carry what people answered or reported.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

START = "0" * 64
"""What stands before the first entry's hash."""

Value = str | int | float | bool | None | list[Any]
Facts = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, from where and when; every change is handed one.

    ``who`` is an account's id, or ``operator:NAME`` for the machine's own user at the terminal, or
    ``minyi`` for what the clock does. ``name`` is how a person knows them. ``origin`` is an
    address, ``terminal``, ``telegram``, or ``token ID at ADDRESS``. ``key`` seals the audit.
    """

    who: str
    name: str
    origin: str
    at: datetime
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit. ``before`` and ``after`` are canonical JSON objects, '' for none."""

    seq: int  # 1, 2, 3 …
    at: str  # 2026-11-22T09:30:00+00:00
    who: str
    name: str
    origin: str
    action: str  # campaign.paused
    what: str  # campaign:window
    before: str
    after: str
    prev: str
    hash: str = ""
    seal: str = ""


def seal_key(app_key: bytes) -> bytes:
    """The key (32 bytes) that seals the audit, made from the application's own."""
    return hmac.digest(app_key, b"minyi audit seal", "sha256")


def record(
    tx: Any,
    act: Act,
    action: str,
    what: str,
    before: Facts | None = None,
    after: Facts | None = None,
) -> Entry:
    """Append to the audit in the transaction that makes the change; both stand or neither.

    ``what`` names the thing as ``kind:id``. ``before`` and ``after`` give its changed fields only
    (with both given, fields that are equal in both are left out).
    """
    if before is not None and after is not None:
        same = {name for name in before if name in after and before[name] == after[name]}
        before = {name: value for name, value in before.items() if name not in same}
        after = {name: value for name, value in after.items() if name not in same}
    seq, prev = tx.audit_head()
    at = act.at.astimezone(UTC).isoformat(timespec="seconds")
    entry = Entry(seq + 1, at, act.who, act.name, act.origin, action, what,
                  canonical(before), canonical(after), prev)  # fmt: skip
    entry = replace(entry, hash=digest(entry))
    entry = replace(entry, seal=_seal(act.key, entry.hash))
    tx.put_audit(entry)
    return entry


def canonical(facts: Facts | None) -> str:
    """JSON with sorted keys and no spaces; '' for None."""
    if facts is None:
        return ""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(entry: Entry) -> str:
    """SHA-256 (hex) of the entry's JSON array of its first ten fields, in their order."""
    fields = list(asdict(entry).values())[:10]
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _seal(key: bytes, hashed: str) -> str:
    return hmac.new(key, hashed.encode(), "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the chain at ``seq``.

    ``kind``: changed (its content is not what was written), removed (nothing stands there), moved
    (it stood at ``other`` before), broken (it does not follow from the entry before it), forged
    (written without the key).
    """

    seq: int
    kind: str
    other: int = 0


def verify(
    entries: Iterable[Entry], key: bytes | None, head: tuple[int, str] | None = None
) -> Iterator[Flaw]:
    """Every flaw of the chain, in its order; nothing where all of it holds.

    ``entries`` come by ``seq``. Without ``key`` the seals are not looked at. ``head`` is (seq,
    hash) of the newest entry as noted elsewhere: what was cut off after it is found by that.
    """
    seq, prev = 0, START
    for entry in entries:
        for missing in range(seq + 1, entry.seq):
            yield Flaw(missing, "removed")
        gap = entry.seq != seq + 1
        if flaw := _flaw(entry, key, None if gap else prev):
            yield flaw
        seq, prev = entry.seq, entry.hash
    if head is not None and seq < head[0]:
        for missing in range(seq + 1, head[0] + 1):
            yield Flaw(missing, "removed")
    elif head is not None and seq == head[0] and prev != head[1]:
        yield Flaw(seq, "changed")


def _flaw(entry: Entry, key: bytes | None, prev: str | None) -> Flaw | None:
    genuine = key is None or hmac.compare_digest(_seal(key, entry.hash), entry.seal)
    if digest(entry) != entry.hash:
        if genuine and (home := _home(entry)):
            return Flaw(entry.seq, "moved", home)
        return Flaw(entry.seq, "changed")
    if not genuine:
        return Flaw(entry.seq, "forged")
    if prev is not None and entry.prev != prev:
        return Flaw(entry.seq, "broken")
    return None


def _home(entry: Entry, within: int = 1000) -> int:
    """The number under which the entry's content has its hash; 0 where there is none near."""
    low = max(1, entry.seq - within)
    near = range(low, entry.seq + within + 1)
    return next((seq for seq in near if digest(replace(entry, seq=seq)) == entry.hash), 0)
