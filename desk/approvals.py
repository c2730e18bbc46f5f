"""Approval by a second person: one asks, another agrees, and only then it takes effect.

A room registers what it wants done only by two; what they agree to is executed in the very
transaction of the agreement, so it happens once or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex

from desk.accounts import Account
from desk.audit import Act, Value, record, someone
from desk.connections.hooks import announce
from desk.independence import beholden
from desk.roles import May, allows
from desk.saying import shown
from desk.store import Approval, Decision, DeskTransaction
from surveys.words import LANGUAGES, Words, pick

WORDS = Words.of("desk", "approvals")
TERM = timedelta(days=7)  # an open request that nobody decided upon ends by itself
LONGEST = 500  # characters of a note
OFFICIAL = "official:"  # before an official's id and a mark: who asks from a chat of their own
Execute = Callable[[DeskTransaction, Act, Mapping[str, str]], object]
Behind = Callable[[DeskTransaction, Mapping[str, str]], Collection[str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be asked for. ``permission`` is what asking and deciding take.

    ``execute`` does it; it raises ValueError, with words for people, where it cannot be done
    (with ``wrongs`` that are ``said`` in a language, as CampaignError, also in others). ``refuse``
    is what a refusal does. ``behind`` names whose will it is besides the asker's, for what the
    clock asks, and whom it is about: they are no second person either. ``people`` is the argument
    that lists people's ids, as JSON: the audit, which outlives them, has them as marks.
    """

    permission: May
    execute: Execute
    refuse: Execute | None = None
    behind: Behind | None = None
    people: str = ""


ACTIONS: dict[str, Kind] = {}
"""By name as in the audit: campaign.create."""


def register(
    name: str,
    permission: May,
    execute: Execute,
    *,
    refuse: Execute | None = None,
    behind: Behind | None = None,
    people: str = "",
) -> None:
    """Make ``name`` something that two people do together. Each name once: else a bug."""
    if name in ACTIONS:
        raise KeyError(f"{name} is registered already")
    ACTIONS[name] = Kind(permission, execute, refuse, behind, people)


class ApprovalError(ValueError):
    """It cannot be asked or decided so. ``code`` is a key of approvals.toml under wrong."""

    def __init__(self, code: str, **arguments: object) -> None:
        self.code = code
        self.arguments = arguments
        super().__init__(self.said("en"))

    def said(self, language: str) -> str:
        """In words, with what to do; where it could not be done, why, in that language if known."""
        wrongs = getattr(self.__cause__, "wrongs", ())
        arguments = dict(self.arguments)
        if self.code == "impossible" and wrongs:
            arguments["reason"] = " ".join(each.said(language) for each in wrongs)
        return WORDS.say(f"wrong.{self.code}", language, **arguments)


def ask(
    tx: DeskTransaction,
    act: Act,
    account: Account | None,
    action: str,
    what: str,
    arguments: Mapping[str, str],
    now: datetime,
) -> Approval:
    """Ask for ``action`` upon ``what``; ``account`` None: at the terminal, as ``act`` says.

    ApprovalError where the same is asked for already, or the account may not do it either.
    """
    kind = _kind(action)
    if account is not None and not _able(tx.account(account.id), kind):
        raise ApprovalError("forbidden")
    tx.audit_head()  # from here on nobody else writes: two who ask at once cannot both be first
    for each in tx.approvals(open_only=True):
        if (each.action, each.what) != (action, what):
            continue
        if each.expires_at > now:
            raise ApprovalError("doubled", name=name_of(tx, each.asked_by), id=each.id)
        _expire(tx, act, each, now)
    asked_by = act.who if account is None else account.id
    made = Approval(token_hex(6), action, what, dict(arguments), asked_by, now, now + TERM)
    tx.put_approval(made)
    after = dict(detailed(_marked(act, kind, made.arguments))) | _facts(tx, made)
    record(tx, act, "approval.asked", _what(made), None, after)
    told = {"approval": made.id, "action": action, "what": what}
    announce(tx, "approval.asked", told, now)
    return made


