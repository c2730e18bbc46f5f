"""XForm XML (what pyxform makes, what every ODK tool reads) to a :class:`Form`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from lxml import etree

from surveys.cells import GRADES
from surveys.form import Choice, Form, FormError, Kind, Label, Output, Question

XF = "{http://www.w3.org/2002/xforms}"
XH = "{http://www.w3.org/1999/xhtml}"
JR = "{http://openrosa.org/javarosa}"
MINYI = "{urn:minyi}"

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
)
_ITEXT = re.compile(r"jr:itext\('([^']+)'\)")
_ITEMS = re.compile(r"instance\('([^']+)'\)\/root\/item")
_TAG = re.compile(r"\(([A-Za-z-]+)\)\s*$")
_KINDS = {
    (f"{XF}input", "string"): Kind.TEXT,
    (f"{XF}input", "int"): Kind.INTEGER,
    (f"{XF}select1", "string"): Kind.SELECT_ONE,
    (f"{XF}select", "string"): Kind.SELECT_MULTIPLE,
}
_GRADES = frozenset(str(grade) for grade in range(1, GRADES + 1))
_NAMESPACE = 'On the settings sheet, add a column namespaces with minyi="urn:minyi".'
_SUPPORTED = "text, integer, select_one, select_multiple, note, calculate, hidden"


def read_xform(source: bytes, name: str) -> Form:
    """Parse XForm XML. Raises FormError naming the question where something cannot be asked."""
    try:
        document = etree.fromstring(source, _PARSER)
    except etree.XMLSyntaxError as error:
        mend = _NAMESPACE if "prefix minyi" in str(error) else "Make it anew from its table."
        raise FormError(f"{name}: not well-formed XML ({error}). {mend}") from error
    if document.getroottree().docinfo.internalDTD is not None:
        raise FormError(f"{name}: an XForm has no DOCTYPE. Remove it, and the entities it defines.")
    return _Reader(document, source, name).form()


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rsplit("}", 1)[-1]


@dataclass
class _Reader:
    document: etree._Element
    source: bytes
    name: str

    def form(self) -> Form:
        model = self._one(f".//{XF}model")
        instance = self._one(f".//{XF}model/{XF}instance")
        if not len(instance):
            raise FormError(f"{self.name}: its instance is empty. Make it anew from its table.")
        root = instance[0]
        self.itext = {
            _language(translation.get("lang", "")): {
                text.get("id"): text.find(f"{XF}value") for text in translation.iter(f"{XF}text")
            }
            for translation in model.iter(f"{XF}translation")
        }
        self.binds = {bind.get("nodeset"): bind for bind in model.iter(f"{XF}bind")}
        self.items = {
            element.get("id"): element[0]
            for element in model.findall(f"{XF}instance")
            if element.get("id") and len(element)
        }
        self.controls = {c.get("ref"): c for c in self._one(f"{XH}body").iter() if c.get("ref")}
        paths = tuple(_leaves(root, f"/{local(root.tag)}"))
        questions = tuple(q for q in map(self._question, paths) if q is not None)
        self._refuse_doubles(questions)
        title = self.document.findtext(f".//{XH}title") or self.name
        return Form(
            hash=hashlib.sha256(self.source).hexdigest()[:16],
            id=root.get("id", self.name),
            title=title,
            languages=tuple(sorted(self.itext, key=lambda code: code != "zh")) or ("zh",),
            questions=questions,
            root=local(root.tag),
            paths=paths,
            source=self.source,
        )

    def _one(self, path: str) -> etree._Element:
        found = self.document.find(path)
        if found is None:
            raise FormError(
                f"{self.name}: not an XForm: it has no {local(path)}. Make it anew from its table."
            )
        return found

    def _refuse_doubles(self, questions: tuple[Question, ...]) -> None:
        if not any(q.asks for q in questions):
            raise FormError(f"{self.name}: no question is asked. Add one to the survey sheet.")
        seen: dict[str, str] = {}
        for question in questions:
            for key in filter(None, (f"question {question.name}", question.indicator)):
                if key in seen:
                    raise FormError(
                        f"{self.name}: '{key}' stands at {seen[key]} and at {question.path}. "
                        "Rename one of the two."
                    )
                seen[key] = question.path

    def _question(self, path: str) -> Question | None:
        bind = self.binds.get(path)
        get = (lambda key: None) if bind is None else bind.get
        if get(f"{JR}preload") or "/meta/" in path:
            return None  # device and session metadata: harmless elsewhere, identifying here
        control = self.controls.get(path)
        kind = self._kind(path, control, get("type") or "string", get)
        question = Question(
            path=path,
            kind=kind,
            label=self._label(control, "label"),
            hint=self._label(control, "hint"),
            choices=self._choices(control, path),
            relevant=self._relevant(path),
            constraint=get("constraint"),
            constraint_message=self._text(get(f"{JR}constraintMsg")),
            required=get("required"),
            required_message=self._text(get(f"{JR}requiredMsg")),
            calculate=get("calculate"),
            indicator=get(f"{MINYI}indicator"),
            reason=(get(f"{MINYI}reason") or "") in ("yes", "true()"),
            remark=(get(f"{MINYI}remark") or "") in ("yes", "true()"),
        )
        self._refuse_misuse(question)
        return question

    def _refuse_misuse(self, question: Question) -> None:
        """What is counted must be closed, and what is a grade must be one of ours."""
        uses = (
            (question.indicator, "indicator", (Kind.SELECT_ONE,)),
            (question.reason, "reason", (Kind.SELECT_ONE, Kind.SELECT_MULTIPLE)),
            (question.remark, "remark", (Kind.TEXT,)),
        )
        for used, column, kinds in uses:
            if used and question.kind not in kinds:
                raise FormError(
                    f"{self.name}: question {question.path} is a {question.kind}, so it cannot be "
                    f"a minyi:{column}. That takes a {' or '.join(kinds)}."
                )
        if sum(bool(used) for used, _, _ in uses) > 1:
            raise FormError(
                f"{self.name}: question {question.path} has several of minyi:indicator, "
                "minyi:reason and minyi:remark. Leave it one."
            )
        grades = {choice.name for choice in question.choices if choice.name.isdecimal()}
        if question.indicator and not (grades and grades <= _GRADES):
            raise FormError(
                f"{self.name}: question {question.path} rates an indicator, but the choices that "
                f"are numbers are named {', '.join(sorted(grades)) or 'by none'}. Name the grades "
                f"1 to {GRADES}, {GRADES} best; any other word (na) is no rating."
            )

    def _kind(self, path: str, control: etree._Element | None, typed: str, get) -> Kind:  # type: ignore[no-untyped-def]
        if control is None:
            return Kind.CALCULATE if get("calculate") else Kind.HIDDEN
        if typed == "string" and get("readonly") == "true()" and control.tag == f"{XF}input":
            return Kind.NOTE
        kind = _KINDS.get((control.tag, typed))
        if kind is None:
            raise FormError(
                f"{self.name}: question {path} is of a kind that a chat cannot ask yet "
                f"({local(control.tag)}, {typed}). Use one of: {_SUPPORTED}."
            )
        return kind

    def _relevant(self, path: str) -> tuple[str, ...]:
        """The conditions of the groups around ``path``, outermost first, then its own."""
        steps = path.split("/")
        nodes = ("/".join(steps[:end]) for end in range(2, len(steps) + 1))
        binds = (self.binds.get(node) for node in nodes)
        return tuple(r for b in binds if b is not None and (r := b.get("relevant")))

    def _choices(self, control: etree._Element | None, path: str) -> tuple[Choice, ...]:
        if control is None or local(control.tag) not in ("select", "select1"):
            return ()
        itemset = control.find(f"{XF}itemset")
        if itemset is None:
            raise FormError(f"{self.name}: {path} has no choices. Add a list to the choices sheet.")
        match = _ITEMS.fullmatch(itemset.get("nodeset", "").strip())
        if match is None or match[1] not in self.items:
            raise FormError(
                f"{self.name}: {path} filters or shuffles its choices "
                f"({itemset.get('nodeset')}), which a chat cannot do yet. Remove the filter."
            )
        return tuple(map(self._choice, self.items[match[1]]))

    def _choice(self, item: etree._Element) -> Choice:
        name = item.findtext(f"{XF}name") or ""
        key, plain = item.findtext(f"{XF}itextId"), item.findtext(f"{XF}label")
        if key is None:
            return Choice(name, {"": plain or name})
        texts = self._text(f"jr:itext('{key}')")
        return Choice(
            name,
            {
                code: "".join(p for p in parts if isinstance(p, str))
                for code, parts in texts.items()
            },
        )

    def _label(self, control: etree._Element | None, part: str) -> Label:
        element = None if control is None else control.find(f"{XF}{part}")
        if element is None:
            return {}
        reference = element.get("ref")
        return self._text(reference) if reference else {"": _pieces(element)}

    def _text(self, reference: str | None) -> Label:
        if not reference:
            return {}
        match = _ITEXT.fullmatch(reference.strip())
        if match is None:
            return {"": (reference,)}
        found = {code: texts.get(match[1]) for code, texts in self.itext.items()}
        labels = {code: _pieces(value) for code, value in found.items() if value is not None}
        # pyxform writes "-" where the author left a language out: show another one instead
        return {code: parts for code, parts in labels.items() if parts != ("-",)} or labels


def _pieces(element: etree._Element) -> tuple[str | Output, ...]:
    pieces: list[str | Output] = [element.text or ""]
    for child in element:
        pieces += [Output(child.get("value", "").strip()), child.tail or ""]
    if isinstance(pieces[0], str):
        pieces[0] = pieces[0].lstrip()
    if isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip()
    return tuple(piece for piece in pieces if piece != "")


def _leaves(element: etree._Element, path: str) -> list[str]:
    found: list[str] = []
    for child in element:
        below = f"{path}/{local(child.tag)}"
        found += _leaves(child, below) if len(child) else [below]
    return found


def _language(lang: str) -> str:
    """``中文 (zh)`` -> ``zh``; a language without a code keeps its name."""
    match = _TAG.search(lang)
    return match[1].split("-")[0].lower() if match else lang
