"""What every page of one site shares, and how a page is rendered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from evaluation.method import Method
from surveys.people import Address, Text
from surveys.reply import Heard, Reply
from surveys.store import Transaction
from surveys.words import LANGUAGES, Words, nearest, pick

HERE = Path(__file__).parent
WORDS = Words.of("web")
OTHER = {"zh": "en", "en": "zh"}
LOCAL = frozenset(("127.0.0.1", "localhost", "::1"))
T = TypeVar("T")


class Talker(Protocol):
    """The conversation core, as the browser sees it."""

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = ""
    ) -> tuple[Reply, ...]: ...

    async def medium(self, form: str, name: str) -> bytes: ...


class Reader(Protocol):
    """The one thing pages do with the store: look something up."""

    async def read(self, work: Callable[[Transaction], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site lives and what it talks to.

    ``public_url`` has no trailing slash. ``organisation`` is shown in the header; empty: the
    product's own name. ``try_payload`` is the payload behind "try the chat" on the front page.
    ``methods`` name what is on scorecards.
    """

    conversation: Talker
    store: Reader
    clock: Callable[[], datetime]
    public_url: str
    organisation: Text = field(default_factory=dict)
    bot_username: str = ""
    try_payload: str = ""
    methods: tuple[Method, ...] = ()

    @property
    def origin(self) -> str:
        """Scheme and host, as a browser writes them in the Origin header."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def local(self) -> bool:
        """Whether nobody but this very machine can open the site's address."""
        return (urlsplit(self.public_url).hostname or "") in LOCAL

    @property
    def secure(self) -> bool:
        """Whether cookies may insist on https."""
        return self.public_url.startswith("https://")

    def chat_url(self, payload: str = "") -> str:
        """The link behind a QR code."""
        return f"{self.public_url}/c/{payload}" if payload else f"{self.public_url}/c"

    def telegram_url(self, payload: str = "") -> str:
        """The same door in Telegram; '' where there is no bot."""
        if not self.bot_username:
            return ""
        return f"https://t.me/{self.bot_username}" + (f"?start={payload}" if payload else "")


def site_of(request: Request) -> Site:
    """The site this request came to."""
    site: Site = request.app.state.site
    return site


def language_of(request: Request) -> str:
    """zh or en: the reader's choice, else the first language of the browser, else Chinese."""
    chosen = request.cookies.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    return nearest(first_tag(request))


def first_tag(request: Request) -> str:
    """The language the browser asks for first, a BCP 47 tag; Chinese where it asks for none."""
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return first if first and first != "*" else "zh"


def inside(target: str, within: str = "/") -> str:
    """``target`` where it is a path of this site at or below ``within``, else ``within``.

    A browser reads ``//host``, ``/\\host`` and ``/\t/host`` as another site.
    """
    path = target.partition("?")[0].partition("#")[0]
    below = path == within or path.startswith(within.rstrip("/") + "/")
    plain = not target.startswith("//") and "\\" not in target and target.isprintable()
    climbs = ".." in path.replace("%2e", ".").replace("%2E", ".").split("/")
    return target if below and plain and not climbs else within


def static_url(name: str) -> str:
    """The address of a static file; it changes with the content, so it may be kept forever."""
    return f"/static/{name}?{_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]


def _environment() -> Environment:
    jinja = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(static=static_url, pick=pick)
    return jinja


JINJA = _environment()


def page(
    request: Request,
    template: str,
    values: Mapping[str, object],
    *,
    language: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Render ``template`` in ``language`` (by default the reader's)."""
    html = rendered(request, template, values, language or language_of(request))
    return HTMLResponse(html, status, dict(headers or {}))


def rendered(request: Request, template: str, values: Mapping[str, object], language: str) -> str:
    """``template`` filled with ``values`` and what every page shares."""
    site = site_of(request)

    def say(key: str, **arguments: object) -> str:
        return WORDS.say(key, language, **arguments)

    return JINJA.get_template(template).render(
        lang=language,
        other=OTHER[language],
        say=say,
        say_in=lambda other, key: WORDS.say(key, other),
        site=site,
        organisation=pick(site.organisation, language) or say("site.name"),
        here=quote(request.url.path, safe="/"),
        **values,
    )
