"""The socket and the server on it: what is let in, in whose name, and how it ends."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from minyi.opening import NotReadyError
from minyi.settings import Settings
from minyi.wire import Wire
from web.hosts import OwnName
from web.metrics import Meter, Metered

GRACE = 20  # seconds that answers and rounds under way have to end when told to stop


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: it would die of the signal before the rest is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to :func:`serve`."""
        yield


def configured(app: ASGIApp, settings: Settings, meter: Meter | None) -> uvicorn.Config:
    """How ``app`` is served. With trusted proxies the visitor's address is what they say."""
    app = OwnName(app, settings.public_url)
    return uvicorn.Config(
        app if meter is None else Metered(app, meter),
        http=Wire,
        ws="none",
        log_config=None,
        access_log=False,  # who asked for what, and when, is nobody's business
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
    )


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; NotReadyError with what to do where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is named
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise NotReadyError(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Stop what is using it, or set MINYI_PORT (and MINYI_PUBLIC_URL) to another."
        ) from None
    return sock
