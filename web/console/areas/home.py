"""What needs attention today."""

from __future__ import annotations

from starlette.responses import Response

from desk.attention import Item, attention
from desk.fieldwork import Fieldwork, fieldwork, in_order
from desk.roles import May
from desk.store import DeskTransaction
from surveys.campaigns import WaveState, last_moment
from surveys.words import pick
from web.console.campaign_telling import is_midnight
from web.console.context import Context
from web.console.doors import Door
from web.console.telling import sentence

SHOWN = 6  # waves on the first page
ORGANISATION = ("MINYI_ORGANISATION_ZH", "MINYI_ORGANISATION_EN")


async def home(at: Context) -> Response:
    """The first page after signing in."""

    def work(tx: DeskTransaction) -> tuple[list[Item], list[Fieldwork]]:
        items = attention(tx, at.account, at.now, at.console.second_factor)
        return list(items), _open(tx, at)

    items, waves = await at.read(work)
    sentences = [(item, sentence(item, at.language, at.console.zone)) for item in items]
    whole = await at.read(lambda tx: at.reach(tx, May.ROSTER_READ)) is None
    return at.page("home/home.html", sentences=sentences, waves=waves, pick=pick,
                   ends=lambda wave: is_midnight(wave.closes_at, at.console.zone),
                   last=lambda wave: at.day(last_moment(wave.closes_at)), whole=whole,
                   unnamed=_unnamed(at))  # fmt: skip


def _unnamed(at: Context) -> bool:
    """Whether nobody has written down whose desk this is, and the reader may look at settings."""
    if not at.allows(May.SETTINGS_READ) or at.site.try_payload:  # a play has its own
        return False
    usual = ("", "default")
    return any(e.name in ORGANISATION and e.source in usual for e in at.console.settings)


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
