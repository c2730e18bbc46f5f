"""What somebody with a copy of the database file, but without the keys, can and cannot see."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from statistics import mean

import pytest

from surveys.ballots import ballot_id
from surveys.people import Address
from tests.surveys.world import NOW, World, found_world

HAPPY = ("非常满意", "满意", "满意")
WORDS = "窗口的小张骂人CANARY"
UNHAPPY = ("不满意", "态度不好", WORDS, "不满意", "非常不满意")
CONCERN = "CANARY单位领导收了红包"


@pytest.fixture
async def kept(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Thirty people who have rated, every third of them unhappy; one who raised a concern."""
    world = await found_world(sqlite_url, tmp_path)
    for number in range(30):
        world.now = NOW + timedelta(minutes=number)
        await world.rate(f"chat{number}", *(HAPPY if number % 3 else UNHAPPY))
    for words in ("/concern", "其他", "监督部门", CONCERN, "跳过"):
        await world.type("chat7", words)
    yield world
    await world.store.close()


def everything(folder: Path) -> bytes:
    """Database, log and key files."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def files(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.glob("minyi.db*")))


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "minyi.db") as connection:
        return connection.execute(query).fetchall()


def said(*words: str) -> list[bytes]:
    return [word.encode(code) for word in words for code in ("utf-8", "utf-16-le")]


async def test_no_answer_no_word_and_no_receipt_lies_in_the_file_or_its_log(
    kept: World, tmp_path: Path
) -> None:
    (receipt,) = set(re.findall(r"\d{4}-\d{4}-\d{4}-\d{4}", "\n".join(kept.heard)))
    dump = files(tmp_path)
    assert (tmp_path / "minyi.db-wal").stat().st_size > 0
    for needle in said(WORDS, CONCERN, "CANARY", receipt, receipt.replace("-", "")):
        assert needle not in dump


async def test_a_finished_interview_keeps_no_state_and_its_turn_tells_nothing(
    kept: World, tmp_path: Path
) -> None:
    found = rows(
        tmp_path,
        "SELECT CAST(substr(c.handle, 5) AS INTEGER), i.turn, length(i.state), i.complete "
        "FROM interviews i JOIN chats c ON c.person = i.person WHERE i.wave = 'w'",
    )
    assert len(found) == 30
    assert {(size, complete) for _, _, size, complete in found} == {(0, 1)}
    turns = {n: int(str(turn)) for n, turn, _, _ in found for n in [int(str(n))]}
    happy = [turn for n, turn in turns.items() if n % 3]
    unhappy = [turn for n, turn in turns.items() if not n % 3]
    assert len(set(turns.values())) == 30
    spread = (1 << 40) / 12**0.5 * (1 / len(happy) + 1 / len(unhappy)) ** 0.5
    assert abs(mean(happy) - mean(unhappy)) < 5 * spread


async def test_every_ballot_has_one_length_and_a_random_place(kept: World, tmp_path: Path) -> None:
    found = rows(tmp_path, "SELECT rid, length(box) FROM ballots ORDER BY rid")
    assert len(Counter(size for _, size in found)) == 1
    keys = kept.keyring.wave_keys("w")
    assert keys is not None
    chats = [Address("test", f"chat{number}") for number in range(30)]
    people = await kept.read(lambda tx: [tx.chat(chat).person for chat in chats])
    order = [ballot_id(keys.rid_key, "w", person, "desk") for person in people]
    assert {rid for rid, _ in found} == set(order)
    assert order != sorted(order)
    guessed = {ballot_id(bytes(32), "w", person, "desk") for person in people}
    assert not guessed & {rid for rid, _ in found}


@pytest.mark.parametrize("remark", ["短", "很长" * 500, "😀" * 1000, '"' * 1000])
async def test_an_unfinished_state_has_one_length_whatever_was_said(
    sqlite_url: str, tmp_path: Path, remark: str
) -> None:
    world = await found_world(sqlite_url, tmp_path)
    await world.rate("happy", "非常满意", "满意")
    await world.rate("unhappy", "不满意", "态度不好", remark, "不满意")
    await world.open("new", "poster")
    sizes = rows(tmp_path, "SELECT length(state), complete FROM interviews")
    assert len(sizes) == 3
    assert len(set(sizes)) == 1
    await world.store.close()


async def test_nobody_is_listed_as_having_raised_a_concern(kept: World, tmp_path: Path) -> None:
    people = {str(row[0]) for row in rows(tmp_path, "SELECT id FROM people")}
    (row,) = rows(tmp_path, "SELECT person, touched_at FROM interviews WHERE purpose = 'concern'")
    assert row[0] not in people
    assert await kept.read(lambda tx: tx.concerns()[0].opened_on) == NOW.date()
    assert NOW.strftime("%H:%M") not in str(row[1])  # a day, not a moment
    pointing = rows(tmp_path, "SELECT count(*) FROM chats WHERE interview IS NOT NULL")
    assert pointing == [(0,)]
    ((address,),) = rows(tmp_path, "SELECT reply_to FROM concerns")
    assert "chat7" not in str(address)


async def test_after_the_tally_nothing_of_a_ballot_is_left_and_no_order(
    kept: World, tmp_path: Path
) -> None:
    boxes = await kept.boxes()
    keys = kept.keyring.wave_keys("w")
    assert keys is not None
    dump = files(tmp_path)
    assert all(box in dump or box[:64] in dump for _, box in boxes)  # the needles can be found
    found = await kept.close_wave()
    dump = files(tmp_path)
    for rid, box in boxes:
        assert rid not in dump
        assert all(box[at : at + 32] not in dump for at in range(0, len(box), 512))
    for secret in (keys.rid_key, keys.tally_secret):
        assert secret not in everything(tmp_path)
    assert kept.keyring.wave_keys("w") is None
    for table in ("ballots", "interviews WHERE wave = 'w'", "assignments"):
        assert rows(tmp_path, f"SELECT count(*) FROM {table}") == [(0,)]
    overall = {cell.indicator: cell.counts for cell in found.cells}
    assert overall["service"] == (0, 10, 0, 0, 20)
    await kept.store.close()
    (tmp_path / "minyi.db-wal").unlink(missing_ok=True)
    remarks = rows(tmp_path, "SELECT lot, remark FROM remarks ORDER BY lot")
    assert [remark for _, remark in remarks] == [WORDS] * 10
