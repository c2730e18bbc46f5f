"""What needs attention today."""

from __future__ import annotations

from starlette.responses import Response

from desk.attention import Item, attention
from desk.fieldwork import Fieldwork, fieldwork, in_order
from desk.roles import May
from desk.store import DeskTransaction
from surveys.campaigns import WaveState
from surveys.words import pick
from web.console.context import Context
from web.console.doors import Door
from web.console.telling import sentence

SHOWN = 6  # waves on the first page


async def home(at: Context) -> Response:
    """The first page after signing in."""

    def work(tx: DeskTransaction) -> tuple[list[Item], list[Fieldwork]]:
        items = attention(tx, at.account, at.now, at.console.second_factor)
        return list(items), _open(tx, at)

    items, waves = await at.read(work)
    sentences = [(item, sentence(item, at.language, at.console.zone)) for item in items]
    return at.page("home/home.html", sentences=sentences, waves=waves, pick=pick)


def _open(tx: DeskTransaction, at: Context) -> list[Fieldwork]:
    if not at.allows(May.FIELDWORK_READ):
        return []
    within = at.reach(tx, May.FIELDWORK_READ)
    mine = [
        wave
        for wave in in_order(tx.waves(), at.now)
        if wave.state is not WaveState.TALLIED and wave.opens_at <= at.now
    ]
    found = (fieldwork(tx, wave.id, within) for wave in mine[:SHOWN])
    return [each for each in found if each is not None]


DOORS = (Door("", home, May.HOME),)
