"""A process to be killed: writes one note after another and prints each once it is acknowledged.

``python -m tests.storage.answering URL`` keeps eight writes under way at once and never ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from itertools import count

from storage import SqlStore
from storage.transaction import SqlTransaction


async def answer(url: str) -> None:
    store = SqlStore(url)
    numbers = count()

    async def respondent() -> None:
        for number in numbers:
            await store.write(partial(SqlTransaction.put_note, name=f"n{number}", value="kept"))
            os.write(1, b"%d\n" % number)  # straight out: nothing waits in a buffer to be lost

    await asyncio.gather(*(respondent() for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(answer(sys.argv[1]))
