"""A stranger's workbook read in a process of its own, with little memory and little time.

``python -m desk.importing.apart`` takes one line of JSON, ``{"name": …, "wanted": […]}``, and then
the file. It prints lines of JSON: a number, how many rows have been read; one object, what
:func:`desk.importing.sheets.table` found but for its rows, or why it refused; and each row as
``[number, [cell, …]]``. Spreadsheets are slow to read, and what a hostile one makes the reader do,
it does to nobody else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from desk.importing.sheets import MAX_BYTES, Row, Sheet, UnreadableError, table
from desk.saying import Saying
from surveys.files.bounds import bound
from surveys.words import LANGUAGES

MEMORY, SECONDS = 1_500_000_000, 45  # bytes; seconds of the processor, for some 150,000 rows


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What a place of a sentence holds, in every language."""

    words: Mapping[str, str]

    def said(self, language: str) -> str:
        return self.words[language]


def heavy(name: str) -> UnreadableError:
    """The file ``name`` takes more than there is for it."""
    return UnreadableError("heavy", name, seconds=SECONDS)


def ask(name: str, wanted: tuple[str, ...]) -> bytes:
    """The line that asks for the table in the file that follows it."""
    return json.dumps({"name": name, "wanted": wanted}).encode() + b"\n"


def told(lines: Iterator[bytes], name: str, sha256: str) -> Iterator[int | Sheet]:
    """What was printed: numbers of rows read so far, and at last the sheet.

    Raises UnreadableError; where the lines break off, as heavy.
    """
    rows: list[Row] = []
    found: dict[str, Any] | None = None
    for line in lines:
        match _value(line):
            case None:
                break
            case int() as read:
                yield read
            case {"refused": key, "arguments": arguments}:
                raise _refusal(key, arguments)
            case dict() as found:
                pass
            case [number, cells]:
                rows.append(Row(number, tuple(cells)))
    if found is None or len(rows) != found["rows"]:
        raise heavy(name)
    header, unread = tuple(found["header"]), tuple(found["unread"])
    yield Sheet(found["file"], found["name"], header, tuple(rows), unread, sha256)


def _value(line: bytes) -> Any:
    """None for half a line: the process ended while it printed."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _refusal(key: str, arguments: Mapping[str, Any]) -> UnreadableError:
    filled: dict[str, Any] = {
        name: _Spoken(value) if isinstance(value, dict) else value
        for name, value in arguments.items()
    }
    return UnreadableError(key, **filled)


def _refused(saying: Saying) -> dict[str, object]:
    arguments = {
        name: {each: value.said(each) for each in LANGUAGES} if hasattr(value, "said") else value
        for name, value in saying.arguments.items()
    }
    return {"refused": saying.key.removeprefix("unreadable."), "arguments": arguments}


def answer(given: BinaryIO, out: TextIO) -> None:
    """Read what is asked for in ``given`` and print what was found."""

    def say(value: object) -> None:
        out.write(json.dumps(value, ensure_ascii=True) + "\n")

    def progress(rows: int) -> None:
        say(rows)
        out.flush()

    asked = json.loads(given.readline())
    try:
        sheet = table(asked["name"], given.read(MAX_BYTES + 1), asked["wanted"], progress)
    except UnreadableError as error:
        say(_refused(error.saying))
        return
    facts = {"file": sheet.file, "name": sheet.name, "header": sheet.header}
    say({**facts, "unread": sheet.unread, "rows": len(sheet.rows)})
    for row in sheet.rows:
        say([row.number, row.cells])


if __name__ == "__main__":
    bound(MEMORY, SECONDS, 0)
    answer(sys.stdin.buffer, sys.stdout)
