"""Administrators in their own chat: linking it by a one-time code, and what it may do then.

Nobody who is not linked is answered differently than anybody else, so nobody learns who is.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desk.accounts import Account, Attempts, Ticket
from desk.attention import Item, attention
from desk.audit import Act, record
from desk.campaigns.campaigning import known, open_waves, set_paused
from desk.campaigns.standing import Brief, briefs
from desk.campaigns.wishing import CampaignError
from desk.roles import May, Role, allows
from desk.store import DeskTransaction
from surveys.people import Address
from surveys.reply import Reply
from surveys.words import LANGUAGES, Words, pick

WORDS = Words.of("desk", "chatting")
CHANNELS = ("telegram", "terminal")  # a browser's chat is known by a cookie alone: not enough
TERM = timedelta(minutes=10)
TRIES, SHUT = 5, timedelta(hours=1)  # wrong codes from one chat, and how long none is looked at
SIGNS, LENGTH = "23456789abcdefghjkmnpqrstuvwxyz", 8  # no 0 o, no 1 i l
SHOWN = 20  # campaigns in one message
COMMAND = re.compile(r"/([a-z]+)(?:@\w+)?(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)


# linking


def chat_code(tx: DeskTransaction, act: Act, account: Account, now: datetime) -> str:
    """A one-time code with which ``account`` links its chat; an earlier one works no more."""
    code = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
    tx.drop_tickets(account.id, "chat")
    tx.put_ticket(Ticket(_digest(act.key, code), "chat", account.id, now + TERM))
    record(tx, act, "account.chat_offered", f"account:{account.id}")
    return f"{code[:4]}-{code[4:]}"


def unlink_chat(tx: DeskTransaction, act: Act, account: Account) -> bool:
    """The account's chat can do nothing any more; False where it had none."""
    tx.drop_tickets(account.id, "chat")
    kept = tx.account(account.id)
    if kept is None or kept.chat is None:
        return False
    tx.put_account(replace(kept, chat=None))
    record(tx, act, "account.chat_unlinked", f"account:{kept.id}", {"chat": kept.chat.channel})
    return True


def linked(tx: DeskTransaction, chat: Address) -> Account | None:
    """Whose chat this is, where they may still come in."""
    account = tx.account_by_chat(chat)
    return None if account is None or account.disabled else account


def _link(tx: DeskTransaction, key: bytes, chat: Address, typed: str, now: datetime) -> Act | None:
    """Spend the code; the act of whoever is linked by it. None where it does not open anything."""
    tx.audit_head()  # nobody else tries meanwhile
    tries = f"chat:{_mac(key, 'tries', chat.channel, chat.handle)}"
    stood = tx.attempts(tries)
    count = 0 if stood is None or now - stood.last_at >= SHUT else stood.count
    if count >= TRIES:
        return None
    ticket = tx.spend_ticket(_digest(key, _bare(typed)), "chat", now)
    account = None if ticket is None else tx.account(ticket.account)
    if account is None or account.disabled:
        tx.put_attempts(Attempts(tries, count + 1, now))
        return None
    tx.drop_attempts(tries)
    act = Act(account.id, account.name, chat.channel, now, key)
    before = tx.account_by_chat(chat)
    if before is not None and before.id != account.id:
        unlink_chat(tx, act, before)
    tx.put_account(replace(account, chat=chat))
    after = {"chat": chat.channel}
    record(tx, act, "account.chat_linked", f"account:{account.id}", None, after)
    return act


def _bare(typed: str) -> str:
    """The code as it was made: keyboards write capitals, wide signs, hyphens of their own."""
    plain = unicodedata.normalize("NFKC", typed[:40]).lower()
    return "".join(sign for sign in plain if sign.isascii() and sign.isalnum())


def _digest(key: bytes, code: str) -> str:
    """Codes are short: only with a key does what is stored not tell them."""
    return _mac(key, "code", code)


def _mac(key: bytes, *parts: str) -> str:
    return hmac.digest(key, "\0".join(("minyi chat", *parts)).encode(), "sha256").hex()


# acting


@dataclass(frozen=True, slots=True)
class Said:
    """One command of somebody who is linked. ``rest`` is what stands behind it."""

    tx: DeskTransaction
    act: Act
    account: Account
    rest: str
    language: str
    desk: ChatDesk

    def say(self, key: str, **arguments: object) -> str:
        return WORDS.say(key, self.language, **arguments)

    def day(self, moment: datetime) -> str:
        return moment.astimezone(self.desk.zone).date().isoformat()


