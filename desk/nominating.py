"""Nominations: one proposes who is to rate a unit or an official, a second person agrees."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime

from desk.accounts import Account
from desk.approvals import ask, register
from desk.audit import Act, record
from desk.relating import NOMINATE, RelationError, member, own
from desk.roles import Grant, May, Role
from desk.saying import Saying, shown
from desk.store import Approval, DeskTransaction
from surveys.cells import RaterGroup
from surveys.people import Person, Relation

MOST = 30  # people nominated at once
NOMINATED = (RaterGroup.SUPERIOR, RaterGroup.PEER, RaterGroup.SUBORDINATE)
"""The sides that staff rate from."""


def nominate(
    tx: DeskTransaction,
    act: Act,
    account: Account | None,
    subject: str,
    group: RaterGroup,
    typed: str,
    *,
    hushed: bool = False,
) -> Approval:
    """Ask for the people ``typed`` (ids or names, by commas or lines) to rate ``subject``.

    ``account`` None: as ``act`` says. ``hushed``: who rates there already is not told.
    RelationError with whom it cannot be; ApprovalError where the subject's last nomination waits.
    """
    if tx.subject(subject) is None:
        raise RelationError(Saying("nomination.subject", {"subject": shown(subject)}))
    if account is not None and account.id in rated(tx, subject):
        raise RelationError(Saying("nomination.own"))
    cells = (cell.strip() for cell in re.split(r"[\n,，、;；]", typed))
    words = list(dict.fromkeys(cell for cell in cells if cell))
    if not words or len(words) > MOST:
        raise RelationError(Saying("nomination.count", {"most": MOST}))
    people = [member(tx, word) for word in words]
    own_person = own(tx, subject)
    for person in people:
        if person.id == own_person:
            raise RelationError(Saying("nomination.oneself", {"who": shown(_called(person))}))
        if not hushed and any(each.subject == subject for each in tx.relations_from(person.id)):
            raise RelationError(Saying("nomination.already", {"who": shown(_called(person))}))
    ids = sorted({person.id for person in people})
    told = {"subject": subject, "group": str(group), "raters": json.dumps(ids, ensure_ascii=False)}
    return ask(tx, act, account, NOMINATE, f"subject:{subject}", told, act.at)


def pending(tx: DeskTransaction, subject: str, now: datetime) -> str:
    """The id of the nomination of raters for ``subject`` that waits to be decided; '' for none."""
    found = (each for each in tx.approvals(open_only=True) if each.action == NOMINATE)
    mine = (each for each in found if each.what == f"subject:{subject}" and each.expires_at > now)
    return next((each.id for each in mine), "")


def rated(tx: DeskTransaction, subject: str) -> Collection[str]:
    """The accounts of whoever ``subject`` is, as far as they can be recognised.

    By a chat of that person's that is linked to one, or by the role of being rated.
    """
    person = own(tx, subject)
    chats = () if person is None else tx.addresses(person)
    linked = {each.id for chat in chats if (each := tx.account_by_chat(chat)) is not None}
    role = Grant(Role.RATED, subject)
    return sorted(linked | {each.id for each in tx.accounts() if role in each.grants})


def _called(person: Person) -> str:
    return person.name or person.id


def _agreed(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    """Those who are still there, and rate the subject from no side yet, rate it from now on."""
    subject, group = arguments["subject"], RaterGroup(arguments["group"])
    people = [tx.person(each) for each in json.loads(arguments["raters"])]
    pairs = (
        (None, Relation(person.id, subject, group))
        for person in people
        if person is not None and not person.left
    )
    added = tx.change_relations(pairs)
    record(tx, act, "relations.nominated", f"subject:{subject}", None,
           {"group": str(group), "people": added})  # fmt: skip


def _behind(tx: DeskTransaction, arguments: Mapping[str, str]) -> Collection[str]:
    """Nobody decides who rates themselves, whichever chat or desk it was asked from."""
    return rated(tx, arguments["subject"])


register(NOMINATE, May.ROSTER_WRITE, _agreed, behind=_behind, people="raters")
