"""A questionnaire version: questions, logic, languages, content hash. Immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from surveys.people import Text


class FormError(ValueError):
    """A questionnaire that cannot be asked. The message says what, where, and how to mend it."""


class Kind(StrEnum):
    """What sort of answer a question takes. A note takes none; a calculation is never shown."""

    TEXT = "text"
    INTEGER = "integer"
    SELECT_ONE = "select_one"
    SELECT_MULTIPLE = "select_multiple"
    NOTE = "note"
    CALCULATE = "calculate"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Output:
    """A place in a label where the value of an XPath expression is shown: ``${name}``."""

    expression: str


Label = Mapping[str, tuple[str | Output, ...]]
"""Language code -> the pieces of one label, in order."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a select question. ``name`` is stored, ``label`` is shown."""

    name: str
    label: Text


@dataclass(frozen=True, slots=True)
class Question:
    """One question in document order.

    ``path`` is its XForm node (``/data/group/name``) and the key of its answer. ``relevant`` lists
    its own condition and those of the groups around it: all must hold. The ``minyi:`` columns of
    the XLSForm arrive in ``indicator`` (a rating question), ``reason`` (a select whose choices are
    counted at the tally) and ``remark`` (a text released only in shuffled batches).
    """

    path: str
    kind: Kind
    label: Label = field(default_factory=dict)
    hint: Label = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    relevant: tuple[str, ...] = ()
    constraint: str | None = None
    constraint_message: Label = field(default_factory=dict)
    required: str | None = None
    required_message: Label = field(default_factory=dict)
    calculate: str | None = None
    indicator: str | None = None
    reason: bool = False
    remark: bool = False

    @property
    def name(self) -> str:
        """The last step of ``path``; unique in the forms that we accept."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def asks(self) -> bool:
        """True where a person must or may answer."""
        return self.kind not in (Kind.NOTE, Kind.CALCULATE, Kind.HIDDEN)


@dataclass(frozen=True, slots=True)
class Form:
    """A questionnaire version, identified by the hash of its XForm."""

    hash: str
    id: str
    title: str
    languages: tuple[str, ...]
    questions: tuple[Question, ...]
    root: str  # name of the instance's root element, usually "data"
    paths: tuple[str, ...]  # every leaf node of the instance, in document order
    source: bytes = field(repr=False)

    @property
    def indicators(self) -> tuple[str, ...]:
        """The indicators that this questionnaire rates, in order."""
        return tuple(q.indicator for q in self.questions if q.indicator)

    @property
    def titles(self) -> Text:
        """The title in each language, where it is written as ``中文 / English``."""
        parts = [part.strip() for part in self.title.split(" / ")]
        if len(parts) == len(self.languages) > 1:
            return dict(zip(self.languages, parts, strict=True))
        return {"": self.title}

    def question(self, path: str) -> Question:
        """The question at ``path``; KeyError where there is none."""
        for question in self.questions:
            if question.path == path:
                return question
        raise KeyError(path)
