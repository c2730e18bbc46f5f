"""XForm XML (what pyxform makes, what every ODK tool reads) to a :class:`Form`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from surveys.cells import GRADES
from surveys.forms.form import (
    Choice,
    Form,
    Group,
    Itemset,
    Kind,
    Label,
    Node,
    Output,
    Problem,
    Question,
    Repeat,
    Steps,
    walk,
)
from surveys.forms.itext import XF, Itext
from surveys.forms.problems import refused
from surveys.words import Words

XH = "{http://www.w3.org/1999/xhtml}"
JR = "{http://openrosa.org/javarosa}"
ODK = "{http://www.opendatakit.org/xforms}"
MINYI = "{urn:minyi}"

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
)
_PLAIN_ITEMS = re.compile(r"instance\('([^']+)'\)\/root\/item")
_ITEMS = re.compile(r"instance\('([^']+)'\)")
_CONTROLS = ("input", "select", "select1", "rank", "range", "trigger", "upload", "group")
_KINDS = {
    ("input", "string"): Kind.TEXT,
    ("input", "int"): Kind.INTEGER,
    ("input", "decimal"): Kind.DECIMAL,
    ("input", "date"): Kind.DATE,
    ("input", "time"): Kind.TIME,
    ("input", "dateTime"): Kind.DATETIME,
    ("input", "geopoint"): Kind.GEOPOINT,
    ("range", "int"): Kind.RANGE,
    ("range", "decimal"): Kind.RANGE,
    ("trigger", "string"): Kind.ACKNOWLEDGE,
    ("upload", "image/*"): Kind.IMAGE,
    ("upload", "audio/*"): Kind.AUDIO,
    ("upload", "video/*"): Kind.VIDEO,
    ("upload", "application/*"): Kind.FILE,
}
_SELECTS = {"select1": Kind.SELECT_ONE, "select": Kind.SELECT_MULTIPLE, "rank": Kind.RANK}
_MOMENTS = {"today": "today()", "start": "once(now())", "end": "now()"}
_TABLE = "/generated_table_list_label_"
_YES = ("yes", "true", "true()", "1")
_OTHER = {"": ("Specify other.",)}  # pyxform's words below or_other
_WORDS = Words.of("surveys")
_GRADES = frozenset(str(grade) for grade in range(1, GRADES + 1))


def read_xform(source: bytes, name: str) -> Form:
    """Parse XForm XML. Raises FormError naming all that cannot be asked; ``name`` is the file's."""
    try:
        document = etree.fromstring(source, _PARSER)
    except etree.XMLSyntaxError as error:
        code = "namespace" if "prefix minyi" in str(error) else "not_xml"
        raise refused(name, [Problem(code, arguments={"reason": str(error)})]) from error
    if document.getroottree().docinfo.internalDTD is not None:
        raise refused(name, [Problem("dtd")])
    return _Reader(document, source, name).form()


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rsplit("}", 1)[-1]


@dataclass(frozen=True, slots=True)
class _Setting:
    """A value that something else sets: an expression, and the question whose answer does it."""

    expression: str
    trigger: str | None


