"""The way in and out: password, second factor, one-time links, enrolling, signing out."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from urllib.parse import quote, unquote

import segno
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.accounts import Stage
from desk.entry import factors, own, passwords, welcoming
from desk.entry.entering import No, Seated, Wait, answer, knock, leave, second
from desk.entry.welcoming import Invited
from desk.entry.wrongs import AccountError
from desk.roles import May
from surveys.words import pick
from web.console.arriving import hand_out, onward, patience, sit, take_back, visit_of
from web.console.context import Context
from web.console.doors import PREFIX, SIGN_IN, Door
from web.console.hashing import KNOWN, queue_of
from web.console.proving import LONGEST_TYPED, prove, session_of
from web.protection import TOKEN

ENROL = f"{PREFIX}/second-factor"
ANY = (Stage.PASSWORD, Stage.ENROL, Stage.FULL)


# name and password


async def sign_in_page(at: Context) -> Response:
    """The form; whoever is in already goes on."""
    to = onward(at.request.query_params.get("to", ""))
    if at.session is not None and at.session.stage is Stage.FULL:
        return RedirectResponse(to, 303)
    return _sign_in(at, to=to)


def _sign_in(
    at: Context, *, to: str, login: str = "", wrong: str = "", status: int = 200
) -> Response:
    return at.page("entry/sign_in.html", status=status, to=to, login=login, wrong=wrong)


async def sign_in(at: Context) -> Response:
    """Look at a login and a password. What is said is the same whether the login exists."""
    login, password = at.fields.get("login", ""), at.fields.get("password", "")[:LONGEST_TYPED]
    to = onward(at.fields.get("to", ""))
    visit = visit_of(at, login)
    queue, party = queue_of(visit, login)
    with queue.place(party):
        tried = await at.write(lambda tx: knock(tx, visit, login))
        if isinstance(tried, Wait):
            wrong = at.say("entry.wrong.wait", time=patience(at, tried.until))
            return _sign_in(at, to=to, login=login, wrong=wrong, status=429)
        right, renewed = await queue.run(partial(_looked_at, tried.encoded, password))
    found = await at.write(lambda tx: answer(tx, visit, tried, right, renewed))
    if isinstance(found, No):
        return _sign_in(at, to=to, login=login, wrong=at.say("entry.wrong.pair"), status=403)
    return _further(at, found, to)


def _looked_at(encoded: str, password: str) -> tuple[bool, str]:
    """Whether they match; and the hash anew, where it was made with older parameters."""
    right = passwords.matches(encoded, password)
    renewed = passwords.hashed(password) if right and passwords.stale(encoded) else ""
    return right, renewed


def _further(at: Context, seated: Seated, to: str = PREFIX) -> Response:
    sit(at, seated)
    steps = {Stage.PASSWORD: f"{SIGN_IN}/code", Stage.ENROL: ENROL, Stage.FULL: to}
    going = at.go(steps[seated.session.stage])
    if seated.session.stage is Stage.PASSWORD and to != PREFIX:
        going.set_cookie(_TO, quote(to), httponly=True, samesite="lax", secure=at.site.secure,
                         path=SIGN_IN, max_age=600)  # fmt: skip
    return hand_out(at, going, seated)


_TO = "minyi-desk-to"  # where somebody was going, between password and code


# the second factor


async def code_page(at: Context) -> Response:
    """The form for a code."""
    if at.session is not None and at.session.stage is not Stage.PASSWORD:
        return RedirectResponse(PREFIX, 303)
    return at.page("entry/code.html", wrong="", recovery=False)


async def code(at: Context) -> Response:
    """Look at a code of the app, or at a recovery code."""
    if at.session is not None and at.session.stage is not Stage.PASSWORD:
        return RedirectResponse(PREFIX, 303)
    visit, typed = visit_of(at), at.fields.get("code", "")
    found = await at.write(lambda tx: second(tx, visit, typed))
    match found:
        case Seated():
            to = onward(unquote(at.request.cookies.get(_TO, "")))
            return _further(at, found, to)
        case No.ENDED:
            return take_back(at, at.go(SIGN_IN, "entry.ended"))
        case Wait():
            wrong, status = at.say("entry.wrong.wait", time=patience(at, found.until)), 429
        case No.WRONG:
            wrong, status = at.say("entry.wrong.code"), 403
    recovery = at.fields.get("kind") == "recovery"
    return at.page("entry/code.html", status=status, wrong=wrong, recovery=recovery)


# one-time links


async def welcome_page(at: Context) -> Response:
    """What the link is for. Opening it spends nothing."""
    invited = await _invited(at)
    if invited is None:
        return at.page("entry/void.html", status=410)
    return _welcome(at, invited)


def _welcome(at: Context, invited: Invited, wrong: AccountError | None = None) -> Response:
    return at.page(
        "entry/welcome.html",
        status=200 if wrong is None else 422,
        invited=invited,
        error=wrong,
        least=passwords.SHORTEST,
        typed={name: at.fields.get(name, "") for name in ("login", "name")},
    )


async def welcome(at: Context) -> Response:
    """Use the link: a password is chosen, and its owner is in."""
    invited = await _invited(at)
    if invited is None:
        return at.page("entry/void.html", status=410)
    password, typed = at.fields.get("password", ""), at.fields
    login, name = typed.get("login", ""), typed.get("name", "")
    if invited.account is not None:
        login, name = invited.account.login, invited.account.name
    secret, visit = at.request.path_params["token"], visit_of(at, login)
    try:
        chosen(at, password, typed.get("again", ""), (login, name))
        with KNOWN.place(login):  # whoever holds the link was let in by somebody
            encoded = await KNOWN.run(partial(passwords.hashed, password))
        seated = await at.write(
            lambda tx: welcoming.accept(tx, visit, secret, encoded, login, name)
        )
    except AccountError as error:
        return _welcome(at, invited, error)
    if seated is None:
        return at.page("entry/void.html", status=410)
    return _further(at, seated)


def chosen(
    at: Context, password: str, again: str, about: tuple[str, ...], field: str = "password"
) -> None:
    """AccountError where ``password`` will not do for somebody of whom ``about`` is known."""
    passwords.check(password, (*about, *at.site.organisation.values()), field)
    if passwords.normal(password) != passwords.normal(again):
        raise AccountError("password_again", "again")


async def _invited(at: Context) -> Invited | None:
    secret = at.request.path_params["token"]
    if not TOKEN.fullmatch(secret):
        return None
    return await at.read(lambda tx: welcoming.look(tx, secret, at.now))


# enrolling a second factor


async def enrol_page(at: Context) -> Response:
    """The picture for the app, and the field for its first code."""
    return _enrol(at)


def _enrol(at: Context, wrong: AccountError | None = None, status: int = 200) -> Response:
    secret = factors.offered(at.console.app_key, session_of(at).digest)
    groups = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    enrolling = session_of(at).stage is Stage.ENROL
    return at.page("entry/enrol.html", status=status, groups=groups, enrolling=enrolling,
                   error=wrong)  # fmt: skip


async def enrol_picture(at: Context) -> Response:
    """The QR code of this session's secret (SVG, black on white whatever the theme)."""
    secret = factors.offered(at.console.app_key, session_of(at).digest)
    organisation = pick(at.site.organisation, at.language) or at.say("desk.product")
    code = segno.make(factors.uri(secret, at.account.login, organisation), error="m", micro=False)
    drawn = BytesIO()
    code.save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False)
    return Response(drawn.getvalue(), media_type="image/svg+xml")