def _marked(act: Act, kind: Kind, arguments: Mapping[str, str]) -> dict[str, str]:
    """``arguments`` as the audit may keep them."""
    if not kind.people:
        return dict(arguments)
    marks = (someone(act, person) for person in json.loads(arguments[kind.people]))
    return {**arguments, kind.people: ", ".join(marks)}


def decide(
    tx: DeskTransaction,
    act: Act,
    account: Account,
    approval: str,
    agree: bool,
    note: str,
    now: datetime,
) -> Approval:
    """Agree or refuse, as somebody else than who asked. Agreeing does what was asked for.

    Somebody else is not an account that the asker could have entered: see :func:`beholden`.

    ApprovalError where that cannot be; then nothing at all has changed once the unit of work ends
    with it, and a request that was open is still open.
    """
    asked = _open(tx, approval, now)
    kind = _kind(asked.action)
    if account.id == asked.asked_by:
        raise ApprovalError("own")
    if not _able(tx.account(account.id), kind):
        raise ApprovalError("forbidden")
    if wrong := barred(tx, account, asked, now):
        raise wrong
    decision = Decision.APPROVED if agree else Decision.REFUSED
    decided = _decide(tx, asked, decision, account.id, now, _clean(note))
    record(tx, act, f"approval.{decision}", _what(decided), {"decision": "open"},
           _facts(tx, decided) | {"decision": decision, "note": decided.note})  # fmt: skip
    consequence = kind.execute if agree else kind.refuse
    if consequence is not None:
        try:
            consequence(tx, act, decided.arguments)
        except ValueError as error:
            raise ApprovalError("impossible", reason=str(error)) from error
    return decided


def barred(
    tx: DeskTransaction, account: Account, asked: Approval, now: datetime
) -> ApprovalError | None:
    """Why ``account``, whose role allows it, is no second person here; None where it is one."""
    for asker in askers(tx, asked):
        if account.id == asker:
            return ApprovalError("own" if asker == asked.asked_by else "behind")
        if account.id in beholden(tx, asker, now):
            return ApprovalError("beholden", name=name_of(tx, asker))
    return None


def askers(tx: DeskTransaction, asked: Approval) -> list[str]:
    """Whose will a request is: who asked, and who stands behind it."""
    kind = ACTIONS.get(asked.action)
    behind = kind.behind(tx, asked.arguments) if kind is not None and kind.behind else ()
    return [asked.asked_by, *(who for who in behind if who != asked.asked_by)]


def withdraw(
    tx: DeskTransaction, act: Act, account: Account | None, approval: str, now: datetime
) -> Approval:
    """Take back what one has asked for; ``account`` None: as ``act`` says.

    ApprovalError where somebody else asked, or too late.
    """
    asked, who = _open(tx, approval, now), act.who if account is None else account.id
    if who != asked.asked_by:
        raise ApprovalError("not_yours", name=name_of(tx, asked.asked_by))
    done = _decide(tx, asked, Decision.WITHDRAWN, who, now)
    record(tx, act, "approval.withdrawn", _what(done), {"decision": "open"},
           _facts(tx, done) | {"decision": "withdrawn"})  # fmt: skip
    return done


def overdue(tx: DeskTransaction, now: datetime) -> list[Approval]:
    """The open requests whose time is over."""
    return [each for each in tx.approvals(open_only=True) if each.expires_at <= now]


def expire(tx: DeskTransaction, act: Act, now: datetime) -> int:
    """End the open requests whose time is over; how many."""
    return sum(_expire(tx, act, each, now) for each in overdue(tx, now))


def lapse(tx: DeskTransaction, act: Act, action: str, what: str, now: datetime) -> None:
    """End the open requests for ``action`` upon ``what``: there is nothing left to decide."""
    for each in tx.approvals(open_only=True):
        if (each.action, each.what) == (action, what):
            _expire(tx, act, each, now)


def deciders(tx: DeskTransaction, action: str, asker: str, now: datetime) -> list[Account]:
    """Who could decide upon ``action`` at this moment, where ``asker`` asks for it."""
    return _deciders(tx, _kind(action), [asker], now)


