"""What went wrong with an update, and what that means for it: one table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from pydantic import ValidationError


class Trouble(StrEnum):
    """What an exception says about the update it stopped."""

    LATER = (
        "later"  # the way to Telegram or to the store failed: the same thing may work in a while
    )
    REFUSED = "refused"  # Telegram will never take this message (blocked, malformed): let it go
    HOPELESS = "hopeless"  # the update cannot be read: no retry changes it
    UNSURE = "unsure"  # our code or the store: ask the store whether it is there


_TABLE: tuple[tuple[tuple[type[Exception], ...], Trouble], ...] = (
    ((ValidationError,), Trouble.HOPELESS),
    ((TelegramEntityTooLarge,), Trouble.REFUSED),
    ((TelegramRetryAfter, TelegramNetworkError, TelegramServerError), Trouble.LATER),
    ((ClientDecodeError, TelegramUnauthorizedError), Trouble.LATER),
    ((ConnectionError,), Trouble.LATER),  # the store's own word for a database that is gone
    ((AiogramError,), Trouble.REFUSED),
)


def trouble(error: Exception) -> Trouble:
    """Look ``error`` up; what is not in the table is ours, or the store's."""
    return next((kind for types, kind in _TABLE if isinstance(error, types)), Trouble.UNSURE)


def pause(error: Exception, attempt: int, longest: float = 5.0) -> float:
    """Seconds to wait after failed attempt number ``attempt`` (from 1): as told, or doubling."""
    if isinstance(error, TelegramRetryAfter):
        return float(error.retry_after)
    return min(0.25 * 2.0 ** min(attempt - 1, 16), longest)


def reason(error: Exception) -> str:
    """Name ``error`` without its message, which may carry a person's words."""
    name = type(error).__name__
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{name}: {'.'.join(map(str, first['loc']))}: {first['type']}"
    trace = error.__traceback__
    if trace is None:
        return name
    while trace.tb_next is not None:
        trace = trace.tb_next
    path = PurePath(trace.tb_frame.f_code.co_filename)
    return f"{name} at {path.parent.name}/{path.name}:{trace.tb_lineno}"
