"""Why the two engines differ where they do: the known causes, each with a test for it.

«JavaRosa» is the engine of ODK Collect, and what we go by where the specification is silent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.agreement.pair import Check
from benchmarks.agreement.walking import Difference


class Verdict(StrEnum):
    """Which side does as ODK says."""

    OURS = "ours is right"
    THEIRS = "theirs is right"
    OPEN = "both may"
    CHOSEN = "ours differs on purpose"


@dataclass(frozen=True, slots=True)
class Cause:
    """``words`` say what differs and by what it is judged; ``holds`` tells it by sight."""

    verdict: Verdict | None
    words: str
    holds: Callable[[Difference], bool]


def cause_of(difference: Difference) -> Cause:
    """The first cause that fits; UNKNOWN where none does."""
    known = next((cause for cause in CAUSES if cause.holds(difference)), UNKNOWN)
    return FOLLOWS if known is UNKNOWN and difference.follows else known


UNKNOWN = Cause(None, "NO KNOWN CAUSE", lambda _: True)
FOLLOWS = Cause(None, "follows from another difference at the same answers", lambda _: True)
_JS_NUMBER = re.compile(r"\s+|\+[0-9.]+|0[xX][0-9a-fA-F]+|-?[0-9.]+[eE][0-9]+|-?Infinity")


def _calls(*names: str) -> Callable[[Difference], bool]:
    called = re.compile(rf"(?<!\w)(?<![a-z]-)({'|'.join(map(re.escape, names))})\s*\(")
    return lambda difference: called.search(difference.check.rule) is not None


def _float(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return math.nan


def _spelled(difference: Difference) -> bool:
    """The same numbers, each spelled in its own way: 5 and 5.0, also within a longer text."""
    check = difference.check
    if check.aspect not in ("value", "label", "hint"):
        return False
    theirs = str(check.theirs)
    return str(check.ours) == re.sub(r"(?<=\d)\.0(?!\d)", "", theirs) != theirs


def _same_number(check: Check) -> bool:
    ours, theirs = _float(check.ours), _float(check.theirs)
    return math.isclose(ours, theirs, rel_tol=1e-15) and check.ours != check.theirs


def _nan_in_text(difference: Difference) -> bool:
    if not _calls("string", "concat", "join", "substr", "coalesce", "if")(difference):
        return False
    check = difference.check
    if check.aspect != "value":
        return _calls("string", "concat", "join")(difference) and not difference.follows
    return "NaN" in str(check.ours) and str(check.ours).replace("NaN", "") == check.theirs


def _javascript_number(difference: Difference) -> bool:
    """Whether a text is about that JavaScript takes for a number and XPath does not."""
    texts = [text for _, text in difference.trail] + re.findall("'([^']*)'", difference.check.rule)
    return any(_JS_NUMBER.fullmatch(text) for text in texts)


def _half(difference: Difference) -> bool:
    check = difference.check
    return _calls("round")(difference) and 0 < abs(_float(check.ours) - _float(check.theirs)) <= 1


def _gone(difference: Difference) -> bool:
    """An answer, or a part of one, that is not among the choices any more."""
    check = difference.check
    return (
        check.aspect == "value" and difference.filtered
        and set(str(check.theirs).split()) < set(str(check.ours).split())
    )  # fmt: skip


def _other(difference: Difference) -> bool:
    """The question and the choice that ``or_other`` makes."""
    check = difference.check
    if isinstance(check.ours, tuple) and isinstance(check.theirs, tuple):
        apart = [pair for pair in zip(check.ours, check.theirs, strict=False) if len(set(pair)) > 1]
        return all(there == ("other", "Other") for _, there in apart)
    return check.theirs == "Specify other."


def _unlabelled(difference: Difference) -> bool:
    check = difference.check
    if isinstance(check.ours, tuple) and isinstance(check.theirs, tuple):
        names = [[name for name, _ in side] for side in (check.ours, check.theirs)]
        return names[0] == names[1] and {label for _, label in check.theirs} <= {"-", ""}
    return check.aspect in ("label", "hint") and check.theirs in ("-", "")


CAUSES: tuple[Cause, ...] = (
    Cause(Verdict.OPEN, "a decimal or a place is spelled 5 here and 5.0 there; as a number it is "
          "the same", _spelled),
    Cause(Verdict.OURS, "a very large or small number is written JavaScript's way there, as 1e+24; "
          "XPath 1.0 knows no exponents", lambda d: _same_number(d.check)),
    Cause(Verdict.THEIRS, "a calculation that comes to no number is kept as 'NaN' here, and is "
          "empty there (and in JavaRosa)", lambda d: d.check.ours == "NaN" and not d.check.theirs
          and not _calls("string")(d)),
    Cause(Verdict.OURS, "what comes to no number is 'NaN' within a text here, '' there; XPath 1.0 "
          "and JavaRosa write NaN", _nan_in_text),
    Cause(Verdict.OURS, "date() of nothing is nothing here (and in JavaRosa), 'Invalid Date' there",
          lambda d: "Invalid Date" in str(d.check.theirs)),
    Cause(Verdict.THEIRS, "a message that refers to the refused answer itself lacks it here",
          lambda d: d.check.aspect == "message"),
    Cause(Verdict.OURS, "regex() must match all of the text here, any part of it there; ODK's "
          "reference: «exact and complete match», and so JavaRosa", _calls("regex")),
    Cause(Verdict.OURS, "sum(), min() and max() pass over empty answers here (and in JavaRosa); "
          "one makes all of it empty there", _calls("sum", "min", "max")),
    Cause(Verdict.OURS, "a repeat that is not relevant counts 0 here (and in JavaRosa), its "
          "occurrences still count there", _calls("count")),
    Cause(Verdict.CHOSEN, "days are counted from midnight where the survey is held here, from "
          "midnight UTC there (and in JavaRosa); between two dates it is the same",
          _calls("decimal-date-time", "date", "now", "format-date-time")),
    Cause(Verdict.OPEN, "distance() differs in the eighth digit", _calls("distance")),
    Cause(Verdict.OURS, "round() takes -2.5 to -2 and 1.005 to 1.01 here, as XPath 1.0 and "
          "JavaRosa do; to -3 and 1 there", _half),
    Cause(Verdict.CHOSEN, "once() keeps its first value there; here time and chance in it are "
          "fixed, and it follows the answers it looks at", _calls("once")),
    Cause(Verdict.OURS, "indexed-repeat() with an empty index is the first here (and in JavaRosa), "
          "nothing there", _calls("indexed-repeat")),
    Cause(Verdict.OURS, "substring-after() there drops one character, however long the mark is",
          _calls("substring-after")),
    Cause(Verdict.OURS, "an emoji has length 1 here, 2 there; XPath 1.0 counts characters",
          lambda d: "😀" in d.check.rule),
    Cause(Verdict.OURS, "months and days have names in the interview's language here (and in "
          "JavaRosa), in English there", lambda d: "%b" in d.check.rule or "%a" in d.check.rule),
    Cause(Verdict.CHOSEN, "a calculation with a trigger is made at every turn once the trigger is "
          "answered here, and at each change of it there; for a question it is a proposal here",
          lambda d: d.triggered),
    Cause(Verdict.CHOSEN, "where a filter leaves no choice nothing is required here",
          lambda d: d.check.aspect == "required" and not d.check.ours and d.offers_nothing),
    Cause(Verdict.OPEN, "a repeat_count that is empty again means none here, as many as before "
          "there", lambda d: d.check.aspect == "repeat count" and d.check.ours == 0),
    Cause(Verdict.CHOSEN, "«Other», which pyxform adds in English, is in the interview's language "
          "here", _other),
    Cause(Verdict.CHOSEN, "where a language has no label, another's or the name is shown here, "
          "'-' or nothing there", _unlabelled),
    Cause(Verdict.THEIRS, "a default that is no value of its kind is proposed here, dropped there",
          lambda d: d.check.aspect in ("default", "value") and d.unfit),
    Cause(Verdict.THEIRS, "selected() of nothing in nothing is false here, true there (and in "
          "JavaRosa)", lambda d: _calls("selected")(d) and d.check.theirs in ("true", True)),
    Cause(Verdict.THEIRS, "an answer that is no longer offered is kept here, dropped there (and in "
          "JavaRosa)", _gone),
    Cause(Verdict.OPEN, "of shuffled choices the names are kept in the list's order here, as shown "
          "there", lambda d: d.shuffled and d.check.aspect == "value"
          and sorted(str(d.check.ours).split()) == sorted(str(d.check.theirs).split())),
    Cause(Verdict.THEIRS, "choices are shuffled otherwise than ODK shuffles them",
          lambda d: d.shuffled),
    Cause(Verdict.THEIRS, "jr:choice-name() does not fill in what a choice's label takes from "
          "answers", lambda d: "…" in str(d.check.ours)),
    Cause(Verdict.OURS, "a text is a number only as XPath 1.0 spells one here, and JavaScript's "
          "way there: 1e3, 0x10, +5, blanks as 0", _javascript_number),
)  # fmt: skip