class _Reader:
    """Collects what it finds wrong, so that an author sees everything at once."""

    def __init__(self, document: etree._Element, source: bytes, name: str) -> None:
        self.document = document
        self.source = source
        self.name = name
        self.problems: list[Problem] = []

    def form(self) -> Form:
        model, body = self._part(f".//{XF}model"), self._part(f"{XH}body")
        instance = self._part(f".//{XF}model/{XF}instance")
        if not len(instance):
            raise refused(self.name, [Problem("not_xform", arguments={"part": "instance"})])
        self.root = instance[0]
        self._index(model, body)
        nodes = self._nodes(self.root, f"/{local(self.root.tag)}")
        self._check_whole(nodes)
        if any(problem.stop for problem in self.problems):
            raise refused(self.name, self.problems)
        return Form(
            hash=hashlib.sha256(self.source).hexdigest()[:16],
            id=self.root.get("id", self.name),
            title=self.document.findtext(f".//{XH}title") or self.name,
            languages=tuple(sorted(self.itext.tongues, key=lambda code: code != "zh")) or ("zh",),
            body=nodes,
            root=local(self.root.tag),
            source=self.source,
            lists=self.lists,
            tongues=self.itext.tongues,
            version=self.root.get("version", ""),
            review=self.root.get(f"{MINYI}review", "") in _YES,
            warnings=tuple(self.problems),
        )

    # ---- what the document holds, by name

    def _part(self, path: str) -> etree._Element:
        found = self.document.find(path)
        if found is None:
            part = local(path)
            raise refused(self.name, [Problem("not_xform", arguments={"part": part})])
        return found

    def _index(self, model: etree._Element, body: etree._Element) -> None:
        self.itext = Itext(model)
        self.binds = {bind.get("nodeset"): bind for bind in model.iter(f"{XF}bind")}
        self.lists: dict[str, tuple[Mapping[str, str], ...]] = {}
        for element in model.findall(f"{XF}instance")[1:]:
            self._list(element)
        self.controls = {
            _path(c): c for c in body.iter() if c.get("ref") and local(c.tag) in _CONTROLS
        }
        self.repeats = {r.get("nodeset", "").strip(): r for r in body.iter(f"{XF}repeat")}
        self.settings = dict(map(self._setting, self.document.iter(f"{XF}setvalue")))
        self.recorded = {r.get("ref") for r in self.document.iter(f"{ODK}recordaudio")}

    def _list(self, instance: etree._Element) -> None:
        name = instance.get("id", "")
        if instance.get("src"):
            self._refuse("unsupported_kind", "", kind=instance.get("src"))
        elif len(instance):
            self.lists[name] = tuple(
                {local(cell.tag): cell.text or "" for cell in item} for item in instance[0]
            )

    def _setting(self, setvalue: etree._Element) -> tuple[str, _Setting]:
        above = setvalue.getparent()
        triggered = "xforms-value-changed" in setvalue.get("event", "") and above is not None
        trigger = _path(above) if triggered and above is not None else None
        value = setvalue.get("value") or repr(setvalue.text or "")
        return setvalue.get("ref", "").strip(), _Setting(value, trigger)

    def _refuse(self, code: str, path: str, column: str = "", **arguments: object) -> None:
        self.problems.append(Problem(code, path, column, arguments))

    def _warn(self, code: str, path: str, column: str = "", **arguments: object) -> None:
        self.problems.append(Problem(code, path, column, arguments, stop=False))

    # ---- the tree

    def _nodes(self, element: etree._Element, path: str) -> tuple[Node, ...]:
        found: dict[str, Node | None] = {}
        for child in element:
            below = f"{path}/{local(child.tag)}"
            if below not in found:  # of a repeat there may be a template and a first occurrence
                found[below] = self._node(child, below)
        return tuple(node for node in found.values() if node is not None)

    def _node(self, element: etree._Element, path: str) -> Node | None:
        if path == f"/{local(self.root.tag)}/meta":
            self._meta(element, path)
            return None
        control = self.controls.get(path)
        if path in self.repeats:
            return self._repeat(element, path, control)
        if len(element) or (control is not None and local(control.tag) == "group"):
            return self._group(element, path, control)
        return self._question(element, path, control)

    def _group(self, element: etree._Element, path: str, control: etree._Element | None) -> Group:
        bind, children = self.binds.get(path), self._nodes(element, path)
        label = self.itext.label(control, "label")
        if not label and children and _TABLE in children[0].path:  # pyxform moves it into a note
            label, children = children[0].label, children[1:]
        return Group(
            path=path,
            children=children,
            label=label,
            relevant=None if bind is None else bind.get("relevant"),
            field_list=control is not None and "field-list" in control.get("appearance", ""),
        )

    def _meta(self, element: etree._Element, path: str) -> None:
        for child in element:
            if local(child.tag) == "entity":
                self._refuse("unsupported_kind", f"{path}/entity", kind="entity")
            elif local(child.tag) not in ("instanceID", "instanceName"):
                self._warn("metadata_ignored", f"{path}/{local(child.tag)}", kind=local(child.tag))

    def _repeat(self, element: etree._Element, path: str, group: etree._Element | None) -> Repeat:
        repeat, bind = self.repeats[path], self.binds.get(path)
        count = repeat.get(f"{JR}count")
        label = self.itext.label(group, "label") or self.itext.label(repeat, "label")
        return Repeat(
            path=path,
            children=self._nodes(element, path),
            label=label,
            relevant=None if bind is None else bind.get("relevant"),
            count=count,
            more=None if count else Question(path, Kind.MORE, label),
        )

    # ---- one question

    def _question(
        self, element: etree._Element, path: str, control: etree._Element | None
    ) -> Question | None:
        bind = self.binds.get(path)
        get: Callable[[str], str | None] = (lambda _: None) if bind is None else bind.get
        preload = get(f"{JR}preload")
        if preload:
            return self._metadata(path, preload, get(f"{JR}preloadParams") or "")
        if path in self.recorded:
            self._refuse("unsupported_kind", path, "type", kind="background-audio")
        appearance = "" if control is None else control.get("appearance", "")
        if "label" in appearance.split():
            return None  # the heading row of a table: its choices stand below each question
        setting = self.settings.get(path)
        kind = self._kind(path, control, get, setting)
        if appearance.startswith("ex:") or "search(" in appearance:
            self._refuse("unsupported_kind", path, "appearance", kind=appearance)
        choices, itemset = self._choices(control, path)
        triggered = setting is not None and setting.trigger is not None
        question = Question(
            path=path,
            kind=kind,
            label=self._asked(control),
            hint=self.itext.label(control, "hint"),
            guidance=self.itext.label(control, "hint", "guidance"),
            media=self.itext.media(control),
            choices=choices,
            itemset=itemset,
            steps=self._steps(control, kind, path),
            relevant=get("relevant"),
            constraint=get("constraint"),
            constraint_message=self.itext.text(get(f"{JR}constraintMsg")),
            required=get("required"),
            required_message=self.itext.text(get(f"{JR}requiredMsg")),
            calculate=setting.expression if triggered and setting else get("calculate"),
            trigger=setting.trigger if setting else None,
            readonly=get("readonly") if kind is not Kind.NOTE else None,
            default=element.text or "",
            initial=setting.expression if setting and not triggered else None,
            appearance=appearance,
            indicator=get(f"{MINYI}indicator"),
            reason=(get(f"{MINYI}reason") or "") in _YES,
            remark=(get(f"{MINYI}remark") or "") in _YES,
        )
        self._refuse_misuse(question)
        return question

    def _asked(self, control: etree._Element | None) -> Label:
        label = self.itext.label(control, "label")
        if label == _OTHER:
            return {code: (text,) for code, text in _WORDS.all_of("ask.other").items()}
        return label

    def _metadata(self, path: str, preload: str, params: str) -> Question | None:
        """When a form is filled in may be reckoned with; who and on what device may not."""
        moment = _MOMENTS.get(params) if preload in ("timestamp", "date") else None
        self._warn("metadata_ignored", path, "type", kind=params or preload)
        if moment:
            return Question(path, Kind.CALCULATE, calculate=moment)
        return Question(path, Kind.HIDDEN)

    def _kind(
        self,
        path: str,
        control: etree._Element | None,
        get: Callable[[str], str | None],
        setting: _Setting | None,
    ) -> Kind:
        typed = get("type") or "string"
        if control is None:
            triggered = setting is not None and setting.trigger is not None
            return Kind.CALCULATE if get("calculate") or triggered else Kind.HIDDEN
        tag = local(control.tag)
        if tag == "input" and typed == "string" and get("readonly") in ("true()", "1"):
            return Kind.NOTE
        if tag in _SELECTS:
            return _SELECTS[tag]
        form = control.get("mediatype", "") if tag == "upload" else typed
        kind = _KINDS.get((tag, form)) or (Kind.ACKNOWLEDGE if tag == "trigger" else None)
        if kind is None:
            self._refuse("unsupported_kind", path, "type", kind=form or tag)
            return Kind.TEXT
        return kind

    def _steps(self, control: etree._Element | None, kind: Kind, path: str) -> Steps | None:
        if kind is not Kind.RANGE or control is None:
            return None
        try:
            start, end, step = (float(control.get(part, "")) for part in ("start", "end", "step"))
            if step > 0 and start < end:
                return Steps(start, end, step)
        except ValueError:
            pass
        self._refuse("bad_range", path, "parameters")
        return None

    def _refuse_misuse(self, question: Question) -> None:
        """What is counted must be closed, and what is a grade must be one of ours."""
        uses = (
            (question.indicator, "indicator", (Kind.SELECT_ONE,)),
            (question.reason, "reason", (Kind.SELECT_ONE, Kind.SELECT_MULTIPLE)),
            (question.remark, "remark", (Kind.TEXT,)),
        )
        used = [(column, kinds) for used, column, kinds in uses if used]
        for use, kinds in used:
            column = f"bind::minyi:{use}"
            if question.kind not in kinds:
                takes = ", ".join(kinds)
                self._refuse("misuse", question.path, column, kind=question.kind, takes=takes)
            above = question.path.rsplit("/", 1)[0]
            if any(above == repeat or above.startswith(f"{repeat}/") for repeat in self.repeats):
                self._refuse("counted_in_repeat", question.path, column)
        own = question.readonly is None and question.calculate is None
        listed = bool(question.choices) or question.kind not in (
            Kind.SELECT_ONE, Kind.SELECT_MULTIPLE,
        )  # fmt: skip
        if used and not (own and listed):
            self._refuse("not_their_own", question.path, f"bind::minyi:{used[0][0]}")
        if len(used) > 1:
            self._refuse("several_uses", question.path, f"bind::minyi:{used[1][0]}")
        grades = {choice.name for choice in question.choices if choice.name.isdecimal()}
        if question.indicator and not (grades and grades <= _GRADES):
            found = ", ".join(sorted(grades)) or "–"
            column = "bind::minyi:indicator"
            self._refuse("bad_grades", question.path, column, found=found, best=GRADES)

    def _check_whole(self, nodes: tuple[Node, ...]) -> None:
        questions = [node for node in walk(nodes) if isinstance(node, Question)]
        if not any(question.asks for question in questions):
            self._refuse("no_question", "")
        reasons = [(q, q.name) for q in questions if q.reason]
        rated = [(q, q.indicator) for q in questions if q.indicator]
        self._refuse_doubles(reasons, "double_name", "name")
        self._refuse_doubles(rated, "double_indicator", "bind::minyi:indicator")

    def _refuse_doubles(
        self, counted: Sequence[tuple[Question, str]], code: str, column: str
    ) -> None:
        """What is counted under one name is one question."""
        seen: dict[str, str] = {}
        for question, key in counted:
            if key in seen:
                self._refuse(code, question.path, column, name=key, other=seen[key])
            seen[key] = question.path

    # ---- choices

    def _choices(
        self, control: etree._Element | None, path: str
    ) -> tuple[tuple[Choice, ...], Itemset | None]:
        """All choices there may be, and what picks from them where anything does."""
        if control is None or local(control.tag) not in _SELECTS:
            return (), None
        itemset = control.find(f"{XF}itemset")
        if itemset is None:
            choices = tuple(map(self._inline, control.findall(f"{XF}item")))
            if not choices:
                self._refuse("empty_choices", path, "type")
            return choices, None
        nodeset, seed = _unshuffled(itemset.get("nodeset", "").strip())
        named = _ITEMS.search(nodeset)
        value = _reference(itemset, "value")
        if named is None:  # the answers of a repeat
            return (), Itemset(nodeset, value, _reference(itemset, "label"), seed)
        if named[1] not in self.lists:
            self._refuse("unknown_instance", path, "type", name=named[1])
            return (), None
        choices = tuple(self._choice(item, value) for item in self.lists[named[1]])
        if not choices:
            self._refuse("empty_choices", path, "type")
        if seed is None and _PLAIN_ITEMS.fullmatch(nodeset):
            return choices, None
        return choices, Itemset(nodeset, value, seed=seed)

    def _choice(self, item: Mapping[str, str], value: str) -> Choice:
        name, key = item.get(value, ""), item.get("itextId")
        if key is None:
            return Choice(name, {"": item.get("label") or name})
        return _choice(name, self.itext.text(f"jr:itext('{key}')"))

    def _inline(self, item: etree._Element) -> Choice:
        return _choice(item.findtext(f"{XF}value") or "", self.itext.label(item, "label"))


