"""All doors of the desk."""

from __future__ import annotations

from starlette.routing import Route

from web.console.areas import (
    accounts,
    approvals,
    audit,
    campaigns,
    connections,
    days,
    entry,
    fieldwork,
    help,
    home,
    importing,
    links,
    me,
    openid,
    questionnaires,
    relating,
    results,
    roster,
    settings,
    trial,
    webhooks,
    works,
)
from web.console.doors import Door, routes

DOORS: tuple[Door, ...] = (
    *home.DOORS,
    *accounts.DOORS,
    *entry.DOORS,
    *me.DOORS,
    *campaigns.DOORS,
    *fieldwork.DOORS,
    *openid.DOORS,
    *results.DOORS,
    *roster.DOORS,
    *relating.DOORS,
    *importing.DOORS,
    *works.DOORS,
    *links.DOORS,
    *approvals.DOORS,
    *audit.DOORS,
    *days.DOORS,
    *settings.DOORS,
    *help.DOORS,
    *trial.DOORS,
    *questionnaires.DOORS,
    *connections.DOORS,
    *webhooks.DOORS,
)


def console_routes() -> list[Route]:
    """The desk's addresses."""
    return routes(DOORS)
