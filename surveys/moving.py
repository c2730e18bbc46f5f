"""Another device: a person's second chat becomes theirs, by a link made in their first.

Only between waves. A roll holds persons, and two of one human on it would count twice or show who
had answered; while nothing is uncounted there is no roll, no interview and no ballot to join. For
the same reason whoever borrows a telephone for a minute reads and answers nothing that was begun.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from surveys.people import Invite
from surveys.phrasing import Press
from surveys.reply import Reply
from surveys.turns import still

if TYPE_CHECKING:
    from surveys.visit import Visit

KIND = "channel"
TERM = timedelta(minutes=30)  # in which the link can be opened


def offer(visit: Visit) -> Reply:
    """A link to open on the other device, once; the one made before is void."""
    if visit.uncounted():
        return visit.say("move.later", *visit.menu())
    token = secrets.token_urlsafe(16)
    tx, person = visit.tx, visit.chat.person
    tx.drop_invites([each.token for each in tx.invites_to(KIND, [person])])
    ends = visit.sitting.now + TERM
    tx.put_invites([Invite(_digest(token), KIND, person, expires_at=ends)])
    address = f"{visit.setting.web}/c/{token}"
    return visit.say("move.link", *visit.menu(), link=address, command=f"/start {token}")


def opened(visit: Visit, token: str) -> Reply | None:
    """The link on the other device: asked once. None where no such link is known."""
    invite = visit.tx.invite(_digest(token))
    if invite is None or invite.kind != KIND:
        return None
    wrong = _barred(visit, invite)
    if wrong is not None:
        return wrong
    yes = visit.button("button.move", Press("w", token))
    no = visit.button("button.not_move", Press("w", "no"))
    return visit.say("move.ask", (yes,), (no,))


def decided(visit: Visit, token: str) -> Reply:
    """A button of that question."""
    invite = visit.tx.invite(_digest(token))
    if invite is None or invite.kind != KIND:
        return visit.stands()
    for each in sorted((visit.chat.person, invite.target)):  # in one order: two moves do not meet
        visit.tx.hold_person(each)
    still(visit.tx, visit.chat)
    wrong = _barred(visit, invite)
    if wrong is not None:
        return wrong
    if not visit.tx.spend_invite(invite.token):  # somebody was faster
        return visit.say("link.used")
    _merge(visit, invite.target)
    standing = visit.stands()
    return replace(standing, text=f"{visit.say('move.done').text}\n\n{standing.text}")


def _barred(visit: Visit, invite: Invite) -> Reply | None:
    """Why this chat cannot become its person's; None where it can."""
    mine, person = visit.chat.person, visit.tx.person(visit.chat.person)
    if mine == invite.target:
        return visit.say("move.same", *visit.menu())
    if invite.used or visit.tx.person(invite.target) is None:
        return visit.say("link.used")
    if invite.expired(visit.sitting.now):
        return visit.say("move.expired")
    if person.listed:
        return visit.say("move.named", *visit.menu())
    return visit.say("move.later", *visit.menu()) if visit.uncounted() else None


def _merge(visit: Visit, target: str) -> None:
    """All chats of whoever opened the link are ``target``'s; so is whom they may rate."""
    tx, gone = visit.tx, visit.chat.person
    known = {each.subject for each in tx.relations_from(target)}
    mine = [each for each in tx.relations_from(gone) if each.subject not in known]
    tx.put_relations([replace(each, rater=target) for each in mine])
    for address in tx.addresses(gone):
        tx.put_chat(replace(tx.chat(address), person=target, interview=None))
    for errand in visit.sitting.errands.values():
        errand.forget(tx, gone, (), own=True)
    tx.drop_person(gone)
    visit.sitting = replace(visit.sitting, chat=tx.chat(visit.chat.address))


def _digest(token: str) -> str:
    return hashlib.blake2b(token.encode(), digest_size=16, person=b"move").hexdigest()
