"""The audit's head in a file: sealed, whole, never going back, whoever else writes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from desk.audit import START, Noted, head_seal, seal_key
from storage import FileHead

ONE, TWO = "1" * 64, "2" * 64
KEY = seal_key(b"k" * 32)


def test_a_head_is_kept_where_it_is_later_and_never_goes_back(tmp_path: Path) -> None:
    head = FileHead(tmp_path / "audit.head", KEY)
    assert head.noted() == Noted(flaw="missing")
    assert head.begin()
    assert head.noted() == Noted((0, START))
    assert head.keep((3, ONE))
    assert not head.keep((3, TWO))
    assert not head.keep((2, TWO))
    assert not head.begin(), "what is noted is not begun anew"
    assert head.noted() == Noted((3, ONE))
    assert head.keep((4, TWO))
    head.replace((1, ONE))
    assert head.noted() == Noted((1, ONE))
    assert [path.name for path in tmp_path.iterdir()] == ["audit.head"]


def test_where_nothing_is_noted_a_head_is_not_kept_as_if_nothing_were_missing(
    tmp_path: Path,
) -> None:
    head = FileHead(tmp_path / "audit.head", KEY)
    assert not head.keep((3, ONE))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("", Noted(flaw="damaged")),
        ("3", Noted(flaw="damaged")),
        (f"3 {ONE}x", Noted(flaw="damaged")),
        (f"-3 {ONE}", Noted(flaw="damaged")),
        (f"3 {ONE} {ONE[1:]}", Noted(flaw="damaged")),
        ("\x00" * 70, Noted(flaw="damaged")),
        ("三", Noted(flaw="damaged")),
        (f"3 {ONE}\n", Noted((3, ONE), "unsealed")),
        (f"3 {ONE} {TWO}\n", Noted(flaw="forged")),
        (f"3 {TWO} {head_seal(KEY, (3, ONE))}\n", Noted(flaw="forged")),
        (f"2 {ONE} {head_seal(KEY, (3, ONE))}\n", Noted(flaw="forged")),
        (f"3 {ONE} {head_seal(seal_key(b'x' * 32), (3, ONE))}\n", Noted(flaw="forged")),
        (f"3 {ONE} {head_seal(KEY, (3, ONE))}\n", Noted((3, ONE))),
    ],
)
def test_a_note_is_told_for_what_it_is_and_a_flawed_one_is_not_written_over(
    text: str, noted: Noted, tmp_path: Path
) -> None:
    file = tmp_path / "audit.head"
    file.write_text(text, "utf-8")
    head = FileHead(file, KEY)
    assert head.noted() == noted
    assert head.keep((9, ONE)) is not bool(noted.flaw)
    if noted.flaw:
        assert file.read_text("utf-8") == text


def test_whoever_has_no_key_looks_and_keeps_nothing(tmp_path: Path) -> None:
    file = tmp_path / "audit.head"
    FileHead(file, KEY).replace((3, ONE))
    outsider = FileHead(file, None)
    assert outsider.noted() == Noted((3, ONE))
    assert not outsider.sealing
    with pytest.raises(ValueError, match="without the key"):
        outsider.keep((4, TWO))
    assert FileHead(file, KEY).noted() == Noted((3, ONE))


def keep_many(path: str, first: int) -> None:
    head = FileHead(Path(path), KEY)
    for seq in range(first, 400, 4):
        head.keep((seq, ONE))
        mark = head.noted().mark
        assert mark is not None
        assert mark[0] >= seq


def test_of_several_processes_the_latest_head_stays(tmp_path: Path) -> None:
    file = tmp_path / "audit.head"
    FileHead(file, KEY).begin()
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        for done in [pool.submit(keep_many, str(file), first) for first in (1, 2, 3, 4)]:
            done.result()
    assert FileHead(file, KEY).noted() == Noted((399, ONE))
