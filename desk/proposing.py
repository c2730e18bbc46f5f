"""Officials in their own chat: whom they propose to rate them. A second person at the desk decides.

Who rates them already they are not told, so proposing is no way to find out: such names change
nothing and are not mentioned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from desk.approvals import OFFICIAL, ApprovalError, withdraw
from desk.audit import Act, someone
from desk.campaigns.commanding import WORDS
from desk.importing.columns import GROUPS, plain
from desk.nominating import NOMINATED, nominate, pending
from desk.relating import NOMINATE, RelationError, held
from desk.store import Approval, Decision, DeskTransaction
from surveys.attendant import OWN
from surveys.cells import RaterGroup
from surveys.people import Address, Subject
from surveys.phrasing import Press
from surveys.reply import Button, Reply
from surveys.words import LANGUAGES, pick

_HAN = "\u4e00-\u9fff"
_BETWEEN_NAMES = re.compile(rf"(?<=[{_HAN}])[ \u3000]+(?=[{_HAN}])")  # 张三 李四


def offices(tx: DeskTransaction, address: Address) -> Sequence[Subject]:
    """The officials that whoever talks from ``address`` is; () for nearly everybody."""
    chat = tx.chat(address)
    person = None if chat is None else tx.person(chat.person)
    if person is None or person.left:
        return ()
    return [subject for each in held(tx, person.id) if (subject := tx.subject(each)) is not None]


def acting(tx: DeskTransaction, address: Address, act: Act) -> Act:
    """``act`` by whoever talks from ``address``: their account where this chat is linked to one.

    So whoever has an account is no second person to what they propose here. Else the person by a
    mark, whom :func:`_for` calls by the office: who holds it next is not told what was proposed.
    """
    account, chat = tx.account_by_chat(address), tx.chat(address)
    if account is not None:
        return replace(act, who=account.id, name=account.name)
    mark = "" if chat is None else someone(act, chat.person)
    return replace(act, who=mark, name="")


def _for(act: Act, office: Subject) -> Act:
    """``act`` as done in ``office``, unless an account does it."""
    if act.name:
        return act
    who = f"{OFFICIAL}{office.id} {act.who}"
    return replace(act, who=who, name=pick(office.name, LANGUAGES[0]))


def propose(
    tx: DeskTransaction, mine: Sequence[Subject], typed: str, language: str, act: Act
) -> Reply:
    """The answer to ``/nominate typed`` of somebody who holds these offices, at least one.

    ``typed`` is the id of an office where there are several, a side, and the people by commas.
    """
    first, rest = _cut(typed)
    office = next((each for each in mine if each.id == first), None)
    if office is None and len(mine) > 1:
        listed = "\n".join(f"• {each.id} {pick(each.name, language)}" for each in mine)
        return _said("nominate.which", language, listed=listed)
    words = rest if office is not None else typed
    office = office or mine[0]
    act = _for(act, office)
    side, people = _cut(words)
    group = _side(side)
    if group is None or not people:
        return _how(tx, act, office, language, "nominate.not_so" if words else "")
    tx.audit_head()  # from here on nobody else writes: none comes in between
    waits = pending(tx, office.id, act.at)
    if waits:
        last = _last(tx, act, office)
        if last is not None and last.id == waits:
            return _how(tx, act, office, language, "nominate.first")
        return _said("nominate.waits", language, name=pick(office.name, language))
    try:
        names = _BETWEEN_NAMES.sub(",", people)
        asked = nominate(tx, act, None, office.id, group, names, hushed=True)
    except RelationError as error:
        return Reply(error.saying.said(language), language=language)
    except ApprovalError as error:
        return Reply(error.said(language), language=language)
    told = _whom(tx, asked, language)
    return _said("nominate.asked", language, name=pick(office.name, language), **told)


def retract(
    tx: DeskTransaction, mine: Sequence[Subject], name: str, language: str, act: Act
) -> Reply | None:
    """The answer to the button that takes back the proposal ``name``, and how things stand then.

    None where they did not propose it, for an office they hold.
    """
    asked = tx.approval(name)
    if asked is None or asked.action != NOMINATE:
        return None
    office = next((each for each in mine if asked.what == f"subject:{each.id}"), None)
    if office is None:
        return None
    act = _for(act, office)
    if asked.asked_by != act.who:
        return None
    try:
        withdraw(tx, act, None, name, act.at)
    except ApprovalError:  # decided, taken back or out of date meanwhile
        return _how(tx, act, office, language, "nominate.late")
    return _how(tx, act, office, language, "nominate.done")


def _said(key: str, language: str, **arguments: str) -> Reply:
    return Reply(WORDS.say(key, language, **arguments), language=language)


def _whom(tx: DeskTransaction, asked: Approval, language: str) -> dict[str, str]:
    """From which ``side``, and ``people`` by name: a slip of the finger is seen."""
    found = (tx.person(each) for each in json.loads(asked.arguments["raters"]))
    names = [each.name or each.id for each in found if each is not None]
    side = WORDS.say(f"nominate.side.{asked.arguments['group']}", language)
    return {"side": side, "people": WORDS.say("nominate.comma", language).join(names)}


def _cut(words: str) -> tuple[str, str]:
    """The first of ``words``, and the rest."""
    first, *rest = words.split(maxsplit=1) or [""]
    return first, "".join(rest)


def _side(word: str) -> RaterGroup | None:
    known = {plain(each): group for each, group in GROUPS.items() if group in NOMINATED}
    return known.get(plain(word)) or known.get(plain(word).removesuffix("s"))


def _how(tx: DeskTransaction, act: Act, office: Subject, language: str, first: str = "") -> Reply:
    """How it is written, and what became of the last one; while that waits, it can be taken back.

    ``first``: the key of what is said before.
    """
    said = [WORDS.say(first, language)] if first else []
    how = WORDS.say("nominate.how", language, name=pick(office.name, language))
    last = _last(tx, act, office)
    if last is None:
        return Reply("\n\n".join([*said, how]), language=language)
    over = last.decision is Decision.OPEN and last.expires_at <= act.at
    stands = Decision.EXPIRED if over else last.decision
    key, whom = f"nominate.is.{stands}", _whom(tx, last, language)
    came = WORDS.say(key, language, note=last.note, **whom).strip()
    if stands is Decision.OPEN:  # nothing else can be proposed meanwhile
        back = Button(WORDS.say("nominate.back", language), Press(OWN, last.id).data())
        return Reply("\n\n".join([*said, came]), ((back,),), language=language)
    return Reply("\n\n".join([*said, how, came]), language=language)


def _last(tx: DeskTransaction, act: Act, office: Subject) -> Approval | None:
    """The newest that whoever acts asked for: what others ask for, and hear, is theirs."""
    asked = (NOMINATE, f"subject:{office.id}", act.who)
    mine = (each for each in tx.approvals() if (each.action, each.what, each.asked_by) == asked)
    return next(mine, None)
