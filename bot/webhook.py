"""The webhook: commit first, then 200; whatever is not 200, Telegram brings again."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from aiogram.methods import AnswerCallbackQuery, DeleteWebhook, SetWebhook
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.handling import Handling, Raw, person_of
from bot.hearing import LISTENED
from bot.saying import Owed
from bot.trouble import Trouble, reason, trouble

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a header's name)
STRIKES = 3
"""How many deliveries of one update our code may fail on before it is buried."""
TRIES = 5
"""How many deliveries may find Telegram away for the reply to a committed update."""
REMEMBERED = 4096
"""Updates kept in mind, so that a repeated delivery is not handled again by this process."""
_LONGEST_BODY = 1 << 20

_log = logging.getLogger("minyi.bot")


@dataclass(slots=True)
class _Course:
    """How far one update has come, from its first delivery on."""

    strikes: int = 0
    tries: int = 0
    owed: Owed | None = None  # None: not committed yet
    answer: Mapping[str, Any] | None = None  # given in the response's body, and given again


class Webhook:
    """Receives POSTs that carry ``secret``; mount :meth:`receive` as a Starlette route."""

    def __init__(self, handling: Handling, secret: str) -> None:
        self._handling = handling
        self._secret = secret.encode()
        self._courses: OrderedDict[int, _Course] = OrderedDict()
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def open(self, url: str) -> None:
        """Tell Telegram to bring updates to ``url`` (https). Raises aiogram's errors."""
        secret = self._secret.decode()
        await self._handling.bot(
            SetWebhook(url=url, secret_token=secret, allowed_updates=list(LISTENED))
        )

    async def close(self) -> None:
        """Tell Telegram to keep updates for polling. Raises aiogram's errors."""
        await self._handling.bot(DeleteWebhook(drop_pending_updates=False))

    async def receive(self, request: Request) -> Response:
        """401 without the secret, 400 for what is no update, 503 to have it brought again."""
        given = request.headers.get(SECRET_HEADER, "").encode("latin-1")
        if not hmac.compare_digest(given, self._secret):
            return Response(status_code=401)
        raw = _update(await _body(request))
        if raw is None:
            return Response(status_code=400)
        person = person_of(raw)
        lock = self._locks.get(person)
        if lock is None:
            lock = self._locks[person] = asyncio.Lock()
        async with lock:
            return await self._deliver(raw["update_id"], raw)

    async def _deliver(self, update_id: int, raw: Raw) -> Response:
        course = self._course(update_id)
        try:
            if course.owed is None and not await self._committed(update_id, raw, course):
                return Response(status_code=503)
            await self._replied(course)
        except Exception as error:
            _log.warning("update %d shall come again: %s", update_id, reason(error))
            return Response(status_code=503)
        return JSONResponse(course.answer) if course.answer else Response()

    async def _committed(self, update_id: int, raw: Raw, course: _Course) -> bool:
        """Commit, or bury what has failed often enough; False where it shall come again."""
        try:
            course.owed = await self._handling.commit(raw)
        except Exception as error:
            if trouble(error) is Trouble.HOPELESS:
                course.strikes = STRIKES
            elif not await self._handling.is_outage(error):
                course.strikes += 1
            if course.strikes < STRIKES:
                _log.warning("update %d failed: %s", update_id, reason(error))
                return False
            await self._handling.bury(update_id, raw, reason(error))
            course.owed = Owed()
        return True

    async def _replied(self, course: _Course) -> None:
        """Say what is owed; the spinner is stopped in the response itself: that saves a round trip.

        A message is not: of an answer in the response nobody learns the message's id, by which its
        buttons are taken off later.
        """
        owed = course.owed
        if owed is None:
            return
        if owed.acknowledgement is not None:
            course.answer = _call(owed.acknowledgement)
            owed.acknowledgement = None
        try:
            await self._handling.say(owed)
        except Exception as error:
            course.tries += 1
            if course.tries < TRIES:
                raise
            _log.warning("a reply was given up: %s", reason(error))
            course.owed = Owed()

    def _course(self, update_id: int) -> _Course:
        course = self._courses.setdefault(update_id, _Course())
        self._courses.move_to_end(update_id)
        if len(self._courses) > REMEMBERED:
            self._courses.popitem(last=False)
        return course


def _call(method: AnswerCallbackQuery) -> dict[str, Any]:
    return {
        "method": method.__api_method__,
        **method.model_dump(mode="json", exclude_unset=True, exclude_none=True),
    }


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            return b""
    return bytes(body)


def _update(body: bytes) -> dict[str, Any] | None:
    try:
        raw = json.loads(body)
    except ValueError:
        return None
    if isinstance(raw, dict) and isinstance(raw.get("update_id"), int):
        return raw
    return None
