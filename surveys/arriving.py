"""Coming in by a link: a window's QR code, a staff member's own link, a campaign's."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from surveys.campaigns import Wave, WaveState, last_moment
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Invite, Kind, Person, Relation, VisitLink
from surveys.phrasing import WORDS, Press
from surveys.reply import Reply
from surveys.store import Assignment, SealedInterview
from surveys.turns import OvertakenError, alone, still
from surveys.visiting import PURPOSE, Visiting
from surveys.words import nearest, pick

if TYPE_CHECKING:
    from surveys.visit import Visit


def at_unit(visit: Visit, invite: Invite) -> Reply:
    """Somebody at a service window: a recipient of its service from now on."""
    _alone(visit)
    tx, person, subject = visit.tx, visit.chat.person, invite.target
    listed = tx.person(person).listed
    if not listed:
        tx.put_relations([Relation(person, subject, RaterGroup.RECIPIENT)])
    for wave in visit.open_waves():
        campaign = tx.campaign(wave.campaign)
        if RaterGroup.RECIPIENT in campaign.groups:
            assignment = _asked(visit, wave.id, subject)
            if assignment is None:
                assignment = Assignment(wave.id, person, subject, RaterGroup.RECIPIENT)
                tx.put_assignments([assignment])
            row = tx.interview_for(wave.id, assignment.person, subject)
            if row is not None and row.complete:
                return visit.after(row)
            return visit.sitting.begin(assignment, wave.form)
    # by a name on the roster this could be seen: so not while they could be answering
    if listed and not _related(visit, subject):
        tx.put_relations([Relation(person, subject, RaterGroup.RECIPIENT)])
    name = pick(tx.subject(subject).name, visit.chat.language)
    return visit.say("unit.thanks", *visit.menu(), subject=name)


def after_visit(visit: Visit, token: str, *, begin: bool = False) -> Reply | None:
    """Somebody who was served: one rating, of the chat that begins first, and of no other.

    The link is spent only where it can be answered now, and by a press (``begin``): programs open
    links to look at them. None where no link of a visit is so called. Whoever has rated the office
    in this wave rates it anew: their voice counts once, however often they were served.
    """
    errand = visit.sitting.errands.get(PURPOSE)
    if not isinstance(errand, Visiting):
        return None
    if begin:
        _alone(visit)
    tx = visit.tx
    link = tx.visit_link(errand.digest(token))
    if link is None:
        return None
    # what is told before the press must not depend on whether the link was used: whoever made it
    # opens it as well
    begun = _begun(visit, link.subject)
    if begun is not None and not begun.complete:
        return visit.sitting.show(begun)
    if link.expired(visit.sitting.now):
        return visit.say("visit.expired", *visit.menu()) if begun is None else visit.after(begun)
    wave = next((each for each in _asking(visit) if errand.asks(each.id)), None)
    if wave is None:
        return _not_now(visit, link)
    if not begin:  # also where it was used: to learn that, one has to risk using it up
        office = pick(tx.subject(link.subject).name, visit.chat.language)
        start = visit.button("button.start", Press("u", token))
        return visit.say("visit.offer", (start,), subject=office)
    if link.used or not tx.spend_visit_link(link.digest):
        begun = _begun(visit, link.subject)  # by somebody else, or by this chat's own first tap
        if begun is None:
            return visit.say("visit.used", *visit.menu())
        return visit.after(begun) if begun.complete else visit.sitting.show(begun)
    return _rated(visit, errand, wave, link.subject)


def _alone(visit: Visit) -> None:
    """Two places of one person about one office would be two voices."""
    chat = alone(visit.tx, visit.chat)
    visit.sitting = replace(visit.sitting, chat=chat)


def _rated(visit: Visit, errand: Visiting, wave: Wave, subject: str) -> Reply:
    """Begin, or begin anew: the one place on the roll that this person has about ``subject``."""
    tx, person = visit.tx, visit.chat.person
    asked = _asked(visit, wave.id, subject)
    if asked is None:
        nobody = errand.place(person, wave.id, subject)
        asked = Assignment(wave.id, nobody, subject, RaterGroup.RECIPIENT)
        tx.put_assignments([asked])
    row = tx.interview_for(wave.id, asked.person, subject)
    if row is not None and row.complete:
        return visit.sitting.restart(row)
    purpose = "rating" if asked.person == person else PURPOSE
    return visit.sitting.begin(asked, wave.form, purpose=purpose)


def _asked(visit: Visit, wave: str, subject: str) -> Assignment | None:
    """This person's place on the roll about ``subject``: by name, or after a visit."""
    tx, person = visit.tx, visit.chat.person
    named: Assignment | None = tx.assignment(wave, person, subject)
    errand = visit.sitting.errands.get(PURPOSE)
    if named is not None or not isinstance(errand, Visiting):
        return named
    hidden: Assignment | None = tx.assignment(wave, errand.place(person, wave, subject), subject)
    return hidden


