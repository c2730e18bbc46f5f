"""Small questionnaires, as tables, for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from surveys.forms.form import Form
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import compile_xlsform, load_form

QUESTIONNAIRES = Path(__file__).parents[2] / "questionnaires"
CHOICES = """
list_name | name | label
ab | a | Apple
ab | b | Banana
ab | c | Cherry
grade | 5 | 非常满意
grade | 4 | 满意
grade | 3 | 基本满意
grade | 2 | 不满意
grade | 1 | 非常不满意
grade | na | 说不好
"""
NAMESPACE = 'form_title | namespaces\nT | minyi="urn:minyi"'


def table(survey: str, choices: str = CHOICES, settings: str = NAMESPACE) -> bytes:
    """The three sheets as a Markdown workbook; each line of a sheet is ``cell | cell``."""
    lines: list[str] = []
    for sheet, text in (("survey", survey), ("choices", choices), ("settings", settings)):
        lines.append(f"| {sheet} |")
        lines += [f"| | {line} |" for line in text.strip().splitlines()]
    return "\n".join(lines).encode()


@cache
def form_of(survey: str, choices: str = CHOICES, settings: str = NAMESPACE) -> Form:
    """The questionnaire of these sheets."""
    return read_xform(compile_xlsform(table(survey, choices, settings), ".md", "t.md"), "t.md")


@cache
def shipped(name: str) -> Form:
    """A questionnaire that comes with Minyi."""
    return load_form(QUESTIONNAIRES / f"{name}.md")
