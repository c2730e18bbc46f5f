"""QR codes, and the poster that stands in a service window."""

from __future__ import annotations

from io import BytesIO

import segno
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from surveys.people import Text
from surveys.store import Transaction
from web.chat import PAYLOAD
from web.site import page, site_of

DAY = "public, max-age=86400"
POSTED = ("unit", "campaign")


def routes() -> list[Route]:
    """Addresses of codes and posters."""
    return [
        Route("/qr.svg", chat_code),
        Route("/qr/{payload}.svg", chat_code),
        Route("/qr/telegram/{payload}.svg", telegram_code),
        Route("/poster/{payload}", poster),
    ]


async def chat_code(request: Request) -> Response:
    """The QR code of the chat in the browser."""
    return draw_code(site_of(request).chat_url(_payload(request)))


async def telegram_code(request: Request) -> Response:
    """The QR code of the chat in Telegram."""
    url = site_of(request).telegram_url(_payload(request))
    if not url:
        raise HTTPException(404)
    return draw_code(url)


async def poster(request: Request) -> Response:
    """A page to print: whose service, what to do, the code."""
    site = site_of(request)
    payload = _payload(request)

    def look(tx: Transaction) -> Text | None:
        invite = tx.invite(payload)
        if invite is None or invite.kind not in POSTED:  # a personal invitation is no poster
            return None
        subject = tx.subject(invite.target) if invite.kind == "unit" else None
        return subject.name if subject else {}

    name = await site.store.read(look)
    if name is None:
        raise HTTPException(404)
    values = {
        "name": name,
        "payload": payload,
        "chat_url": site.chat_url(payload),
        "telegram_url": site.telegram_url(payload),
    }
    return page(request, "poster.html", values)


def draw_code(url: str) -> Response:
    """``url`` as a picture of its QR code."""
    return Response(drawn(url), media_type="image/svg+xml", headers={"Cache-Control": DAY})


def drawn(url: str) -> str:
    """The QR code of ``url`` as SVG, with 15 % to spare and the quiet zone scanners need."""
    picture = BytesIO()
    segno.make(url, error="m", micro=False).save(
        picture, kind="svg", scale=8, border=4, light="#fff", xmldecl=False
    )
    return picture.getvalue().decode()


def _payload(request: Request) -> str:
    payload: str = request.path_params.get("payload", "")
    if payload and not PAYLOAD.fullmatch(payload):
        raise HTTPException(404)
    return payload
