"""Ratings read from CSV: right, sampled, or refused with an address."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rehearsal.ratings import INSTEVAL, Layout, UnreadableRatings, by_rater, read_ratings

DATA = Path(__file__).parent.parent / "data"
HEAD = "rater,subject,indicator,value\n"


def test_a_plain_file_is_read_with_unit_and_group() -> None:
    ratings = read_ratings(DATA / "ratings_small.csv")
    assert len(ratings) == 6
    first = ratings[0]
    assert (first.rater, first.subject, first.value, first.unit) == (
        "r1",
        "Lecturer 12",
        5,
        "maths",
    )
    assert ratings[4].subject == "Lecturer 7, née Li"
    assert {rater: len(given) for rater, given in by_rater(ratings).items()} == {
        "r1": 3,
        "r2": 1,
        "r3": 1,
        "r4": 1,
    }


def test_a_file_of_another_shape_is_read_by_a_mapping(tmp_path: Path) -> None:
    plain = DATA / "ratings_insteval_shape.csv"
    layout = Layout(INSTEVAL, indicator="teaching")
    ratings = read_ratings(plain, layout)
    assert [(r.rater, r.subject, r.indicator, r.value, r.unit, r.group) for r in ratings][:2] == [
        ("1", "1002", "teaching", 5, "2", "0"),
        ("1", "1050", "teaching", 2, "6", "1"),
    ]
    packed = tmp_path / "ratings.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_ratings(packed, layout) == ratings


def test_a_sample_takes_whole_raters_and_is_repeated_by_its_seed(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    rows = [f"r{n % 100},s{n},q,{n % 5 + 1}" for n in range(1000)]
    path.write_text(HEAD + "\n".join(rows))
    sample = read_ratings(path, sample=10, seed=4)
    assert {len(given) for given in by_rater(sample).values()} == {10}
    assert len(by_rater(sample)) == 10
    assert sample == read_ratings(path, sample=10, seed=4)
    assert by_rater(sample).keys() != by_rater(read_ratings(path, sample=10, seed=5)).keys()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (HEAD + "a,b,c,6\n", "line 2, column value: '6' is no grade. Use a whole number"),
        (HEAD + "a,,c,1\n", "line 2, column subject: empty"),
        (HEAD + "a,b,c\n", "line 2, column value: the line ends"),
        (
            HEAD + "a,b,c,1\nx,b,c,1\na,b,c,2\n",
            "line 4: rater a already rated b on c in line 2. Keep one",
        ),
        ("rater,subject,value\n", "line 1, column indicator: this column is missing. Add it"),
        ("", "column rater: this column is missing"),
        ("rater,rater,subject,indicator,value\n", "column rater: two columns have this name"),
        (HEAD + 'a,"b,c,1\n', "not CSV"),
    ],
)
def test_every_wrong_line_is_addressed(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(content)
    with pytest.raises(UnreadableRatings) as refused:
        read_ratings(path)
    assert "wrong.csv, " in str(refused.value)
    assert words in str(refused.value)


def test_all_wrong_lines_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(HEAD + "a,b,c,0\na,b,d,1\na,b,e,x\n")
    with pytest.raises(UnreadableRatings) as refused:
        read_ratings(path)
    assert [row.line for row in refused.value.faults] == [2, 4]


def test_bytes_that_are_no_text_or_no_archive_are_refused(tmp_path: Path) -> None:
    latin, broken = tmp_path / "latin.csv", tmp_path / "broken.csv.gz"
    latin.write_bytes(HEAD.encode() + "a,né,c,1\n".encode("latin-1"))
    broken.write_bytes(gzip.compress(HEAD.encode())[:-6])
    for path, words in ((latin, "not UTF-8"), (broken, "damaged")):
        with pytest.raises(UnreadableRatings, match=words):
            read_ratings(path)
