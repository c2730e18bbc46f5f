from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import SqlStore
from storage.engine import begin, open_engine
from storage.transaction import SqlTransaction
from surveys.campaigns import Outcome, WaveState
from surveys.cells import Cell, RaterGroup, Reasons, Spread, Tally, Turnout, Withheld
from tests.storage.rows import NOW, WAVE, found_roll, interview, telegram

TALLY = Tally(
    cells=(
        Cell("s1", "speed", RaterGroup.PEER, (0, 1, 2, 3, 4)),
        Cell("s2", "speed", RaterGroup.PEER, (5, 0, 0, 0, 0)),
        Cell("s2", "speed", RaterGroup.PEER, (1, 1, 1, 1, 1), pooled=("s3", "s4")),
    ),
    reasons=(Reasons("s1", "why", RaterGroup.RECIPIENT, 6, {"slow": 4, "rude": 2}),),
    turnout=(Turnout("s1", RaterGroup.PEER, 12, 10), Turnout("s2", RaterGroup.PEER, 4, None)),
    spreads=(Spread("unit", RaterGroup.PEER, 0.1 + 0.2, 10),),
    withheld=(Withheld("s3", RaterGroup.PEER, "speed", "merged", "s2"),),
    remarks={"s1": tuple(f"意见{number:02}" for number in range(30))},
    ballots=10,
)


def fill_box(tx: SqlTransaction) -> None:
    found_roll(tx, 3)
    tx.draw_deliveries(WAVE.id, ("invite", NOW))
    for number in range(3):
        tx.open_interview(interview(number))
        tx.put_chat(telegram(number, interview=interview(number).id))
        tx.put_ballot(WAVE.id, bytes([9 - number]) * 16, b"box%d" % number)


async def test_a_later_ballot_overwrites_the_earlier(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_ballot("w", b"r" * 16, b"first"))
    await store.write(lambda tx: tx.put_ballot("w", b"r" * 16, b"second"))
    assert await store.read(lambda tx: list(tx.ballots("w"))) == [(b"r" * 16, b"second")]
    assert await store.read(lambda tx: tx.ballot_count("w")) == 1


async def test_ballots_are_read_by_row_id_not_by_arrival(store_url: str) -> None:
    store = SqlStore(store_url)
    rids = [secrets.token_bytes(16) for _ in range(2_500)]

    def fill(tx: SqlTransaction) -> None:
        for rid in rids:
            tx.put_ballot("w", rid, b"box")
        tx.put_ballot("another", rids[0], b"not ours")

    await store.write(fill)
    if store_url.startswith("postgresql"):  # so that it would rather walk the table than the index
        engine = open_engine(store_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE ballots")
        engine.dispose()
    read = await store.read(lambda tx: [rid for rid, _ in tx.ballots("w")])
    assert read == sorted(rids)
    await store.close()


async def test_what_leaves_a_tally_is_found_again_by_period(store: SqlStore) -> None:
    await store.write(fill_box)
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, TALLY))

    def everything(tx: SqlTransaction) -> tuple[object, ...]:
        kept = (tx.cells, tx.reasons, tx.turnout, tx.spreads, tx.withheld)
        return tuple(frozenset(map(repr, part(WAVE.period))) for part in kept)

    parts = (TALLY.cells, TALLY.reasons, TALLY.turnout, TALLY.spreads, TALLY.withheld)
    assert await store.read(everything) == tuple(frozenset(map(repr, part)) for part in parts)
    assert await store.read(lambda tx: tx.cells("2026Q3")) == []


async def test_remarks_come_back_all_and_not_as_they_were_handed_over(store: SqlStore) -> None:
    await store.write(fill_box)
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, TALLY))
    remarks = await store.read(lambda tx: tx.remarks(WAVE.period))
    given = [("s1", remark) for remark in TALLY.remarks["s1"]]
    assert sorted(remarks) == given
    assert list(remarks) != given  # by chance once in 30! runs


async def test_a_tally_leaves_no_ballot_no_interview_and_no_roll(store: SqlStore) -> None:
    await store.write(fill_box)
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, TALLY))

    def left(tx: SqlTransaction) -> tuple[object, ...]:
        chat = tx.chat(telegram(1).address)
        return (
            list(tx.ballots(WAVE.id)),
            tx.interview_counts(WAVE.id),
            tx.roll(WAVE.id),
            chat and chat.interview,
            tx.wave(WAVE.id).state,  # type: ignore[union-attr]
            tx.delivery_counts(WAVE.id),
        )

    assert await store.read(left) == (
        [],
        (0, 0),
        [],
        None,
        WaveState.TALLIED,
        [("invite", Outcome.MOOT, 3)],
    )


async def test_a_wave_is_tallied_once(store: SqlStore) -> None:
    await store.write(fill_box)
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, TALLY))
    with pytest.raises(ValueError, match="tallied before"):
        await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, Tally()))
    assert len(await store.read(lambda tx: tx.cells(WAVE.period))) == len(TALLY.cells)


async def test_scrubbing_leaves_the_rest_in_place(store: SqlStore) -> None:
    await store.write(fill_box)
    await store.write(lambda tx: tx.put_ballot("other", b"o" * 16, b"stays"))
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, TALLY))
    await store.scrub()
    assert await store.read(lambda tx: list(tx.ballots("other"))) == [(b"o" * 16, b"stays")]
    await store.write(lambda tx: tx.put_note("after", "works"))


async def test_no_byte_of_a_ballot_is_left_in_the_files_after_the_scrub(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    rids = [secrets.token_bytes(16) for _ in range(300)]
    boxes = [secrets.token_bytes(300) for _ in rids]
    state = secrets.token_bytes(32)

    def fill(tx: SqlTransaction) -> None:
        found_roll(tx, 1)
        tx.open_interview(interview(0))
        for rid, box in zip(rids, boxes, strict=True):
            tx.put_ballot(WAVE.id, rid, box[:150] + state)
            tx.put_ballot(WAVE.id, rid, box)

    def found() -> int:
        files = b"".join(path.read_bytes() for path in folder.glob("minyi.db*"))
        return sum(canary in files for canary in [*rids, *(box[:40] for box in boxes), state])

    await store.write(fill)
    assert found() > 300  # the search can see
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, TALLY))
    await store.scrub()
    assert found() == 0
    await store.close()


async def test_a_scrub_waits_for_a_reader_of_the_old_pages(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    reading = open_engine(sqlite_url, reading=True)
    with reading.connect() as connection, begin(connection, reading=True):
        connection.execute(sa.text("SELECT count(*) FROM ballots")).all()
        await store.write(lambda tx: tx.put_ballot("w", b"r", b"box"))
        scrubbing = asyncio.create_task(store.scrub())
        await asyncio.sleep(0.2)
        assert not scrubbing.done()
    await scrubbing
    log = Path(sqlite_url.removeprefix("sqlite:///") + "-wal")
    assert log.stat().st_size == 0  # noqa: ASYNC240
    reading.dispose()
    await store.close()


async def test_a_rewritten_postgres_table_has_forgotten_its_dead_rows(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    await store.write(fill_box)
    engine = open_engine(postgres_url)
    size = sa.text("SELECT pg_relation_size('ballots')")
    with engine.connect() as connection:
        assert connection.execute(size).scalar_one() > 0
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, TALLY))
    await store.scrub()
    with engine.connect() as connection:
        assert connection.execute(size).scalar_one() == 0
    engine.dispose()
    await store.close()
