"""A campaign's own words for its messages: changed, and shown as people will read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from desk.audit import Act, record
from desk.campaigns.campaigning import known
from desk.campaigns.days import calendar
from desk.campaigns.manners import messages_of
from desk.campaigns.outlook import coming
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.store import DeskTransaction
from surveys.campaigns import INVITE, Campaign, Wave, reminders
from surveys.inviting import STAGES, message
from surveys.people import Text
from surveys.words import LANGUAGES

FIELDS = tuple(f"messages_{stage}_{language}" for stage in STAGES for language in LANGUAGES)


@dataclass(frozen=True, slots=True)
class Preview:
    """What people who speak ``language`` are sent at ``stage``; '' where the words are wrong."""

    stage: str
    language: str
    text: str

    @property
    def field(self) -> str:
        """The field that it is a preview of."""
        return f"messages_{self.stage}_{self.language}"


def typed(campaign: Campaign) -> dict[str, str]:
    """The campaign's own words as they were typed; '' for the usual ones."""
    return {
        f"messages_{stage}_{language}": campaign.messages.get(stage, {}).get(language, "")
        for stage in STAGES
        for language in LANGUAGES
    }


def previews(
    campaign: Campaign, wave: Wave, fields: Mapping[str, str], organisation: Text
) -> tuple[Sequence[Preview], Sequence[Wrong]]:
    """Each stage's message in each language as it would leave in ``wave``, and what is wrong.

    The invitation is read when the wave opens, the reminder when the first is due.
    """
    wrongs: list[Wrong] = []
    made = replace(campaign, messages=messages_of(fields, wrongs))
    bad = {wrong.field for wrong in wrongs}
    first = min((at for _, at in reminders(wave.opens_at, campaign)), default=wave.closes_at)
    found = []
    for stage, at in zip(STAGES, (wave.opens_at, first), strict=True):
        for language in LANGUAGES:
            one = Preview(stage, language, "")
            name = stage if stage == INVITE else f"{stage}1"
            if one.field not in bad:
                text = message(made, wave, name, language, organisation, at)
                one = replace(one, text=text)
            found.append(one)
    return found, wrongs


def example(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Wave:
    """The wave that a preview is about: the open one or the next, else one that opens now."""
    mine = [wave for wave in tx.waves() if wave.campaign == campaign.id]
    going = [wave for wave in mine if wave.closes_at > now]
    if going:
        return going[0]
    ahead = coming(campaign, calendar(tx), mine, now, 1)
    opens = ahead[0].opens_at if ahead else now
    return Wave(campaign.id, campaign.id, "", opens, opens + campaign.window, b"")


def reword(tx: DeskTransaction, act: Act, campaign: str, fields: Mapping[str, str]) -> Campaign:
    """Give it these words, from the next message on; CampaignError with everything wrong."""
    tx.audit_head()
    made = known(tx, campaign)
    wrongs: list[Wrong] = []
    messages = messages_of(fields, wrongs)
    if wrongs:
        raise CampaignError(wrongs)
    after = replace(made, messages=messages)
    before, now = typed(made), typed(after)
    if before != now:
        tx.put_campaign(after)
        changed = [name for name in FIELDS if before[name] != now[name]]
        record(tx, act, "campaign.reworded", f"campaign:{campaign}",
               {name: before[name] for name in changed},
               {name: now[name] for name in changed})  # fmt: skip
    return after
