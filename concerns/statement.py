"""What a person said in a concern: words, answers, files. Sealed as a whole to its reader."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from surveys.forms.form import HANDED, Form, Kind, Question
from surveys.words import pick

# two are told without opening a concern; the words stand at its head
_TOLD = ("kind", "reader", "words")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a case. ``files`` are tokens (:mod:`surveys.files.attachments`)."""

    author: str  # person | handler
    text: str
    files: tuple[str, ...] = ()


def statement(form: Form, values: Mapping[str, str], language: str) -> Statement:
    """The person's own: the answer to ``words``, each other answer as a line, and the files."""
    lines = [values.get(f"/{form.root}/words", "")]
    files: list[str] = []
    for path, question, value in _answered(form, values):
        if question.kind in HANDED:
            files.append(value)
        elif question.kind is not Kind.MORE and path.rsplit("/", 1)[-1] not in _TOLD:
            lines.append(f"{_label(question, language)}: {_shown(question, value, language)}")
    return Statement("person", "\n".join(line for line in lines if line), tuple(files))


def _answered(form: Form, values: Mapping[str, str]) -> Iterator[tuple[str, Question, str]]:
    for path, value in values.items():
        if not value:
            continue
        try:
            question = form.question(path)
        except KeyError:  # a group's or a repeat's own
            continue
        if question.asks:
            yield path, question, value


def _label(question: Question, language: str) -> str:
    """The label without what was filled in: the answers stand in lines of their own."""
    labels = {
        code: "".join(piece if isinstance(piece, str) else "…" for piece in pieces)
        for code, pieces in question.label.items()
    }
    return pick(labels, language).strip().rstrip(":：") or question.name


def _shown(question: Question, value: str, language: str) -> str:
    labels = {choice.name: pick(choice.label, language) for choice in question.choices}
    if not labels:
        return value
    return ", ".join(labels.get(name, name) for name in value.split())


def packed(said: Statement) -> bytes:
    """A person's statement as it is sealed."""
    return json.dumps([said.text, said.files], ensure_ascii=False).encode()


def unpacked(plain: bytes) -> Statement:
    """The inverse of :func:`packed`; ValueError for anything else."""
    text, files = json.loads(plain)
    return Statement("person", str(text), tuple(map(str, files)))
