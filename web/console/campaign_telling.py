"""How pages write what a campaign is: its moments, its rule, and what it promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from desk.campaigns.rhythm import in_words, rhythm_of
from surveys.campaigns import Campaign, last_moment
from surveys.cells import RaterGroup
from surveys.inviting import who_reads
from surveys.phrasing import WORDS as PHRASES
from surveys.words import LANGUAGES


def moment(language: str) -> Callable[..., str]:
    """How a moment is written in a campaign's own zone: ``(moment, zone, hour=True)``."""

    def written(moment: datetime, zone: str, hour: bool = True) -> str:
        local = moment.astimezone(ZoneInfo(zone))
        day = str(format_skeleton("yMMMEd", local, locale=language))
        return f"{day} {local:%H:%M}" if hour else day

    return written


def closing(language: str) -> Callable[[datetime, str], str]:
    """How the end of a wave is written: one at 00:00 as 24:00 of the last day."""
    written = moment(language)

    def told(closes_at: datetime, zone: str) -> str:
        if is_midnight(closes_at, ZoneInfo(zone)):
            return f"{written(last_moment(closes_at), zone, hour=False)} 24:00"
        return written(closes_at, zone)

    return told


def is_midnight(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a day ends with ``moment`` in ``zone``."""
    return moment.astimezone(zone).time() == time()


def month(language: str) -> Callable[[date], str]:
    """How a month is written."""
    return lambda day: str(format_skeleton("yMMM", day, locale=language))


def rule(campaign: Campaign) -> Mapping[str, str]:
    """When it asks, in every language of ours."""
    rhythm = rhythm_of(campaign.recurrence, campaign.shift)
    return {language: in_words(rhythm, language) for language in LANGUAGES}


def promises(campaign: Campaign) -> Mapping[str, Sequence[str]]:
    """The very sentences that people read before they answer, in every language of ours."""
    keys = ["privacy.superior"] if RaterGroup.SUPERIOR in campaign.groups else []
    keys += ["privacy.self"] if RaterGroup.SELF in campaign.groups else []
    return {
        language: [who_reads(campaign, language), *(PHRASES.say(key, language) for key in keys)]
        for language in LANGUAGES
    }
