"""The API's description, ordered for the page that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from surveys.words import pick


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter or a member of a body. ``kind`` is its JSON type in a word."""

    name: str
    kind: str
    where: str  # path | query | header | body
    needed: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Told:
    """One operation. ``meaning`` is English, as in the description; ``summary`` is translated.

    What it gives stands once on the page: ``like`` is (its title, the operation where it stands).
    """

    name: str
    method: str
    path: str
    may: str
    summary: str
    meaning: str
    places: tuple[Place, ...]
    bodies: tuple[str, ...]
    gives: tuple[Place, ...]
    statuses: tuple[str, ...]
    like: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a problem."""

    code: str
    status: int
    title: str


@dataclass(frozen=True, slots=True)
class Guide:
    """The whole page: operations by the first part of their path, and every code."""

    prefix: str
    parts: Mapping[str, tuple[Told, ...]]
    codes: tuple[Code, ...]


@cache
def guide(language: str) -> Guide:
    """The page in ``language``."""
    from web.api.app import PREFIX, schema  # FastAPI: half a second that no other page needs
    from web.api.problems import CODES, WORDS

    made = schema()
    parts: dict[str, list[Told]] = {}
    first: dict[tuple[Place, ...], str] = {}
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            told = _told(made, method, path, operation, language)
            if told.gives and first.setdefault(told.gives, told.name) != told.name:
                like = _given(made, operation).get("title", ""), first[told.gives]
                told = replace(told, gives=(), like=like)
            parts.setdefault(operation["tags"][0], []).append(told)
    codes = tuple(
        Code(code, status, WORDS.say(f"problem.{code}.title", language))
        for code, status in CODES.items()
    )
    return Guide(PREFIX, {name: tuple(told) for name, told in parts.items()}, codes)


def _told(
    made: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any], language: str
) -> Told:
    content = operation.get("requestBody", {}).get("content", {})
    places = [
        Place(p["name"], _kind(made, p["schema"]), p["in"], p.get("required", False),
              p["description"]) for p in operation.get("parameters", ())
    ]  # fmt: skip
    body = content.get("application/json", {}).get("schema")
    return Told(
        operation["operationId"],
        method.upper(),
        path,
        operation["x-permission"],
        pick(operation["x-summary"], language),
        operation["description"],
        (*places, *(_members(made, body, "body") if body else ())),
        tuple(content),
        tuple(_members(made, _given(made, operation), "answer")),
        tuple(sorted(operation["responses"])),
    )


def _given(made: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is answered where all is well; of a list, one of its lines."""
    answers = operation["responses"]
    good = min(status for status in answers if status.startswith("2"))
    given = answers[good].get("content", {}).get("application/json", {}).get("schema", {})
    return _resolved(made, _one(made, given))


def _one(made: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands on a page, where the answer is a page of a list."""
    model = _resolved(made, schema)
    items = model.get("properties", {}).get("items")
    return items["items"] if items and set(model["properties"]) == {"items", "next"} else schema


def _members(made: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> Iterator[Place]:
    model = _resolved(made, schema)
    for name, member in model.get("properties", {}).items():
        meaning = member.get("description") or _resolved(made, member).get("description", "")
        yield Place(name, _kind(made, member), where, name in model.get("required", ()), meaning)


def _resolved(made: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    if not reference:
        return schema
    found: Mapping[str, Any] = made["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _kind(made: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """string, integer, [string], Name, a | b."""
    if "$ref" in schema:
        return str(_resolved(made, schema).get("title", "object"))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value)
    if "anyOf" in schema:
        return " | ".join(_kind(made, each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_kind(made, schema.get('items', {}))}]"
    return str(schema.get("type", "any"))
