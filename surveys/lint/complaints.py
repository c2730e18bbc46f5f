"""What pyxform says about a table, as problems of our own where we know what it means.

pyxform writes English sentences with ``[row : 5]`` in them. They are told apart by their fixed
words (pyxform 4.5, errors.py and xls2json.py); one that we do not know keeps its own text. A row is
counted as pyxform counts it, from 2 under the header, in ``arguments``, and made an author's row in
check.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from surveys.forms.form import Problem

_ROW = re.compile(r"\[row : (\d+)\]\s*")
_CELL = re.compile(r"On the '(?P<sheet>[^']+)' sheet, the '(?P<column>[^']+)' value\s")
_ERRORS: tuple[tuple[str, str, str], ...] = (
    # our code, the column where the sentence names none, and words that only this sentence has
    ("unknown_reference", "", r"Could not find the name '(?P<name>.*)'"),
    ("double_reference", "", r"The name '(?P<name>[^']*)' appears more than once"),
    ("bad_reference", "", r"Reference variables must start with"),
    ("name_taken", "name", r"'name' value '(?P<name>[^']*)' is invalid\. .*must (?:be )?unique"),
    ("bad_name", "name", r"Names must begin with a letter"),
    ("choice_unnamed", "name", r"Choices must have a name"),
    ("choice_twice", "name", r"Choice names must be unique"),
    ("choice_spaced", "name",
     r"Choice names with spaces.*See \[(?P<choice>.*)\] in \[(?P<list>.*)\]"),
    ("unclosed", "type", r"Unmatched 'begin_(?P<kind>\w+)'"),
    ("unopened", "type", r"Unmatched 'end_(?P<kind>\w+)'"),
    ("no_type", "type", r"Question with no type"),
    ("no_name", "name", r"Question or group with no name"),
    ("no_calculation", "calculation", r"Missing calculation"),
    ("no_list_named", "type",
     r"Unknown question type '(?P<kind>select_one|select_multiple|select one|select multiple|rank)'"
    ),
    ("unknown_type", "type", r"Unknown question type '(?P<kind>.*)'"),
    ("unknown_list", "type", r"List name not in choices sheet: (?P<name>\S*)"),
    ("no_label", "label", r"element named '(?P<name>[^']*)' has no label or hint"),
    ("no_column", "", r"required column headers were not found: (?P<columns>.*?)\. Learn"),
    ("no_choices", "type", r"There should be a choices sheet"),
    ("no_survey", "", r"You must have a sheet named 'survey'"),
    ("double_column", "", r"Duplicate column header: (?P<name>.*)"),
    ("double_column", "", r"Headers that are different names for the same column were found: "
     r"'(?P<name>.*)'\. Rename"),
)  # fmt: skip
_WARNINGS: tuple[tuple[str, str, str], ...] = (
    ("choices_column", "", r"On the 'choices' sheet, the '(?P<name>.*)' value is invalid\. Column"),
    (
        "sheet_misspelt",
        "",
        r"looking for a sheet named '(?P<wanted>.*)', .*found: (?P<found>.*?)\.",
    ),
    ("row_skipped", "type", r"Row without name, text, or label is being skipped"),
    ("choice_unlabelled", "label", r"Choices should have a label"),
)


def complaints(text: str) -> tuple[Problem, ...]:
    """The problems that an error of pyxform tells of; each begins at its ``[row : n]``."""
    starts = [match.start() for match in _ROW.finditer(text)] or [0]
    ends = [*starts[1:], len(text)]
    said = (text[start:end].strip() for start, end in zip(starts, ends, strict=True))
    return tuple(_problem(each, _ERRORS, stop=True) or _unknown(each) for each in said)


def remarks(warnings: Iterable[str]) -> tuple[Problem, ...]:
    """The warnings of pyxform that matter in a chat; what lint.py tells better is left out."""
    found = (_problem(each, _WARNINGS, stop=False) for each in warnings)
    return tuple(problem for problem in found if problem is not None)


def _problem(text: str, known: tuple[tuple[str, str, str], ...], *, stop: bool) -> Problem | None:
    for code, column, words in known:
        match = re.search(words, text, re.DOTALL)
        if match is not None:
            where, named = _where(text)
            return Problem(code, "", named or column, {**where, **match.groupdict()}, stop)
    return None


def _unknown(text: str) -> Problem:
    where, column = _where(text)
    said = " ".join(_CELL.sub("", _ROW.sub("", text)).split())
    said = re.sub(r"^is invalid\. ", "", re.sub(r" ?Learn more: \S+$", "", said))
    return Problem("pyxform", "", column, {**where, "text": said.rstrip(".")})


def _where(text: str) -> tuple[dict[str, object], str]:
    row, cell = _ROW.search(text), _CELL.search(text)
    sheet = cell["sheet"] if cell else "survey"
    place: dict[str, object] = {"sheet": sheet, "row": int(row[1])} if row else {}
    return place, cell["column"] if cell else ""
