"""A stranger's file, checked by another process: what it is told, and what it refuses."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from surveys.lint.apart import examined
from surveys.lint.outline import outline
from surveys.lint.rules import Use
from tests.surveys.forms import QUESTIONNAIRES, shipped

SERVICE = (QUESTIONNAIRES / "service.md").read_bytes()


def looked_at(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    (folder / name).write_bytes(content)
    return examined(folder, name, Use.RATING)


def refused(folder: Path, name: str, content: bytes) -> str:
    found = looked_at(folder, name, content)["refused"]
    assert set(found) == {"zh", "en"}
    return str(found["en"])


def workbook(*cells: tuple[str, str, str]) -> bytes:
    book = openpyxl.Workbook()
    for sheet, cell, value in cells:
        if sheet not in book.sheetnames:
            book.create_sheet(sheet, 0)
        book[sheet][cell] = value
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_process_of_its_own_prints_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "questionnaire.md").write_bytes(SERVICE)
    command = [sys.executable, "-m", "surveys.lint.apart", str(tmp_path), "questionnaire.md"]
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([*command, "rating"], capture_output=True, check=True, env=path)
    found = json.loads(ran.stdout)
    assert found["refused"] is None
    assert found["found"]["form"]["hash"] == shipped("service").hash
    assert found["xform"].encode() == shipped("service").source
    assert [name for name, _ in found["sheets"]] == ["survey", "choices", "settings"]
    assert found["sheets"][0][1][0][1][:3] == ["", "type", "name"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("questionnaire.exe", b"MZ", "A questionnaire is one of"),
        ("questionnaire.xlsx", b"\x89PNG\r\n\x1a\n", "The name ends in .xlsx"),
        ("questionnaire.xlsx", b"PK\x03\x04 and no more", "damaged"),
        ("questionnaire.xls", b"PK\x03\x04", "The name ends in .xls"),
        ("questionnaire.csv", "满意".encode("gb18030"), "not UTF-8"),
        ("questionnaire.md", b"a\0b", "not UTF-8"),
        ("questionnaire.md", b" \n ", "empty"),
        ("questionnaire.xml", b"<!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>", "DOCTYPE"),
        ("questionnaire.zip", b"PK", "damaged"),
    ],
)
def test_what_is_not_what_its_name_says_is_refused(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    assert said in refused(tmp_path, name, content)


def test_a_sheet_with_more_cells_than_any_questionnaire_is_refused(tmp_path: Path) -> None:
    wide = [("survey", "A1", "type"), ("survey", "B1", "name"), ("survey", "XFD2", "far")]
    rows = [("survey", f"XFD{row}", "far") for row in range(3, 30)]
    assert "far larger" in refused(tmp_path, "questionnaire.xlsx", workbook(*wide, *rows))
    words = " ".join(map(str, range(5600)))
    long = [("survey", f"A{row}", f"{row} {words}") for row in range(1, 80)]
    assert "far larger" in refused(tmp_path, "questionnaire.xlsx", workbook(*long))


def test_an_archive_brings_the_table_and_its_pictures(tmp_path: Path) -> None:
    from tests.web.kinds import png

    table = SERVICE.decode()
    lines = table.splitlines()
    lines[1] = lines[1].rstrip(" |") + " | media::image::English (en) |"
    lines[4] = lines[4].rstrip("|") + " | map.png |"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("mine/asking.md", "\n".join(lines))
        zipped.writestr("mine/pictures/map.png", png())
        zipped.writestr("__MACOSX/asking.md", b"of a Mac")
    found = looked_at(tmp_path, "questionnaire.zip", file.getvalue())
    assert found["refused"] is None
    assert found["table"] == "questionnaire.md"
    assert "bad_media" not in {each["code"] for each in found["found"]["problems"]}
    assert (tmp_path / "questionnaire-media" / "map.png").read_bytes() == png()


def test_an_archive_with_two_tables_or_none_is_refused(tmp_path: Path) -> None:
    for names in (["a.md", "b.md"], ["a.png"]):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as zipped:
            for name in names:
                zipped.writestr(name, SERVICE)
        said = refused(tmp_path, "questionnaire.zip", file.getvalue())
        assert f"here are {len(names) if 'a.md' in names else 0}" in said


def test_the_process_ends_where_a_file_wants_more_than_it_may_have(tmp_path: Path) -> None:
    """The kernel keeps the promise, whatever library is at work."""
    greedy = (
        "import surveys.lint.apart as apart\n"
        "apart.MEMORY = 400_000_000\n"
        "apart._limit()\n"
        "bytearray(1_000_000_000)\n"
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", greedy], capture_output=True, check=False, env=path)
    assert ran.returncode != 0
    assert b"MemoryError" in ran.stderr


def test_the_outline_tells_each_thing_in_its_order_in_both_languages() -> None:
    items = outline(shipped("service"), "en")
    assert [item.name for item in items] == ["overall", "why", "word", "speed", "attitude"]
    assert [item.number for item in items] == ["1", "2", "3", "4", "5"]
    why = items[1]
    assert set(why.labels) == {"zh", "en"}
    assert why.when == ("only if overall ≤ 2",)
    assert items[0].what == ("one of 5", "required", "rates service")
    assert items[0].labels["en"] == "How satisfied are you overall with your visit to [subject]?"
    assert dict(items[0].choices)["5"] == {"zh": "非常满意", "en": "Very satisfied"}
    assert items[2].hints["zh"].startswith("请不要写姓名")
