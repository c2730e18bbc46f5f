"""A questionnaire of any length, with branches, a calculation, a note and shown answers."""

from __future__ import annotations

from surveys.form import Form
from surveys.xform import read_xform
from surveys.xlsform import compile_xlsform

_HEAD = "| | type | name | label | relevant | required | constraint | calculation |"
_CHOICES = """
| choices | | | |
| | list_name | name | label |
| | grade | 5 | Very satisfied |
| | grade | 4 | Satisfied |
| | grade | 3 | Fairly satisfied |
| | grade | 2 | Dissatisfied |
| | grade | 1 | Very dissatisfied |
| settings | | | |
| | form_title | form_id | version |
| | Measured | measured | 1 |
"""


def questionnaire(questions: int) -> Form:
    """``questions`` that whoever is satisfied is asked, and one in four that they are not."""
    rows = ["| survey | | | | | | | |", _HEAD]
    for number in range(1, questions + 1):
        relevant = f"${{q{number - 1}}} >= 3" if number % 3 == 0 else ""
        shown = f" You said ${{q{number - 1}}}." if number % 5 == 0 else ""
        rows.append(f"| | select_one grade | q{number} | Question {number}.{shown} "
                    f"| {relevant} | yes | | |")  # fmt: skip
        if number % 4 == 0:
            rows.append(f"| | text | why{number} | Why? | ${{q{number}}} <= 2 | | | |")
    rows.append("| | calculate | total | | | | | count-selected(${q1}) + 1 |")
    rows.append("| | note | thanks | That was all, ${total}. | | | | |")
    table = "\n".join(rows) + _CHOICES
    return read_xform(compile_xlsform(table.encode(), ".md", "measured"), "measured")
