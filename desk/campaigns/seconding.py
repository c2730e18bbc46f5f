"""Large campaigns: what one person may only ask for, and a second one agrees to."""

from __future__ import annotations

from collections.abc import Mapping

from desk.accounts import Account
from desk.approvals import ask, register
from desk.audit import Act
from desk.campaigns.campaigning import close_now, create, draft, known, open_waves
from desk.campaigns.extending import extend, longer
from desk.campaigns.foreseeing import exactly
from desk.campaigns.opening import agree
from desk.campaigns.wishing import Wish
from desk.outcomes import roll
from desk.roles import May
from desk.store import Approval, DeskTransaction
from surveys.campaigns import Campaign, Wave

CREATE, CLOSE, EXTEND = "campaign.create", "campaign.close", "wave.extend"


def create_or_ask(
    tx: DeskTransaction, act: Act, account: Account, wish: Wish, limit: int
) -> Campaign | Approval:
    """Make the campaign, or ask for it where a wave would ask more than ``limit`` people.

    A second click gives what the first one gave. CampaignError with everything that is wrong.
    Whoever agrees, agrees to as many people as it would ask now.
    """
    if tx.campaign(wish.id) is None:
        people = exactly(tx, draft(tx, wish, act.at), act.at)
        if people > limit:
            told = {"wish": wish.packed(), "people": str(people)}
            return _asked(tx, act, account, CREATE, f"campaign:{wish.id}", told)
    return create(tx, act, wish)


def close_or_ask(
    tx: DeskTransaction, act: Act, account: Account, campaign: str, limit: int
) -> int | Approval:
    """Close the open waves, or ask for it where they ask more than ``limit`` people."""
    if asked_now(tx, act, known(tx, campaign)) > limit:
        return _asked(tx, act, account, CLOSE, f"campaign:{campaign}", {"campaign": campaign})
    return close_now(tx, act, campaign)


def extend_or_ask(
    tx: DeskTransaction, act: Act, account: Account, name: str, days: int, limit: int
) -> Wave | Approval:
    """Let an open wave close ``days`` later, or ask for it where it asks more than ``limit``.

    ``name`` is a wave, or a campaign with one open wave. CampaignError where it cannot be.
    """
    wave = longer(tx, name, days, act.at)
    people = tx.people_asked(wave.id)
    if people > limit:
        told = {
            "wave": wave.id,
            "more": str(days),
            "people": str(roll(people, known(tx, wave.campaign))),
        }
        return _asked(tx, act, account, EXTEND, f"wave:{wave.id}", told)
    return extend(tx, act, wave.id, days)


def asked_now(tx: DeskTransaction, act: Act, campaign: Campaign) -> int:
    """People on the rolls of the campaign's open waves; of several waves, those of the largest."""
    waves = open_waves(tx, campaign.id, act.at)
    return max((tx.people_asked(wave.id) for wave in waves), default=0)


def _asked(
    tx: DeskTransaction,
    act: Act,
    account: Account,
    action: str,
    what: str,
    arguments: Mapping[str, str],
) -> Approval:
    tx.audit_head()  # as in campaigning: of two clicks the second sees the first
    for each in tx.approvals(open_only=True):
        same = (each.action, each.what, each.asked_by) == (action, what, account.id)
        if same and dict(each.arguments) == dict(arguments) and each.expires_at > act.at:
            return each  # a second click
    return ask(tx, act, account, action, what, arguments, act.at)


def _create(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    """Whatever has changed since it was asked for, everything is checked again.

    More people than when it was asked for are not agreed to: then its wave asks once more.
    """
    made = create(tx, act, Wish.unpacked(arguments["wish"]))
    agree(tx, act, made.id, int(arguments.get("people", 0)))


def _close(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    close_now(tx, act, arguments["campaign"])


def _extend(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    extend(tx, act, arguments["wave"], int(arguments["more"]))


register(CREATE, May.CAMPAIGNS_WRITE, _create)
register(CLOSE, May.CAMPAIGNS_WRITE, _close)
register(EXTEND, May.CAMPAIGNS_WRITE, _extend)
