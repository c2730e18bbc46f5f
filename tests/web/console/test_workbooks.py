"""Workbooks read in a process of their own: the same table, the same refusals, an end in time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

import pytest
from openpyxl import Workbook

from desk.importing import sheets
from desk.importing.sheets import UnreadableError
from web.console import workbooks
from web.console.workbooks import read_apart


def workbook(rows: int, *more: str) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("people")
    sheet.append(["id", "姓名"])
    for number in range(rows):
        sheet.append([f"P{number}", "李\n四😀"])
    for title in more:
        book.create_sheet(title)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def refusal(content: bytes, language: str = "en", name: str = "t.xlsx") -> str:
    with pytest.raises(UnreadableError) as refused:
        read_apart(name, content, ("people",))
    return refused.value.saying.said(language)


def test_a_workbook_is_the_same_table_read_here_or_there() -> None:
    content, far = workbook(2500, "其他"), list[int]()
    here = sheets.table("名册.xlsx", content, ("人员", "people"))
    assert read_apart("名册.xlsx", content, ("人员", "people"), far.append) == here
    assert far == [1000, 2000]
    assert len(here.rows) == 2500
    assert here.unread == ("其他",)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_is_told_in_the_same_words(language: str) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 300_000_000)
    for content in (b"PK\x03\x04", bomb.getvalue()):
        with pytest.raises(UnreadableError) as refused:
            sheets.table("t.xlsx", content)
        assert refusal(content, language) == refused.value.saying.said(language)


def test_what_takes_too_long_is_ended_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "PATIENCE", 0.2)
    assert "more than 45 seconds or too much memory" in refusal(workbook(20_000))


def test_a_process_that_dies_half_way_brings_no_half_table(monkeypatch: pytest.MonkeyPatch) -> None:
    half = b'{"file":"t","name":"p","header":["id"],"unread":[],"rows":2}\n[2,["P1"]]\n[3,["P'
    script = f"import sys; sys.stdout.buffer.write({half!r})"
    monkeypatch.setattr(workbooks, "process", lambda module: ([sys.executable, "-c", script], {}))
    assert "Save the sheet you need as CSV" in refusal(workbook(1))


def test_the_process_is_bounded_by_the_kernel() -> None:
    greedy = (
        "from desk.importing import apart\n"
        "from surveys.files.bounds import bound\n"
        "bound(400_000_000, apart.SECONDS, 0)\n"
        "import resource\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0] == apart.SECONDS)\n"
        "bytearray(1_000_000_000)\n"
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", greedy], capture_output=True, check=False, env=path)
    assert ran.stdout == b"True\n"
    assert b"MemoryError" in ran.stderr
