"""What needs attention today."""

from __future__ import annotations

from starlette.responses import Response

from desk.roles import May
from web.console.context import Context
from web.console.doors import Door


async def home(at: Context) -> Response:
    """The first page after signing in."""
    return at.page("home/home.html")


DOORS = (Door("", home, May.HOME),)
