"""minyi relations and minyi import --whole, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.minyi.conftest import Minyi

SUBJECTS = "id,name_zh,kind,parent\ntop,总局,unit,\neast,东局,unit,top\nwest,西局,unit,top\n"
STAFF = [f"{unit[0]}{n},{unit}{n},staff,{unit}" for unit in ("east", "west") for n in range(3)]


def table(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.csv"
    file.write_text(text, "utf-8")
    return file


def people(folder: Path, *rows: str) -> Path:
    return table(folder, "people", "\n".join(("id,name,kind,unit", *rows)) + "\n")


@pytest.fixture
def settled(founded: Minyi, tmp_path: Path) -> Minyi:
    assert founded("import", "subjects", table(tmp_path, "subjects", SUBJECTS)).status == 0
    assert founded("import", "people", people(tmp_path, *STAFF)).status == 0
    return founded


def test_relations_are_looked_at_added_and_ended(settled: Minyi) -> None:
    looked = settled("relations", "derive", "beside, below").out
    assert "below: 6 new" in looked
    assert "beside: 6 new" in looked
    assert "Nothing is changed yet" in looked
    assert "Added 12 relations." in settled("relations", "derive", "beside,below", "--apply").out
    again = settled("relations", "derive", "beside,below").out
    assert "There already: 12; from another side, and left so: 0" in again
    ended = settled("relations", "end", "e0", "west")
    assert ended.out == "e0 rates west no more. A wave that is open goes on as it was.\n"
    twice = settled("relations", "end", "e0", "west")
    assert twice.status == 1
    assert twice.err.startswith("e0 does not rate west, so nothing was ended. Write both ids")
    assert "beside: 1 new" in settled("relations", "derive", "beside").out


@pytest.mark.parametrize(
    ("rules", "said"),
    [("sideways", "There is no rule 'sideways'; there are: below, beside"),
     ("", "Name one rule at least; there are: below, beside"),
     (" , ", "Name one rule at least")],
)  # fmt: skip
def test_rules_that_are_none_are_refused(settled: Minyi, rules: str, said: str) -> None:
    refused = settled("relations", "derive", rules, "--apply")
    assert refused.status == 1
    assert said in refused.err


def test_whoever_a_whole_table_leaves_out_has_left(settled: Minyi, tmp_path: Path) -> None:
    one_less = people(tmp_path, *STAFF[:-1])
    looked = settled("import", "people", one_less, "--whole", "--dry-run")
    assert "Dry run, nothing written." in looked.out
    assert "No longer on the roster: 1 (west2)." in looked.out
    assert (
        "No longer on the roster: 1 (west2)."
        in settled("import", "people", one_less, "--whole").out
    )
    few = people(tmp_path, *STAFF[:2])
    refused = settled("import", "people", few, "--whole")
    assert refused.status == 1
    assert "Nothing was imported" in refused.err
    assert (
        "No longer on the roster: 3 ("
        in settled("import", "people", few, "--whole", "--many-left").out
    )
    alone = settled("import", "people", few, "--many-left")
    assert (alone.status, "--many-left goes with --whole" in alone.err) == (1, True)
    back = settled("import", "people", people(tmp_path, *STAFF), "--whole").out
    assert "0 added, 4 changed, 2 unchanged" in back
