"""What goes wrong, as RFC 9457 tells it: ``application/problem+json`` with a code that stays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desk.importing.bringing import MovedError
from surveys.people import Text
from surveys.words import Words, nearest, pick

WORDS = Words.of("web.api")
MEDIA = "application/problem+json"
CODES: Mapping[str, int] = {
    "malformed": 400,
    "token_missing": 401,
    "token_invalid": 401,
    "scope_missing": 403,
    "role_missing": 403,
    "own_request": 403,
    "missing": 404,
    "method": 405,
    "slow": 408,
    "exists": 409,
    "state": 409,
    "large": 413,
    "kind": 415,
    "refused": 422,
    "cells": 422,
    "questionnaire": 422,
    "key_reused": 422,
    "busy": 429,
    "broken": 500,
    "away": 503,
    "full": 503,
}
"""Every code and the status that it comes with."""

_PLAIN = {404: "missing", 405: "method", 400: "malformed", 413: "large", 503: "away"}
_SPOKEN = frozenset(("missing", "extra_forbidden", "json_invalid"))  # of pydantic's, ours in words


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: ``detail`` by language, and where: a JSON pointer or a parameter's name.

    ``more`` are further members (the row and column of a table).
    """

    detail: Text
    pointer: str | None = None
    parameter: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)

    def told(self, language: str) -> dict[str, object]:
        """As a member of ``errors``."""
        places = {"pointer": self.pointer, "parameter": self.parameter}
        given = {name: value for name, value in places.items() if value is not None}
        return {"detail": pick(self.detail, language), **given, **self.more}


class ProblemError(Exception):
    """Ends a request with the problem ``code``.

    ``detail`` takes the place of the code's own sentence, which ``arguments`` fill.
    """

    def __init__(
        self,
        code: str,
        *,
        detail: Text | None = None,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
        **arguments: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = CODES[code]
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        self.arguments = arguments


class FaultModel(BaseModel):
    """One thing that is wrong."""

    model_config = ConfigDict(title="Fault", extra="allow")

    detail: str = Field(description="What is wrong, in the language that was asked for.")
    pointer: str | None = Field(
        None, description="Where in the body: a JSON pointer (RFC 6901) behind #."
    )
    parameter: str | None = Field(None, description="Which parameter or header it is about.")


class ProblemModel(BaseModel):
    """What went wrong (RFC 9457). Go by ``code``; the sentences may change."""

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str = Field(description="A page that explains the code.")
    title: str = Field(description="The code in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here and how to mend it.")
    code: str = Field(
        description="What went wrong, for programs. Codes stay.",
        json_schema_extra={"enum": list(CODES)},
    )
    errors: list[FaultModel] = Field([], description="Each thing that is wrong, where known.")


def language_of(request: Request) -> str:
    """zh or en, by Accept-Language; English for programs that do not ask."""
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return nearest(first) if first and first != "*" else "en"


def respond(request: Request, error: Exception) -> Response:
    """The problem behind ``error`` as a response."""
    problem = understood(error)
    language = language_of(request)
    said = f"problem.{problem.code}"
    detail = WORDS.say(f"{said}.detail", language, **problem.arguments)
    content = {
        "type": f"{request.app.state.public_url}/desk/connections/api#problem-{problem.code}",
        "title": WORDS.say(f"{said}.title", language),
        "status": problem.status,
        "detail": pick(problem.detail, language) if problem.detail else detail,
        "code": problem.code,
        "errors": [fault.told(language) for fault in problem.faults],
        **problem.more,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    body = text.encode("utf-8", "replace")  # a member's name may be half a character
    headers = {"Content-Language": language, "Vary": "Accept-Language", **problem.headers}
    return Response(body, problem.status, headers, MEDIA)


def understood(error: Exception) -> ProblemError:
    """Any exception as one of our problems."""
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return _invalid(error)
        case MovedError():
            return ProblemError("state", detail=error.saying.everywhere())
        case HTTPException():
            code = _PLAIN.get(error.status_code, "broken")
            return ProblemError(code, headers=error.headers)
        case ConnectionError() | TimeoutError():  # the store says so where its database is away
            return ProblemError("away", headers={"Retry-After": "10"})
    return ProblemError("broken")


def _invalid(error: RequestValidationError) -> ProblemError:
    """Pydantic's findings; never with the value, which may be somebody's name or secret."""
    found = error.errors()
    if all(each["loc"][:1] == ("path",) for each in found):
        return ProblemError("missing")
    return ProblemError("malformed", faults=[_fault(each) for each in found])


def _fault(found: Mapping[str, Any]) -> Fault:
    place, *path = found["loc"]
    kind = found["type"]
    texts = {"en": str(found["msg"]), "zh": WORDS.say("invalid.other", "zh", type=kind)}
    if kind in _SPOKEN:
        texts = dict(WORDS.all_of(f"invalid.{kind}"))
    if place != "body":
        return Fault(texts, parameter=str(path[0]) if path else str(place))
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    return Fault(texts, pointer="#" + "".join(f"/{step}" for step in steps))
