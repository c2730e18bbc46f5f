"""The API put together: operations behind the gate, the schema, and plain manners of HTTP."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.roles import May
from web.api import (
    campaigns,
    days,
    hooks,
    imports,
    me,
    oversight,
    questionnaires,
    relating,
    results,
    roster,
    visits,
    waves,
)
from web.api.gate import KEY, Gate
from web.api.imports import Rows
from web.api.limits import Limits
from web.api.operations import Operation, troubles
from web.api.problems import FaultModel, ProblemModel, respond
from web.console.checking import Examiner
from web.console.console import Console

PREFIX = "/api/v1"
VERSION = "1.0"
OPERATIONS: tuple[Operation, ...] = (
    *me.OPERATIONS,
    *roster.OPERATIONS,
    *relating.OPERATIONS,
    *imports.OPERATIONS,
    *questionnaires.OPERATIONS,
    *campaigns.OPERATIONS,
    *waves.OPERATIONS,
    *days.OPERATIONS,
    *visits.OPERATIONS,
    *results.OPERATIONS,
    *oversight.OPERATIONS,
    *hooks.OPERATIONS,
)
ABOUT = (
    "Whatever the desk does, for programs. Send `Authorization: Bearer minyi_…`; a token opens "
    "what its scopes name and its account may. Errors are `application/problem+json`; go by "
    "`code`. Lists come in pages: follow `next`. A POST with an `Idempotency-Key` is done once, "
    "however often it is sent within 24 hours."
)


def create_api(
    console: Console,
    public_url: str,
    limits: Limits | None = None,
    bot_username: str = "",
) -> FastAPI:
    """The API of ``console``'s desk, to be mounted at :data:`PREFIX`.

    ``bot_username`` is without @; '' where nobody is answered in Telegram.
    """
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    api.state.console = console
    api.state.public_url = public_url.rstrip("/")
    api.state.bot_username = bot_username
    api.state.limits = limits or Limits()
    api.state.examiner = Examiner()
    for operation in OPERATIONS:
        _mount(api, operation)
    api.add_route("/openapi.json", _schema, methods=["GET"])
    api.add_exception_handler(HTTPException, _plain)
    api.add_exception_handler(Exception, _plain)
    api.add_middleware(Manners)
    return api


def _mount(api: FastAPI, operation: Operation) -> None:
    route = type("Gate", (Gate,), {"operation": operation})
    api.router.add_api_route(
        operation.path,
        operation.handler,
        methods=[operation.method],
        name=operation.name,
        operation_id=operation.name,
        tags=[operation.path.split("/")[1]],
        summary=operation.extra["x-summary"]["en"],
        description=operation.handler.__doc__ or "",
        response_model=operation.answers,
        status_code=operation.status,
        responses=operation.responses,
        openapi_extra=operation.extra,
        route_class_override=route,
    )


async def _schema(request: Request) -> Response:
    return JSONResponse(schema(), headers={"Cache-Control": "public, max-age=3600"})


async def _plain(request: Request, error: Exception) -> Response:
    """What is wrong outside of every operation: no such address, no such method, our mistake."""
    response = respond(request, error)
    if response.status_code == 405:
        response.headers["Allow"] = ", ".join(_methods(request.scope, request.app))
    return response


@cache
def schema() -> dict[str, Any]:
    """The OpenAPI description; the same for every installation."""
    api = FastAPI(openapi_url=None)
    for operation in OPERATIONS:
        _mount(api, operation)
    made = get_openapi(
        title="Minyi",
        version=VERSION,
        description=ABOUT,
        routes=api.routes,
        servers=[{"url": PREFIX}],
    )
    parts = made.setdefault("components", {})
    models = parts.setdefault("schemas", {})
    for model in (FaultModel, ProblemModel, Rows):
        described = model.model_json_schema(ref_template="#/components/schemas/{model}")
        described.pop("$defs", None)
        models[described["title"]] = described
    models["Problem"]["properties"]["errors"]["items"] = {"$ref": "#/components/schemas/Fault"}
    parts["responses"] = troubles()
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "minyi_…"}
    }
    for path in made["paths"].values():
        if "post" in path:
            path["post"].setdefault("parameters", []).append(_KEY)
    made["x-scopes"] = [may.value for may in May if may in {each.may for each in OPERATIONS}]
    return made


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name for this request, yours to choose: sent again with it, it is answered "
    "as the first time and not done twice.",
    "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
}


class Manners:
    """HEAD is GET without its body; OPTIONS says what an address takes. No CORS: nobody's page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS here, let GET answer HEAD, and pass everything else on."""
        if scope["type"] != "http" or scope["method"] not in {"HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            allowed = _methods(scope, scope["app"])
            known = bool(allowed)
            answer = Response(status_code=204, headers={"Allow": ", ".join(allowed)})
            missing = HTTPException(404)
            await (answer if known else respond(Request(scope), missing))(scope, receive, send)
        else:
            await self.app({**scope, "method": "GET"}, receive, _without_body(send))


def _without_body(send: Send) -> Send:
    async def bodiless(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bodiless


def _methods(scope: Scope, app: Any) -> list[str]:
    """Every method that the address takes."""
    found: set[str] = set()
    for route in app.router.routes:
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            found |= route.methods or set()
    if "GET" in found:
        found.add("HEAD")
    return sorted(found | {"OPTIONS"}) if found else []
