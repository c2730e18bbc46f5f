"""The audit: nobody changes it through the database, and whoever does so beneath it is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from desk.audit import START, Act, Entry, Flaw, digest, record, seal_key, verify
from desk.auditing import check
from desk.store import DeskTransaction, Sought
from storage import FileHead, SqlStore
from storage.desk_tables import audit
from storage.engine import begin, open_engine
from storage.transaction import SqlTransaction

KEY = seal_key(b"k" * 32)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ACT = Act("a1", "王芳", "203.0.113.7", NOW, KEY)


def write_down(tx: DeskTransaction, number: int, act: Act = ACT) -> Entry:
    return record(
        tx, act, "campaign.paused", f"campaign:c{number}", {"paused": False}, {"paused": True}
    )


def write_many(tx: DeskTransaction, numbers: range) -> None:
    for number in numbers:
        write_down(tx, number)


async def flaws(store: SqlStore, key: bytes | None = KEY) -> list[Flaw]:
    def look(tx: SqlTransaction) -> list[Flaw]:
        return list(verify(tx.audit_chain(), key, tx.audit_head()))

    return await store.read(look)


@contextmanager
def raw(url: str) -> Iterator[sa.Connection]:
    """The database under the hands of its owner, who need not ask the program."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection, begin(connection):
            yield connection
    finally:
        engine.dispose()


@contextmanager
def unguarded(url: str) -> Iterator[sa.Connection]:
    """As :func:`raw`, once the owner has taken the guard away."""
    with raw(url) as connection:
        drops = (
            ["DROP FUNCTION audit_refuse CASCADE"]
            if connection.dialect.name == "postgresql"
            else [f"DROP TRIGGER audit_no_{what}" for what in ("update", "delete", "replace")]
        )
        for drop in drops:
            connection.exec_driver_sql(drop)
        yield connection


@pytest.fixture
async def six(database_url: str) -> AsyncIterator[SqlStore]:
    """A database file or server whose audit has six entries that hold."""
    store = SqlStore(database_url)
    await store.write(partial(write_many, numbers=range(1, 7)))
    assert await flaws(store) == []
    yield store
    await store.close()


async def test_entries_come_back_as_they_were_written_and_the_head_moves(store: SqlStore) -> None:
    assert await store.read(lambda tx: tx.audit_head()) == (0, START)
    written = [await store.write(partial(write_down, number=number)) for number in (1, 2, 3)]
    assert await store.read(lambda tx: list(tx.audit_chain())) == written
    assert [entry.seq for entry in written] == [1, 2, 3]
    assert await store.read(lambda tx: tx.audit_head()) == (3, written[-1].hash)
    assert await flaws(store) == []


async def test_an_entry_stands_with_the_change_it_tells_of_or_not_at_all(store: SqlStore) -> None:
    def fail(tx: SqlTransaction) -> None:
        write_down(tx, 2)
        tx.put_note("done", "half")
        raise LookupError("on the way")

    await store.write(partial(write_down, number=1))
    with pytest.raises(LookupError):
        await store.write(fail)
    await store.write(partial(write_down, number=3))
    kept = await store.read(lambda tx: [entry.what for entry in tx.audit_chain()])
    assert kept == ["campaign:c1", "campaign:c3"]
    assert await store.read(lambda tx: tx.note("done")) is None
    assert await flaws(store) == []


async def test_a_chain_longer_than_a_batch_is_read_whole(store: SqlStore) -> None:
    await store.write(partial(write_many, numbers=range(1_300)))
    read = await store.read(lambda tx: [entry.seq for entry in tx.audit_chain()])
    assert read == list(range(1, 1_301))
    assert await flaws(store) == []


async def test_an_entry_that_does_not_follow_is_refused(store: SqlStore) -> None:
    first = await store.write(partial(write_down, number=1))
    for wrong in (first, replace(first, seq=7), replace(first, seq=2)):
        with pytest.raises(ValueError, match="does not follow"):
            await store.write(lambda tx, entry=wrong: tx.put_audit(entry))  # type: ignore[misc]
    assert await store.read(lambda tx: list(tx.audit_chain())) == [first]


