"""The audit's chain: whatever is done to it is found and named, and nothing else is."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desk.accounts import Account
from desk.audit import (
    START,
    Act,
    Entry,
    Flaw,
    Noted,
    Walk,
    digest,
    head_seal,
    record,
    seal_key,
    verify,
)
from desk.auditing import (
    FIELDS,
    AuditError,
    Verdict,
    accept,
    astray,
    check,
    check_file,
    exported,
    holds,
    standing,
    told,
    unsound,
    written,
)
from desk.store import Sought
from storage import SqlStore
from surveys.words import LANGUAGES
from tests.desk.ledger import Ledger

ZONE = ZoneInfo("Asia/Shanghai")

KEY = seal_key(b"k" * 32)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["王芳", "😀👩‍👧", "\ud800", "a\udfffb", "\x00", "=1+1", "", "“”", "\u2028"]),
)
ACTIONS = st.sampled_from(["campaign.paused", "account.invited", "approval.asked"])
FACTS = st.none() | st.dictionaries(
    st.sampled_from(["paused", "名称", "k"]), TEXTS | st.booleans() | st.integers(0, 9)
)
STEPS = st.lists(
    st.tuples(TEXTS, TEXTS, ACTIONS, TEXTS, FACTS, FACTS, st.integers(0, 10**6)),
    min_size=1,
    max_size=12,
)


def chain_of(steps: list[Any]) -> list[Entry]:
    tx = Ledger()
    at = NOW
    for who, name, action, what, before, after, later in steps:
        at += timedelta(seconds=later)
        record(tx, Act(who, name, "terminal", at, KEY), action, what, before, after)
    return tx.entries


CHAINS = STEPS.map(chain_of)


def plain(length: int, key: bytes = KEY) -> list[Entry]:
    tx = Ledger()
    for number in range(length):
        act = Act("a1", "王芳", "203.0.113.7", NOW, key)
        record(tx, act, "campaign.paused", f"campaign:c{number}", {"paused": False}, {"paused": 1})
    return tx.entries


def head(chain: list[Entry]) -> tuple[int, str]:
    return chain[-1].seq, chain[-1].hash


@given(CHAINS)
def test_an_untouched_chain_is_never_flagged(chain: list[Entry]) -> None:
    assert verify(chain, KEY, head(chain)) == []
    assert verify(chain, None) == []
    for entry in chain:
        json.dumps(asdict(entry), ensure_ascii=False).encode()  # nothing that UTF-8 cannot hold
        assert "\x00" not in entry.name


@given(CHAINS, st.data())
def test_any_single_change_to_any_field_of_any_row_is_found_under_its_number(
    chain: list[Entry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(chain) - 1))
    name = data.draw(st.sampled_from(FIELDS))
    old = getattr(chain[place], name)
    new: Any
    if name == "seq":
        taken = {entry.seq for entry in chain}
        new = data.draw(st.integers(-3, 10**12).filter(lambda n: n not in taken))
    else:
        new = data.draw((TEXTS | st.just(old + "x") | st.just(old[:-1])).filter(lambda t: t != old))
    changed = replace(chain[place], **{name: new})
    touched = sorted([*chain[:place], changed, *chain[place + 1 :]], key=lambda e: e.seq)
    found = verify(touched, KEY, head(chain))
    seq = chain[place].seq
    match name:
        case "seq":
            assert Flaw(new, "moved", seq) in found
            assert Flaw(seq, "removed", seq) in found
            assert len(found) == 2
        case "seal":
            assert found == [Flaw(seq, "forged")]
        case _:
            assert found == [Flaw(seq, "changed")]


@given(CHAINS, st.data())
def test_any_field_changed_with_its_hash_made_anew_is_found_even_without_the_key(
    chain: list[Entry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(chain) - 1))
    name = data.draw(st.sampled_from(list(FIELDS[1:9])))
    changed = replace(chain[place], **{name: getattr(chain[place], name) + "x"})
    changed = replace(changed, hash=digest(changed))
    touched = [*chain[:place], changed, *chain[place + 1 :]]
    assert verify(touched, KEY) == [Flaw(place + 1, "forged")]
    last = place == len(chain) - 1
    expected = Flaw(place + 1, "replaced") if last else Flaw(place + 2, "broken")
    assert verify(touched, None, head(chain)) == [expected]


@given(CHAINS, st.data())
def test_removed_rows_are_named_wherever_they_stood(
    chain: list[Entry], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(chain) - 1))
    last = data.draw(st.integers(first, len(chain) - 1))
    left = [*chain[:first], *chain[last + 1 :]]
    assert verify(left, KEY, head(chain)) == [Flaw(first + 1, "removed", last + 1)]
    if last < len(chain) - 1:  # what was cut off at the end is seen by the head alone
        assert verify(left, KEY) == [Flaw(first + 1, "removed", last + 1)]


@given(CHAINS, st.data())
def test_any_two_rows_exchanged_are_each_named_with_where_they_stood(
    chain: list[Entry], data: st.DataObject
) -> None:
    assume(len(chain) > 1)
    one, two = data.draw(
        st.lists(st.integers(0, len(chain) - 1), min_size=2, max_size=2, unique=True).map(sorted)
    )
    touched = list(chain)
    touched[one] = replace(chain[two], seq=one + 1)
    touched[two] = replace(chain[one], seq=two + 1)
    assert verify(touched, KEY, head(chain)) == [
        Flaw(one + 1, "moved", two + 1),
        Flaw(two + 1, "moved", one + 1),
    ]


@given(CHAINS, st.data())
def test_an_inserted_row_is_found_and_so_is_everything_pushed_along_by_it(
    chain: list[Entry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(chain)))
    prev = chain[place - 1].hash if place else "0" * 64
    forged = Entry(place + 1, "2026-11-22T09:30:00+00:00", "a1", "王芳", "terminal",
                   "account.invited", "account:mole", "", "{}", prev)  # fmt: skip
    forged = replace(forged, hash=digest(forged))
    forged = replace(forged, seal=chain[0].seal)
    pushed = [replace(entry, seq=entry.seq + 1) for entry in chain[place:]]
    found = verify([*chain[:place], forged, *pushed], KEY)
    assert Flaw(place + 1, "forged") in found
    assert {flaw.seq for flaw in found} == set(range(place + 1, len(chain) + 2))
    assert {flaw.kind for flaw in found} <= {"forged", "moved", "changed"}


@given(CHAINS, st.data())
def test_a_tail_cut_off_and_written_anew_by_the_program_is_found_by_the_head_noted_before(
    chain: list[Entry], data: st.DataObject
) -> None:
    tx = Ledger()
    tx.entries = chain[: data.draw(st.integers(0, len(chain) - 1))]
    for _ in range(data.draw(st.integers(0, 15))):
        record(tx, Act("a2", "anew", "terminal", NOW, KEY), "form.added", "form:x")
    found = verify(tx.entries, KEY, head(chain))
    if len(tx.entries) < len(chain):
        assert found == [Flaw(len(tx.entries) + 1, "removed", len(chain))]
    else:
        assert found == [Flaw(len(chain), "replaced")]
    assert verify(tx.entries, KEY) == [], "without a head noted elsewhere nobody can know"


def test_an_entry_moved_far_away_is_named_with_its_place() -> None:
    chain = plain(5000)
    moved = [replace(chain[4899], seq=100), *chain[100:4899], replace(chain[99], seq=4900)]
    found = verify([*chain[:99], *moved, *chain[4900:]], KEY, head(chain))
    assert found == [Flaw(100, "moved", 4900), Flaw(4900, "moved", 100)]


def test_no_entry_of_another_key_passes() -> None:
    found = verify(plain(3, seal_key(b"x" * 32)), KEY)
    assert found == [Flaw(1, "forged"), Flaw(2, "forged"), Flaw(3, "forged")]


def test_a_number_that_occurs_twice_is_named() -> None:
    chain = plain(3)
    assert verify([*chain[:2], chain[1], chain[2]], KEY) == [Flaw(2, "doubled")]


def test_a_chain_torn_to_pieces_is_told_in_bounded_space() -> None:
    chain = [replace(entry, name="x") for entry in plain(Walk.MOST + 50)]
    walk = Walk(KEY)
    for entry in chain:
        walk.take(entry)
    assert len(walk.end()) == Walk.MOST
    assert walk.more == 50


def test_every_flaw_is_told_in_both_languages() -> None:
    kinds = ("changed", "removed", "moved", "forged", "doubled", "broken", "replaced", "head",
             "note_cut", "note_unsealed")  # fmt: skip
    for language in LANGUAGES:
        said = {told(Flaw(41, kind, 77), language) for kind in kinds}
        assert len(said) == len(kinds)
        assert all("41" in sentence or "77" in sentence for sentence in said)
        assert "77" in told(Flaw(41, "removed", 77), language)
        assert "77" not in told(Flaw(41, "removed", 41), language)
        whole = {
            told(Flaw(0, f"note_{flaw}"), language) for flaw in ("missing", "damaged", "forged")
        }
        assert len(whole - said) == 3
        assert all("audit.head" in sentence for sentence in whole)


# against the store, and as a file


def put(chain: list[Entry]) -> Any:
    def work(tx: Any) -> None:
        for entry in chain:
            tx.put_audit(entry)

    return work


async def collected(store: SqlStore, sought: Sought, kind: str) -> bytes:
    return b"".join([piece async for piece in exported(store, sought, kind, ZONE)])


@pytest.fixture
async def filled(sqlite_url: str) -> Any:
    store = SqlStore(sqlite_url)
    await store.write(put(plain(2500)))
    yield store
    await store.close()


async def test_a_chain_of_many_batches_is_checked_whole(filled: SqlStore) -> None:
    chain = plain(2500)
    assert await check(filled, KEY, head(chain)) == Verdict(2500, head(chain))
    beyond = await check(filled, KEY, (2503, "a" * 64))
    assert beyond.flaws == (Flaw(2501, "removed", 2503),)
    assert not beyond.holds


async def test_an_export_of_all_of_it_can_be_checked_and_a_change_in_it_is_found(
    filled: SqlStore, tmp_path: Path
) -> None:
    chain = plain(2500)
    file = tmp_path / "audit.jsonl"
    file.write_bytes(await collected(filled, Sought(), "jsonl"))
    assert check_file(file, KEY, head(chain)) == Verdict(2500, head(chain))
    assert check_file(file, None) == Verdict(2500, head(chain))
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines[:9], *lines[10:]]), "utf-8")
    assert check_file(file, None).flaws == (Flaw(10, "removed", 10),)
    lines[9] = lines[9].replace("王芳", "王方")
    file.write_text("".join(lines), "utf-8")
    assert check_file(file, None).flaws == (Flaw(10, "changed"),)
    lines[9] = lines[9].replace("王方", "王芳")
    lines[20], lines[30] = lines[30], lines[20]
    file.write_text("".join(lines), "utf-8")
    assert check_file(file, KEY).flaws == (Flaw(21, "moved", 31), Flaw(31, "moved", 21))


@pytest.mark.parametrize(
    "line",
    [b"seq,at,who\n", b"[]\n", b"\xff\xfe\n", b'{"seq": 1}\n', b"\n", b"[" * 100_000 + b"\n",
     b'{"seq": true, "at": "", "who": "", "name": "", "origin": "", "action": "", "what": "", '
     b'"before": "", "after": "", "prev": "", "hash": "", "seal": ""}\n'],
)  # fmt: skip
def test_a_file_that_is_no_export_is_refused_with_its_line(line: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(written(plain(2), "jsonl", ZONE) + line)
    with pytest.raises(AuditError, match="line 3 is not an entry"):
        check_file(file, KEY)


async def test_a_spreadsheet_takes_nothing_in_an_export_for_a_formula(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    act = Act("a1", "=HYPERLINK(1)", "terminal", NOW, KEY)
    await store.write(lambda tx: record(tx, act, "form.added", "+1", None, {"name": "@x"}))
    raw = await collected(store, Sought(), "csv")
    await store.close()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0] == ["seq", "at (Asia/Shanghai)", *FIELDS[2:]]
    assert rows[1][1] == "2026-11-22 17:30:00", "as the clock on the wall showed"
    assert rows[1][3] == "'=HYPERLINK(1)"
    assert rows[1][6] == "'+1"


async def test_an_export_of_a_part_has_what_fits_newest_first(filled: SqlStore) -> None:
    raw = await collected(filled, Sought(what="campaign:c7"), "jsonl")
    assert [json.loads(line)["seq"] for line in raw.splitlines()] == [8]
    many = (await collected(filled, Sought(action="campaign"), "jsonl")).splitlines()
    assert [json.loads(line)["seq"] for line in many] == list(range(2500, 0, -1))


# the head, noted elsewhere


@given(st.lists(st.tuples(st.sampled_from(["append", "cut", "note"]), st.integers(1, 4)),
                max_size=25))  # fmt: skip
def test_the_note_never_goes_back_and_stays_where_it_proves_a_loss(
    steps: list[tuple[str, int]],
) -> None:
    tx, kept = Ledger(), (0, START)
    for step, many in steps:
        if step == "append":
            for _ in range(many):
                act = Act("a1", f"{len(tx.entries)}", "terminal", NOW, KEY)
                record(tx, act, "form.added", f"form:{steps.index((step, many))}")
        elif step == "cut":
            del tx.entries[-many:]
        elif (new := standing(tx, kept)) is not None:  # type: ignore[arg-type]
            assert new[0] > kept[0]
            assert kept in marks(tx)
            kept = new
    assert holds(tx, kept) == (kept in marks(tx))  # type: ignore[arg-type]
    assert (astray(tx, Noted(kept)) is None) == (kept in marks(tx))  # type: ignore[arg-type]
    assert bool(verify(tx.entries, KEY, kept)) != (kept in marks(tx))


def marks(tx: Ledger) -> set[tuple[int, str]]:
    return {(0, START), *((entry.seq, entry.hash) for entry in tx.entries)}


def test_going_on_after_a_loss_writes_the_loss_into_the_chain() -> None:
    tx = Ledger()
    chain = plain(6)
    tx.entries = chain[:4]
    new = accept(tx, Act("operator:root", "root", "terminal", NOW, KEY), Noted(head(chain)))  # type: ignore[arg-type]
    assert new == head(tx.entries)
    assert tx.entries[-1].action == "audit.accepted"
    assert chain[5].hash in tx.entries[-1].before
    assert chain[3].hash in tx.entries[-1].after
    assert verify(tx.entries, KEY, new) == []


def test_a_note_may_be_missing_only_where_nothing_has_happened_yet() -> None:
    missing = Noted(flaw="missing")
    tx: Any = Ledger()
    assert unsound(tx, missing) is None
    tx.people["a1"] = Account("a1", "lin", "林静", NOW)
    assert unsound(tx, missing) == Flaw(0, "note_missing"), "an account without a trace of it"
    tx = Ledger()
    tx.entries = plain(1)
    assert unsound(tx, missing) == Flaw(0, "note_missing")


def test_an_emptied_audit_does_not_fit_its_note() -> None:
    chain, tx = plain(6), Ledger()
    assert astray(tx, Noted(head(chain))) == Flaw(6, "note_cut")  # type: ignore[arg-type]
    assert verify([], KEY, head(chain)) == [Flaw(1, "removed", 6)]


def test_no_entrys_seal_is_a_heads() -> None:
    for entry in plain(5):
        assert head_seal(KEY, (entry.seq, entry.hash)) != entry.seal


async def test_a_check_names_a_flawed_note_first_and_compares_with_an_unsealed_one(
    filled: SqlStore,
) -> None:
    verdict = await check(filled, KEY, noted=Noted(flaw="forged"))
    assert verdict.flaws == (Flaw(0, "note_forged"),)
    assert not verdict.holds
    top = await filled.read(lambda tx: tx.audit_head())
    assert (await check(filled, KEY, noted=Noted(top))).holds
    beyond = Noted((top[0] + 5, "a" * 64), "unsealed")
    assert (await check(filled, KEY, noted=beyond)).flaws == (
        Flaw(top[0] + 5, "note_unsealed"),
        Flaw(top[0] + 1, "removed", top[0] + 5),
    )
