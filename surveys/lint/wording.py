"""The words of a questionnaire: translated, short enough for a chat, and not the same twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from surveys.forms.form import Choice, Form, Kind, Label, Node, Problem, Question, walk
from surveys.phrasing import SCREEN, width
from surveys.words import pick

BUTTON = 30  # columns; a phone shows about 35 of a button that has a row to itself
LABEL = 300  # characters; longer, a question fills a phone's screen


def wording(form: Form) -> Iterator[Problem]:
    """Problems of labels, hints, messages and choices."""
    lists: set[object] = set()
    for node in walk(form.body):
        if isinstance(node, Question) and node.kind is Kind.MORE:
            continue
        yield from _labels(node, form)
        if isinstance(node, Question) and node.choices:
            yield from _offered(node)
            if _key(node.choices) not in lists:  # a list of ten questions is told of once
                lists.add(_key(node.choices))
                yield from _choices(node, form)


def plain_words(label: Label, language: str) -> str:
    """A label in ``language``, … for what it takes from answers; '' where it has none at all."""
    pieces = label.get(language) or next(iter(label.values()), ())
    return "".join(piece if isinstance(piece, str) else "…" for piece in pieces)


def _key(choices: tuple[Choice, ...]) -> object:
    return tuple((each.name, *each.label.items()) for each in choices)


def _labels(node: Node, form: Form) -> Iterator[Problem]:
    labels: list[tuple[str, Label]] = [("label", node.label)]
    if isinstance(node, Question):
        labels += [
            ("hint", node.hint),
            ("guidance_hint", node.guidance),
            ("constraint_message", node.constraint_message),
            ("required_message", node.required_message),
        ]
        if (node.asks or node.kind is Kind.NOTE) and not (node.label or node.hint or node.media):
            yield Problem("no_label", node.path, "label")
        if node.constraint and not node.constraint_message:
            yield Problem("no_message", node.path, "constraint_message", stop=False)
    for column, label in labels:
        for language in _missing(label, form):
            given = {"tongue": language, "spoken": form.tongues.get(language, language)}
            yield Problem("untranslated", node.path, column, given, stop=False)
    for language in form.languages:
        length = len(plain_words(node.label, language))
        if length > LABEL and (language in node.label or "" in node.label):
            arguments = {"length": length, "most": LABEL, "tongue": language}
            yield Problem("long_question", node.path, "label", arguments, stop=False)


def _missing(label: Mapping[str, object], form: Form) -> list[str]:
    """The languages that a text is not in; none where it is in none, or needs none."""
    if not label or "" in label:
        return []
    return [language for language in form.languages if language not in label]


def _offered(question: Question) -> Iterator[Problem]:
    count = len(question.choices)
    filtered = question.itemset is not None and "[" in question.itemset.nodeset
    if count > SCREEN and not filtered:
        arguments = {"count": count, "most": SCREEN}
        yield Problem("many_choices", question.path, "type", arguments, stop=False)


def _choices(question: Question, form: Form) -> Iterator[Problem]:
    for choice in question.choices:
        for language in _missing(choice.label, form):
            arguments = {"choice": choice.name, "tongue": language,
                         "spoken": form.tongues.get(language, language)}  # fmt: skip
            yield Problem("untranslated", question.path, "label", arguments, stop=False)
        for language, label in choice.label.items():
            if width(label) > BUTTON:
                told = {"choice": choice.name, "label": label, "width": width(label),
                             "most": BUTTON, "tongue": language}  # fmt: skip
                yield Problem("long_choice", question.path, "label", told, stop=False)
    if question.itemset is not None:
        return  # of a filtered list the same words may stand in two branches
    for language in form.languages:
        seen: Counter[str] = Counter()
        for choice in question.choices:
            label = pick(choice.label, language).strip().casefold()
            seen[label] += 1
            if seen[label] == 2:
                arguments = {"choice": choice.name, "label": label, "tongue": language}
                yield Problem("same_label", question.path, "label", arguments, stop=False)
