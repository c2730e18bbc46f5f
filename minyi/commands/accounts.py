"""minyi account …: who may sign in to the desk, for the machine's own operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from minyi.commands.desk import (
    CommandError,
    act,
    fill,
    open_store,
    run,
    say,
    settings,
    show,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from desk.accounts import Account
    from desk.entry.staffing import Listed
    from desk.roles import Grant
    from desk.store import DeskTransaction
    from minyi.settings import Settings

T = TypeVar("T")
Login = Annotated[str, typer.Argument(help="The account's login.", show_default=False)]
RoleName = Annotated[
    str,
    typer.Option(
        "--role",
        help="administrator, officer, supervisor, handler, custodian, auditor or rated.",
        show_default=False,
    ),
]
SubjectId = Annotated[
    str, typer.Option("--subject", help="Whose: the unit or official of supervisor and rated.")
]

group = typer.Typer(help="Accounts at the administrators' desk.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(group, name="account")


@group.command(name="list")
def listing(ctx: typer.Context) -> None:
    """List the accounts."""
    found = run(_listed(settings(ctx)))
    listing = table("", "login", "name", "roles", "second factor", "last here", "state")
    for each in found:
        fill(listing, *_cells(each))
    show(listing) if found else say("There are no accounts yet. `minyi init` prints a link.")


def _cells(each: Listed) -> tuple[object, ...]:
    from desk.entry.staffing import roles_of

    account = each.account
    roles = ", ".join(map(str, roles_of(account.grants)))
    seen = "" if each.seen_at is None else each.seen_at.strftime("%Y-%m-%d %H:%M UTC")
    invited = not account.password and account.external is None
    state = "disabled" if account.disabled else "invited" if invited else "may sign in"
    return account.login, account.name, roles, "yes" if account.totp else "no", seen, state


async def _listed(settings: Settings) -> list[Listed]:
    from desk.entry.staffing import listed

    async with open_store(settings) as store:
        return await store.read(lambda tx: list(listed(tx, tx.accounts())))


@group.command()
def invite(
    ctx: typer.Context,
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name.", show_default=False)],
    role: RoleName,
    subject: SubjectId = "",
) -> None:
    """Make an account and print its one-time link."""
    from desk.entry.welcoming import invite as invited

    used, acting = settings(ctx), act(settings(ctx))
    secret = _done(used, lambda tx: invited(tx, acting, login, name, (_grant(tx, role, subject),)))
    _print_link(used, secret, login)


@group.command()
def link(
    ctx: typer.Context,
    login: Login,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="The second factor goes as well.")
    ] = False,
) -> None:
    """Print a new one-time link for a lost password or phone. All sessions end, older links too."""
    from desk.entry.welcoming import link as issued

    used, acting = settings(ctx), act(settings(ctx))
    secret = _done(used, lambda tx: issued(tx, acting, _id(tx, login), clear_factor=second_factor))
    _print_link(used, secret, login)


@group.command()
def disable(ctx: typer.Context, login: Login) -> None:
    """Let nobody sign in with it any more; its sessions end at once."""
    from desk.entry import staffing

    used, acting = settings(ctx), act(settings(ctx))
    _done(used, lambda tx: staffing.disable(tx, acting, _id(tx, login)))
    say(f"{login} is disabled, and its sessions have ended.")


@group.command()
def enable(ctx: typer.Context, login: Login) -> None:
    """Let it sign in again, with the password and second factor that it had."""
    from desk.entry import staffing

    used, acting = settings(ctx), act(settings(ctx))
    _done(used, lambda tx: staffing.enable(tx, acting, _id(tx, login)))
    say(f"{login} may sign in.")


@group.command()
def grant(ctx: typer.Context, login: Login, role: RoleName, subject: SubjectId = "") -> None:
    """Give an account one role more. Its sessions end."""
    from desk.entry import staffing

    used, acting = settings(ctx), act(settings(ctx))
    changed = _done(
        used, lambda tx: staffing.grant(tx, acting, _id(tx, login), _grant(tx, role, subject))
    )
    _say_roles(changed)


@group.command()
def revoke(ctx: typer.Context, login: Login, role: RoleName, subject: SubjectId = "") -> None:
    """Take a role from an account. Its sessions end."""
    from desk.entry import staffing

    used, acting = settings(ctx), act(settings(ctx))
    changed = _done(
        used, lambda tx: staffing.revoke(tx, acting, _id(tx, login), _held(role, subject))
    )
    _say_roles(changed)


@group.command(name="sign-out")
def sign_out(ctx: typer.Context, login: Login) -> None:
    """End all sessions of an account and revoke its API tokens."""
    from desk.entry import staffing

    used, acting = settings(ctx), act(settings(ctx))
    count = _done(used, lambda tx: staffing.sign_out(tx, acting, _id(tx, login)))
    say(f"Sessions of {login} ended: {count}. Its API tokens are revoked.")


def _done(settings: Settings, work: Callable[[DeskTransaction], T]) -> T:
    """``work`` in a unit of work of its own; CommandError where it is refused."""
    from desk.entry.wrongs import AccountError

    async def doing() -> T:
        async with open_store(settings) as store:
            return await store.write(work)

    try:
        return run(doing())
    except AccountError as error:
        raise CommandError(str(error)) from None


def _id(tx: DeskTransaction, login: str) -> str:
    from desk.entry.staffing import called

    return called(tx, login).id


def _grant(tx: DeskTransaction, role: str, subject: str) -> Grant:
    """The role as typed; the subject by its id or its whole name."""
    from desk.entry.staffing import subject_meant
    from desk.roles import Grant

    held = _held(role, subject)
    if not held.subject:
        return held
    return Grant(held.role, subject_meant(tx.subjects(), held.subject, held.role))


def _held(role: str, subject: str) -> Grant:
    from desk.entry.wrongs import AccountError
    from desk.roles import Grant, Role

    if role not in tuple(Role):
        raise AccountError("role", "roles", role=role[:40], roles=", ".join(Role))
    return Grant(Role(role), subject.strip())


def _say_roles(account: Account) -> None:
    from desk.entry.staffing import roles_of

    roles = ", ".join(map(str, roles_of(account.grants))) or "no role"
    say(f"{account.login}: {roles}. Its sessions have ended.")


def _print_link(settings: Settings, secret: str, login: str) -> None:
    from desk.entry.welcoming import TERM, path

    hours = int(TERM.total_seconds()) // 3600
    say(f"{settings.public_url}{path(secret)}")
    say(f"For {login} alone: it works once, for {hours} hours, and older ones no more.")
