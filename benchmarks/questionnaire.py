"""Two questionnaires to measure with: a long one with every sort of logic, and a short one."""

from __future__ import annotations

from surveys.forms.form import Form
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import compile_xlsform

_COLUMNS = (
    "type", "name", "label", "relevant", "required", "constraint", "constraint_message",
    "calculation", "choice_filter", "repeat_count",
)  # fmt: skip
_GRADES = """
| | list_name | name | label |
| | grade | 5 | Very satisfied |
| | grade | 4 | Satisfied |
| | grade | 3 | Fairly satisfied |
| | grade | 2 | Dissatisfied |
| | grade | 1 | Very dissatisfied |
"""
_PLACES = """
| | list_name | name | label | region |
| | region | north | The north | |
| | region | south | The south | |
| | district | hill | Hill | north |
| | district | lake | Lake | north |
| | district | port | Port | south |
| | district | bay | Bay | south |
"""


def _row(**cells: str) -> str:
    return "".join(f"| {cells.get(column, '')} " for column in ("", *_COLUMNS)) + "|"


def _form(name: str, rows: list[str], choices: str) -> Form:
    head = "".join(f"| {column} " for column in ("", *_COLUMNS)) + "|"
    settings = f"| settings |\n| | form_title | form_id | version |\n| | Measured | {name} | 1 |\n"
    table = "\n".join(["| survey |", head, *rows, "| choices |", choices.strip(), settings])
    return read_xform(compile_xlsform(table.encode(), ".md", name), name)


def long() -> Form:
    """40 questions, all of them asked of whoever is satisfied and lives with others.

    A cascading choice, a counted repeat, relevances, constraints, calculations, references.
    """
    return _form("long", [*_household(), *_opinions()], _places_and_grades())


def _household() -> list[str]:
    """Questions 1 to 5; the last two are asked of each person."""
    within = {"required": "yes", "constraint_message": "That cannot be."}
    return [
        _row(type="select_one region", name="region", label="Which region?", required="yes"),
        _row(type="select_one district", name="district", label="Which district?", required="yes",
             choice_filter="region = ${region}"),
        _row(type="integer", name="persons", label="How many are you?", **within,
             constraint=". >= 1 and . <= 20"),
        _row(type="begin_repeat", name="person", label="Person", repeat_count="${persons}"),
        _row(type="integer", name="age", label="How old?", **within,
             constraint=". >= 0 and . <= 120"),
        _row(type="select_one grade", name="school", label="And the nursery or school?",
             required="yes", relevant="${age} >= 3"),
        _row(type="end_repeat"),
        _row(type="calculate", name="total0", calculation="round(sum(${age}) div ${persons}, 1)"),
    ]  # fmt: skip


def _opinions() -> list[str]:
    """Questions 6 to 40: grades, and every fifth in words; what was graded last decides and is
    shown.
    """
    rows, last, total = [], "", "total0"
    for number in range(6, 41):
        name, label = f"q{number}", f"Question {number}."
        relevant = f"${{{last}}} >= 3" if last and number % 5 < 3 else ""
        if number % 5 == 0:
            rows.append(_row(type="text", name=name, label=f"{label} Why?", relevant=relevant,
                             constraint="string-length(.) <= 200",
                             constraint_message="Please be brief."))  # fmt: skip
        else:
            shown = f" You said ${{{last}}}." if last and number % 5 == 1 else ""
            rows.append(_row(type="select_one grade", name=name, label=label + shown,
                             required="yes", relevant=relevant))  # fmt: skip
            last = name
        if number % 7 == 0:
            rows.append(_row(type="calculate", name=f"total{number}",
                             calculation=f"${{{total}}} + number(${{{last}}})"))  # fmt: skip
            total = f"total{number}"
    return [*rows, _row(type="note", name="thanks", label=f"That was all, ${{{total}}}.")]


def _places_and_grades() -> str:
    """Both lists in one sheet: the grades lie in no region."""
    grades = _GRADES.strip().splitlines()[1:]
    return "\n".join([*_PLACES.strip().splitlines(), *(f"{line} |" for line in grades)])


def short() -> Form:
    """Two questions, the second for the dissatisfied only; ``surveyjs.mjs`` says the same."""
    return _form("short", [
        _row(type="select_one grade", name="grade", label="How satisfied are you?",
             required="yes"),
        _row(type="calculate", name="said",
             calculation="jr:choice-name(${grade}, '${grade}')"),
        _row(type="text", name="why", label="You said ${said}. Why?", required="yes",
             relevant="${grade} <= 3", constraint="string-length(.) <= 200",
             constraint_message="Please be brief."),
    ], _GRADES)  # fmt: skip
