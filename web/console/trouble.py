"""The desk's pages for what went wrong."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desk.roles import TABLE, May
from web.console.context import Context, console_of
from web.console.doors import identified

KINDS = {
    401: "signed_out",
    403: "forbidden",
    404: "missing",
    405: "missing",
    408: "slow",
    413: "large",
    503: "busy",
}


async def trouble(request: Request, problem: Exception) -> Response:
    """A page that says what is wrong, that nothing was changed, and what to do."""
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    detail = problem.detail if isinstance(problem, HTTPException) else ""
    context = await _whose(request)
    kind = "proof" if detail == "proof" else KINDS.get(status, "broken")
    roles = ""
    if kind == "forbidden" and detail in tuple(May):
        joint = "、" if context.language == "zh" else ", "
        able = sorted(TABLE[May(detail)])
        roles = joint.join(context.say(f"role.{role}") for role in able)
    return context.page("trouble_desk.html", status=status, kind=kind, roles=roles)


async def _whose(request: Request) -> Context:
    """The reader, so that the page speaks their language; nobody where the store is the trouble."""
    try:
        return await identified(request)
    except Exception:
        console = console_of(request)
        return Context(request, console, console.clock())
