"""What needs attention today: a short list, each line with the page where it is dealt with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from concerns.store import State
from desk.accounts import Account
from desk.campaigns.alarms import alarms
from desk.campaigns.days import calendar
from desk.campaigns.outlook import look
from desk.roles import May, Role, allows
from desk.roster import counts as rows
from desk.store import Decision, DeskTransaction, WorkState
from surveys.campaigns import WaveState, last_moment
from surveys.recurrence import next_opening

SOON = timedelta(days=7)
LAST_DAYS = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing. ``key`` names its sentence, which ``facts`` fill; ``path`` is its page.

    ``urgent``: something is going wrong; otherwise it is good to know. A title among ``facts`` is
    a mapping of language -> text.
    """

    key: str
    path: str
    urgent: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def attention(
    tx: DeskTransaction, account: Account, now: datetime, second_factor: Collection[Role]
) -> Sequence[Item]:
    """Everything that ``account`` may see and should, the urgent first."""
    may = {permission for permission in May if allows(account.grants, permission)}
    found = [*_first_steps(tx, may), *_approvals(tx, account, now, may)]
    if May.CAMPAIGNS_READ in may:
        found += _campaigns(tx, now)
    if May.CONCERNS_READ in may:
        found += _concerns(tx)
    if May.ACCOUNTS_READ in may:
        found += _accounts(tx, second_factor)
    if May.SETTINGS_READ in may and (letters := len(tx.dead_letters())):
        found.append(Item("dead_letters", "/desk/settings", True, {"count": letters}))
    if May.HOOKS_READ in may:
        found += _hooks(tx)
    found += _own(tx, account, now)
    return sorted(found, key=lambda item: not item.urgent)


def _first_steps(tx: DeskTransaction, may: Collection[May]) -> Iterator[Item]:
    """An empty house: what to do first, in its order, one step at a time."""
    counts = rows(tx)
    steps = (
        (May.ROSTER_WRITE, "subjects", "/desk/roster"),
        (May.ROSTER_WRITE, "people", "/desk/roster"),
        (May.ROSTER_WRITE, "relations", "/desk/roster"),
        (May.FORMS_WRITE, "questionnaires", "/desk/questionnaires"),
        (May.CAMPAIGNS_WRITE, "campaigns", "/desk/campaigns"),
    )
    for permission, table, path in steps:
        if not (_rates(tx, counts) if table == "questionnaires" else counts.get(table, 0)):
            if permission in may:
                yield Item(f"first_{table}", path)
            return


def _rates(tx: DeskTransaction, counts: Mapping[str, int]) -> bool:
    """Whether there is a questionnaire that can rate: the one for concerns comes with the house."""
    if counts.get("campaigns", 0):
        return True  # which no other is let into
    return any(look(version, tx.form(version) or b"").rates for version, _ in tx.forms())


def _approvals(
    tx: DeskTransaction, account: Account, now: datetime, may: Collection[May]
) -> Iterator[Item]:
    if May.APPROVALS_READ not in may:
        return
    waiting = [
        each
        for each in tx.approvals(open_only=True)
        if each.decision is Decision.OPEN and each.expires_at > now
    ]
    others = [each for each in waiting if each.asked_by != account.id]
    if others and May.CAMPAIGNS_WRITE in may:
        yield Item("approvals", "/desk/approvals", True, {"count": len(others)})
    if len(waiting) > len(others):
        yield Item("approvals_own", "/desk/approvals", False, {"count": len(waiting) - len(others)})


def _campaigns(tx: DeskTransaction, now: datetime) -> Iterator[Item]:
    days = calendar(tx)
    for alarm in alarms(tx, days, now):
        yield Item(alarm.key, alarm.path, True, dict(alarm.facts))
    campaigns = {campaign.id: campaign for campaign in tx.campaigns()}
    for wave in tx.waves():
        closes_soon = timedelta() < wave.closes_at - now <= LAST_DAYS
        if wave.state is WaveState.OPEN and closes_soon and wave.campaign in campaigns:
            facts = {"title": campaigns[wave.campaign].title, "day": last_moment(wave.closes_at)}
            yield Item("closes_soon", f"/desk/fieldwork/{wave.id}", False, facts)
    for campaign in campaigns.values():
        opening = None if campaign.paused else next_opening(campaign, days, now)
        if opening is not None and opening - now <= SOON:
            facts = {"title": campaign.title, "day": opening}
            yield Item("opens_soon", f"/desk/campaigns/{campaign.id}", False, facts)


def _concerns(tx: DeskTransaction) -> Iterator[Item]:
    waiting = sum(concern.state is State.RECEIVED for concern in tx.concerns())
    if waiting:
        yield Item("concerns", "/desk/help/concerns", True, {"count": waiting})


def _accounts(tx: DeskTransaction, second_factor: Collection[Role]) -> Iterator[Item]:
    bare = [
        account
        for account in tx.accounts()
        if not account.disabled
        and not account.totp
        and account.password
        and any(grant.role in second_factor for grant in account.grants)
    ]
    if bare:
        yield Item("no_second_factor", "/desk/accounts", False, {"count": len(bare)})


def _hooks(tx: DeskTransaction) -> Iterator[Item]:
    failing = [
        hook for hook in tx.hooks() if any(n.state == "failed" for n in tx.notices(hook.id, 10))
    ]
    if failing:
        yield Item("hooks", "/desk/connections", True, {"count": len(failing)})


def _own(tx: DeskTransaction, account: Account, now: datetime) -> Iterator[Item]:
    ending = [
        token for token in tx.tokens(account.id) if timedelta() < token.expires_at - now <= SOON
    ]
    if ending:
        yield Item("tokens", "/desk/connections", False, {"count": len(ending)})
    if account.totp and len(account.recovery) <= 2:
        yield Item("recovery", "/desk/me", False, {"count": len(account.recovery)})
    works = [work for work in tx.works() if work.account == account.id]
    running = [work for work in works if work.state is WorkState.RUNNING]
    for work in running:
        yield Item("work", f"/desk/works/{work.id}")
