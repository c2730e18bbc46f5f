"""The words of invitations, reminders and notices."""

from __future__ import annotations

from surveys.campaigns import INVITE, Campaign, Delivery
from surveys.people import Text
from surveys.phrasing import WORDS, Press
from surveys.reply import Button, Reply
from surveys.store import Store, Transaction
from surveys.words import nearest, pick


class Invitations:
    """Words a delivery from its wave's campaign."""

    def __init__(self, organisation: Text, store: Store) -> None:
        self._organisation = organisation
        self._store = store
        self._campaigns: dict[str, Campaign] = {}

    async def compose(self, delivery: Delivery) -> Reply:
        """The message owed: what it is, who may read the answers, and one button."""
        campaign = self._campaigns.get(delivery.wave)
        if campaign is None:  # what an open wave promises never changes, so one look is enough
            campaign = await self._store.read(lambda tx: _campaign(tx, delivery.wave))
            self._campaigns[delivery.wave] = campaign
        language = nearest(delivery.language)
        key = "invite" if delivery.stage == INVITE else "reminder"
        text = WORDS.say(
            key,
            language,
            organisation=pick(self._organisation, language),
            title=pick(campaign.title, language),
            privacy=WORDS.say("privacy.short", language, k=campaign.k),
        )
        start = Button(WORDS.say("button.start", language), Press("g", delivery.wave).data())
        return Reply(text, ((start,),), language=language)


def _campaign(tx: Transaction, wave: str) -> Campaign:
    found = tx.wave(wave)
    campaign = None if found is None else tx.campaign(found.campaign)
    if campaign is None:
        raise LookupError(f"no campaign of wave {wave}")
    return campaign
