"""One spelling of a value as bytes, so that a record can be hashed, kept and read back exactly.

JSON in UTF-8 without spaces, fields and mappings in their own order, floats in their shortest exact
form, infinity as the word "inf" (JSON has none).
"""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


def dump(value: object) -> bytes:
    """Spell a tree of dataclasses, mappings, tuples, enums and plain values."""
    plain = _plain(value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def load(kind: type[T], data: bytes) -> T:
    """Read back what ``dump`` spelled; KeyError, TypeError or ValueError if it is no ``kind``."""
    built: T = _build(kind, json.loads(data))
    return built


def load_all(kind: type[T], data: bytes) -> tuple[T, ...]:
    """Read back a tuple of ``kind`` that ``dump`` spelled."""
    return tuple(_build(kind, item) for item in json.loads(data))


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case float() if math.isinf(value) and value > 0:
            return "inf"
        case Mapping():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value):
            return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        case _:
            return value


def _build(kind: Any, plain: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _build_union(arguments, plain)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_build(arguments[0], item) for item in plain)
        return tuple(_build(each, item) for each, item in zip(arguments, plain, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {_build(arguments[0], k): _build(arguments[1], v) for k, v in plain.items()}
    if hasattr(kind, "__dataclass_fields__"):
        hints = _hints(kind)
        return kind(**{key: _build(hints[key], v) for key, v in plain.items()})
    return kind(plain)


_hints = lru_cache(typing.get_type_hints)


def _build_union(arguments: tuple[Any, ...], plain: Any) -> Any:
    if plain is None:
        return None
    kinds = [each for each in arguments if each is not type(None)]
    return _build(kinds[0], plain) if len(kinds) == 1 else plain
