from __future__ import annotations

import csv
import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from desk.exporting import TABLES, ExportError, export, inert
from evaluation.store import ScoreRun
from storage import SqlStore
from surveys.campaigns import Campaign, Wave
from surveys.cells import Cell, RaterGroup, Reasons, Tally, Turnout, Withheld
from surveys.people import Subject

SVC = RaterGroup.RECIPIENT
AT = datetime(2026, 12, 10, tzinfo=UTC)
TALLY = Tally(
    cells=(
        Cell("W1", "=service", SVC, (0, 1, 2, 3, 4)),
        Cell("D1", "speed", SVC, (5, 0, 0, 0, 0), ("W2", "W3")),
    ),
    reasons=(Reasons("W1", "why", SVC, 7, {"slow": 5, "rude": 2}),),
    turnout=(Turnout("W1", SVC, 20, 10), Turnout("W2", SVC, 6, None)),
    withheld=(Withheld("W2", SVC, "speed", "merged", "D1"),),
    remarks={"W1": ("a secret remark",) * 10},
)  # fmt: skip
PUBLIC = [{"subject": "W1", "value": 85, "interval": [80, 90], "notes": {"band": "-良好"}}]
FULL = [{"subject": "W1", "value": 84.7312}]


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    kept = SqlStore("sqlite://")

    def fill(tx: object) -> None:
        tx.put_subjects([Subject("W1", {"zh": "@窗口", "en": "Window"})])  # type: ignore[attr-defined]
        tx.put_form("f", "form", b"<x/>")  # type: ignore[attr-defined]
        tx.put_campaign(Campaign("c", {"zh": "c"}, "f", (SVC,), AT.date()))  # type: ignore[attr-defined]
        tx.put_wave(Wave("w", "c", "2026Q4", AT, AT, b"k" * 32))  # type: ignore[attr-defined]
        tx.record_tally("w", "2026Q4", TALLY)  # type: ignore[attr-defined]
        tx.put_publication("2026Q4", json.dumps(PUBLIC).encode())  # type: ignore[attr-defined]
        tx.put_score_run(  # type: ignore[attr-defined]
            ScoreRun("2026Q4", "m", "h", b"{}", json.dumps({"cards": FULL, "rule": 1}).encode())
        )

    await kept.write(fill)
    yield kept
    await kept.close()


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def table(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened))


async def test_cells_leave_as_csv_with_formulas_made_inert(store: SqlStore, tmp_path: Path) -> None:
    to = tmp_path / "cells.csv"
    assert await export(store, ["cells"], ["2026Q4"], to, "csv") == 2
    header, *rows = table(to)
    assert header[:5] == ["period", "subject", "name", "indicator", "group"]
    assert [
        "2026Q4",
        "W1",
        "'@窗口",
        "'=service",
        "SVC",
        "0",
        "1",
        "2",
        "3",
        "4",
        "10",
        "4.0",
        "",
    ] in rows
    assert [
        "2026Q4",
        "D1",
        "",
        "speed",
        "SVC",
        "5",
        "0",
        "0",
        "0",
        "0",
        "5",
        "1.0",
        "W2 W3",
    ] in rows


async def test_an_unanswered_small_number_leaves_empty_not_zero(
    store: SqlStore, tmp_path: Path
) -> None:
    to = tmp_path / "turnout.csv"
    await export(store, ["turnout"], ["2026Q4", "2026Q3"], to, "csv")
    assert ["2026Q4", "W2", "", "SVC", "6", ""] in table(to)


async def test_a_workbook_holds_texts_never_formulas(store: SqlStore, tmp_path: Path) -> None:
    to = tmp_path / "all.xlsx"
    tables = [name for name in TABLES if name != "full-record"]
    assert await export(store, tables, ["2026Q4"], to, "xlsx") == 8
    book = load_workbook(to)
    assert book.sheetnames == tables
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n"}
    assert "=service" in {cell.value for cell in cells}
    assert 85 in {cell.value for cell in book["scorecards"]["C"]}


async def test_json_holds_the_same_rows(store: SqlStore, tmp_path: Path) -> None:
    to = tmp_path / "all.json"
    await export(store, ["reasons", "withheld", "scorecards"], ["2026Q4"], to, "json")
    said = json.loads(to.read_text("utf-8"))
    assert {(row["reason"], row["count"]) for row in said["reasons"]} == {("slow", 5), ("rude", 2)}
    assert said["withheld"][0]["into"] == "D1"
    assert said["scorecards"] == [
        {
            "period": "2026Q4",
            "subject": "W1",
            "value": 85,
            "interval": "[80, 90]",
            "notes.band": "-良好",
        }
    ]


async def test_the_full_record_is_for_its_owner_alone_and_only_when_named(
    store: SqlStore, tmp_path: Path
) -> None:
    to = tmp_path / "full.json"
    await export(store, ["full-record"], ["2026Q4"], to, "json")
    assert json.loads(to.read_text())["full-record"][0]["value"] == 84.7312
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    await export(store, ["scorecards"], ["2026Q4"], to, "json")
    assert "84.7312" not in to.read_text()


async def test_no_table_lets_a_remark_out(store: SqlStore, tmp_path: Path) -> None:
    to = tmp_path / "all.json"
    await export(store, list(TABLES), ["2026Q4"], to, "json")
    assert "secret remark" not in to.read_text("utf-8")


async def test_a_failed_export_leaves_the_old_file_and_no_half_one(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.exporting.XLSX_ROWS", 1)
    to = tmp_path / "cells.xlsx"
    to.write_text("before")
    with pytest.raises(ExportError, match="too many rows"):
        await export(store, ["cells"], ["2026Q4"], to, "xlsx")
    assert to.read_text() == "before"
    assert names(tmp_path) == ["cells.xlsx"]


async def test_one_csv_file_holds_one_table(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="one table"):
        await export(store, ["cells", "turnout"], ["2026Q4"], tmp_path / "x.csv", "csv")


@given(st.text(max_size=20))
def test_no_text_begins_like_a_formula(text: str) -> None:
    shown = inert(text)
    assert isinstance(shown, str)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown.removeprefix("'") == text.removeprefix("'")
