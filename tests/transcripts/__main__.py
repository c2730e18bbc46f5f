"""``python -m tests.transcripts --write``: let the terminal tell every conversation anew.

Then read the difference (``git diff tests/transcripts``) as the person would who gets to see it.
Without ``--write`` it names the conversations that would change.
"""

from __future__ import annotations

import asyncio
import sys

from tests.transcripts.script import scripts
from tests.transcripts.terminal import retold


async def main(write: bool) -> int:
    """The number of conversations that are told otherwise today."""
    changed = 0
    for script in scripts():
        text = (await retold(script)).text()
        if text != script.path.read_text("utf-8"):
            changed += 1
            print(f"{'rewrote' if write else 'differs'}: {script.name}")
            if write:
                script.path.write_text(text, "utf-8")
    return changed


if __name__ == "__main__":
    write = sys.argv[1:] == ["--write"]
    changed = asyncio.run(main(write))
    sys.exit(0 if write else min(changed, 1))
