"""All doors of the desk."""

from __future__ import annotations

from starlette.routing import Route

from web.console.areas import home
from web.console.doors import Door, routes

DOORS: tuple[Door, ...] = (*home.DOORS,)


def console_routes() -> list[Route]:
    """The desk's addresses."""
    return routes(DOORS)
