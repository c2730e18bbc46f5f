"""Short pages that say what each part of the desk is for, and what it can never show."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.roles import May
from web.console.context import WORDS, Context
from web.console.doors import Door

TOPICS = ("start", "roster", "questionnaires", "campaigns", "fieldwork", "results", "anonymity",
          "concerns", "approvals", "audit", "accounts", "connections", "settings")  # fmt: skip
ROOMS = {
    "start": ("/desk", May.HOME),
    "roster": ("/desk/roster", May.ROSTER_READ),
    "questionnaires": ("/desk/questionnaires", May.FORMS_READ),
    "campaigns": ("/desk/campaigns", May.CAMPAIGNS_READ),
    "fieldwork": ("/desk/fieldwork", May.FIELDWORK_READ),
    "results": ("/desk/results", May.RESULTS_READ),
    "approvals": ("/desk/approvals", May.APPROVALS_READ),
    "audit": ("/desk/audit", May.AUDIT_READ),
    "accounts": ("/desk/accounts", May.ACCOUNTS_READ),
    "connections": ("/desk/connections", May.TOKENS),
    "settings": ("/desk/settings", May.SETTINGS_READ),
}


async def topics(at: Context) -> Response:
    """What there is to read."""
    return at.page("help/topics.html", topics=TOPICS)


async def topic(at: Context) -> Response:
    """One topic."""
    name = at.request.path_params["topic"]
    if name not in TOPICS:
        raise HTTPException(404)
    room, needed = ROOMS.get(name, ("", May.HOME))
    here = TOPICS.index(name)
    return at.page(
        "help/topic.html",
        name=name,
        paragraphs=paragraphs(name, at.language),
        room=room if room and at.allows(needed) else "",
        onward=TOPICS[here + 1] if here + 1 < len(TOPICS) else "",
    )


def paragraphs(topic: str, language: str) -> list[str]:
    """The topic's text: its sentences p1, p2 …"""
    known = WORDS.keys()
    keys = (f"help.{topic}.p{number}" for number in range(1, 10))
    return [WORDS.say(key, language) for key in keys if key in known]


DOORS = (
    Door("/help", topics, May.HOME),
    Door("/help/{topic}", topic, May.HOME),
)
