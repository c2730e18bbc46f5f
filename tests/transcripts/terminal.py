"""``minyi talk`` in a process of its own, lines piped in."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from minyi.talk import PAYLOAD, Terminal
from tests.transcripts.house import ROOT, talking
from tests.transcripts.script import (
    MASKED,
    RECEIPT,
    Changed,
    Exchange,
    Gave,
    Pressed,
    Script,
    Shared,
    Wrote,
    masked,
)

MINYI = Path(sys.executable).with_name("minyi")


def line_of(exchange: Exchange, receipt: str = MASKED) -> str:
    """What is typed in a terminal. For a sticker an empty line comes nearest."""
    match exchange.act(receipt):
        case Pressed(label):
            return f"[{label}]"
        case Wrote(text):
            return text
        case Gave(_, file):
            return f"@{file}"
        case Shared(latitude, longitude):
            return f"@{latitude}, {longitude}"
        case Changed(text):
            return f"~{text}"
    return ""


async def run(script: Script) -> str:
    """Everything ``minyi talk`` prints in the conversation, its receipt masked."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MINYI_")}
    process = await asyncio.create_subprocess_exec(
        MINYI,
        "talk",
        ROOT / script.questionnaire,
        "--lang",
        script.language,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=environ | {"PYTHONUTF8": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said, receipt = b"", MASKED
    for exchange in script.exchanges[1:]:  # the link is open already
        if exchange.wants_receipt and receipt == MASKED:
            while not (found := RECEIPT.search(said.decode(errors="ignore"))):
                piece = await process.stdout.read(1 << 16)
                assert piece, "it ended without a receipt"
                said += piece
            receipt = found[0]
        process.stdin.write(f"{line_of(exchange, receipt)}\n".encode())
    rest, trouble = await process.communicate(b"")  # b"" closes its stdin
    assert (process.returncode, trouble.decode()) == (0, "")
    return masked((said + rest).decode())


def expected(script: Script) -> str:
    """What :func:`run` gives where the terminal keeps to the script."""
    return "".join(f"{exchange.said}\n\n" for exchange in script.exchanges)


async def retold(script: Script) -> Script:
    """The script with what the terminal says today."""
    async with talking(script.questionnaire) as here:
        terminal = Terminal(here.conversation, script.language)
        said = ["\n\n".join(await terminal.open(PAYLOAD))]
        receipt = MASKED
        for exchange in script.exchanges[1:]:
            if found := RECEIPT.search(said[-1]):
                receipt = found[0]
            said.append("\n\n".join(await terminal.hear(line_of(exchange, receipt))))
    return script.with_said([masked(words) for words in said])