async def test_two_who_append_at_once_make_one_unbroken_chain(database_url: str) -> None:
    stores = [SqlStore(database_url) for _ in range(3)]
    try:
        await asyncio.gather(
            *(stores[number % 3].write(partial(write_down, number=number)) for number in range(60))
        )
        assert await flaws(stores[0]) == []
        kept = await stores[1].read(lambda tx: {entry.what for entry in tx.audit_chain()})
        assert kept == {f"campaign:c{number}" for number in range(60)}
    finally:
        await asyncio.gather(*(store.close() for store in stores))


STATEMENTS = (
    "UPDATE audit SET who = 'somebody' WHERE seq = 2",
    "UPDATE audit SET seal = seal",
    "DELETE FROM audit WHERE seq = 6",
    "DELETE FROM audit",
)


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_the_database_refuses_to_change_or_delete_an_entry(
    six: SqlStore, database_url: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"), raw(database_url) as connection:
        connection.exec_driver_sql(statement)
    with pytest.raises(DBAPIError, match="append-only"):
        await six.write(lambda tx: tx._connection.exec_driver_sql(statement))
    assert await flaws(six) == []


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_a_database_in_memory_refuses_it_too(statement: str) -> None:
    store = SqlStore("sqlite://")
    await store.write(partial(write_many, numbers=range(1, 7)))
    with pytest.raises(DBAPIError, match="append-only"):
        await store.write(lambda tx: tx._connection.exec_driver_sql(statement))
    assert await flaws(store) == []
    await store.close()


async def test_sqlite_refuses_to_write_over_an_entry_or_into_the_past(sqlite_url: str) -> None:
    """REPLACE deletes the old row without asking the trigger for DELETE."""
    store = SqlStore(sqlite_url)
    await store.write(partial(write_many, numbers=range(1, 4)))
    for seq in (0, 2, 3):
        with pytest.raises(DBAPIError, match="append-only"), raw(sqlite_url) as connection:
            connection.exec_driver_sql(
                "INSERT OR REPLACE INTO audit SELECT ?, at, 'x', name, origin, action, what, "
                '"before", "after", prev, hash, seal FROM audit WHERE seq = 1',
                (seq,),
            )
    assert await flaws(store) == []
    await store.close()


async def test_postgresql_refuses_to_empty_the_table(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    await store.write(partial(write_down, number=1))
    with pytest.raises(DBAPIError, match="append-only"), raw(postgres_url) as connection:
        connection.exec_driver_sql("TRUNCATE audit")
    assert await flaws(store) == []
    await store.close()


@pytest.mark.parametrize(
    "column", ["at", "who", "name", "origin", "action", "what", "before", "after", "prev"]
)
async def test_a_changed_entry_is_found_and_named(
    six: SqlStore, database_url: str, column: str
) -> None:
    with unguarded(database_url) as connection:
        connection.execute(sa.update(audit).where(audit.c.seq == 3).values({column: "other"}))
    assert await flaws(six) == [Flaw(3, "changed")]
    assert await flaws(six, key=None) == [Flaw(3, "changed")], "whoever has no key finds it too"


@pytest.mark.parametrize("seq", [1, 4, 6])
async def test_a_removed_entry_is_found_and_named(
    six: SqlStore, database_url: str, seq: int
) -> None:
    with unguarded(database_url) as connection:
        connection.execute(sa.delete(audit).where(audit.c.seq == seq))
    assert await flaws(six) == [Flaw(seq, "removed", seq)]


async def test_a_tail_cut_off_is_found_by_the_head(six: SqlStore, database_url: str) -> None:
    with unguarded(database_url) as connection:
        connection.execute(sa.delete(audit).where(audit.c.seq > 4))
    assert await flaws(six) == [Flaw(5, "removed", 6)]
    await six.write(partial(write_down, number=7))
    assert await flaws(six) == [Flaw(5, "removed", 6)], "appending hides nothing"


async def test_entries_exchanged_are_found_and_named(six: SqlStore, database_url: str) -> None:
    with unguarded(database_url) as connection:
        for old, new in ((2, 99), (5, 2), (99, 5)):
            connection.execute(sa.update(audit).where(audit.c.seq == old).values(seq=new))
    assert await flaws(six) == [Flaw(2, "moved", 5), Flaw(5, "moved", 2)]


async def test_a_chain_computed_anew_without_the_key_is_found(
    six: SqlStore, database_url: str
) -> None:
    """Everything adds up, for whoever knows SHA-256 only; the seals do not."""
    chain = await six.read(lambda tx: list(tx.audit_chain()))
    prev, rows = START, []
    for entry in chain:
        new = replace(entry, prev=prev, who="somebody else" if entry.seq == 2 else entry.who)
        new = replace(new, hash=digest(new))
        prev = new.hash
        rows.append(asdict(new))
    with unguarded(database_url) as connection:
        connection.execute(sa.delete(audit))
        connection.execute(sa.insert(audit), rows)
        connection.exec_driver_sql(f"UPDATE audit_head SET hash = '{prev}'")
    assert await flaws(six, key=None) == []
    assert await flaws(six) == [Flaw(seq, "forged") for seq in range(2, 7)]


async def test_an_entry_put_in_by_hand_is_found(six: SqlStore, database_url: str) -> None:
    seq, prev = await six.read(lambda tx: tx.audit_head())
    slipped = Entry(seq + 1, "2026-11-22T10:00:00+00:00", "a9", "", "x", "roster.imported",
                    "roster:all", "", "", prev)  # fmt: skip
    slipped = replace(slipped, hash=digest(slipped), seal="0" * 64)
    await six.write(lambda tx: tx.put_audit(slipped))
    assert await flaws(six) == [Flaw(7, "forged")]


# with the head noted outside, as every running installation has it


@pytest.fixture
async def noted(six: SqlStore, tmp_path: Path) -> FileHead:
    """The file beside the database of :func:`six`, as the program left it."""
    head = FileHead(tmp_path / "audit.head", KEY)
    head.replace(await six.read(lambda tx: tx.audit_head()))
    return head


COPIED = (
    'INSERT INTO audit SELECT {to}, at, who, name, origin, action, what, "before", "after", prev, '
    "hash, seal FROM audit WHERE seq = {of}"
)
MENDED = "UPDATE audit_head SET seq = {0}, hash = (SELECT hash FROM audit WHERE seq = {0})"


def exchanged(one: int, two: int) -> list[str]:
    return [
        f"UPDATE audit SET seq = {new} WHERE seq = {old}"
        for old, new in ((one, 99), (two, one), (99, two))
    ]


@pytest.mark.parametrize(
    ("deeds", "found"),
    [
        (["UPDATE audit SET name = 'x' WHERE seq = 2"], [Flaw(2, "changed")]),
        (["UPDATE audit SET \"after\" = '' WHERE seq = 6"], [Flaw(6, "changed")]),
        (["UPDATE audit SET seal = '00' WHERE seq = 3"], [Flaw(3, "forged")]),
        (["DELETE FROM audit WHERE seq = 1"], [Flaw(1, "removed", 1)]),
        (["DELETE FROM audit WHERE seq IN (3, 4)"], [Flaw(3, "removed", 4)]),
        (["DELETE FROM audit WHERE seq = 6"], [Flaw(6, "removed", 6)]),
        (["DELETE FROM audit WHERE seq = 6", MENDED.format(5)], [Flaw(6, "removed", 6)]),
        (["DELETE FROM audit WHERE seq > 3", MENDED.format(3)], [Flaw(4, "removed", 6)]),
        (["DELETE FROM audit", "DELETE FROM audit_head"], [Flaw(1, "removed", 6)]),
        (exchanged(2, 5), [Flaw(2, "moved", 5), Flaw(5, "moved", 2)]),
        (exchanged(5, 6), [Flaw(5, "moved", 6), Flaw(6, "moved", 5)]),
        ([COPIED.format(to=7, of=6), MENDED.format(7)], [Flaw(7, "changed")]),
        (
            [
                "UPDATE audit SET seq = seq + 1001 WHERE seq > 3",
                "UPDATE audit SET seq = seq - 1000 WHERE seq > 1000",
                COPIED.format(to=4, of=1),
            ],
            [Flaw(4, "changed"), *(Flaw(seq, "moved", seq - 1) for seq in (5, 6, 7))],
        ),
    ],
)
async def test_whatever_is_altered_removed_reordered_or_added_is_named(
    six: SqlStore, noted: FileHead, database_url: str, deeds: list[str], found: list[Flaw]
) -> None:
    assert (await check(six, KEY, noted=noted.noted())).holds
    with unguarded(database_url) as connection:
        for deed in deeds:
            connection.exec_driver_sql(deed)
    assert list((await check(six, KEY, noted=noted.noted())).flaws) == found


@pytest.mark.parametrize(
    ("seal", "found"),
    [
        (" {entry}", Flaw(0, "note_forged")),
        (f" {'0' * 64}", Flaw(0, "note_forged")),
        ("", Flaw(3, "note_unsealed")),
        (" 00", Flaw(0, "note_damaged")),
        (None, Flaw(0, "note_missing")),
    ],
)
async def test_an_end_cut_off_with_every_note_of_it_rewritten_without_the_key_is_found(
    six: SqlStore, noted: FileHead, database_url: str, tmp_path: Path, seal: str | None, found: Flaw
) -> None:
    with unguarded(database_url) as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE seq > 3")
        connection.exec_driver_sql(MENDED.format(3))
    [last] = await six.read(lambda tx: list(tx.audit_chain(2)))
    file = tmp_path / "audit.head"
    file.unlink()
    if seal is not None:
        file.write_text(f"3 {last.hash}{seal.format(entry=last.seal)}\n")
    assert (await check(six, KEY, noted=noted.noted())).flaws == (found,)


async def test_a_head_that_was_taken_away_is_made_again(six: SqlStore, database_url: str) -> None:
    with raw(database_url) as connection:
        connection.exec_driver_sql("DELETE FROM audit_head")
    head = await six.read(lambda tx: tx.audit_head())
    assert head[0] == 6
    await six.write(partial(write_down, number=7))
    assert await flaws(six) == []


def entries(tx: SqlTransaction) -> None:
    other = replace(ACT, who="minyi", name="minyi", origin="terminal")
    record(tx, ACT, "campaign.paused", "campaign:window", {"paused": False}, {"paused": True})
    record(tx, other, "campaignless.made", "x:1", None, {"title": "100%_Gut"})
    tomorrow = replace(ACT, at=NOW + timedelta(days=1))
    record(tx, tomorrow, "account.made", "account:a2", None, {"login": "li"})
    record(tx, tomorrow, "campaign.resumed", "campaign:window", {"paused": True}, {"paused": False})


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        (Sought(), [4, 3, 2, 1]),
        (Sought(who="minyi"), [2]),
        (Sought(action="campaign."), [4, 1]),
        (Sought(action="campaign"), [4, 2, 1]),
        (Sought(what="campaign:window"), [4, 1]),
        (Sought(what="campaign"), []),
        (Sought(since="2026-11-23"), [4, 3]),
        (Sought(before="2026-11-23"), [2, 1]),
        (Sought(since="2026-11-22", before="2026-11-24", who="a1"), [4, 3, 1]),
        (Sought(text="WINDOW"), [4, 1]),
        (Sought(text="0%_g"), [2]),
        (Sought(text="%"), [2]),
        (Sought(text="王芳"), [4, 3, 1]),
        (Sought(text='login":"li'), [3]),
    ],
)
async def test_entries_are_sought_by_all_that_is_asked(
    store: SqlStore, sought: Sought, found: list[int]
) -> None:
    await store.write(entries)
    assert await store.read(lambda tx: [entry.seq for entry in tx.audit(sought)]) == found


async def test_entries_are_paged_newest_first(store: SqlStore) -> None:
    await store.write(partial(write_many, numbers=range(7)))

    def page(before: int) -> Callable[[SqlTransaction], list[int]]:
        return lambda tx: [entry.seq for entry in tx.audit(Sought(), before=before, limit=3)]

    assert [await store.read(page(before)) for before in (0, 5, 2)] == [[7, 6, 5], [4, 3, 2], [1]]
