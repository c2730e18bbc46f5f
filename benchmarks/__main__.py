"""``python -m benchmarks [NAMES] [--quick]``: measure, and write results.md beside this file.

One section alone, at its full size, is written to NAME.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.scale import FULL, QUICK, Scale
from benchmarks.table import Line, markdown

RESULTS = Path(__file__).with_name("results.md")
ALL = {
    "engine": ("The pure engine", "benchmarks.engine:measure"),
    "turns": ("A durable turn inside one process", "benchmarks.turns:measure"),
    "webhook": ("A durable turn through aiogram's webhook", "benchmarks.webhook:measure"),
    "chat": ("A durable turn in the browser", "benchmarks.webhook:measure_chat"),
    "desk": ("Pages of the administrators' desk", "benchmarks.desk:measure"),
    "planning": ("Planning a wave", "benchmarks.planning:measure"),
    "sending": ("Sending, no limit set", "benchmarks.sending:measure"),
    "delivery": ("Everybody asked exactly once", "benchmarks.delivering:measure"),
    "counting": ("The tally", "benchmarks.counting:measure"),
    "commands": ("The command line", "benchmarks.commands:measure"),
}
"""Name on the command line -> the section's title, and what measures it."""

LIBRARIES = ("aiogram", "aiohttp", "python-telegram-bot", "SQLAlchemy", "psycopg", "uvicorn")


def measured(name: str) -> Callable[[Scale], Awaitable[list[Line]]]:
    """The function that measures section ``name``."""
    module, function = ALL[name][1].split(":")
    found: Callable[[Scale], Awaitable[list[Line]]] = getattr(import_module(module), function)
    return found


def facts(scale: Scale) -> str:
    """When, on what, and how."""
    size = f" at a size of 1/{scale.divisor}" if scale.divisor > 1 else ""
    made = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return "\n".join((
        "# Measurements",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), load "
        f"{os.getloadavg()[1]:.1f} at the start, {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {made}.",
        "",
        f"Each figure is the median of {scale.repetitions} repetitions (smallest–largest){size}, "
        "taken by turns with its baseline in the same run; the ratio is taken within each "
        "repetition. "
        "Ratios can be compared between machines, figures cannot. Both databases force every "
        "commit to the disk (SQLite `synchronous=FULL`, PostgreSQL `fsync=on`). Load and server "
        "are processes of their own, on loopback. `make bench` writes this file.",
        "",
    ))  # fmt: skip


async def run(names: list[str], scale: Scale) -> str:
    """Measure ``names``; the report as Markdown, and each section on standard output."""
    parts = [facts(scale)]
    for name in names:
        sys.stdout.write(f"measuring {name} ...\n")
        sys.stdout.flush()
        parts.append(markdown(ALL[name][0], await measured(name)(scale)))
        sys.stdout.write(parts[-1] + "\n")
    return "\n".join(parts)


def main() -> None:
    """Measure what is named, or everything; only everything is written down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="sections; all by default")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    given = parser.parse_args()
    report = asyncio.run(run(given.names or list(ALL), QUICK if given.quick else FULL))
    if not given.names:
        RESULTS.write_text(report, encoding="utf-8")
    elif len(given.names) == 1 and not given.quick:
        RESULTS.with_name(f"{given.names[0]}.md").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
