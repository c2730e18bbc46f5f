"""Administrators in their own chat: linking it by a one-time code, and what it may do then.

Nobody who is not linked is answered differently than anybody else, so nobody learns who is.
Officials on the roster, linked or not, propose their raters by ``/nominate``.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desk.accounts import Account, Attempts, Ticket
from desk.attention import Item, attention
from desk.audit import Act, record
from desk.campaigns import commanding
from desk.campaigns.alarms import Alarm
from desk.campaigns.commanding import WORDS, Said
from desk.proposing import acting, offices, propose, retract
from desk.relating import vacate
from desk.roles import May, Role, allows
from desk.store import DeskTransaction
from surveys.people import Address
from surveys.reply import Reply
from surveys.words import LANGUAGES

CHANNELS = ("telegram", "terminal")  # a browser's chat is known by a cookie alone: not enough
TERM = timedelta(minutes=10)
TRIES, SHUT = 5, timedelta(hours=1)  # wrong codes from one chat, and how long none is looked at
SIGNS, LENGTH = "23456789abcdefghjkmnpqrstuvwxyz", 8  # no 0 o, no 1 i l
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
class Command:
    """What it takes and what it does. ``named``: an id stands behind it. None: it is the desk's
    own.
    """

    may: May
    answer: Callable[[Said], str] | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class ChatDesk:
    """Implements ``surveys.attendant.Attendant``.

    ``key`` seals the audit. ``second_factor`` are the roles that must have one. ``tell`` puts what
    needs attention into words. ``url`` is the desk's address. What asks or changes more than
    ``approval_above`` people takes two.
    """

    key: bytes = field(repr=False)
    second_factor: frozenset[Role]
    zone: ZoneInfo
    tell: Callable[[Item, str], str]
    url: str
    approval_above: int

    def alarmed(self, alarm: Alarm, language: str) -> Reply:
        """What is said to whoever an alarm is told to, unasked."""
        item = Item(alarm.key, alarm.path, True, dict(alarm.facts))
        url = self.url.removesuffix("/desk") + alarm.path
        text = WORDS.say("alarm", language, what=self.tell(item, language), url=url)
        return Reply(text, language=language)

    def heard(
        self, tx: DeskTransaction, address: Address, text: str, language: str, now: datetime
    ) -> tuple[Reply, ...] | None:
        """The answer to one of :data:`COMMANDS`; None for everything and everybody else."""
        typed = COMMAND.fullmatch(text)
        if typed is None:
            return None
        name, rest = typed[1].lower(), (typed[2] or "").strip()
        if name == "nominate":
            return self._proposed(tx, address, rest, language, now)
        if address.channel not in CHANNELS:
            return None
        command = COMMANDS.get(name)
        if command is None or (command.named and not rest):
            return None
        act = _link(tx, self.key, address, rest, now) if name == "desk" and rest else None
        account = linked(tx, address)
        if account is None:
            return None
        spoken = account.language if account.language in LANGUAGES else language
        acting = act or Act(account.id, account.name, address.channel, now, self.key)
        said = Said(tx, acting, account, rest, spoken, self.zone, self.approval_above)
        if name == "desk" and rest:
            key = "linked" if act else "wrong_code"
            answer = said.say(key, name=account.name, login=account.login)
        elif not allows(account.grants, command.may):
            answer = said.say("refused", command=name)
        elif command.answer is None:
            answer = self._stands(said)
        else:
            answer = command.answer(said)
        return (Reply(answer, language=spoken),)

    def _proposed(
        self, tx: DeskTransaction, address: Address, rest: str, language: str, now: datetime
    ) -> tuple[Reply, ...] | None:
        """What an official who proposes raters is answered; None for anybody else."""
        held = offices(tx, address)
        if not held:
            return None
        act = acting(tx, address, Act("", "", address.channel, now, self.key))
        return (propose(tx, held, rest, language, act),)

    def pressed(
        self, tx: DeskTransaction, address: Address, name: str, language: str, now: datetime
    ) -> tuple[Reply, ...] | None:
        """An official takes back what they proposed, the one button there is; None for others."""
        held = offices(tx, address)
        if not held:
            return None
        act = acting(tx, address, Act("", "", address.channel, now, self.key))
        reply = retract(tx, held, name, language, act)
        return None if reply is None else (reply,)

    def forgotten(self, tx: DeskTransaction, addresses: Sequence[Address], now: datetime) -> None:
        """The account stays; whoever has it may link another chat. What they proposed lapses."""
        if (chat := next((each for at in addresses if (each := tx.chat(at))), None)) is not None:
            act = Act("?", "?", chat.address.channel, now, self.key)
            vacate(tx, act, chat.person)
        for address in addresses:
            account = tx.account_by_chat(address)
            if account is not None:
                act = Act(account.id, account.name, address.channel, now, self.key)
                unlink_chat(tx, act, account)

    def _stands(self, said: Said) -> str:
        """Who I am here, what needs attention, what I can send."""
        account = said.account
        items = attention(said.tx, account, said.act.at, self.second_factor)
        able = [name for name, command in COMMANDS.items() if allows(account.grants, command.may)]
        lines = [said.say("desk.who", name=account.name, login=account.login), ""]
        lines.append(said.say("desk.attention" if items else "desk.nothing"))
        lines += [f"• {self.tell(item, said.language)}" for item in items]
        lines += ["", said.say("desk.can"), *(said.say(f"can.{name}") for name in able)]
        return "\n".join((*lines, "", said.say("desk.more", url=self.url)))


COMMANDS: Mapping[str, Command] = {
    "desk": Command(May.HOME),
    "campaigns": Command(May.CAMPAIGNS_READ, commanding.campaigns),
    "pause": Command(May.CAMPAIGNS_WRITE, commanding.pause, named=True),
    "resume": Command(May.CAMPAIGNS_WRITE, commanding.resume, named=True),
    "extend": Command(May.CAMPAIGNS_WRITE, commanding.extend, named=True),
    "close": Command(May.CAMPAIGNS_WRITE, commanding.close, named=True),
}
"""By their names in the chat. ``/desk CODE`` links a chat and needs no role."""