async def enrol(at: Context) -> Response:
    """Take the secret into use. Recovery codes are shown now and never again."""
    session, typed = session_of(at), at.fields.get("code", "")
    try:
        proved = None if session.stage is Stage.ENROL else await prove(at)
        visit = visit_of(at)
        seated, codes = await at.write(lambda tx: own.set_factor(tx, visit, session, typed, proved))
    except AccountError as error:
        return _enrol(at, error, 422)
    sit(at, seated)
    return hand_out(at, at.page("me/codes.html", codes=codes, renewed=False), seated)


async def enrolled(at: Context) -> Response:
    """The page of recovery codes was reloaded: what it said stands, and is not said again."""
    if not at.account.totp:
        raise HTTPException(403, "proof")
    return at.go("/desk/me", "me.codes.gone")


# out


async def sign_out(at: Context) -> Response:
    """End this session, whatever its stage."""
    session, act = session_of(at), at.act()
    await at.write(lambda tx: leave(tx, act, session))
    return take_back(at, at.go(SIGN_IN, "entry.out"))


DOORS = (
    Door("/sign-in", sign_in_page, None),
    Door("/sign-in", sign_in, None, "POST"),
    Door("/sign-in/code", code_page, May.OWN, stages=(Stage.PASSWORD, Stage.FULL)),
    Door("/sign-in/code", code, May.OWN, "POST", (Stage.PASSWORD, Stage.FULL)),
    Door("/welcome/{token}", welcome_page, None),
    Door("/welcome/{token}", welcome, None, "POST"),
    Door("/second-factor", enrol_page, May.OWN, stages=(Stage.ENROL, Stage.FULL)),
    Door("/second-factor", enrol, May.OWN, "POST", (Stage.ENROL, Stage.FULL), again=enrolled),
    Door("/second-factor/picture", enrol_picture, May.OWN, stages=(Stage.ENROL, Stage.FULL)),
    Door("/sign-out", sign_out, May.OWN, "POST", ANY),
)
