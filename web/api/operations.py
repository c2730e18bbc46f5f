"""One operation of the API as it is told to the gate, to OpenAPI and to the page about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from desk.roles import May
from web.api.problems import CODES, MEDIA, WORDS

SMALL, LARGE = 1_000_000, 32_000_000  # bytes of a body
EVERYWHERE = (400, 401, 403, 422, 429, 500, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """``name`` is its operationId and the key of its sentence. ``may`` is what it takes.

    ``answers`` is the model of what it answers with, None for nothing. ``kinds`` are the media
    types of a body that the handler reads itself, described by ``body``; where it is () and the
    handler has a model, JSON is meant. ``most`` is how many bytes. ``refuses`` are statuses beyond
    those that every operation has.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    may: May
    answers: Any = None
    status: int = 200
    kinds: Mapping[str, Mapping[str, object]] | None = None
    most: int = SMALL
    refuses: tuple[int, ...] = ()
    also: Mapping[int, Any] | None = None  # further good statuses and their models
    gives: str = ""  # the media type of a file that it answers with
    heavy: bool = False  # of these only a few are let in at a time

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def extra(self) -> dict[str, Any]:
        """What goes into the schema beside FastAPI's own."""
        extra: dict[str, Any] = {
            "x-permission": self.may.value,
            "x-summary": dict(WORDS.all_of(f"operation.{self.name}")),
            "security": [{"token": [self.may.value]}],
        }
        if self.kinds is not None:
            content = {kind: dict(media) for kind, media in self.kinds.items()}
            extra["requestBody"] = {"required": True, "content": content}
        return extra

    @property
    def responses(self) -> dict[int | str, dict[str, Any]]:
        """Every status but the good one, each with the codes that come with it."""
        statuses = {*EVERYWHERE, *self.refuses}
        if "{" in self.path:
            statuses.add(404)
        if self.method in {"POST", "PUT", "PATCH"}:
            statuses |= {408, 413, 415}
        told: dict[int | str, dict[str, Any]] = {
            status: {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
        }
        for status, model in (self.also or {}).items():
            told[status] = {"model": model, "description": WORDS.say("answer.other", "en")}
        if self.gives:
            media = {self.gives: {"schema": {"type": "string"}}}
            told[200] = {"description": WORDS.say("answer.file", "en"), "content": media}
        if self.status == 204:
            told[204] = {"description": WORDS.say("answer.none", "en")}
        return told


def troubles() -> dict[str, dict[str, Any]]:
    """By status, what every operation answers with where something is wrong."""
    schema = {"$ref": "#/components/schemas/Problem"}
    told: dict[str, dict[str, Any]] = {}
    for status in sorted(set(CODES.values())):
        codes = ", ".join(code for code, stands in CODES.items() if stands == status)
        told[str(status)] = {"description": codes, "content": {MEDIA: {"schema": schema}}}
        if status in {429, 503}:
            after = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            told[str(status)]["headers"] = {"Retry-After": after}
    return told
