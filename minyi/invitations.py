"""The words of invitations, reminders and notices."""

from __future__ import annotations

from typing import Any

from surveys.campaigns import Campaign, Delivery
from surveys.people import Text
from surveys.phrasing import WORDS, Press
from surveys.reply import Button, Reply
from surveys.words import nearest, pick


class Invitations:
    """Words a delivery from its wave's campaign. Call :meth:`learn` before a round of sending."""

    def __init__(self, organisation: Text) -> None:
        self._organisation = organisation
        self._campaigns: dict[str, Campaign] = {}

    def learn(self, tx: Any) -> None:
        """Remember which campaign each wave belongs to."""
        campaigns = {campaign.id: campaign for campaign in tx.campaigns()}
        self._campaigns = {wave.id: campaigns[wave.campaign] for wave in tx.waves()}

    def compose(self, delivery: Delivery) -> Reply:
        """The message owed: what it is, who may read the answers, and one button."""
        campaign = self._campaigns[delivery.wave]
        language = nearest(delivery.language)
        key = "invite" if delivery.stage == "invite" else "reminder"
        text = WORDS.say(
            key,
            language,
            organisation=pick(self._organisation, language),
            title=pick(campaign.title, language),
            privacy=WORDS.say("privacy.short", language, k=campaign.k),
        )
        start = Button(WORDS.say("button.start", language), Press("g", delivery.wave).data())
        return Reply(text, ((start,),), language=language)
