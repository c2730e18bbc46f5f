"""Large campaigns: what one person may only ask for, and a second one agrees to."""

from __future__ import annotations

from collections.abc import Mapping

from desk.accounts import Account
from desk.approvals import ask, register
from desk.audit import Act
from desk.campaigns.campaigning import close_now, create, draft, known, open_waves, reach
from desk.campaigns.wishing import Wish
from desk.roles import May
from desk.store import Approval, DeskTransaction
from surveys.campaigns import Campaign

CREATE, CLOSE = "campaign.create", "campaign.close"


def create_or_ask(
    tx: DeskTransaction, act: Act, account: Account, wish: Wish, limit: int
) -> Campaign | Approval:
    """Make the campaign, or ask for it where a wave would ask more than ``limit`` people.

    A second click gives what the first one gave. CampaignError with everything that is wrong.
    """
    if tx.campaign(wish.id) is None and reach(tx, draft(tx, wish, act.at)).people > limit:
        return _asked(tx, act, account, CREATE, wish.id, {"wish": wish.packed()})
    return create(tx, act, wish)


def close_or_ask(
    tx: DeskTransaction, act: Act, account: Account, campaign: str, limit: int
) -> int | Approval:
    """Close the open waves, or ask for it where they ask more than ``limit`` people."""
    if asked_now(tx, act, known(tx, campaign)) > limit:
        return _asked(tx, act, account, CLOSE, campaign, {"campaign": campaign})
    return close_now(tx, act, campaign)


def asked_now(tx: DeskTransaction, act: Act, campaign: Campaign) -> int:
    """People on the rolls of the campaign's open waves; of several waves, those of the largest."""
    waves = open_waves(tx, campaign.id, act.at)
    return max((tx.people_asked(wave.id) for wave in waves), default=0)


def _asked(
    tx: DeskTransaction,
    act: Act,
    account: Account,
    action: str,
    campaign: str,
    arguments: Mapping[str, str],
) -> Approval:
    what = f"campaign:{campaign}"
    tx.audit_head()  # as in campaigning: of two clicks the second sees the first
    for each in tx.approvals(open_only=True):
        same = (each.action, each.what, each.asked_by) == (action, what, account.id)
        if same and dict(each.arguments) == dict(arguments) and each.expires_at > act.at:
            return each  # a second click
    return ask(tx, act, account, action, what, arguments, act.at)


def _create(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    """Whatever has changed since it was asked for, everything is checked again."""
    create(tx, act, Wish.unpacked(arguments["wish"]))


def _close(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    close_now(tx, act, arguments["campaign"])


register(CREATE, May.CAMPAIGNS_WRITE, _create)
register(CLOSE, May.CAMPAIGNS_WRITE, _close)
