"""What became of one message: python-telegram-bot's errors and their outcomes, one table.

Only an answer that names a refusal, or a connection that never opened, proves that nothing arrived;
everything else stays unknown and is never blindly repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.wire import NotSentError, PausedError
from surveys.campaigns import Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one message.

    ``detail`` is the message's id or a reason. ``wait`` are seconds until it may be tried again
    (``DUE``); ``everyone`` says that until then nothing may be sent to anybody.
    """

    outcome: Outcome
    detail: str = ""
    wait: float = 0.0
    everyone: bool = False


_UNREACHABLE = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")
_VERDICTS: tuple[tuple[type[TelegramError], Verdict], ...] = (
    (PausedError, Verdict(Outcome.DUE, "paused")),
    (NotSentError, Verdict(Outcome.DUE, "no connection", wait=10, everyone=True)),
    (TimedOut, Verdict(Outcome.UNKNOWN, "timed out", wait=5, everyone=True)),
    (Forbidden, Verdict(Outcome.GONE, "forbidden")),
    (ChatMigrated, Verdict(Outcome.GONE, "chat migrated")),
    (BadRequest, Verdict(Outcome.DUE, "bad request", wait=3600)),
    (InvalidToken, Verdict(Outcome.DUE, "token refused", wait=300, everyone=True)),
    (Conflict, Verdict(Outcome.DUE, "conflict", wait=60)),
    (NetworkError, Verdict(Outcome.UNKNOWN, "connection or server failed", 5, everyone=True)),
    (TelegramError, Verdict(Outcome.UNKNOWN, "unreadable answer", wait=5, everyone=True)),
)
"""First match decides. BadRequest is a NetworkError in python-telegram-bot, so it stands before."""


def judge(error: TelegramError) -> Verdict:
    """The one place where an exception becomes an outcome."""
    if isinstance(error, RetryAfter):
        seconds = error.retry_after
        wait = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
        return Verdict(Outcome.DUE, "too many requests", wait=wait, everyone=True)
    if isinstance(error, BadRequest) and any(w in error.message.lower() for w in _UNREACHABLE):
        return Verdict(Outcome.GONE, "chat not found")
    return next(verdict for kind, verdict in _VERDICTS if isinstance(error, kind))