def able(tx: DeskTransaction, asked: Approval, now: datetime) -> list[Account]:
    """Who could decide upon the request ``asked`` at this moment."""
    return _deciders(tx, _kind(asked.action), askers(tx, asked), now)


def _deciders(
    tx: DeskTransaction, kind: Kind, asking: Collection[str], now: datetime
) -> list[Account]:
    shut = {who for asker in asking for who in (asker, *beholden(tx, asker, now))}
    return [each for each in tx.accounts() if each.id not in shut and _able(each, kind)]


def detailed(arguments: Mapping[str, str]) -> list[tuple[str, str]]:
    """(name, value) of all that will be done with; a value that is itself an object, opened."""
    found: list[tuple[str, str]] = []
    for name, value in arguments.items():
        try:
            inner = json.loads(value) if value.startswith("{") else None
        except ValueError:
            inner = None
        pairs = inner.items() if isinstance(inner, dict) else ((name, value),)
        found += [(key, _visible(_plain(each))) for key, each in pairs if each not in ("", None)]
    return found


def name_of(tx: DeskTransaction, who: str) -> str:
    """What an account is called; the terminal's operators are called as they sign the audit."""
    if who.startswith(OFFICIAL):
        official = tx.subject(who.removeprefix(OFFICIAL).partition(" ")[0])
        return who if official is None else pick(official.name, LANGUAGES[0])
    account = tx.account(who) if who else None
    return who if account is None else account.name


def _clean(note: str) -> str:
    """``note`` in one line, with nothing in it that is not seen."""
    return _visible(" ".join(note.split())[:LONGEST])


def _visible(text: str) -> str:
    return shown(text, len(text))


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _kind(action: str) -> Kind:
    if action not in ACTIONS:
        raise ApprovalError("unknown_action", action=action)
    return ACTIONS[action]


def _able(account: Account | None, kind: Kind) -> bool:
    return account is not None and not account.disabled and allows(account.grants, kind.permission)


def _open(tx: DeskTransaction, approval: str, now: datetime) -> Approval:
    asked = tx.approval(approval)
    if asked is None:
        raise ApprovalError("missing")
    if asked.decision is not Decision.OPEN:
        raise ApprovalError(f"already_{asked.decision}", name=name_of(tx, asked.decided_by))
    if asked.expires_at <= now:
        raise ApprovalError("already_expired")
    return asked


def _decide(
    tx: DeskTransaction, asked: Approval, decision: Decision, by: str, now: datetime, note: str = ""
) -> Approval:
    decided = replace(asked, decision=decision, decided_by=by, decided_at=now, note=note)
    if not tx.decide_approval(decided):
        raise ApprovalError("faster")
    return decided


def _expire(tx: DeskTransaction, act: Act, asked: Approval, now: datetime) -> bool:
    over = replace(asked, decision=Decision.EXPIRED, decided_at=now)
    if not tx.decide_approval(over):
        return False
    record(tx, act, "approval.expired", _what(over), {"decision": "open"},
           _facts(tx, over) | {"decision": "expired"})  # fmt: skip
    return True


def _what(approval: Approval) -> str:
    return f"approval:{approval.id}"


def _facts(tx: DeskTransaction, approval: Approval) -> dict[str, Value]:
    """Both people by name, and what it was about; the entry itself says who acted."""
    facts: dict[str, Value] = {
        "action": approval.action,
        "object": approval.what,
        "asked_by": name_of(tx, approval.asked_by),
    }
    if approval.decided_by:
        facts["decided_by"] = name_of(tx, approval.decided_by)
    return facts


def alone(accounts: Iterable[Account]) -> dict[str, Account]:
    """Actions that only one account could ask for, so that nobody could agree."""
    known = list(accounts)
    able = {name: [a for a in known if _able(a, kind)] for name, kind in ACTIONS.items()}
    return {name: found[0] for name, found in able.items() if len(found) == 1}
