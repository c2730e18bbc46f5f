"""A stranger's file checked in a process of its own, with little memory and little time.

``python -m surveys.lint.apart FOLDER FILE USE`` looks at FILE in FOLDER, a private folder that is
deleted afterwards, and prints one JSON object: see :func:`examined`. What a file makes the readers
of spreadsheets do, it does to nobody else: the process is killed where it wants more.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from surveys.files.archives import RefusedError, no_entities, safe_zip
from surveys.files.bounds import bound
from surveys.forms.form import FormError
from surveys.forms.label_media import LIMIT
from surveys.forms.xlsform import SUFFIXES
from surveys.lint.check import as_json, check
from surveys.lint.grids import Grid, read_grid
from surveys.lint.rules import Use
from surveys.words import LANGUAGES

MEMORY, SECONDS, WRITTEN = 1_500_000_000, 30, 60_000_000  # bytes, of the processor, bytes of a file
UNPACKED = 30_000_000
CELLS, CHARACTERS, XFORM = 200_000, 2_000_000, 8_000_000
TABLES = (*SUFFIXES, ".xml")
_STARTS = {".xlsx": b"PK\x03\x04", ".xls": b"\xd0\xcf\x11\xe0"}


def examined(folder: Path, file: str, use: Use) -> dict[str, Any]:
    """What was found in ``file``.

    ``found`` is what ``minyi form check --json`` prints, ``xform`` the questionnaire as an XForm
    (None where there is none), ``sheets`` the cells as text: ``[name, [[row, [cell, …]], …]]``.
    ``refused`` says in both languages why the file was not opened at all, else None; ``table`` is
    the name of the table, of an archive the one inside.
    """
    try:
        table = _table(folder, file)
        grid = _bounded(table)
        checked = check(table, use)
    except RefusedError as error:
        return {"refused": {language: error.said(language) for language in LANGUAGES}}
    except FormError as error:
        return {"refused": {language: str(error) for language in LANGUAGES}}
    xform = checked.form.source.decode("utf-8") if checked.form is not None else None
    if len(xform or "") > XFORM:
        return {"refused": {lang: RefusedError("cells").said(lang) for lang in LANGUAGES}}
    sheets = [[name, [[row, list(cells)] for row, cells in lines]] for name, lines in grid.items()]
    return {
        "refused": None,
        "table": table.name,
        "found": as_json(checked),
        "xform": xform,
        "sheets": sheets,
    }


def _table(folder: Path, file: str) -> Path:
    """The file, or the one table in an archive, its media laid beside it."""
    path = folder / file
    if path.suffix.lower() != ".zip":
        return path
    safe_zip(path, UNPACKED)
    with zipfile.ZipFile(path) as zipped:
        parts = [info for info in zipped.infolist() if not _hidden(info)]
        tables = [info for info in parts if _bare(info).suffix.lower() in TABLES]
        if len(tables) != 1:
            raise RefusedError("tables", count=len(tables))
        media = folder / "questionnaire-media"
        media.mkdir()
        for info in parts:
            if info is not tables[0] and info.file_size <= LIMIT:
                (media / _bare(info).name).write_bytes(zipped.read(info))
        table = folder / f"questionnaire{_bare(tables[0]).suffix.lower()}"
        table.write_bytes(zipped.read(tables[0]))
    return table


def _hidden(info: zipfile.ZipInfo) -> bool:
    """Folders, and what a Mac adds of its own."""
    return info.is_dir() or "__MACOSX" in info.filename or _bare(info).name.startswith((".", "~$"))


def _bare(info: zipfile.ZipInfo) -> PurePosixPath:
    """The part's name without its folders; ``safe_zip`` has refused those that lead outside."""
    return PurePosixPath(PurePosixPath(info.filename.replace("\\", "/")).name)


def _bounded(table: Path) -> Grid:
    """The table's cells; RefusedError for what no questionnaire is, before anything large is made.

    The name says how a file is read, so what it says must be so.
    """
    content, suffix = table.read_bytes(), table.suffix.lower()
    if suffix not in TABLES:
        raise RefusedError("suffix", suffixes=" ".join(TABLES))
    if not content.strip():
        raise RefusedError("empty")
    if not content.startswith(_STARTS.get(suffix, b"")):
        raise RefusedError("content", suffix=suffix)
    if suffix == ".xlsx":
        safe_zip(content, UNPACKED)
    elif suffix == ".xml":
        no_entities(iter((content,)), table.name)
    elif suffix in (".csv", ".md"):
        _text(content)
    grid = read_grid(content, suffix)
    cells = [cell for lines in grid.values() for _, line in lines for cell in line]
    if len(cells) > CELLS or sum(map(len, cells)) > CHARACTERS:
        raise RefusedError("cells")
    return grid


def _text(content: bytes) -> None:
    try:
        plain = "\0" not in content.decode("utf-8-sig")
    except UnicodeDecodeError:
        plain = False
    if not plain:
        raise RefusedError("text")


def _limit() -> None:
    bound(MEMORY, SECONDS, WRITTEN)


def main(arguments: Sequence[str]) -> None:
    """Print what was found, for the process that asked."""
    folder, file, use = arguments
    _limit()
    found: Mapping[str, Any] = examined(Path(folder), file, Use(use))
    sys.stdout.write(json.dumps(found, ensure_ascii=True))


if __name__ == "__main__":
    main(sys.argv[1:])
