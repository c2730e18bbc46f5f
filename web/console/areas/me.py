"""One's own account: password, second factor, sessions, language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from desk.accounts import Session
from desk.chatting import TERM, unlink_chat
from desk.entry import own, passwords
from desk.entry.entering import demands
from desk.entry.wrongs import AccountError
from desk.roles import May, Role
from desk.store import DeskTransaction
from surveys.people import Text
from surveys.words import LANGUAGES
from web.console.areas.entry import chosen
from web.console.arriving import hand_out, sit, take_back, visit_of
from web.console.context import Context
from web.console.doors import SIGN_IN, Door
from web.console.hashing import KNOWN
from web.console.proving import prove

ME = "/desk/me"
BROWSERS = (
    ("MicroMessenger", "微信 WeChat"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux")


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session as the page lists it."""

    id: str
    session: Session
    browser: str
    here: bool


def browser_of(agent: str) -> str:
    """What people call a browser that calls itself ``agent``."""
    name = next((name for sign, name in BROWSERS if sign in agent), "")
    system = next((system for system in SYSTEMS if system in agent), "")
    known = " · ".join(part for part in (name, system) if part)
    return known or re.sub(r"\s+", " ", agent)[:40] or "?"


async def page(at: Context) -> Response:
    """Who one is here, and everything one may change about it."""
    return await _page(at)


async def _page(at: Context, form: str = "", wrong: AccountError | None = None) -> Response:
    account = at.account

    def work(tx: DeskTransaction) -> tuple[list[Session], dict[str, Text]]:
        return list(tx.sessions(account.id)), {s.id: s.name for s in tx.subjects()}

    sessions, subjects = await at.read(work)
    mine = at.session.digest if at.session is not None else ""
    sittings = [
        Sitting(each.digest[: own.SHOWN], each, browser_of(each.agent), each.digest == mine)
        for each in sessions
    ]
    return at.page(
        "me/me.html",
        status=200 if wrong is None else 422,
        form=form,
        error=wrong,
        sittings=sittings,
        subjects=subjects,
        languages=("", *LANGUAGES),
        demanded=demands(account, at.console.second_factor),
        least=passwords.SHORTEST,
        roles=list(Role),
    )


async def language(at: Context) -> Response:
    """The language that the desk speaks to this account."""
    session, act, wanted = at.session, at.act(), at.fields.get("language", "")
    assert session is not None
    try:
        await at.write(lambda tx: own.choose_language(tx, act, session, wanted))
    except AccountError as error:
        return await _page(at, "language", error)
    going = at.go(ME, "me.done.language")
    going.delete_cookie("language")  # what was chosen at the top of some page gives way
    return going


async def password(at: Context) -> Response:
    """Another password; all other sessions end."""
    session, account, visit = at.session, at.account, visit_of(at)
    assert session is not None
    new = at.fields.get("new", "")
    try:
        about = (account.login, account.name)
        chosen(at, new, at.fields.get("again", ""), about, "new")  # before an attempt is counted
        proved = await prove(at)
        with KNOWN.place(account.login):
            encoded = await KNOWN.run(partial(passwords.hashed, new))
        seated = await at.write(lambda tx: own.change_password(tx, visit, session, proved, encoded))
    except AccountError as error:
        return await _page(at, "password", error)
    sit(at, seated)
    return hand_out(at, at.go(ME, "me.done.password"), seated)


async def remove_factor(at: Context) -> Response:
    """Do without a second factor, where the role lets one."""
    session, act, demanded = at.session, at.act(), at.console.second_factor
    assert session is not None
    try:
        proved = await prove(at)
        await at.write(lambda tx: own.remove_factor(tx, act, session, proved, demanded))
    except AccountError as error:
        return await _page(at, "remove", error)
    return at.go(ME, "me.done.removed")


async def codes(at: Context) -> Response:
    """New recovery codes, shown now and never again."""
    session, act, key = at.session, at.act(), at.console.app_key
    assert session is not None
    try:
        proved = await prove(at)
        drawn = await at.write(lambda tx: own.renew_codes(tx, act, session, proved, key))
    except AccountError as error:
        return await _page(at, "codes", error)
    return at.page("me/codes.html", codes=drawn, renewed=True)


async def chat_code(at: Context) -> Response:
    """A code for one's own chat with the bot, shown now and good once."""
    session, act = at.session, at.act()
    assert session is not None
    try:
        proved = await prove(at) if at.account.password else ""
        code = await at.write(lambda tx: own.offer_chat(tx, act, session, proved, at.now))
    except AccountError as error:
        return await _page(at, "chat", error)
    minutes = int(TERM.total_seconds()) // 60
    return at.page("me/chat.html", code=code, minutes=minutes)


async def unlink(at: Context) -> Response:
    """The linked chat can do nothing any more."""
    act, account = at.act(), at.account
    gone = await at.write(lambda tx: unlink_chat(tx, act, account))
    return at.go(ME, "me.done.unlinked" if gone else "me.done.no_chat")


async def end_one(at: Context) -> Response:
    """End one session: another, or this."""
    act, shown, account = at.act(), at.fields.get("session", ""), at.account.id
    ended = await at.write(lambda tx: own.end_session(tx, act, account, shown))
    if ended and at.session is not None and at.session.digest.startswith(shown):
        return take_back(at, at.go(SIGN_IN, "entry.out"))
    return at.go(ME, "me.done.ended" if ended else "me.done.gone")


async def end_others(at: Context) -> Response:
    """End all but this."""
    act, account, mine = at.act(), at.account.id, at.session.digest if at.session else ""
    count = await at.write(lambda tx: own.end_sessions(tx, act, account, mine))
    return at.go(ME, "me.done.others", count=count)


async def end_all(at: Context) -> Response:
    """Sign out everywhere, here as well."""
    act, account = at.act(), at.account.id
    await at.write(lambda tx: own.end_sessions(tx, act, account))
    return take_back(at, at.go(SIGN_IN, "entry.out_everywhere"))


DOORS = (
    Door("/me", page, May.OWN),
    Door("/me/language", language, May.OWN, "POST"),
    Door("/me/password", password, May.OWN, "POST"),
    Door("/me/second-factor/remove", remove_factor, May.OWN, "POST"),
    Door("/me/recovery-codes", codes, May.OWN, "POST"),
    Door("/me/chat/code", chat_code, May.OWN, "POST"),
    Door("/me/chat/unlink", unlink, May.OWN, "POST"),
    Door("/me/sessions/end", end_one, May.OWN, "POST"),
    Door("/me/sessions/end-others", end_others, May.OWN, "POST"),
    Door("/me/sessions/end-all", end_all, May.OWN, "POST"),
)
