"""What keeps a visitor safe: headers, the visitor's cookie, and who may post."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surveys.people import Address
from web.site import Site

POLICY = (
    "default-src 'self'; img-src 'self'; media-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=()",
}
KEPT_DAYS = 120  # a quarter and some: a paused interview is found again
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# Programs that open a link only to show a preview of it. They must not use up an invitation.
# (A Cubot is a telephone.)
PREVIEWERS = re.compile(r"(?<!cu)bot\b|crawler|spider|externalhit|whatsapp|preview", re.IGNORECASE)


def safety(*, secure: bool) -> dict[str, str]:
    """The headers of every response; ``secure``: the site is https, and stays so for a year."""
    return HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})


class SafetyHeaders:
    """Puts the safety headers on every response, error pages and files included."""

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self.app = app
        self._headers = safety(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add headers where the response begins, but its own come first."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, send_safely)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser, known by nothing but a random cookie. ``token`` is 32 bytes in base64url."""

    token: str
    new: bool = False

    @property
    def address(self) -> Address:
        """Where this browser talks from. The cookie itself is stored nowhere."""
        return Address("web", hashlib.sha256(self.token.encode()).hexdigest())

    @property
    def proof(self) -> str:
        """Goes into each form; only a page of ours can know it (OWASP: HMAC-based token)."""
        mac = hmac.digest(self.token.encode(), b"minyi form", "sha256")
        return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def cookie_name(site: Site) -> str:
    """The ``__Host-`` prefix makes browsers refuse the cookie from anywhere else."""
    return "__Host-minyi" if site.secure else "minyi"


def visitor_of(request: Request, site: Site) -> Visitor:
    """The browser that sent ``request``; a new one where it has no (valid) cookie."""
    token = request.cookies.get(cookie_name(site), "")
    if TOKEN.fullmatch(token):
        return Visitor(token)
    return Visitor(secrets.token_urlsafe(32), new=True)


def remember(response: Response, visitor: Visitor, site: Site) -> None:
    """Give the browser its cookie."""
    response.set_cookie(
        cookie_name(site),
        visitor.token,
        max_age=KEPT_DAYS * 86400,
        httponly=True,
        samesite="lax",
        secure=site.secure,
    )


def comes_from_us(request: Request, site: Site, visitor: Visitor, proof: str) -> bool:
    """Whether a POST was sent by one of our own pages.

    Browsers say so in Sec-Fetch-Site (https and loopback only) or Origin. Under our own
    Referrer-Policy a plain-http form has ``Origin: null``; then the form's proof decides.
    """
    if fetch_site := request.headers.get("sec-fetch-site"):
        return fetch_site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None or origin == site.origin:
        return True
    if origin == "null":
        return hmac.compare_digest(proof.encode(), visitor.proof.encode())
    return origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


def only_looks(request: Request) -> bool:
    """Whether this is a preview or prefetch: nobody has decided to open the link yet."""
    purpose = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    agent = request.headers.get("user-agent", "")
    return request.method == "HEAD" or "prefetch" in purpose or bool(PREVIEWERS.search(agent))