def _choice(name: str, label: Label) -> Choice:
    if name == "other" and set(label.values()) == {("Other",)}:  # pyxform's, for or_other
        return Choice(name, _WORDS.all_of("choice.other"))
    plain = {
        code: "".join(piece if isinstance(piece, str) else "…" for piece in pieces)
        for code, pieces in label.items()
    }
    refers = any(isinstance(piece, Output) for pieces in label.values() for piece in pieces)
    return Choice(name, plain or {"": name}, label if refers else {})


def _path(control: etree._Element) -> str:
    return str(control.get("ref", "")).strip()


def _reference(itemset: etree._Element, part: str) -> str:
    element = itemset.find(f"{XF}{part}")
    return "" if element is None else str(element.get("ref", "")).strip()


def _unshuffled(nodeset: str) -> tuple[str, str | None]:
    """``randomize(items, seed)`` as items and seed; None where nothing is shuffled."""
    if not (nodeset.startswith("randomize(") and nodeset.endswith(")")):
        return nodeset, None
    inner, depth = nodeset[len("randomize(") : -1], 0
    for at, char in enumerate(inner):
        depth += (char in "([") - (char in ")]")
        if char == "," and not depth:
            return inner[:at].strip(), inner[at + 1 :].strip()
    return inner.strip(), ""
