"""The words of a wave's invitation, reminders and thanks: a campaign's own, or the usual ones.

Who may read the answers is always said by us, below whatever a campaign says in its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from string import Formatter
from zoneinfo import ZoneInfo

from surveys.campaigns import INVITE, REMIND, Campaign, Wave, last_moment
from surveys.cells import NAMED
from surveys.people import Text
from surveys.phrasing import WORDS
from surveys.words import pick

STAGES = (INVITE, REMIND)
BLANKS = ("title", "organisation", "closes", "days_left", "k")
"""What own words may leave to be filled in."""
LONGEST = 1000  # characters of own words
DAY = timedelta(days=1)


def stage_of(name: str) -> str:
    """invite | remind, whichever reminder it is."""
    return INVITE if name == INVITE else REMIND


def trouble_with(text: str) -> tuple[str, Mapping[str, object]] | None:
    """What is wrong with own words: (long | braces | blank, facts), or None."""
    if len(text) > LONGEST:
        return "long", {"most": LONGEST}
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        return "braces", {}
    for _, name, spec, conversion in parts:
        if name is not None and (name not in BLANKS or spec or conversion):
            return "blank", {"name": name[:40], "known": ", ".join(BLANKS)}
    return None


def message(
    campaign: Campaign,
    wave: Wave,
    stage: str,
    language: str,
    organisation: Text,
    now: datetime,
    *,
    oneself: bool = False,
) -> str:
    """What a message of ``stage`` says at ``now``. Days are those of the campaign's zone.

    ``oneself``: whoever it goes to is asked about themselves too, as their invitation tells.
    """
    zone = ZoneInfo(campaign.zone)
    last = last_moment(wave.closes_at).astimezone(zone).date()
    blanks = {
        "title": pick(campaign.title, language),
        "organisation": pick(organisation, language),
        "closes": WORDS.say("day", language, year=last.year, month=last.month, day=last.day),
        "days_left": max((last - now.astimezone(zone).date()).days, 0),
        "k": campaign.k,
    }
    privacy = who_reads(campaign, language)
    if oneself and stage == INVITE:
        privacy = f"{privacy}\n{WORDS.say('invite.self', language)}"
    own = campaign.messages.get(stage_of(stage), {}).get(language, "")
    if own:
        free = WORDS.say("own.voluntary", language)
        return f"{own.format(**blanks)}\n\n{free}\n{privacy}"
    if stage == INVITE:
        return WORDS.say("invite", language, privacy=privacy, **blanks)
    return WORDS.say("reminder", language, **blanks)


def who_reads(campaign: Campaign, language: str) -> str:
    """What is promised to everybody alike, whichever sides the campaign asks.

    Superiors and self-assessments are not secret; what holds for one of their ratings is told
    before it, to them alone.
    """
    named = set(campaign.groups) & set(NAMED)
    mixed = "privacy.mixed" if set(campaign.groups) - named else "privacy.before"
    return WORDS.say(mixed if named else "privacy.short", language, k=campaign.k)


def thanks(campaign: Campaign, language: str) -> str:
    """What an invitation becomes once all that it asked for is answered."""
    return WORDS.say("thanks", language, title=pick(campaign.title, language))