def _begun(visit: Visit, subject: str) -> SealedInterview | None:
    """What this person has begun about ``subject`` and can still go on with, or change."""
    tx, sitting = visit.tx, visit.sitting
    for wave in tx.waves():
        if wave.state is not WaveState.OPEN or not _recipients(visit, wave):
            continue
        asked = _asked(visit, wave.id, subject)
        row: SealedInterview | None = None
        if asked is not None:
            row = tx.interview_for(wave.id, asked.person, subject)
        if row is not None and sitting.errands[row.purpose].state_key(tx, row, sitting.now):
            return row
    return None


def _not_now(visit: Visit, link: VisitLink) -> Reply:
    language = visit.chat.language
    last = last_moment(link.expires_at).astimezone(visit.setting.zone).date()
    until = WORDS.say("day", language, year=last.year, month=last.month, day=last.day)
    name = pick(visit.tx.subject(link.subject).name, language)
    return visit.say("visit.later", *visit.menu(), subject=name, until=until)


def _asking(visit: Visit) -> Iterator[Wave]:
    """The open waves that ask those who were served."""
    return (wave for wave in visit.open_waves() if _recipients(visit, wave))


def _recipients(visit: Visit, wave: Wave) -> bool:
    return RaterGroup.RECIPIENT in visit.tx.campaign(wave.campaign).groups


def meet(tx: Any, address: Address, hint: str) -> Chat:
    """Somebody new: a person without a name, in the client's language."""
    chat = Chat(address, _nobody(tx), nearest(hint))
    if not tx.add_chats([chat]):  # their first words arrive twice at the same moment
        raise OvertakenError
    return chat


def _nobody(tx: Any) -> str:
    person = Person(secrets.token_urlsafe(9), Kind.CITIZEN)
    tx.put_people([person])
    return person.id


def by_staff_link(visit: Visit, invite: Invite) -> Reply:
    """A staff member's own link: once, and only for the chat that used it.

    Whoever makes the links could otherwise open one for a colleague and read what they had begun,
    see whether they had answered, or answer for them. So a name that has a chat gets no other while
    any wave is open, and at other times the new chat takes the name away from the old one, whose
    owner notices.
    """
    tx, before = visit.tx, visit.chat.person
    if before != invite.target:
        if invite.used:
            return visit.say("link.used")
        if invite.expired(visit.sitting.now):
            return visit.say("link.expired")
        elsewhere = tx.addresses(invite.target)
        if elsewhere and visit.uncounted():
            return visit.say("link.later")
        tx.hold_person(before)  # first: whoever counts a wave waits
        still(tx, visit.chat)
        if not tx.spend_invite(invite.token):  # somebody was faster
            return visit.say("link.used")
        for address in elsewhere:
            tx.put_chat(Chat(address, _nobody(tx), tx.chat(address).language))
        language = tx.person(invite.target).language or visit.chat.language
        chat = replace(visit.chat, person=invite.target, language=language, interview=None)
        visit.sitting = replace(visit.sitting, chat=chat)
        tx.put_chat(chat)
    linked = visit.say("staff.linked", name=tx.person(invite.target).name)
    known = [linked.text, *_handed_on(visit, before)]
    standing = visit.stands()
    return replace(standing, text="\n\n".join((*known, standing.text)))


def _handed_on(visit: Visit, before: str) -> list[str]:
    """Nobody else comes back to what a chat without a name has said: it goes along.

    Who they were without a name goes. What is to be told of it.
    """
    tx, person, errands = visit.tx, visit.chat.person, visit.sitting.errands
    errand = errands.get(PURPOSE)
    if not isinstance(errand, Visiting) or before == person:
        return []
    if tx.person(before).listed or tx.addresses(before):
        return []
    names = [tx.subject(each).name for each in errand.hand_on(tx, before, person)]
    for each in errands.values():
        each.forget(tx, before, (), own=True)
    tx.drop_person(before)
    language = visit.chat.language
    return [visit.say("staff.once", subject=pick(name, language)).text for name in names]


def for_campaign(visit: Visit, invite: Invite) -> Reply | None:
    """Whoever is on the roll of the campaign's open wave begins; None for everybody else."""
    waves = {wave.id for wave in visit.open_waves() if wave.campaign == invite.target}
    left = visit.sitting.left()
    mine = next((assignment for assignment in left if assignment.wave in waves), None)
    return None if mine is None else visit.go(mine.wave)


def _related(visit: Visit, subject: str) -> bool:
    """Whether a named person sees ``subject`` from some side: a poster must not change it."""
    person = visit.chat.person
    if visit.tx.person(person).kind is Kind.CITIZEN:
        return False
    return any(r.rater == person and r.subject == subject for r in visit.tx.relations())
