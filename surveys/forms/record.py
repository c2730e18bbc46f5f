"""The answers of one interview as a record: nested as the questionnaire is, typed, for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from surveys.forms.form import HANDED, Form, Group, Kind, Node, Question, Repeat

NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.RANGE)


def record(form: Form, values: Mapping[str, str]) -> dict[str, Any]:
    """``values`` (concrete path -> text) as a record.

    A group is an object, a repeat a list of objects. Numbers are numbers, choices of a
    select_multiple or rank a list, a place an object of degrees and metres, a file an object
    without the key that opens it; dates and times are ISO 8601. What was not answered is null.
    """
    return _object(form.body, values, "", 0)


def _object(
    nodes: Sequence[Node], values: Mapping[str, str], prefix: str, cut: int
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in nodes:
        path, name = prefix + node.path[cut:], node.path.rsplit("/", 1)[-1]
        match node:
            case Group(children=children):
                found[name] = _object(children, values, prefix, cut)
            case Repeat(children=children):
                found[name] = [
                    _object(children, values, f"{path}[{number}]", len(node.path))
                    for number in range(1, _count(path, values) + 1)
                ]
            case Question(kind=Kind.NOTE):
                continue
            case Question():
                found[name] = _value(node.kind, values.get(path, ""))
    return found


def _count(path: str, values: Mapping[str, str]) -> int:
    starts = (key[len(path) + 1 :] for key in values if key.startswith(f"{path}["))
    return max((int(start.partition("]")[0]) for start in starts), default=0)


def _value(kind: Kind, text: str) -> Any:
    if not text:
        return None
    if kind in NUMBERS and not _number(text):
        return text  # computed, and not what its kind can hold
    if kind in NUMBERS:
        return int(float(text)) if float(text).is_integer() else float(text)
    if kind in (Kind.SELECT_MULTIPLE, Kind.RANK):
        return text.split()
    if kind is Kind.GEOPOINT and all(map(_number, text.split())):
        names = ("latitude", "longitude", "altitude", "accuracy")
        return dict(zip(names, map(float, text.split()), strict=False))
    if kind in HANDED:
        identity, _, rest = text.partition(".")
        _, _, rest = rest.partition(".")
        extension, _, size = rest.partition(".")
        return {"file": identity, "type": extension, "bytes": int(size or 0)}
    return text


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
