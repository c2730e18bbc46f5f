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
import re
from bisect import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

START = "0" * 64
"""What stands before the first entry's hash."""

Mark = tuple[int, str]
"""(seq, hash) of the entry that was the newest once: the chain's head at that time."""

_UNKEPT = re.compile("[\x00\ud800-\udfff]")  # no database keeps these, nor does UTF-8
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
    who, name, origin = (_kept(text) for text in (act.who, act.name, act.origin))
    entry = Entry(seq + 1, at, who, name, origin, action, _kept(what),
                  _kept(canonical(before)), _kept(canonical(after)), prev)  # fmt: skip
    entry = replace(entry, hash=digest(entry))
    entry = replace(entry, seal=_seal(act.key, entry.hash))
    tx.put_audit(entry)
    return entry


def someone(act: Act, person: str) -> str:
    """How the audit names ``person``: by a mark that only the audit's key leads to.

    Entries stay for good. Whoever is forgotten must not be found in them by an id.
    """
    mark = hmac.digest(act.key, b"minyi person " + person.encode("utf-8", "replace"), "sha256")
    return f"person:{mark.hex()[:16]}"


def _kept(text: str) -> str:
    """``text`` as every database can keep it."""
    return _UNKEPT.sub("\ufffd", text)


def canonical(facts: Facts | None) -> str:
    """JSON with sorted keys and no spaces; '' for None."""
    if facts is None:
        return ""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


_HASHED = attrgetter(
    "seq", "at", "who", "name", "origin", "action", "what", "before", "after", "prev"
)


