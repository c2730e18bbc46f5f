"""An XForm's words in all its languages: labels, hints, messages, and the media with them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from surveys.forms.form import Label, Output
from surveys.people import Text

XF = "{http://www.w3.org/2002/xforms}"
_ITEXT = re.compile(r"jr:itext\('([^']+)'\)")
_TAG = re.compile(r"^(.*?)\s*\(([A-Za-z-]+)\)\s*$")
_MEDIA = ("image", "audio", "video")


class Itext:
    """The texts of an XForm's model. ``tongues`` maps language codes to the author's names."""

    def __init__(self, model: etree._Element) -> None:
        self.tongues: dict[str, str] = {}
        self._texts: dict[str, dict[str, dict[str, etree._Element]]] = {}
        for translation in model.iter(f"{XF}translation"):
            tongue, code, region = _language(translation.get("lang", ""))
            if code in self._texts:  # 简体 (zh-CN) and 繁體 (zh-TW) are two
                code = region
            self.tongues[code] = tongue
            self._texts[code] = {
                text.get("id", ""): {
                    value.get("form", ""): value for value in text.iter(f"{XF}value")
                }
                for text in translation.iter(f"{XF}text")
            }

    def label(self, control: etree._Element | None, part: str, form: str = "") -> Label:
        element = None if control is None else control.find(f"{XF}{part}")
        if element is None:
            return {}
        reference = element.get("ref")
        if reference:
            return self.text(reference, form)
        return {} if form else {"": _pieces(element)}

    def text(self, reference: str | None, form: str = "") -> Label:
        if not reference:
            return {}
        match = _ITEXT.fullmatch(reference.strip())
        if match is None:
            return {"": (reference,)}
        found = {code: _value(texts.get(match[1], {}), form) for code, texts in self._texts.items()}
        labels = {code: _pieces(value) for code, value in found.items() if value is not None}
        # pyxform writes "-" where the author left a language out: show another one instead
        return {code: parts for code, parts in labels.items() if parts not in ((), ("-",))}

    def media(self, control: etree._Element | None) -> Mapping[str, Text]:
        element = None if control is None else control.find(f"{XF}label")
        match = _ITEXT.fullmatch("" if element is None else element.get("ref", "").strip())
        if match is None:
            return {}
        found: dict[str, dict[str, str]] = {}
        for code, texts in self._texts.items():
            for form, value in texts.get(match[1], {}).items():
                name = (value.text or "").rsplit("/", 1)[-1].strip()
                if form in _MEDIA and name not in ("", "-"):
                    found.setdefault(form, {})[code] = name
        return found


def _value(values: Mapping[str, etree._Element], form: str) -> etree._Element | None:
    """The value of ``form``; of a plain label also the long or the short one."""
    forms = (form,) if form else ("", "long", "short")
    return next((values[each] for each in forms if each in values), None)


def _pieces(element: etree._Element) -> tuple[str | Output, ...]:
    pieces: list[str | Output] = [element.text or ""]
    for child in element:
        pieces += [Output(child.get("value", "").strip()), child.tail or ""]
    if isinstance(pieces[0], str):
        pieces[0] = pieces[0].lstrip()
    if isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip()
    return tuple(piece for piece in pieces if piece != "")


def _language(lang: str) -> tuple[str, str, str]:
    """``繁體 (zh-TW)`` -> 繁體, zh, zh-tw; a language without a code keeps its name."""
    match = _TAG.match(lang)
    if match is None:
        return lang, lang, lang
    tag = match[2].lower()
    return match[1] or lang, tag.split("-")[0], tag
