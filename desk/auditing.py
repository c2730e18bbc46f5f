"""Reading the audit: whether all of it holds, and taking it out of the house."""

from __future__ import annotations

import csv
import json
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from io import StringIO
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from desk.audit import START, Act, Entry, Facts, Flaw, Mark, Noted, Walk, record
from desk.exporting import inert
from desk.store import DeskStore, DeskTransaction, Sought
from surveys.words import Words

WORDS = Words.of("desk", "audit")
FIELDS = tuple(field.name for field in fields(Entry))
KINDS = ("jsonl", "csv")
BATCH = 1000
"""Entries read at a time: nobody waits long for a reader, and no snapshot is held for long."""


class AuditError(Exception):
    """The audit cannot be read or taken out so; the text says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found. ``more`` flaws beyond ``flaws`` are not kept."""

    count: int
    head: Mark
    flaws: tuple[Flaw, ...] = ()
    more: int = 0

    @property
    def holds(self) -> bool:
        return not self.flaws


# checking


def told(flaw: Flaw, language: str) -> str:
    """The flaw in plain words."""
    many = flaw.kind == "removed" and flaw.other > flaw.seq
    kind = "removed_many" if many else flaw.kind
    return WORDS.say(f"flaw.{kind}", language, seq=flaw.seq, other=flaw.other)


async def check(
    store: DeskStore, key: bytes | None, *marks: Mark | None, noted: Noted | None = None
) -> Verdict:
    """Look at every entry; ``key`` and ``marks`` as for :func:`desk.audit.verify`.

    ``noted`` is the head outside the database: what it marks is compared, and it is judged itself.
    """
    walk, verdict = Walk(key, (*marks, noted.mark if noted else None)), None
    while verdict is None:
        walk, verdict = await store.read(partial(_further, walk))
    flaw = await store.read(partial(unsound, noted=noted)) if noted else None
    return replace(verdict, flaws=(flaw, *verdict.flaws)) if flaw else verdict


def _further(walk: Walk, tx: DeskTransaction) -> tuple[Walk, Verdict | None]:
    """``walk`` some steps further. It is left as it was: a unit of work may run twice."""
    walk = walk.copy()
    batch = list(islice(tx.audit_chain(walk.seen) if walk.count else tx.audit_chain(), BATCH))
    for entry in batch:
        walk.take(entry)
    return walk, None if len(batch) == BATCH else _verdict(walk, tx.audit_head())


def check_file(path: Path, key: bytes | None, *marks: Mark | None) -> Verdict:
    """The same for an export of the whole chain (JSON lines); AuditError where it is none."""
    order = [seq for seq, _ in _lines(path)]
    lined = sorted(order)
    walk = Walk(key, marks)
    for entry in _rising(path, order):
        walk.take(entry)
    verdict = _verdict(walk)
    moved = {place: seq for seq, place in zip(order, lined, strict=True) if seq != place}
    if not moved:
        return verdict
    astray = [Flaw(place, "moved", seq) for place, seq in islice(moved.items(), Walk.MOST)]
    found = sorted((*verdict.flaws, *astray), key=lambda flaw: flaw.seq)
    return Verdict(verdict.count, verdict.head, tuple(found), verdict.more)


def _verdict(walk: Walk, head: Mark | None = None) -> Verdict:
    flaws = tuple(walk.end(head))
    return Verdict(walk.count, walk.newest, flaws, walk.more)


def _rising(path: Path, order: Sequence[int]) -> Iterator[Entry]:
    """The file's entries by number; only where their lines are not in that order all at once."""
    entries = (entry for _, entry in _lines(path))
    rising = all(before <= after for before, after in pairwise(order))
    return entries if rising else iter(sorted(entries, key=lambda entry: entry.seq))