def digest(entry: Entry) -> str:
    """SHA-256 (hex) of the entry's JSON array of its first ten fields, in their order."""
    text = json.dumps(_HASHED(entry), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _seal(key: bytes, hashed: str) -> str:
    return hmac.new(key, hashed.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def head_seal(key: bytes, mark: Mark) -> str:
    """HMAC-SHA256 (hex) of a head noted outside the database. No entry's seal can stand for it."""
    return _seal(key, f"head {mark[0]} {mark[1]}")


@dataclass(frozen=True, slots=True)
class Noted:
    """The head as it stands noted outside the database.

    ``flaw``: '' | missing | damaged | forged (sealed without the key) | unsealed (as the version
    before seals wrote it). ``mark`` is what may be compared with, None for nothing.
    """

    mark: Mark | None = None
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the chain at ``seq``.

    ``kind``: changed (its content is not what was written), removed (nothing stands there, up to
    and with ``other``), moved (what stands there was written as ``other``), forged (written
    without the key), doubled (the number occurs twice), broken (it does not follow from the entry
    before it), replaced (another entry stood there when the head was noted), head (the database's
    own note of its newest entry does not name the newest entry), note_cut (the entry noted outside
    the database is not there), note_missing, note_damaged, note_forged, note_unsealed (what is
    wrong with that note itself, see :class:`Noted`; ``seq`` is 0 where it names no entry).
    """

    seq: int
    kind: str
    other: int = 0


def verify(entries: Iterable[Entry], key: bytes | None, *marks: Mark | None) -> list[Flaw]:
    """Every flaw of the chain, in its order; nothing where all of it holds.

    ``entries`` come by ``seq``. Without ``key`` the seals are not looked at. ``marks`` are heads
    noted elsewhere: what was cut off after one, or written anew, is found by them.
    """
    walk = Walk(key, marks)
    for entry in entries:
        walk.take(entry)
    return walk.end()


class Walk:
    """A check of the chain, entry by entry, that can be halted and gone on with.

    ``count`` entries were taken; ``newest`` is (seq, hash) of the last sound one; ``seen`` the
    last number. At most :data:`MOST` flaws are kept; ``more`` counts those beyond.
    """

    MOST = 1000

    def __init__(self, key: bytes | None, marks: Iterable[Mark | None] = ()) -> None:
        self.count = 0
        self.newest: Mark = (0, START)
        self.seen = 0
        self.more = 0
        self._key = key
        self._marks = [mark for mark in marks if mark is not None and mark[0] > 0]
        self._link: str | None = START  # what the next entry names as before it; None: any
        self._odd: set[int] = set()  # numbers after the last sound entry, with an unsound one
        self._suspects: list[Entry] = []  # changed, unless they have only been moved
        self._flaws: list[Flaw] = []

    def copy(self) -> Walk:
        """The same check, to be gone on with while this one stays where it is."""
        other = Walk(self._key, self._marks)
        other.count, other.newest, other.seen = self.count, self.newest, self.seen
        other.more, other._link = self.more, self._link
        other._odd, other._suspects = set(self._odd), list(self._suspects)
        other._flaws = list(self._flaws)
        return other

    def take(self, entry: Entry) -> None:
        """The next entry."""
        self.count += 1
        wrong = self._wrong(entry)
        if wrong:
            self._odd.add(entry.seq)
            self._note(Flaw(entry.seq, wrong))
            self._link = None  # one flaw is named once, not again at the entry after it
        else:
            self._missing(entry.seq)
            self._odd.clear()
            self.newest = (entry.seq, entry.hash)
            self._link = entry.hash
        self.seen = max(self.seen, entry.seq)

    def end(self, head: Mark | None = None) -> list[Flaw]:
        """The flaws by number. ``head`` is what the database itself notes as its newest entry."""
        marked = [*self._marks, *([head] if head is not None else [])]
        last = max((seq for seq, _ in marked), default=0)
        self._missing(last + 1)
        if head is not None and head[0] <= self.newest[0] and head != self.newest:
            self._note(Flaw(head[0], "head"))
        homes = self._homes()
        named = (
            replace(flaw, kind="moved", other=homes[flaw.seq])
            if flaw.kind == "changed" and flaw.seq in homes
            else flaw
            for flaw in self._flaws
        )
        return sorted(named, key=lambda flaw: (flaw.seq, flaw.kind))

    def _wrong(self, entry: Entry) -> str:
        """What is wrong with the entry itself or with its place; '' for nothing."""
        genuine = self._key is None or hmac.compare_digest(
            _seal(self._key, entry.hash).encode(), entry.seal.encode("utf-8", "surrogatepass")
        )
        if digest(entry) != entry.hash:
            if genuine and len(self._suspects) < self.MOST:
                self._suspects.append(entry)
            return "changed"
        if not genuine:
            return "forged"
        if entry.seq <= self.seen:
            return "doubled"
        if any(seq == entry.seq and noted != entry.hash for seq, noted in self._marks):
            return "replaced"
        if entry.seq == self.seen + 1 and self._link not in {None, entry.prev}:
            return "broken"
        return ""

    def _missing(self, before: int) -> None:
        """Note the numbers between the last sound entry and ``before`` where nothing stands."""
        start = self.newest[0] + 1
        for taken in sorted({seq for seq in self._odd if start <= seq < before} | {before}):
            if start < taken:
                self._note(Flaw(start, "removed", taken - 1))
            start = taken + 1

    def _note(self, flaw: Flaw) -> None:
        if len(self._flaws) < self.MOST:
            self._flaws.append(flaw)
        else:
            self.more += 1

    def _homes(self) -> dict[int, int]:
        """Where those that were only moved were written: a place that is itself flawed."""
        flawed = {
            place
            for flaw in self._flaws
            for place in range(flaw.seq, max(flaw.seq, min(flaw.other, flaw.seq + 9)) + 1)
        }
        places = sorted(flawed)
        homes: dict[int, int] = {}
        for entry in self._suspects:
            at = bisect(places, entry.seq)
            near = places[max(0, at - self.MOST // 2) : at + self.MOST // 2]
            for place in near:
                if digest(replace(entry, seq=place)) == entry.hash:
                    homes[entry.seq] = place
                    break
        return homes
