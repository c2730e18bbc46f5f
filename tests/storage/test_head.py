"""The audit's head in a file: whole, never going back, whoever else writes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from storage import FileHead

ONE, TWO = "1" * 64, "2" * 64


def test_a_head_is_kept_where_it_is_later_and_never_goes_back(tmp_path: Path) -> None:
    head = FileHead(tmp_path / "audit.head")
    assert head.kept() is None
    assert head.keep(3, ONE)
    assert not head.keep(3, TWO)
    assert not head.keep(2, TWO)
    assert head.kept() == (3, ONE)
    assert head.keep(4, TWO)
    head.replace(1, ONE)
    assert head.kept() == (1, ONE)
    assert [path.name for path in tmp_path.iterdir()] == ["audit.head"]


@pytest.mark.parametrize("text", ["", "3", f"3 {ONE}x", f"-3 {ONE}", f"0 {ONE}", "\x00" * 70, "三"])
def test_a_damaged_note_is_refused_and_not_overwritten(text: str, tmp_path: Path) -> None:
    file = tmp_path / "audit.head"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"audit\.head is damaged"):
        FileHead(file).kept()
    with pytest.raises(ValueError, match="damaged"):
        FileHead(file).keep(9, ONE)
    assert file.read_text("utf-8") == text


def keep_many(path: str, first: int) -> None:
    head = FileHead(Path(path))
    for seq in range(first, 400, 4):
        head.keep(seq, ONE)
        kept = head.kept()
        assert kept is not None
        assert kept[0] >= seq


def test_of_several_processes_the_latest_head_stays(tmp_path: Path) -> None:
    file = str(tmp_path / "audit.head")
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        for done in [pool.submit(keep_many, file, first) for first in (1, 2, 3, 4)]:
            done.result()
    assert FileHead(Path(file)).kept() == (399, ONE)
