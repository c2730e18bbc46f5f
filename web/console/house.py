"""All doors of the desk."""

from __future__ import annotations

from starlette.routing import Route

from web.console.areas import fieldwork, home, results
from web.console.doors import Door, routes

DOORS: tuple[Door, ...] = (*home.DOORS, *fieldwork.DOORS, *results.DOORS)


def console_routes() -> list[Route]:
    """The desk's addresses."""
    return routes(DOORS)
