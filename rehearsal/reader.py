"""How a simulated person understands a screen: which buttons are grades, which are the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Rows = Sequence[Sequence[str]]

GRADES: Mapping[str, int] = {
    "非常满意": 5,
    "基本满意": 3,
    "非常不满意": 1,
    "不满意": 2,
    "满意": 4,
    "非常好": 5,
    "非常不好": 1,
    "不好": 2,
    "好": 4,
    "基本可以": 3,
    "very satisfied": 5,
    "fairly satisfied": 3,
    "very dissatisfied": 1,
    "dissatisfied": 2,
    "satisfied": 4,
    "very well": 5,
    "fairly well": 3,
    "well": 4,
    "very poorly": 1,
    "poorly": 2,
}
NAVIGATION: Mapping[str, tuple[str, ...]] = {
    "start": ("开始", "start", "begin"),
    "back": ("返回", "上一题", "back"),
    "skip": ("跳过", "skip"),
    "done": ("完成", "done", "finish"),
    "send": ("提交", "send", "submit"),
    "more": ("更多", "更多选项", "more", "more choices"),
    "not_applicable": (
        "不了解",
        "不适用",
        "说不好",
        "can't say",
        "not applicable",
        "don't know",
        "cannot say",
    ),
    "other": (
        "停止",
        "结束",
        "以后再说",
        "先停下",
        "暂停",
        "stop",
        "not now",
        "later",
        "pause",
        "language",
        "修改我的回答",
        "修改其他评价",
        "change my answers",
        "change another rating",
        "反映问题",
        "raise a concern",
        "帮助",
        "help",
        "重新参加",
        "take part again",
        "继续",
        "continue",
        "查看",
        "read it",
        "清空这一题",
        "clear this answer",
        "以后不再邀请",
        "never invite me again",
    ),
}
KEPT = ("就用", "keep:")
"""Before an answer given earlier, which a press would keep."""
MARKS = ("✅", "☑", "✓", "✔", "🔘", "☒", "●")
GO_ON = ("继续", "continue")
"""Alone below a message: what was begun is gone on with."""
BOXES = ("☐", "☑")
"""Before choices of which several may be ticked, marked or not."""
UNRANKED = "◦"
"""Before choices that have no rank yet; the others have their number."""
_PROGRESS = re.compile(
    r"^第 ?\d+ ?题(.{0,3}共 ?\d+ ?题)?$|^\d+ of \d+$|^question \d+$", re.MULTILINE | re.IGNORECASE
)
_HOW = re.compile(
    r"^(例如|请发|请打|请说|抱歉|for example|please (share|send|type|say)|sorry)",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Screen:
    """A message understood. ``grades`` maps 5 (best) .. 1 to labels; all labels are verbatim.

    ``choices`` are the other buttons that answer the question; ``marked`` those already chosen.
    ``gathers`` where several can be; ``ranks`` where all must be, in order.
    """

    text: str
    grades: Mapping[int, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    start: str | None = None
    back: str | None = None
    skip: str | None = None
    done: str | None = None
    send: str | None = None
    more: str | None = None
    gathers: bool = False
    ranks: bool = False
    not_applicable: str | None = None

    @property
    def asks_for_words(self) -> bool:
        """No answer to tap: a way to skip, a question mark, how far it is or how to answer show
        that something is wanted."""
        if self.grades or self.choices or self.start or self.done or self.send:
            return False
        text = self.text.rstrip()
        told = text.endswith(("?", "？")) or _PROGRESS.search(text) or _HOW.search(text)
        return self.skip is not None or bool(told)

    @property
    def how(self) -> str:
        """The last line that says how to answer; '' where none does."""
        lines = [line for line in self.text.splitlines() if _HOW.match(line)]
        return lines[-1] if lines else ""

    @property
    def key(self) -> str:
        """Names the question, whatever trouble stands above it: how far it is and the line below
        that, else the last line."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        for index, line in enumerate(lines):
            if _PROGRESS.search(line):
                return "\n".join(lines[index : index + 2])
        return lines[-1] if lines else ""


class Reader(Protocol):
    """Replace it where the bot's labels differ."""

    def read(self, text: str, rows: Rows) -> Screen: ...


@dataclass(frozen=True, slots=True)
class PlainReader:
    """Reads labels by the words in them, decoration aside; the longest known word wins.

    Five unknown answers with nothing to collect (no Done) are taken as grades, best first, unless
    they are the numbers 1 to 5.
    """

    grades: Mapping[str, int] = field(default_factory=lambda: GRADES)
    navigation: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NAVIGATION)

    def read(self, text: str, rows: Rows) -> Screen:
        found: dict[str, str] = {}
        graded: list[tuple[int, str]] = []
        choices: list[str] = []
        for row in rows:
            for label in row:
                plain = _plain(label)
                role = self._role(plain)
                if role is not None:
                    found.setdefault(role, label)
                elif (grade := self._grade(plain)) is not None:
                    graded.append((grade, label))
                else:
                    choices.append(label)
        other = found.pop("other", None)
        if other is not None and sum(map(len, rows)) == 1 and _plain(other) in GO_ON:
            found["start"] = other
        grades = dict(graded)
        numbers = any(_plain(label).isdecimal() for label in choices)  # 0 to 10 are no grades
        if len(grades) < 3 or len(grades) < len(graded) or numbers:
            # and "satisfied" among reasons is a reason
            choices, grades = [x for row in rows for x in row if self._answers(x)], {}
        ranks = any(label.startswith(UNRANKED) for label in choices)
        gathers = ranks or "done" in found or any(label.startswith(BOXES) for label in choices)
        if not grades and len(choices) == 5 and not gathers and "send" not in found:
            grades, choices = dict(zip(range(5, 0, -1), choices, strict=True)), []
        marked = tuple(label for label in choices if _is_marked(label, ranks))
        return Screen(text, grades, tuple(choices), marked, gathers=gathers, ranks=ranks, **found)

    def _role(self, plain: str) -> str | None:
        if plain.startswith(KEPT):
            return "other"
        return next((role for role, names in self.navigation.items() if plain in names), None)

    def _grade(self, plain: str) -> int | None:
        if plain in {"1", "2", "3", "4", "5"}:
            return int(plain)
        longest = max((name for name in self.grades if name in plain), key=len, default=None)
        return None if longest is None else self.grades[longest]

    def _answers(self, label: str) -> bool:
        return self._role(_plain(label)) is None


def _is_marked(label: str, ranks: bool) -> bool:
    return not label.startswith(UNRANKED) if ranks else label.lstrip().startswith(MARKS)


def _plain(label: str) -> str:
    """Without emoji, marks and spaces at either end, in lower case."""
    letters = [i for i, char in enumerate(label) if char.isalnum()]
    return label[letters[0] : letters[-1] + 1].lower() if letters else ""
