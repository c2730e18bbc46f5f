"""Tables read for whoever brings one: workbooks in a process of their own, CSV at once."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread, Timer
from typing import IO

from desk.importing import apart
from desk.importing.sheets import Progress, Sheet, table
from web.console.checking import process

PATIENCE = 90  # seconds by the wall clock; the processor's own are counted in there
MODULE = "desk.importing.apart"


def read_apart(
    name: str, content: bytes, wanted: Sequence[str], progress: Progress | None = None
) -> Sheet:
    """As :func:`desk.importing.sheets.table`, which a workbook is handed to elsewhere.

    A workbook that takes too long or too much is refused. This blocks; call it off the event loop.
    """
    if not content.startswith(b"PK"):
        return table(name, content, wanted, progress)
    digest = hashlib.sha256(content).hexdigest()
    with _reading(apart.ask(name, tuple(wanted)), content) as lines:
        for found in apart.told(lines, name, digest):
            if isinstance(found, Sheet):
                return found
            if progress is not None:
                progress(found)
    raise apart.heavy(name)


@contextmanager
def _reading(*given: bytes) -> Iterator[Iterator[bytes]]:
    """The lines that the other process prints; however this ends, it is gone afterwards."""
    command, environment = process(MODULE)
    with subprocess.Popen(  # noqa: S603 - our own module, and no word of the file's author
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        limit, feeder = Timer(PATIENCE, child.kill), Thread(target=_feed, args=(child.stdin, given))
        limit.start()
        feeder.start()
        try:
            yield iter(child.stdout)
        finally:
            limit.cancel()
            child.kill()
            feeder.join()


def _feed(pipe: IO[bytes], given: Sequence[bytes]) -> None:
    with suppress(OSError):  # it may be gone before it has read all
        for piece in given:
            pipe.write(piece)
    with suppress(OSError):
        pipe.close()
