"""How long the command line lets somebody wait."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.scale import Scale, by_turns
from benchmarks.table import Line
from rehearsal.backstage import TOKEN, Backstage

MINYI = (str(Path(sys.executable).with_name("minyi")),)
PYTHON = (sys.executable, "-c", "pass")


async def took(command: tuple[str, ...], env: Mapping[str, str] | None = None) -> float:
    """Seconds until ``command`` has ended well."""
    start = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    status = await process.wait()
    assert status == 0, command
    return time.perf_counter() - start


async def ready(env: Mapping[str, str], port: int) -> float:
    """Seconds from starting ``minyi serve`` until it answers /healthz."""
    start = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *MINYI, "serve", env=env, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not await _healthy(port):
            assert process.returncode is None, "minyi serve ended"
            await asyncio.sleep(0.01)
        return time.perf_counter() - start
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _healthy(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.startswith(b"HTTP/1.1 200")


def settings(folder: str, api: str = "") -> tuple[dict[str, str], int]:
    """The environment of a house in ``folder``, and its port; with a bot where ``api`` is."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINYI_")}
    env |= {"MINYI_DATA_DIR": folder, "MINYI_PORT": str(port)}
    env["MINYI_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    if api:
        env |= {"MINYI_TELEGRAM_TOKEN": TOKEN, "MINYI_TELEGRAM_API_URL": api}
    return env, port


async def measure(scale: Scale) -> list[Line]:
    """Help, and serving with and without a bot."""
    times = min(7, scale.repetitions + 2)
    with tempfile.TemporaryDirectory() as folder:
        async with Backstage() as stage:
            env, port = settings(folder)
            with_bot, bot_port = settings(folder, stage.url)
            await took((*MINYI, "init"), env)
            sides = (
                lambda: took((*MINYI, "--help")),
                lambda: ready(env, port),
                lambda: ready(with_bot, bot_port),
                lambda: took(PYTHON),
            )
            shown, web, both, python = await by_turns(times, sides)
    base = "`python -c pass`"
    return [
        Line("`minyi --help`", "s", shown, base, python, most=0.3),
        Line("`minyi serve` to ready, web only", "s", web, base, python, most=6),
        Line("`minyi serve` to ready, web and bot", "s", both, base, python, most=6),
    ]
