"""The messages that campaigns owe, from what the store says of their waves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from surveys.campaigns import INVITE, Campaign, Delivery, Wave
from surveys.cells import RaterGroup
from surveys.inviting import message
from surveys.people import Text
from surveys.phrasing import WORDS, Press
from surveys.reply import Button, Reply
from surveys.store import Store, Transaction
from surveys.words import nearest

FRESH = timedelta(seconds=30)
"""How long one look will do: words may be changed, and a wave extended, while messages leave."""


class Invitations:
    """Words a delivery from its wave's campaign."""

    def __init__(self, organisation: Text, store: Store, clock: Callable[[], datetime]) -> None:
        self._organisation = organisation
        self._store = store
        self._clock = clock
        self._seen: dict[str, tuple[datetime, Campaign, Wave]] = {}

    async def compose(self, delivery: Delivery) -> Reply:
        """The message owed: what it is, who may read the answers, and one button."""
        now = self._clock()
        seen = self._seen.get(delivery.wave)
        if seen is None or abs(now - seen[0]) >= FRESH:
            seen = now, *await self._store.read(lambda tx: _campaign(tx, delivery.wave))
            self._seen[delivery.wave] = seen
        _, campaign, wave = seen
        language = nearest(delivery.language)
        oneself = await self._asks_oneself(campaign, delivery)
        text = message(
            campaign, wave, delivery.stage, language, self._organisation, now, oneself=oneself
        )
        start = Button(WORDS.say("button.start", language), Press("g", delivery.wave).data())
        return Reply(text, ((start,),), language=language)

    async def _asks_oneself(self, campaign: Campaign, delivery: Delivery) -> bool:
        """Goes by the roll alone: the same before and after anything is answered."""
        if RaterGroup.SELF not in campaign.groups or delivery.stage != INVITE:
            return False
        wave, person = delivery.wave, delivery.person
        return await self._store.read(lambda tx: tx.assesses_oneself(wave, person))


def _campaign(tx: Transaction, wave: str) -> tuple[Campaign, Wave]:
    found = tx.wave(wave)
    campaign = None if found is None else tx.campaign(found.campaign)
    if found is None or campaign is None:
        raise LookupError(f"no campaign of wave {wave}")
    return campaign, found
