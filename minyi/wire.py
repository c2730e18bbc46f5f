"""What may arrive at the socket: how much and how slowly, before any page is asked.

uvicorn bounds neither; a proxy in front does, but nobody must need one to be safe.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD = 32 * 1024  # bytes of a request's first line and headers
HEAD_PATIENCE = 20.0  # seconds for all of them to arrive


class _TooLongError(Exception):
    """The head of a request is longer than any of ours can be."""


class Wire(HttpToolsProtocol):
    """uvicorn's protocol with bounds on the head of a request; it is closed where they are passed.

    Bodies have theirs where they are read (``web.posted``).
    """

    _waiting: asyncio.TimerHandle | None = None
    _in_head = True
    _ended = False  # whether a body ended in what came last
    _raw = 0  # bytes of a head that is not whole yet
    _parsed = 0  # bytes of its parts

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody called; they must say soon what they want."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone, for whatever reason."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head."""
        if self._waiting is None and self._in_head:  # the next request of a kept connection
            self._wait()
        self._ended = False
        super().data_received(data)
        if self._in_head:  # what came together with the end of a body is not counted
            self._raw = 0 if self._ended else self._raw + len(data)
            if self._raw > HEAD and not self.transport.is_closing():
                self.send_400_response("Too long.")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._parsed = True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the first line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._rest()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        super().on_message_complete()
        self._in_head = self._ended = True

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > HEAD:
            raise _TooLongError  # the parser turns it into a refusal

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_PATIENCE, self._too_slow)

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.close()