def _lines(path: Path) -> Iterator[tuple[int, Entry]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            entry = _entry(line)
            if entry is None:
                raise AuditError(
                    f"{path}: line {number} is not an entry of the audit. Give a whole export in "
                    "JSON lines, as it was written; a CSV is for reading and cannot be checked."
                )
            yield entry.seq, entry


def _entry(line: bytes) -> Entry | None:
    try:
        row = json.loads(line.removeprefix(BOM_UTF8).decode("utf-8", "surrogatepass"))
        entry = Entry(**row)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = [getattr(entry, name) for name in FIELDS if name != "seq"]
    sound = type(entry.seq) is int and all(isinstance(text, str) for text in texts)
    return entry if sound else None


# noting the head


def standing(tx: DeskTransaction, kept: Mark) -> Mark | None:
    """The head to keep outside the database instead of ``kept``; None where it must stay.

    It never goes back, and not forward either where the chain no longer holds the entry that was
    kept: then ``kept`` is what proves it.
    """
    head = tx.audit_head()
    return head if head[0] > kept[0] and holds(tx, kept) else None


def holds(tx: DeskTransaction, kept: Mark) -> bool:
    """Whether the entry that was noted as ``kept`` still stands where it stood."""
    if not kept[0]:
        return True  # noted before there was any
    found = tx.audit(Sought(), before=kept[0] + 1, limit=1)
    return bool(found) and (found[0].seq, found[0].hash) == kept


def blank(tx: DeskTransaction) -> bool:
    """Whether nothing has happened here yet: nothing is recorded, and nobody has an account."""
    return not tx.audit_head()[0] and not tx.accounts()


def unsound(tx: DeskTransaction, noted: Noted) -> Flaw | None:
    """What is wrong with the note itself; it may be missing only where nothing happened yet."""
    if not noted.flaw or (noted.flaw == "missing" and blank(tx)):
        return None
    return Flaw(noted.mark[0] if noted.mark else 0, f"note_{noted.flaw}")


def astray(tx: DeskTransaction, noted: Noted) -> Flaw | None:
    """Why the note must stay as it is: something is wrong with it, or with what it marks."""
    flaw = unsound(tx, noted)
    if flaw is None and noted.mark is not None and not holds(tx, noted.mark):
        return Flaw(noted.mark[0], "note_cut")
    return flaw


def accept(tx: DeskTransaction, act: Act, noted: Noted) -> Mark:
    """Go on from the chain as it is, and write into it which head it was compared with.

    For an older backup that was restored, and a note that was lost or is not sealed yet: it stays
    on record. The new head is returned.
    """
    seq, digest = noted.mark or (0, START)
    stands, newest = tx.audit_head()
    before: Facts = {"entry": seq, "hash": digest, "noted": noted.flaw or "sealed"}
    after: Facts = {"entry": stands, "hash": newest}
    entry = record(tx, act, "audit.accepted", "audit:chain", before, after)
    return entry.seq, entry.hash


# taking it out


async def exported(
    store: DeskStore, sought: Sought, kind: str, zone: ZoneInfo
) -> AsyncIterator[bytes]:
    """The entries that fit as pieces of a file: ``kind`` is jsonl or csv.

    All of the chain comes by number, so that it can be checked; a part of it newest first. A CSV
    is for people: its moments are those of ``zone``, which its heading names.
    """
    if kind == "csv":
        heading = [f"at ({zone.key})" if name == "at" else name for name in FIELDS]
        yield BOM_UTF8 + _csv([heading]).encode()  # the mark tells Excel that it is UTF-8
    pages = _chain if sought == Sought() else partial(_page, sought)
    last: int | None = None
    while True:
        batch = await store.read(partial(pages, last))
        if batch:
            yield written(batch, kind, zone)
            last = batch[-1].seq
        if len(batch) < BATCH:
            return


def _chain(last: int | None, tx: DeskTransaction) -> list[Entry]:
    return list(islice(tx.audit_chain() if last is None else tx.audit_chain(last), BATCH))


def _page(sought: Sought, last: int | None, tx: DeskTransaction) -> list[Entry]:
    if last is not None and last <= 1:
        return []
    return list(tx.audit(sought, before=last or 0, limit=BATCH))


def written(entries: Sequence[Entry], kind: str, zone: ZoneInfo) -> bytes:
    """``entries`` as lines of a file."""
    if kind == "csv":
        entries = [replace(entry, at=_local(entry.at, zone)) for entry in entries]
    rows = [[getattr(entry, name) for name in FIELDS] for entry in entries]
    if kind == "csv":
        text = _csv([[inert(value) for value in row] for row in rows])
    else:
        text = "".join(
            json.dumps(dict(zip(FIELDS, row, strict=True)), ensure_ascii=False) + "\n"
            for row in rows
        )
    return text.encode("utf-8", "surrogatepass")  # nothing is hidden that somebody forged


def _local(moment: str, zone: ZoneInfo) -> str:
    """``moment`` in ``zone`` to the second; one that somebody forged as it stands."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return moment


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
