"""Showing once more, in the middle of a session, who one is."""

from __future__ import annotations

from functools import partial, wraps

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.accounts import Session
from desk.entry import own, passwords
from desk.entry.entering import Wait
from desk.entry.wrongs import AccountError
from web.console.arriving import patience, visit_of
from web.console.context import Context
from web.console.doors import Handler
from web.console.hashing import KNOWN

LONGEST_TYPED = 1000  # characters of a password that are looked at


async def prove(at: Context) -> str:
    """The hash that the form's ``password`` matches; AccountError for a wrong one, or too soon."""
    session, visit = session_of(at), visit_of(at)
    with KNOWN.place(at.account.login):
        found = await at.write(lambda tx: own.ask(tx, visit, session))
        if isinstance(found, Wait):
            raise AccountError("wait", "password", time=patience(at, found.until))
        password = at.fields.get("password", "")[:LONGEST_TYPED]
        if not await KNOWN.run(partial(passwords.matches, found, password)):
            raise AccountError("password_old", "password")
    return found


def session_of(at: Context) -> Session:
    """The reader's session; HTTPException 401 where there is none."""
    if at.session is None:
        raise HTTPException(401)
    return at.session


def sure(handler: Handler) -> Handler:
    """``handler`` of a form for whoever has lately shown who they are; others are asked first.

    What they sent goes into the page that asks, and on from there together with the password.
    """

    @wraps(handler)
    async def asking(at: Context) -> Response:
        session = session_of(at)
        if await at.read(lambda tx: own.proven(tx, session, at.now)):
            return await handler(at)
        if not at.account.password or "password" not in at.fields:
            return _ask(at)
        try:
            proved = await prove(at)
            await at.write(lambda tx: own.confirm(tx, session, proved, at.now))
        except AccountError as error:
            return _ask(at, error)
        return await handler(at)

    return asking


def _ask(at: Context, wrong: AccountError | None = None) -> Response:
    sent = {name: said for name, said in at.fields.items() if name not in ("proof", "password")}
    minutes = int(own.FRESH.total_seconds()) // 60
    return at.page("entry/sure.html", status=403, sent=sent, error=wrong, minutes=minutes)
