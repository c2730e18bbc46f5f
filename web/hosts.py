"""Whose name a request may come under: only our own.

Nothing here builds an address of the Host header, but a router that adds a slash does, a cache may,
and another site's name that leads to this machine (DNS rebinding) has no business here.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from web.health import ALIVE, READY
from web.metrics import METRICS
from web.protection import HEADERS
from web.site import LOCAL

WATCHED = frozenset((ALIVE, READY, METRICS))  # asked for by machines, under an address


class OwnName:
    """Refuses (421) requests for any host but ``public_url``'s.

    A ``public_url`` on this very machine is somebody trying things out: then all are let in.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self._name = (urlsplit(public_url).hostname or "").lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what was meant for us."""
        if scope["type"] != "http" or self._meant(scope):
            await self.app(scope, receive, send)
            return
        words = (
            f"此网站的地址是 {self._name}。\n"
            f"This site is {self._name}. "
            "(MINYI_PUBLIC_URL; a proxy must pass the Host header on.)\n"
        )
        refusal = PlainTextResponse(words, 421, {**HEADERS, "Cache-Control": "no-store"})
        await refusal(scope, receive, send)

    def _meant(self, scope: Scope) -> bool:
        if self._name in LOCAL or scope["path"] in WATCHED:
            return True
        try:
            asked = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname
        except ValueError:
            return False
        return (asked or "").lower() == self._name
