"""Real ratings replayed through the whole path, and what is wrong in a file of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from minyi.replay import compare, load_ratings
from rehearsal.ratings import Rating
from surveys.cells import Cell, RaterGroup, Withheld
from tests.minyi.conftest import Minyi

SVC = RaterGroup.RECIPIENT


def ratings_file(path: Path) -> Path:
    """Twelve raters of three subjects, the last of which only two have rated."""
    lines = ["rater,subject,indicator,value,unit"]
    for rater in range(12):
        lines += [f"r{rater},s{s},help,{1 + (rater + s) % 5},u" for s in range(2)]
    lines += ["r0,s2,help,5,u", "r1,s2,help,1,u"]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_every_histogram_that_comes_out_equals_the_files(minyi: Minyi, tmp_path: Path) -> None:
    data = ratings_file(tmp_path / "ratings.csv")
    ran = minyi("demo", "--once", "--port", "0", "--data", data)
    assert ran.status == 0, ran.err
    assert "26 ratings of 3 subjects by 12 raters" in ran.out
    assert "Histograms equal to the file's: 2. Under k=5: 0 merged" in ran.out
    assert "1 dropped. Differences: 0." in ran.out


def test_a_bad_row_is_addressed_and_nothing_is_played(minyi: Minyi, tmp_path: Path) -> None:
    data = tmp_path / "ratings.csv"
    data.write_text("rater,subject,indicator,value\na,b,c,7\n", encoding="utf-8")
    ran = minyi("demo", "--once", "--data", data)
    assert ran.status == 1
    assert "line 2, column value" in ran.err


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nothing\.csv cannot be read"):
        load_ratings(tmp_path / "nothing.csv", 0, 0)


def test_a_histogram_that_differs_from_the_file_is_wrong() -> None:
    ratings = [Rating(f"r{n}", "s", "i", 5) for n in range(6)]
    right = Cell("s", "i", SVC, (0, 0, 0, 0, 6))
    assert compare(ratings, [right], [], 5).wrong == ()
    wrong = Cell("s", "i", SVC, (0, 0, 0, 1, 5))
    assert len(compare(ratings, [wrong], [], 5).wrong) == 1
    assert len(compare(ratings, [], [], 5).wrong) == 1


def test_a_small_cell_must_be_said_to_be_withheld_and_a_pool_must_add_up() -> None:
    ratings = [Rating(f"r{n}", f"s{n % 2}", "i", 1 + n % 5) for n in range(8)]
    held = [Withheld(f"s{n}", SVC, "i", "merged", "u") for n in range(2)]
    pool = Cell("u", "i", SVC, (2, 2, 2, 1, 1), pooled=("s0", "s1"))
    assert compare(ratings, [pool], held, 5).wrong == ()
    assert len(compare(ratings, [pool], held[:1], 5).wrong) == 1
    off = Cell("u", "i", SVC, (3, 1, 2, 1, 1), pooled=("s0", "s1"))
    assert len(compare(ratings, [off], held, 5).wrong) == 1
