"""The logic of one questionnaire: its expressions compiled once, and its empty instance.

XPath on lxml, with ODK's functions and its reckoning with dates (:mod:`surveys.logic.xpath`).
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from surveys.forms.expressions import expressions
from surveys.forms.form import Form, Node, Question, Repeat, walk
from surveys.logic.functions import Functions, Labels, extensions, functions
from surveys.logic.grammar import parse
from surveys.logic.shortcut import Direct, shortcut
from surveys.logic.xpath import XPathError, paths, translate

_PLACE = "{urn:minyi}place"
_JR = "http://openrosa.org/javarosa"
_VARIABLES = ("now", "seed", "language", "current", "secondary")


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression ready to run, and the variables that it looks at.

    ``direct`` computes the same without lxml, where the expression is simple enough.
    """

    run: etree.XPath
    direct: Direct | None
    variables: tuple[str, ...]
    once: bool


class Logic:
    """The compiled expressions and the empty instance of one form.

    ``order`` names the template's nodes as ``iter()`` meets them; where a repeat's occurrences go
    stands an empty element, named by its path and '#'. ``repeats`` maps a repeat's path to the
    template of one occurrence and the names of its nodes from there. ``backward`` is True where
    something is computed from what is computed only further down.
    """

    def __init__(self, form: Form) -> None:
        self.repeats: dict[str, tuple[etree._Element, list[str]]] = {}
        self.template, self.order = self._grown(form.root, form.body, f"/{form.root}", "")
        self.template.set("version", form.version)  # what version() reads
        self.order = [f"/{form.root}{suffix}" for suffix in self.order]
        self.secondary = _secondary(form)
        self._functions = functions(_labels(form))
        self._leaves = frozenset(path for path in self.order if not path.endswith("#"))
        self.backward = _looks_ahead(form)
        self._compiled: dict[str, Compiled] = {}

    def _grown(
        self, name: str, children: tuple[Node, ...], path: str, above: str
    ) -> tuple[etree._Element, list[str]]:
        """An element with all that is below it, and the names of its nodes from ``above`` on."""
        element, names = etree.Element(name), [above]
        for child in children:
            step = child.path.rsplit("/", 1)[-1]
            if isinstance(child, Question):
                leaf = etree.SubElement(element, step)
                leaf.text = child.default or None
                names.append(f"{above}/{step}")
            elif isinstance(child, Repeat):
                self.repeats[child.path] = self._grown(step, child.children, child.path, "")
                etree.SubElement(element, _PLACE)
                names.append(f"{above}/{step}#")
            else:
                below, found = self._grown(step, child.children, child.path, f"{above}/{step}")
                element.append(below)
                names += found
        return element, names

    def compiled(self, expression: str) -> Compiled:
        """The expression, compiled at first use. Raises XPathError where it cannot be."""
        found = self._compiled.get(expression)
        if found is None:
            found = self._compiled[expression] = _compile(expression, self._leaves, self._functions)
        return found


def _compile(expression: str, known: frozenset[str], functions: Functions) -> Compiled:
    translated = translate(expression)
    called = extensions(functions, translated)
    spaces = {"jr": _JR} if "jr:" in translated else None
    try:
        run = etree.XPath(translated, namespaces=spaces, extensions=called, smart_strings=False)
    except etree.XPathSyntaxError as error:
        raise XPathError(str(error), 1) from error
    variables = tuple(name for name in _VARIABLES if f"${name}" in translated)
    direct = shortcut(parse(expression), known, functions)
    return Compiled(run, direct, variables, "once(" in translated)


_LOGICS: dict[str, Logic] = {}


def logic_of(form: Form) -> Logic:
    """The logic of ``form``, kept by content hash: equal hashes are equal forms."""
    logic = _LOGICS.get(form.hash)
    if logic is None:
        logic = _LOGICS[form.hash] = Logic(form)
    return logic


def _secondary(form: Form) -> etree._Element:
    """What choice filters look at: the lists' rows."""
    secondary = etree.Element("secondary")
    for name, items in form.lists.items():
        root = etree.SubElement(etree.SubElement(secondary, "instance", id=name), "root")
        for number, item in enumerate(items):
            element = etree.SubElement(root, "item", n=str(number))
            for column, text in item.items():
                etree.SubElement(element, column).text = text
    return secondary


def _labels(form: Form) -> Labels:
    """What jr:choice-name() looks at. Of choices with one name the first counts."""
    return {
        (question.path, choice.name): choice.label
        for question in form.questions
        for choice in reversed(question.choices)
    }


def _looks_ahead(form: Form) -> bool:
    """Whether anything hangs on a value that is computed only at or below its own place."""
    later = {question.name for question in form.questions if question.calculate or question.initial}
    for node in walk(form.body):
        for _, expression in expressions(node):
            try:
                used = {path.rsplit("/", 1)[-1] for path in paths(expression)}
            except XPathError:
                continue  # told of in check_logic
            if used & later:
                return True
        if isinstance(node, Question):
            later.discard(node.name)
    return False
