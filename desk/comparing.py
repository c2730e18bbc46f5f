"""Two versions of a questionnaire side by side: what is different, and what that does to results.

Results of two versions may be laid side by side where both rate the same indicators on the same
scales. That is a rule about numbers; whether a question worded anew still asks the same thing, only
people can say, so every new wording is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby

from surveys.forms.form import Form, Node, Question, walk
from surveys.lint.outline import Item, outline

_LONGEST = 2000  # signs of a text that is compared sign by sign


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different. ``part``: label | hint | kind | when | choices | choice | media
    | counted | given; ``detail`` is a language or a choice's name. ``old`` and ``new`` are words.
    """

    part: str
    detail: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A question that both versions have. ``moved``: it comes in another place among them."""

    old: Item
    new: Item
    changes: tuple[Change, ...]
    moved: bool


class Verdict(StrEnum):
    """What the rule says about results of both."""

    SAME = "same"  # the same indicators on the same scales, in the same words
    REWORDED = "reworded"  # so by number, but people read other words
    BROKEN = "broken"
    NOTHING = "nothing"  # neither rates anybody


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the verdict is not ``same``. ``code``: gone | come | scale | words | order."""

    code: str
    indicator: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """From version ``old`` to version ``new``."""

    old: Form
    new: Form
    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    changed: tuple[Changed, ...]
    same: int  # questions without any difference
    verdict: Verdict
    reasons: tuple[Reason, ...]


def compare(old: Form, new: Form, language: str) -> Comparison:
    """What became of ``old`` in ``new``, told in ``language``. A question is known by its name."""
    before = {item.name: item for item in outline(old, language)}
    after = {item.name: item for item in outline(new, language)}
    moved = _moved([n for n in before if n in after], [n for n in after if n in before])
    was, now = _nodes(old), _nodes(new)
    pairs = [
        Changed(
            before[name],
            item,
            tuple(_changes(before[name], item, was[name], now[name])),
            name in moved,
        )
        for name, item in after.items()
        if name in before
    ]
    reasons = tuple(_reasons(old, new, before, after))
    return Comparison(
        old,
        new,
        tuple(item for name, item in after.items() if name not in before),
        tuple(item for name, item in before.items() if name not in after),
        tuple(pair for pair in pairs if pair.changes or pair.moved),
        sum(not pair.changes and not pair.moved for pair in pairs),
        _verdict(old, new, reasons),
        reasons,
    )


def _nodes(form: Form) -> Mapping[str, Node]:
    return {node.path.rsplit("/", 1)[-1]: node for node in walk(form.body)}


def _moved(before: list[str], after: list[str]) -> frozenset[str]:
    """Names that do not keep their place among the others."""
    stay = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    kept = {name for block in stay for name in before[block.a : block.a + block.size]}
    return frozenset(after) - kept


def _changes(old: Item, new: Item, was: Node, now: Node) -> Iterator[Change]:
    yield from _by_language("label", old.labels, new.labels)
    yield from _by_language("hint", old.hints, new.hints)
    if old.what[:1] != new.what[:1]:
        yield Change("kind", "", old.what[0], new.what[0])
    if old.what[1:] != new.what[1:]:
        yield Change("counted", "", "; ".join(old.what[1:]), "; ".join(new.what[1:]))
    if _demands(was) != _demands(now):
        yield Change("when", "", "; ".join(old.when), "; ".join(new.when))
    yield from _choices(old, new)
    if old.media != new.media:
        yield Change("media", "", ", ".join(old.media), ", ".join(new.media))
    if isinstance(was, Question) and isinstance(now, Question):
        one, other = was.initial or was.default, now.initial or now.default
        if one != other:
            yield Change("given", "", one, other)


def _demands(node: Node) -> tuple[object, ...]:
    """The conditions as they are computed: their words hang on other questions' labels."""
    if not isinstance(node, Question):
        return (node.relevant,)
    itemset = node.itemset.nodeset if node.itemset else ""
    return (node.relevant, node.constraint, itemset)


def _by_language(
    part: str, old: Mapping[str, str], new: Mapping[str, str], name: str = ""
) -> Iterator[Change]:
    for code in dict.fromkeys((*old, *new)):
        if old.get(code, "") != new.get(code, ""):
            detail = " · ".join(each for each in (name, code) if each)
            yield Change(part, detail, old.get(code, ""), new.get(code, ""))


def _choices(old: Item, new: Item) -> Iterator[Change]:
    before, after = dict(old.choices), dict(new.choices)
    if list(before) != list(after):
        yield Change("choices", "", ", ".join(before), ", ".join(after))
    for name, label in before.items():
        if name in after:
            yield from _by_language("choice", label, after[name], name)


# ---- what it does to results


def _reasons(
    old: Form, new: Form, before: Mapping[str, Item], after: Mapping[str, Item]
) -> Iterator[Reason]:
    one, other = _rating(old), _rating(new)
    for indicator in dict.fromkeys((*one, *other)):
        if indicator not in other:
            yield Reason("gone", indicator)
        elif indicator not in one:
            yield Reason("come", indicator)
        else:
            was, now = one[indicator], other[indicator]
            if _scale(was) != _scale(now):
                yield Reason("scale", indicator, ", ".join(_scale(was)), ", ".join(_scale(now)))
            elif _wording(was, before) != _wording(now, after):
                yield Reason("words", indicator)
    both = [indicator for indicator in one if indicator in other]
    if both != [indicator for indicator in other if indicator in one]:
        yield Reason("order", "")


def _rating(form: Form) -> dict[str, Question]:
    return {question.indicator: question for question in form.questions if question.indicator}


def _scale(question: Question) -> tuple[str, ...]:
    """What may be pressed: the grades, and the ways not to give one, by name."""
    return tuple(sorted(choice.name for choice in question.choices))


def _wording(question: Question, items: Mapping[str, Item]) -> object:
    return items[question.name].labels, dict(items[question.name].choices)


def _verdict(old: Form, new: Form, reasons: tuple[Reason, ...]) -> Verdict:
    if not old.indicators and not new.indicators:
        return Verdict.NOTHING
    if any(reason.code in ("gone", "come", "scale") for reason in reasons):
        return Verdict.BROKEN
    return Verdict.REWORDED if reasons else Verdict.SAME


# ---- two texts


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text; ``marked`` where the other text does not have it."""

    text: str
    marked: bool


def marked(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces: Chinese sign by sign, other scripts word by word."""
    one, other = _signs(old), _signs(new)
    if len(one) * len(other) > _LONGEST**2:  # comparing takes as long as that, and nobody reads it
        return (Piece(old, True),), (Piece(new, True),)
    first: list[Piece] = []
    second: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if a < b:
            first.append(Piece("".join(one[a:b]), tag != "equal"))
        if c < d:
            second.append(Piece("".join(other[c:d]), tag != "equal"))
    return tuple(first), tuple(second)


def _signs(text: str) -> list[str]:
    """Runs of ASCII letters and digits as one, everything else sign by sign."""
    runs = groupby(text, key=lambda sign: sign.isascii() and sign.isalnum())
    return [part for word, run in runs for part in (["".join(run)] if word else run)]
