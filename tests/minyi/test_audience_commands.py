"""Audiences at the terminal: sizes, campaigns that ask some, and who would be asked."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.minyi.conftest import Minyi
from tests.minyi.test_commands import populated


def version(minyi: Minyi) -> str:
    return next(w for w in minyi("form", "list").out.split() if len(w) == 12 and w.isalnum())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("100",), "Of 100 people: 39 answers, so ask 39."),
        (("1,000,000", "--points", "3"), "For each of the 3 parts"),
        (("1000000", "--points", "3"), "171 answers, so ask 171."),
        (("1000", "--share", "--response", "50"), "278 answers, so ask 556."),
        (("1000,100",), "ask 429."),
        (("100", "--points", "2", "--response", "50"), "There are too few"),
    ],
)
def test_the_size_of_a_sample_is_worked_out(
    minyi: Minyi, words: tuple[str, ...], said: str
) -> None:
    people, *rest = words
    if people == "1,000,000":  # commas part; thousands are not marked
        assert "--people takes whole numbers" in minyi("campaign", "size", "--people", people).err
        return
    ran = minyi("campaign", "size", "--people", people, *rest)
    assert ran.status == 0
    assert said in ran.out


def test_a_precision_that_cannot_be_is_refused(minyi: Minyi) -> None:
    for words in (("--points", "0"), ("--confidence", "100"), ("--response", "0"), ("--sd", "-1")):
        ran = minyi("campaign", "size", "--people", 10, *words)
        assert ran.status == 1
        assert words[0] in ran.err
        assert "to" in ran.err.partition(words[0])[2], "between which numbers"


def test_a_campaign_asks_some_and_says_whom(founded: Minyi, tmp_path: Path) -> None:
    populated(founded, tmp_path)
    form = version(founded)
    create = ("campaign", "create", "svc", "--title-zh", "满意度", "--form", form,
              "--starts", "2126-12-01")  # fmt: skip
    wrong = founded(*create, "--units", "X9", "--quota", "; ; many", "--sample", "few",
                    "--per-subject", "2", "--shift", "never", "--grace", "-1",
                    "--messages-invite-zh", "{x}")  # fmt: skip
    assert wrong.status == 1
    for option in ("units", "quota", "sample", "per-subject", "shift", "grace"):
        assert f"--{option}: " in wrong.err
    assert "--messages-invite-zh: " in wrong.err
    assert "There are: D1, W1." in wrong.err
    none = founded(*create, "--quota", "; ; 0", "--yes")
    assert "nobody is in the audience" in none.out
    ran = founded("campaign", "dry-run", "svc")
    assert "The next wave opens 2126-12-10 09:00 (not planned yet" in ran.out
    assert "quota_full: 1" in ran.out
    file = tmp_path / "who.csv"
    assert founded("campaign", "dry-run", "svc", "--csv", file, "--only", "asked").status == 0
    rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
    assert rows[1] == ["C1", "周八", "", "quota_full", "", ""]
    assert "campaign.foreseen" in founded("audit", "show").out
    assert founded("campaign", "dry-run", "svc", "--only", "all").status == 1
    assert founded("campaign", "dry-run", "nobody").status == 1
    away = founded("campaign", "dry-run", "svc", "--csv", tmp_path / "no" / "where.csv")
    assert away.status == 1
    assert "cannot be written" in away.err


def test_a_planned_wave_is_foreseen_as_it_will_be(founded: Minyi, tmp_path: Path) -> None:
    populated(founded, tmp_path)
    made = founded("campaign", "create", "svc", "--title-zh", "满意度", "--form", version(founded),
                   "--starts", "2126-12-01", "--sample", 1)  # fmt: skip
    assert made.status == 0
    assert founded("plan").status == 0
    ran = founded("campaign", "dry-run", "svc")
    assert "(planned)" in ran.out
    assert "no_address: 1" in ran.out
    assert "W1:SVC" in ran.out
