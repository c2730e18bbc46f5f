"""Accounts and roles: who may sign in, and as what."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.accounts import Account
from desk.audit import Act
from desk.entry import staffing, welcoming
from desk.entry.entering import demands
from desk.entry.staffing import Listed
from desk.entry.wrongs import AccountError
from desk.roles import SCOPED, Grant, May, Role
from desk.store import DeskTransaction
from surveys.people import Subject
from web.console.context import Context
from web.console.doors import Door
from web.console.proving import sure

T = TypeVar("T")
LIST = "/desk/accounts"
OFFERED = 300  # subjects that the form names; a longer roster is typed


async def listed(at: Context) -> Response:
    """Everybody who has an account."""
    found = await at.read(lambda tx: staffing.listed(tx, tx.accounts()))
    lacking = {
        each.account.id
        for each in found
        if not each.account.totp and demands(each.account, at.console.second_factor)
    }
    names = await at.read(_names)
    return at.page("accounts/list.html", found=found, lacking=lacking, subjects=names)


async def one(at: Context) -> Response:
    """One account, and for whoever may, what can be done with it."""
    return await _one(at)


async def _one(at: Context, wrong: AccountError | None = None) -> Response:
    def work(tx: DeskTransaction) -> tuple[Listed, list[Subject]]:
        account = tx.account(at.request.path_params["account"])
        if account is None:
            raise HTTPException(404)
        [found] = staffing.listed(tx, [account])
        return found, list(tx.subjects())

    found, subjects = await at.read(work)
    chosen = _typed(at) if wrong is not None and "stood" in at.fields else None
    return at.page(
        "accounts/one.html",
        status=200 if wrong is None else 422,
        found=found,
        account=found.account,
        own=found.account.id == at.account.id,
        held=found.account.grants if chosen is None else chosen,
        stood=_stood(found.account.grants),
        error=wrong,
        **_offer(at, subjects),
    )


async def new_page(at: Context) -> Response:
    """The form that invites somebody."""
    return await _new(at)


async def _new(at: Context, wrong: AccountError | None = None) -> Response:
    subjects = await at.read(lambda tx: list(tx.subjects()))
    status = 200 if wrong is None else 422
    return at.page("accounts/new.html", status=status, error=wrong, held=_typed(at),
                   **_offer(at, subjects))  # fmt: skip


async def invite(at: Context) -> Response:
    """Make the account and show its link, once."""
    act, login, name = at.act(), at.fields.get("login", ""), at.fields.get("name", "")

    def work(tx: DeskTransaction) -> tuple[str, Account]:
        secret = welcoming.invite(tx, act, login, name, _chosen(at, tx))
        return secret, staffing.called(tx, login)

    try:
        secret, account = await at.write(work)
    except AccountError as error:
        return await _again(at, error) or await _new(at, error)
    return _link(at, account, secret)


async def _again(at: Context, error: AccountError) -> Response | None:
    """On to the account where the page that showed its link was reloaded; None for all else."""
    if error.code != "login_taken":
        return None
    name = at.fields.get("name", "").strip()
    made = await at.read(lambda tx: staffing.called(tx, at.fields.get("login", "")))
    if made.name != name or made.password or made.external:
        return None
    return at.go(f"{LIST}/{made.id}", "accounts.link.gone")


async def link(at: Context) -> Response:
    """A new one-time link, shown once; all sessions of the account end."""
    act, clear = at.act(), at.fields.get("clear_factor") == "on"
    id = at.request.path_params["account"]

    def work(tx: DeskTransaction) -> tuple[str, Account]:
        secret = welcoming.link(tx, act, id, clear_factor=clear)
        return secret, staffing.account_of(tx, id)

    try:
        secret, account = await at.write(work)
    except AccountError as error:
        return await _refused(at, error)
    return _link(at, account, secret)


def _link(at: Context, account: Account, secret: str) -> Response:
    """In the answer to the form itself: never in an address, never in a cookie."""
    address = at.site.public_url + welcoming.path(secret)
    hours = int(welcoming.TERM.total_seconds()) // 3600
    return at.page("accounts/link.html", account=account, address=address, hours=hours)


async def roles(at: Context) -> Response:
    """Exactly these roles from now on."""
    act, id = at.act(), at.request.path_params["account"]
    stood = _read(at.fields.get("stood", ""))

    def work(tx: DeskTransaction) -> Account:
        return staffing.set_grants(tx, act, id, _chosen(at, tx), stood)

    return await _changed(at, work, "accounts.done.roles")


async def _changed(at: Context, work: Callable[[DeskTransaction], object], said: str) -> Response:
    try:
        await at.write(work)
    except AccountError as error:
        return await _refused(at, error)
    return at.go(f"{LIST}/{at.request.path_params['account']}", said)


async def _refused(at: Context, error: AccountError) -> Response:
    if error.code == "unknown":
        raise HTTPException(404)
    return await _one(at, error)


async def _simple(at: Context, change: Callable[[DeskTransaction, Act, str], object],
                  said: str) -> Response:  # fmt: skip
    act, id = at.act(), at.request.path_params["account"]
    return await _changed(at, lambda tx: change(tx, act, id), said)


disable = partial(_simple, change=staffing.disable, said="accounts.done.disabled")
enable = partial(_simple, change=staffing.enable, said="accounts.done.enabled")
sign_out = partial(_simple, change=staffing.sign_out, said="accounts.done.signed_out")


# roles in a form: role:ROLE or role:ROLE:SUBJECT for each that is ticked, add:ROLE for one more


def _typed(at: Context) -> tuple[Grant, ...]:
    """What is ticked."""
    return tuple(
        _grant(name.removeprefix("role:")) for name in at.fields if name.startswith("role:")
    )


def _grant(text: str) -> Grant:
    role, _, subject = text.partition(":")
    if role not in tuple(Role):
        raise HTTPException(404)  # no form of ours says so
    return Grant(Role(role), subject)


def _chosen(at: Context, tx: DeskTransaction) -> tuple[Grant, ...]:
    """What is ticked, and what was typed beside it."""
    subjects = tx.subjects()
    typed = ((role, at.fields.get(f"add:{role}", "").strip()) for role in sorted(SCOPED))
    added = [
        Grant(role, staffing.subject_meant(subjects, name, role)) for role, name in typed if name
    ]
    return (*_typed(at), *added)


def _stood(grants: Iterable[Grant]) -> str:
    """What the roles are while the form is looked at."""
    return json.dumps([f"{each.role}:{each.subject}" for each in grants], ensure_ascii=False)


def _read(stood: str) -> list[Grant]:
    try:
        return [_grant(str(part)) for part in json.loads(stood)]
    except (ValueError, TypeError, RecursionError):
        raise HTTPException(404) from None  # no form of ours says so


def _names(tx: DeskTransaction) -> dict[str, object]:
    return {subject.id: subject.name for subject in tx.subjects()}


def _offer(at: Context, subjects: list[Subject]) -> dict[str, object]:
    """What the roles' part of a form is drawn with."""
    return {
        "plain": [role for role in Role if role not in SCOPED],
        "scoped": [role for role in Role if role in SCOPED],
        "subjects": {subject.id: subject.name for subject in subjects},
        "offered": subjects[:OFFERED],
        "typed": at.fields,
    }


DOORS = (
    Door("/accounts", listed, May.ACCOUNTS_READ),
    Door("/accounts/new", new_page, May.ACCOUNTS_WRITE),
    Door("/accounts/new", sure(invite), May.ACCOUNTS_WRITE, "POST"),
    Door("/accounts/{account}", one, May.ACCOUNTS_READ),
    Door("/accounts/{account}/roles", sure(roles), May.ACCOUNTS_WRITE, "POST"),
    Door("/accounts/{account}/link", sure(link), May.ACCOUNTS_WRITE, "POST"),
    Door("/accounts/{account}/disable", disable, May.ACCOUNTS_WRITE, "POST"),
    Door("/accounts/{account}/enable", sure(enable), May.ACCOUNTS_WRITE, "POST"),
    Door("/accounts/{account}/sign-out", sign_out, May.ACCOUNTS_WRITE, "POST"),
)
