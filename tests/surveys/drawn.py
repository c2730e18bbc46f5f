"""Questionnaires drawn by chance: every kind, groups in groups, repeats, filters, rules, sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random

from surveys.forms.form import Form
from tests.surveys.forms import NAMESPACE, form_of

HEAD = (
    "type | name | label | relevant | required | constraint | calculation | choice_filter"
    " | parameters | default | appearance | read_only | repeat_count"
)
COLUMNS = [column.strip() for column in HEAD.split("|")][3:]
CHOICES = """
list_name | name | label | side
ab | a | Apple | left
ab | b | Banana ${who} | left
ab | c | Cherry | right
ab | d | Date 🌴 | right
"""
PLAIN = (
    *("text", "integer", "decimal", "range", "date", "time", "dateTime", "acknowledge"),
    *("geopoint", "image", "audio", "video", "file"),
)
KINDS = (*PLAIN, "select_one ab", "select_multiple ab", "rank ab", "select_one ab or_other")
POOL = 40


@dataclass
class Sheet:
    """A survey sheet in the making."""

    chance: Random
    rows: list[str] = field(default_factory=lambda: [HEAD, row("hidden", "who")])
    asked: list[tuple[str, str]] = field(default_factory=list)
    number: int = 0

    def name(self, letter: str) -> str:
        self.number += 1
        return f"{letter}{self.number}"

    def body(self, depth: int, size: int) -> None:
        for _ in range(size):
            drawn = self.chance.random()
            if depth < 3 and drawn < 0.15:
                self.group(depth)
            elif depth < 3 and drawn < 0.27:
                self.repeat(depth)
            else:
                self.question()

    def group(self, depth: int) -> None:
        name = self.name("g")
        appearance = self.chance.choice(["", "", "field-list"])
        self.rows.append(
            row("begin_group", name, "Group", relevant=self.when(), appearance=appearance)
        )
        self.body(depth + 1, self.chance.randint(1, 3))
        self.rows.append(row("end_group"))

    def repeat(self, depth: int) -> None:
        """What is asked in it is no condition outside of it: which occurrence would be meant?"""
        name, size = self.name("r"), self.name("s")
        count = self.chance.choice(["", "2", f"int(${{{size}}})"])
        if size in count:
            self.rows.append(row("integer", size, "How many?", constraint=". >= 0 and . < 4"))
            self.asked.append((size, "integer"))
        relevant = self.when()
        self.rows.append(row("begin_repeat", name, "Repeat", relevant=relevant, repeat_count=count))
        before = list(self.asked)
        self.body(depth + 1, self.chance.randint(1, 3))
        self.rows.append(row("end_repeat"))
        inner = [name for name, kind in self.asked[len(before) :] if kind == "integer"]
        self.asked = before
        if inner and depth == 0:
            self.rows.append(row("calculate", self.name("c"), calculation=f"sum(${{{inner[0]}}})"))
        if depth == 0:
            self.rows.append(row("note", self.name("n"), f"There were ${{{self.total(name)}}}."))

    def total(self, repeat: str) -> str:
        name = self.name("c")
        self.rows.append(row("calculate", name, calculation=f"count(${{{repeat}}})"))
        return name

    def question(self) -> None:
        chance, kind, name = self.chance, self.chance.choice(KINDS), self.name("q")
        cells = {"relevant": self.when(), "required": chance.choice(["", "", "yes"])}
        selects = [name for name, kind in self.asked if kind == "select_one ab"]
        if kind.endswith(" ab") and selects and chance.random() < 0.3:
            cells["choice_filter"] = f"name != ${{{chance.choice(selects)}}}"
        elif kind.endswith(" ab") and chance.random() < 0.3:
            cells["parameters"] = "randomize=true"
        if kind == "range":
            cells["parameters"] = chance.choice(
                ["start=0 end=4 step=1", "start=0 end=100 step=0.5"]
            )
        if kind in ("integer", "decimal"):
            cells["constraint"] = chance.choice(["", ". < 50", ". != 5", ". >= 0 or . < -3"])
            cells["default"] = chance.choice(["", "", "7", "1 + 1"])
        if kind == "date":
            cells["constraint"] = chance.choice(["", ". <= today()"])
        if kind == "text":
            cells["read_only"] = chance.choice(["", "", f"${{{self.some()}}} = 'a'"])
        self.rows.append(row(kind, name, f"{name} of ${{who}}", **cells))
        self.asked.append((name, kind.removesuffix(" or_other")))
        if chance.random() < 0.25:
            text = f"concat('<', ${{{name}}}, '>')"
            self.rows.append(row("calculate", self.name("c"), calculation=text))
        if chance.random() < 0.2:
            self.rows.append(row("note", self.name("n"), f"You said ${{{name}}}"))

    def some(self) -> str:
        return self.chance.choice(self.asked)[0] if self.asked else "who"

    def when(self) -> str:
        """A condition on something asked before, or none."""
        if not self.asked or self.chance.random() < 0.5:
            return ""
        name, kind = self.chance.choice(self.asked)
        this = f"${{{name}}}"
        match kind.split()[0]:
            case "integer" | "decimal" | "range":
                return self.chance.choice([f"{this} > 5", f"{this} <= 5", f"not({this} = 5)"])
            case "select_multiple":
                return f"selected({this}, '{self.chance.choice('abc')}')"
            case "select_one" | "rank":
                return f"{this} {self.chance.choice(['=', '!='])} '{self.chance.choice('abc')}'"
            case "date":
                return self.chance.choice([f"{this} < today()", f"{this} > today() - 30"])
        return f"{this} {self.chance.choice(['=', '!='])} ''"


def row(kind: str, name: str = "", label: str = "", **cells: str) -> str:
    """One row of the survey sheet."""
    return " | ".join([kind, name, label, *(cells.get(column, "") for column in COLUMNS)])


@cache
def pool() -> tuple[Form, ...]:
    """The questionnaires, the same in every run."""
    return tuple(map(drawn, range(POOL)))


def drawn(seed: int) -> Form:
    """The questionnaire of ``seed``; every third wants a review."""
    sheet = Sheet(Random(seed))
    sheet.question()
    sheet.body(0, sheet.chance.randint(3, 8))
    settings = NAMESPACE
    if seed % 3 == 0:
        settings = 'form_title | namespaces | attribute::minyi:review\nT | minyi="urn:minyi" | yes'
    return form_of("\n".join(sheet.rows), CHOICES, settings)
