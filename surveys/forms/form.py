"""A questionnaire version: its questions, logic, languages and content hash. Immutable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from surveys.people import Text


class FormError(ValueError):
    """A questionnaire that cannot be asked. The message says what, where, and how to mend it.

    ``problems`` holds the same one by one, for whoever can say in which row they stand.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an author should look at. ``code`` is a key of problems.toml under ``problem.``.

    ``path`` is the question, group or repeat (``/data/group/name``), '' for the whole file;
    ``column`` the XLSForm column without its language; ``arguments`` fill the sentences. A problem
    that does not ``stop`` is a warning.
    """

    code: str
    path: str = ""
    column: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    stop: bool = True


class Kind(StrEnum):
    """What sort of answer a question takes. A note takes none; a calculation is never shown."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    RANGE = "range"
    SELECT_ONE = "select_one"
    SELECT_MULTIPLE = "select_multiple"
    RANK = "rank"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    ACKNOWLEDGE = "acknowledge"
    GEOPOINT = "geopoint"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    MORE = "more"  # of an open repeat: is there (another) one? Stands in no XLSForm row of its own
    NOTE = "note"
    CALCULATE = "calculate"
    HIDDEN = "hidden"


SELECTED = frozenset({Kind.SELECT_ONE, Kind.SELECT_MULTIPLE, Kind.RANK})
"""Kinds whose choices the author wrote."""
GATHERED = frozenset({Kind.SELECT_MULTIPLE, Kind.RANK})
"""Kinds whose choices are gathered one by one in a draft, until Done."""
HANDED = frozenset({Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.FILE})
"""Kinds that are answered by handing over a file."""
SILENT = frozenset({Kind.NOTE, Kind.CALCULATE, Kind.HIDDEN})
"""Kinds that nobody answers."""


@dataclass(frozen=True, slots=True)
class Output:
    """A place in a label where the value of an XPath expression is shown: ``${name}``."""

    expression: str


Label = Mapping[str, tuple[str | Output, ...]]
"""Language code -> the pieces of one label, in order."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a select question. ``name`` is stored, ``label`` is shown.

    ``pieces`` is there only where the label refers to answers: it makes the label when asked.
    """

    name: str
    label: Text
    pieces: Label = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Itemset:
    """Which choices are offered, where that depends on answers: an XPath to the items.

    ``value`` and ``label`` name the children of an item; ``seed`` is an expression, '' where none
    was given, and None where the choices are not shuffled.
    """

    nodeset: str
    value: str = "name"
    label: str = "label"
    seed: str | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The numbers a range question offers: from ``start`` to ``end`` inclusive, ``step`` apart."""

    start: float
    end: float
    step: float


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    ``path`` is its XForm node (``/data/group/name``), without positions where it is repeated.
    ``choices`` are all there may be; ``itemset`` says which are offered where that hangs on
    answers. ``readonly`` is an expression: where it holds, the value is shown and nothing is asked.
    ``default`` is a value offered for keeping, ``initial`` an expression that makes it. ``media``
    maps image | audio | video to the file's name in each language.

    The ``minyi:`` columns of the XLSForm arrive in ``indicator`` (a rating question), ``reason`` (a
    select whose choices are counted at the tally) and ``remark`` (a text released only in shuffled
    batches).
    """

    path: str
    kind: Kind
    label: Label = field(default_factory=dict)
    hint: Label = field(default_factory=dict)
    guidance: Label = field(default_factory=dict)
    media: Mapping[str, Text] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    itemset: Itemset | None = None
    steps: Steps | None = None
    relevant: str | None = None
    constraint: str | None = None
    constraint_message: Label = field(default_factory=dict)
    required: str | None = None
    required_message: Label = field(default_factory=dict)
    calculate: str | None = None
    trigger: str | None = None  # path of the question whose answer makes ``calculate`` anew
    readonly: str | None = None
    default: str = ""
    initial: str | None = None
    appearance: str = ""
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
        return self.kind not in SILENT


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that belong together. ``label`` stands above the first of them.

    A ``field_list`` is one message that fills up: what was answered stays above what is asked.
    """

    path: str
    children: tuple[Node, ...]
    label: Label = field(default_factory=dict)
    relevant: str | None = None
    field_list: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """Questions asked several times over.

    ``count`` is an expression for how often. Where it is None the person says each time whether
    there is another one: ``more`` is that question, asked before each, the first included.
    """

    path: str
    children: tuple[Node, ...]
    label: Label = field(default_factory=dict)
    relevant: str | None = None
    count: str | None = None
    more: Question | None = None


Node = Question | Group | Repeat


@dataclass(frozen=True)
class Form:
    """A questionnaire version, identified by the hash of its XForm.

    ``body`` is the tree in document order. ``lists`` are the choices sheets' rows by list, every
    column of theirs: what choice filters look at. ``tongues`` are the author's names of the
    languages by code. ``review`` is True where the author wants the answers shown once more before
    they are sent. ``hash`` names the version: equal hashes, equal forms.
    """

    hash: str
    id: str
    title: str
    languages: tuple[str, ...]
    body: tuple[Node, ...]
    root: str  # name of the instance's root element, usually "data"
    source: bytes = field(repr=False)
    lists: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    tongues: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    review: bool = False
    warnings: tuple[Problem, ...] = ()

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Every question in document order, those in groups and repeats included."""
        return tuple(node for node in walk(self.body) if isinstance(node, Question))

    @cached_property
    def _by_path(self) -> Mapping[str, Question]:
        return {question.path: question for question in self.questions}

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
        """The question at ``path``, with or without positions; KeyError where there is none."""
        return self._by_path[plain(path)]


def walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Every node of the tree in document order; a repeat before its ``more`` and its children."""
    for node in nodes:
        yield node
        if isinstance(node, Repeat) and node.more is not None:
            yield node.more
        if not isinstance(node, Question):
            yield from walk(node.children)


def plain(path: str) -> str:
    """``/data/person[2]/name`` -> ``/data/person/name``."""
    if "[" not in path:
        return path
    return "/".join(step.partition("[")[0] for step in path.split("/"))
