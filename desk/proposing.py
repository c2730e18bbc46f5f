"""Officials in their own chat: whom they propose to rate them. A second person at the desk decides.

Who rates them already they are not told, so proposing is no way to find out: such names change
nothing and are not mentioned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from desk.approvals import OFFICIAL, ApprovalError
from desk.audit import Act, someone
from desk.campaigns.commanding import WORDS
from desk.importing.columns import GROUPS, plain
from desk.nominating import NOMINATE, NOMINATED, nominate, pending
from desk.relating import RelationError, held
from desk.store import Approval, DeskTransaction
from surveys.cells import RaterGroup
from surveys.people import Address, Subject
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


def acting(tx: DeskTransaction, address: Address, mine: Sequence[Subject], act: Act) -> Act:
    """``act`` by whoever talks from ``address``: their account where this chat is linked to one.

    So whoever has an account is no second person to what they propose here. Else the official,
    and the person by a mark: who holds the office next is not told what they proposed.
    """
    account, chat = tx.account_by_chat(address), tx.chat(address)
    if account is not None:
        return replace(act, who=account.id, name=account.name)
    mark = "" if chat is None else someone(act, chat.person)
    who = f"{OFFICIAL}{mine[0].id} {mark}"
    return replace(act, who=who, name=pick(mine[0].name, LANGUAGES[0]))


def propose(
    tx: DeskTransaction, mine: Sequence[Subject], typed: str, language: str, act: Act
) -> str:
    """The answer to ``/nominate typed`` of somebody who holds these offices, at least one.

    ``typed`` is the id of an office where there are several, a side, and the people by commas.
    """
    first, rest = _cut(typed)
    office = next((each for each in mine if each.id == first), None)
    if office is None and len(mine) > 1:
        listed = "\n".join(f"• {each.id} {pick(each.name, language)}" for each in mine)
        return WORDS.say("nominate.which", language, listed=listed)
    words = rest if office is not None else typed
    office = office or mine[0]
    side, people = _cut(words)
    group = _side(side)
    if group is None or not people:
        return _how(tx, act.who, office, language, mistaken=bool(words))
    if pending(tx, office.id, act.at):
        return WORDS.say("nominate.waits", language, name=pick(office.name, language))
    try:
        names = _BETWEEN_NAMES.sub(",", people)
        asked = nominate(tx, act, None, office.id, group, names, hushed=True)
    except RelationError as error:
        return error.saying.said(language)
    except ApprovalError as error:
        return error.said(language)
    told = _whom(tx, asked, language)
    return WORDS.say("nominate.asked", language, name=pick(office.name, language), **told)


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


def _how(tx: DeskTransaction, who: str, office: Subject, language: str, *, mistaken: bool) -> str:
    """How it is written, and what became of the last one."""
    said = [WORDS.say("nominate.not_so", language)] if mistaken else []
    said.append(WORDS.say("nominate.how", language, name=pick(office.name, language)))
    last = _last(tx, who, office)
    if last is not None:
        key, whom = f"nominate.is.{last.decision}", _whom(tx, last, language)
        said.append(WORDS.say(key, language, note=last.note, **whom).strip())
    return "\n\n".join(said)


def _last(tx: DeskTransaction, who: str, office: Subject) -> Approval | None:
    """The newest that ``who`` asked for: what others ask for, and hear, is theirs."""
    asked = (NOMINATE, f"subject:{office.id}", who)
    mine = (each for each in tx.approvals() if (each.action, each.what, each.asked_by) == asked)
    return next(mine, None)
