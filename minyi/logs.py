"""The log: what happened, never what anybody wrote.

Lines of JSON with the time, or plain words on a terminal. A library's message may quote an answer,
a password or a link, so of anything foreign only its template is logged, without what was put into
it, and of an exception only its kind and where it arose.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

OURS = ("minyi", "bot", "web", "storage", "desk", "surveys", "concerns", "evaluation")
_FRAMES = 3


def set_log_level(level: str) -> None:
    """Log from ``level`` (debug, info, warning, error) on, to stderr, ours and the libraries'."""
    number = logging.getLevelNamesMapping()[level.upper()]
    plain = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet(plain=plain))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    last: Any = structlog.dev.ConsoleRenderer() if plain else structlog.processors.JSONRenderer(
        ensure_ascii=False
    )  # fmt: skip
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", key="time"),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class Discreet(logging.Formatter):
    """Formats the standard library's records, in the shape of ours."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self._plain = plain

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        error = record.exc_info[1] if record.exc_info else None
        told = {
            "event": _event(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            **({"reason": where(error)} if error is not None else {}),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if self._plain:
            return " ".join(
                str(told[name]) for name in ("level", "event", "reason") if name in told
            )
        return json.dumps(told, ensure_ascii=False)


def where(error: BaseException) -> str:
    """What failed and where, in no word and no value of its own."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-_FRAMES:]]
    return f"{type(error).__name__} at {' > '.join(places)}"


def _event(record: logging.LogRecord) -> str:
    """Our own message as it was meant; a foreign one's first line before anything was put in."""
    ours = record.name.split(".")[0] in OURS
    said = record.getMessage() if ours else str(record.msg)
    return (said.splitlines() or [""])[0]
