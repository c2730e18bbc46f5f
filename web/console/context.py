"""One request to the desk: who asks, what they may, what they sent, and how to answer."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar
from urllib.parse import quote, unquote

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from desk.accounts import Account, Session, Stage
from desk.audit import Act
from desk.roles import May, allows, reach
from desk.store import DeskTransaction
from surveys.campaigns import last_moment
from surveys.words import LANGUAGES, Words, pick
from web.console.console import Console
from web.site import HERE, JINJA, OTHER, Site, language_of, site_of

T = TypeVar("T")
FOLDER = HERE / "console"
SAID = "minyi-said"  # the cookie that carries one sentence over a redirect


def _words() -> Words:
    """The desk's sentences: every file of the folder ``words``, keys unique across them."""
    table: dict[str, Mapping[str, str]] = {}
    for file in sorted((FOLDER / "words").glob("*.toml")):
        room = Words.of("web.console.words", file.stem)
        for key in room.keys():  # noqa: SIM118 - not a mapping
            if key in table:
                raise ValueError(f"words: {key} stands in {file.name} and in another file")
            table[key] = room.all_of(key)
    return Words(table)


WORDS = _words()


def _environment() -> Environment:
    folders = [FileSystemLoader(FOLDER / "templates"), FileSystemLoader(HERE / "templates")]
    jinja = JINJA.overlay(loader=ChoiceLoader(folders))
    jinja.globals = {**JINJA.globals, "May": May}
    return jinja


PAGES = _environment()


def console_of(request: Request) -> Console:
    """The desk this request came to."""
    console: Console = request.app.state.console
    return console


@dataclass
class Context:
    """What a page of the desk is handed.

    ``session`` and ``account`` are None on the pages before signing in. ``fields`` and ``file``
    are what a form sent, its proof checked already.
    """

    request: Request
    console: Console
    now: datetime
    session: Session | None = None
    signed_in: Account | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    file: UploadFile | None = None
    cookie: str = ""  # the session's own secret, for proofs

    # who and what

    @property
    def account(self) -> Account:
        """Who is signed in; on a page that asks for a permission there always is somebody."""
        if self.signed_in is None:
            raise HTTPException(401)
        return self.signed_in

    @property
    def site(self) -> Site:
        return site_of(self.request)

    @cached_property
    def language(self) -> str:
        """What was chosen at the top of a page, else the account's, else the browser's."""
        chosen = self.signed_in.language if self.signed_in is not None else ""
        switched = self.request.cookies.get("language") in LANGUAGES
        return chosen if chosen in LANGUAGES and not switched else language_of(self.request)

    def allows(self, permission: May) -> bool:
        """Whether this page's reader may ``permission``; False before a whole sign-in."""
        whole = self.session is not None and self.session.stage is Stage.FULL
        return whole and allows(self.account.grants, permission)

    def demand(self, permission: May) -> None:
        """HTTPException 403 unless the reader may."""
        if not self.allows(permission):
            raise HTTPException(403, permission.value)

    def reach(self, tx: DeskTransaction, permission: May) -> frozenset[str] | None:
        """The subjects that the reader may see by ``permission``; None: all."""
        return reach(self.account.grants, permission, tx.subjects())

    @property
    def origin(self) -> str:
        """The address that the request came from."""
        return self.request.client.host if self.request.client else "?"

    def act(self) -> Act:
        """This request as the audit knows it."""
        who = self.account
        return Act(who.id, who.name, self.origin, self.now, self.console.audit_key)

    @property
    def proof(self) -> str:
        """Goes into each form: only a page made for this session can know it."""
        return proof_of(self.cookie)

    # the store

    async def read(self, work: Callable[[DeskTransaction], T]) -> T:
        return await self.console.store.read(work)

    async def write(self, work: Callable[[DeskTransaction], T]) -> T:
        return await self.console.store.write(work)

    # answers

    def say(self, key: str, **arguments: object) -> str:
        return WORDS.say(key, self.language, **arguments)

    def day(self, moment: date) -> str:
        """A date as people of the reader's language write it; of a moment, in the desk's zone."""
        if isinstance(moment, datetime):
            moment = moment.astimezone(self.console.zone)
        return format_date(moment, "long", locale=self.language)

    def moment(self, moment: datetime) -> str:
        """Date and time to the minute, in the desk's zone."""
        local = moment.astimezone(self.console.zone)
        return f"{self.day(moment)} {local:%H:%M}"

    def closing(self, moment: datetime) -> str:
        """The same of a wave's end: 00:00 is 24:00 of the day before, which is the last day."""
        ends = self.moment(moment)
        midnight = ends.endswith(" 00:00")
        return f"{self.day(last_moment(moment))} 24:00" if midnight else ends

    def number(self, value: float) -> str:
        """A number with its thousands marked."""
        return format_decimal(value, locale=self.language)

    def page(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """A whole page, or a fragment where ``template`` extends nothing."""
        site = self.site
        html = PAGES.get_template(template).render(
            at=self,
            lang=self.language,
            other=OTHER[self.language],
            say=self.say,
            has=WORDS.keys().__contains__,
            site=site,
            organisation=pick(site.organisation, self.language) or self.say("desk.product"),
            here=quote(self.request.url.path, safe="/"),
            said=unquote(self.request.cookies.get(SAID, "")),
            **values,
        )
        response = HTMLResponse(html, status)
        if SAID in self.request.cookies:
            response.delete_cookie(SAID, path="/desk")
        return response

    def go(self, path: str, said: str = "", **arguments: object) -> Response:
        """On to ``path`` after a change (303), where the sentence with key ``said`` is shown."""
        onward = RedirectResponse(path, 303)
        if said:
            sentence = quote(self.say(said, **arguments))
            onward.set_cookie(SAID, sentence, max_age=30, path="/desk", httponly=True,
                              samesite="lax", secure=self.site.secure)  # fmt: skip
        return onward


def proof_of(cookie: str) -> str:
    """What a form must bring back (OWASP: HMAC-based token pattern)."""
    mac = hmac.digest(cookie.encode(), b"minyi desk form", "sha256")
    return base64.urlsafe_b64encode(mac[:18]).decode()