@dataclass(frozen=True, slots=True)
class Command:
    """What it takes and what it does. ``named``: an id stands behind it."""

    may: May
    answer: Callable[[Said], str]
    named: bool = False


@dataclass(frozen=True, slots=True)
class ChatDesk:
    """Implements ``surveys.attendant.Attendant``.

    ``key`` seals the audit. ``second_factor`` are the roles that must have one. ``tell`` puts what
    needs attention into words. ``url`` is the desk's address.
    """

    key: bytes = field(repr=False)
    second_factor: frozenset[Role]
    zone: ZoneInfo
    tell: Callable[[Item, str], str]
    url: str

    def heard(
        self, tx: DeskTransaction, address: Address, text: str, language: str, now: datetime
    ) -> tuple[Reply, ...] | None:
        """The answer to one of :data:`COMMANDS`; None for everything and everybody else."""
        typed = COMMAND.fullmatch(text)
        if typed is None or address.channel not in CHANNELS:
            return None
        name, rest = typed[1].lower(), (typed[2] or "").strip()
        command = COMMANDS.get(name)
        if command is None or (command.named and not rest):
            return None
        act = _link(tx, self.key, address, rest, now) if name == "desk" and rest else None
        account = linked(tx, address)
        if account is None:
            return None
        spoken = account.language if account.language in LANGUAGES else language
        acting = act or Act(account.id, account.name, address.channel, now, self.key)
        said = Said(tx, acting, account, rest, spoken, self)
        if name == "desk" and rest:
            key = "linked" if act else "wrong_code"
            answer = said.say(key, name=account.name, login=account.login)
        elif not allows(account.grants, command.may):
            answer = said.say("refused", command=name)
        else:
            answer = command.answer(said)
        return (Reply(answer, language=spoken),)


def _desk(said: Said) -> str:
    """Who I am here, what needs attention, what I can send."""
    account, tell = said.account, said.desk.tell
    items = attention(said.tx, account, said.act.at, said.desk.second_factor)
    able = [name for name, command in COMMANDS.items() if allows(account.grants, command.may)]
    lines = [said.say("desk.who", name=account.name, login=account.login), ""]
    lines.append(said.say("desk.attention" if items else "desk.nothing"))
    lines += [f"• {tell(item, said.language)}" for item in items]
    lines += ["", said.say("desk.can"), *(said.say(f"can.{name}") for name in able)]
    return "\n".join((*lines, "", said.say("desk.more", url=said.desk.url)))


def _campaigns(said: Said) -> str:
    found = briefs(said.tx, said.act.at)
    if not found:
        return said.say("campaigns.none")
    lines = [
        said.say(
            "campaigns.line",
            id=brief.campaign.id,
            title=pick(brief.campaign.title, said.language),
            state=_state(said, brief),
        )
        for brief in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        lines.append(said.say("campaigns.more", count=len(found) - SHOWN))
    return "\n".join(lines)


def _state(said: Said, brief: Brief) -> str:
    if brief.open is not None:
        key = "state.open_paused" if brief.campaign.paused else "state.open"
        return said.say(key, day=said.day(brief.open.closes_at))
    if brief.next_opening is not None:
        return said.say("state.running", day=said.day(brief.next_opening))
    return said.say("state.paused" if brief.state == "paused" else "state.over")


def _pause(said: Said) -> str:
    return _turn(said, True)


def _resume(said: Said) -> str:
    return _turn(said, False)


def _turn(said: Said, paused: bool) -> str:
    try:
        campaign = known(said.tx, said.rest)
    except CampaignError:
        return said.say("unknown", id=said.rest[:80])
    title, word = pick(campaign.title, said.language), "paused" if paused else "resumed"
    if campaign.paused == paused:
        return said.say(f"{word}.already", title=title)
    set_paused(said.tx, said.act, campaign.id, paused)
    still = open_waves(said.tx, campaign.id, said.act.at) if paused else []
    if still:
        return said.say("paused.open", title=title, day=said.day(still[0].closes_at))
    return said.say(word, title=title)


COMMANDS: Mapping[str, Command] = {
    "desk": Command(May.HOME, _desk),
    "campaigns": Command(May.CAMPAIGNS_READ, _campaigns),
    "pause": Command(May.CAMPAIGNS_WRITE, _pause, named=True),
    "resume": Command(May.CAMPAIGNS_WRITE, _resume, named=True),
}
"""By their names in the chat. ``/desk CODE`` links a chat and needs no role."""
