"""Random questionnaires: questions, groups and repeats under a small grammar of expressions."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

_KINDS = ("integer", "decimal", "text", "date", "select_one c", "select_multiple c")
_NUMERIC = ("integer", "decimal")
_CHOICES = ("a", "b", "c", "3", "7")
_COLUMNS = ("type", "name", "label", "relevant", "constraint", "required", "calculation",
            "choice_filter", "repeat_count")  # fmt: skip


@dataclass
class _Growth:
    """A form being written. ``known`` maps the names that may be referred to to their kinds."""

    chance: Random
    rows: list[dict[str, str]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def some(self, *kinds: str) -> str | None:
        fitting = [name for name, kind in self.known.items() if kind in kinds]
        return f"${{{self.chance.choice(fitting)}}}" if fitting else None

    # ---- expressions, ``depth`` levels of nesting at most

    def number(self, depth: int) -> str:
        pick = self.chance.choice
        leaf = self.some(*_NUMERIC, "number")
        if depth == 0 or self.chance.random() < 0.2:
            literal = pick(("0", "1", "2", "3", "10", "0.5", "-1", "100"))
            return leaf if leaf and self.chance.random() < 0.7 else literal
        left, right = self.number(depth - 1), self.number(depth - 1)
        multiple = self.some("select_multiple c") or "''"
        over = list(self.repeated.items())
        return pick((
            f"({left} {pick(('+', '-', '*', 'div', 'mod'))} {right})",
            f"{pick(('round', 'int', 'abs', 'number', 'floor', 'ceiling'))}({left})",
            f"round({left}, {pick('012')})",
            f"{pick(('min', 'max'))}({left}, {right})",
            f"if({self.truth(depth - 1)}, {left}, {right})",
            f"coalesce({left}, {right})",
            f"count-selected({multiple})",
            f"string-length({self.words(depth - 1)})",
            f"-{left}" if not left.startswith("-") else left,
            f"decimal-date-time({self.some('date') or 'today()'})",
            *([f"{pick(('sum', 'max', 'min', 'count'))}(${{{over[0][0]}}})"] if over else []),
            *([f"count(${{{over[0][1]}}})"] if over else []),
        ))  # fmt: skip

    def words(self, depth: int) -> str:
        pick = self.chance.choice
        leaf = self.some("text", "select_one c", "select_multiple c", "words")
        if depth == 0 or self.chance.random() < 0.2:
            literal = f"'{pick(('', 'a', 'b', 'yes', '7', ' ', 'a b', '3.0'))}'"
            return leaf if leaf and self.chance.random() < 0.7 else literal
        left, right = self.words(depth - 1), self.words(depth - 1)
        number = self.number(depth - 1)
        return pick((
            f"concat({left}, {right})",
            f"concat({left}, {number})",
            f"substr({left}, {pick('012')}, {pick('1234')})",
            f"if({self.truth(depth - 1)}, {left}, {right})",
            f"coalesce({left}, {right})",
            f"{pick(('substring-before', 'substring-after'))}({left}, {right})",
            f"translate({left}, 'abc', 'xy')",
            f"normalize-space({left})",
            f"selected-at({left}, {pick('01')})",
            f"string({number})",
            f"join('-', {left}, {number})",
            f"format-date({self.some('date') or 'today()'}, '%Y-%m-%d')",
        ))  # fmt: skip

    def truth(self, depth: int) -> str:
        pick = self.chance.choice
        compare = pick(("=", "!=", "<", "<=", ">", ">="))
        one = self.some("select_one c", "select_multiple c") or "'a'"
        dates = self.some("date") or "today()", self.some("date") or "date('2026-01-01')"
        if depth == 0:
            return pick((
                f"{self.number(0)} {compare} {self.number(0)}",
                f"{self.words(0)} {pick(('=', '!='))} {self.words(0)}",
                f"selected({one}, '{pick(_CHOICES)}')",
                f"{one} = '{pick(_CHOICES)}'",
            ))  # fmt: skip
        left, right = self.truth(depth - 1), self.truth(depth - 1)
        return pick((
            f"({left} and {right})",
            f"({left} or {right})",
            f"not({left})",
            f"{self.number(depth)} {compare} {self.number(depth - 1)}",
            f"{self.words(depth)} {pick(('=', '!='))} {self.words(depth - 1)}",
            f"{dates[0]} {compare} {dates[1]}",
            f"{pick(('contains', 'starts-with', 'ends-with'))}({self.words(1)}, {self.words(0)})",
            f"regex({self.words(1)}, '^[a-z0-9]+$')",
            f"{self.words(1)} {compare} {self.number(1)}",
            f"boolean({pick((self.words(1), self.number(1)))})",
            f"{self.some(*_KINDS) or 1} != ''",
        ))  # fmt: skip

    # ---- rows

    def nodes(self, many: int, depth: int, *, repeat: bool) -> None:
        for _ in range(many):
            dice = self.chance.random()
            if dice < 0.12 and depth:
                self.group(depth)
            elif dice < 0.2 and depth and not repeat and not self.repeated:
                self.repeat(depth)
            elif dice < 0.42:
                self.calculation()
            else:
                self.question()

    def question(self) -> None:
        chance = self.chance
        kind, name = chance.choice(_KINDS), self.name("q")
        row = {"type": kind, "name": name, "label": f"Question {name}"}
        if self.known and chance.random() < 0.3:
            row["label"] += f", as {self.some(*_KINDS, 'number', 'words') or ''}"
        if chance.random() < 0.4:
            row["relevant"] = self.truth(2)
        if chance.random() < 0.25:
            row["constraint"] = f"({self.truth(1)}) or {self.own(kind)}"
        if chance.random() < 0.2:
            row["required"] = self.truth(1)
        if kind.startswith("select") and chance.random() < 0.4:
            words, number = self.words(1), self.number(1)
            row["choice_filter"] = chance.choice(
                (f"name != {words}", f"size > {number} or name = 'a'", f"selected({words}, name)")
            )
        self.rows.append(row)
        self.known[name] = kind

    def own(self, kind: str) -> str:
        """A condition on the answer itself."""
        if kind in _NUMERIC:
            return f". {self.chance.choice(('>', '<', '!='))} {self.number(1)}"
        return f"string-length(.) {self.chance.choice(('>', '<'))} 3"

    def calculation(self) -> None:
        kind = self.chance.choice(("number", "words", "words"))
        make = {"number": self.number, "words": self.words}[kind]
        if self.chance.random() < 0.2:
            make, kind = self.truth, "words"
        row = {"type": "calculate", "name": self.name("c"), "calculation": make(2)}
        if self.chance.random() < 0.2:
            row["relevant"] = self.truth(1)
        self.rows.append(row)
        self.known[row["name"]] = kind

    def group(self, depth: int) -> None:
        name = self.name("g")
        row = {"type": "begin group", "name": name, "label": f"Group {name}"}
        if self.chance.random() < 0.7:
            row["relevant"] = self.truth(2)
        self.rows.append(row)
        self.nodes(self.chance.randint(1, 3), depth - 1, repeat=True)
        self.rows.append({"type": "end group"})

    def repeat(self, depth: int) -> None:
        name = self.name("r")
        row = {"type": "begin repeat", "name": name, "label": f"Repeat {name}"}
        if self.chance.random() < 0.6:
            row["repeat_count"] = self.chance.choice(
                ("2", "3", f"if({self.truth(1)}, 1, 2)", f"min(3, max(0, {self.number(1)}))")
            )
        if self.chance.random() < 0.4:
            row["relevant"] = self.truth(1)
        self.rows.append(row)
        before = dict(self.known)
        first = {"type": "integer", "name": self.name("q"), "label": "How many?"}
        self.rows.append(first)
        self.known[first["name"]] = "integer"
        self.nodes(self.chance.randint(1, 3), depth - 1, repeat=True)
        self.rows.append({"type": "end repeat"})
        self.known = before  # from outside, only the numbers, and only over all occurrences
        self.repeated[first["name"]] = name


def grown(seed: int) -> str:
    """A questionnaire as an XLSForm in Markdown; equal seeds, equal forms."""
    growth = _Growth(Random(seed))
    growth.nodes(2, 0, repeat=True)
    growth.nodes(growth.chance.randint(5, 12), 2, repeat=False)
    growth.question()
    lines = ["| survey | " + " | ".join("" for _ in _COLUMNS) + " |"]
    lines += [f"| | {' | '.join(_COLUMNS)} |"]
    lines += [f"| | {' | '.join(row.get(name, '') for name in _COLUMNS)} |" for row in growth.rows]
    lines += ["| choices | | | |", "| | list_name | name | label | size |"]
    lines += [f"| | c | {name} | Choice {name} | {at} |" for at, name in enumerate(_CHOICES)]
    return "\n".join(lines) + "\n"
