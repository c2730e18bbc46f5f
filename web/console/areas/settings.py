"""What is set, what must be mended, and which keys there are."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from desk.roles import May
from web.console.console import Check, KeyFact
from web.console.context import Context
from web.console.doors import Door

STATES = ("mend", "note", "good")  # the worst first


async def settings(at: Context) -> Response:
    """Every setting, where it came from and what it means."""
    return at.page("settings/list.html", settings=at.console.settings,
                   looks=at.console.examine is not None)  # fmt: skip


async def check(at: Context) -> Response:
    """Everything looked at, now, as ``minyi doctor`` does; it takes some seconds."""
    found: Sequence[Check] = ()
    if at.console.examine is not None:
        found = await at.console.examine()
    groups = [(state, [each for each in found if each.state == state]) for state in STATES]
    return at.page("settings/check.html", groups=groups)


async def keys(at: Context) -> Response:
    """Which keys there are; never a key."""
    found: Sequence[KeyFact] = ()
    if at.console.keys is not None:
        found = await at.console.keys()
    whole = [key for key in found if key.kind != "wave"]
    waves = [(key, _fate(key)) for key in found if key.kind == "wave"]
    return at.page("settings/keys.html", whole=whole, waves=waves)


def _fate(key: KeyFact) -> str:
    """How a wave's keys should be, and whether they are: kept until the tally, then destroyed."""
    if key.wave == "tallied":
        return "left" if key.present else "destroyed"
    return "kept" if key.present else "lost"


DOORS = (
    Door("/settings", settings, May.SETTINGS_READ),
    Door("/settings/check", check, May.SETTINGS_READ),
    Door("/keys", keys, May.KEYS_READ),
)
