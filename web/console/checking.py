"""Uploaded questionnaires looked at in a process of their own, a few at a time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.requests import Request

from surveys.files.archives import RefusedError
from surveys.forms.form import Form
from surveys.forms.label_media import Media, load_media, media_names
from surveys.forms.xform import read_xform
from surveys.people import Text
from surveys.words import LANGUAGES

LARGEST = 10_000_000  # bytes of one upload
PATIENCE = 60  # seconds by the wall clock; the processor's own are counted in there
AT_ONCE = 2
REMEMBERED = 16  # what was found lately, so that looking again costs nothing


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: where it stands and, in each language, what is wrong and how to mend it."""

    code: str
    severity: str  # error | warning
    sheet: str
    row: int | None
    column: str
    header: str
    path: str
    what: Text
    mend: Text


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a sheet as its author sees it."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of looking at a file.

    ``refused`` says in each language why it was not opened; '' in ``form`` and all else then.
    ``halted``: a finding kept the rest from being checked.
    """

    refused: Text = field(default_factory=dict)
    form: Form | None = None
    media: Media = field(default_factory=dict)
    errors: int = 0
    halted: bool = False
    findings: tuple[Found, ...] = ()
    sheets: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)

    @property
    def warnings(self) -> int:
        """How many should be looked at."""
        return len(self.findings) - self.errors


MODULE = "surveys.lint.apart"
PASSED = ("LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")  # what a process may need to begin at all


def _refused(code: str) -> Examined:
    return Examined(refused={each: RefusedError(code).said(each) for each in LANGUAGES})


TOO_MUCH, FAILED = _refused("heavy"), _refused("unchecked")


class Examiner:
    """Looks at files, at most AT_ONCE at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._lately: OrderedDict[bytes, Examined] = OrderedDict()

    async def examine(
        self, content: bytes, suffix: str, use: str, *, media: bool = False
    ) -> Examined:
        """What is found in ``content``, a file of the type ``suffix`` for the ``use``.

        ``media``: with the files of its labels.
        """
        key = hashlib.sha256(f"{suffix} {use} ".encode() + content).digest()
        known = self._lately.get(key)
        if known is not None and not media:
            return known
        async with self._turn:
            found = await asyncio.to_thread(_examine, content, suffix, use, media)
        if not media and found not in (TOO_MUCH, FAILED):
            self._lately[key] = found
            while len(self._lately) > REMEMBERED:
                self._lately.popitem(last=False)
        return found


def examiner_of(request: Request) -> Examiner:
    """The one examiner of the application."""
    state = request.app.state
    if not hasattr(state, "examiner"):
        state.examiner = Examiner()
    examiner: Examiner = state.examiner
    return examiner


def _examine(content: bytes, suffix: str, use: str, media: bool) -> Examined:
    with _folder(content, suffix) as (folder, file):
        told = _told(folder, file, use)
        if isinstance(told, Examined):
            return told
        if told["refused"]:
            return Examined(refused=told["refused"])
        return _read(told, folder if media else None)


@contextmanager
def _folder(content: bytes, suffix: str) -> Iterator[tuple[Path, str]]:
    """A folder nobody else can read, with the file in it under a name of ours."""
    with TemporaryDirectory(prefix="minyi-upload-") as name:
        folder, file = Path(name), f"questionnaire{suffix}"
        (folder / file).write_bytes(content)
        yield folder, file


def process(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of another process of ours. It is given none of our keys."""
    command = [sys.executable, "-P", "-m", module, *arguments]
    environment = {name: os.environ[name] for name in PASSED if name in os.environ}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
    return command, environment


def _told(folder: Path, file: str, use: str) -> dict[str, Any] | Examined:
    """What the other process printed, or why it did not."""
    command, environment = process(MODULE, str(folder), file, use)
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and no word of the file's author
            command, capture_output=True, timeout=PATIENCE, check=True, env=environment
        )
    except subprocess.TimeoutExpired:
        return TOO_MUCH
    except subprocess.CalledProcessError as error:  # killed by the kernel, or out of memory
        heavy = error.returncode < 0 or b"MemoryError" in error.stderr
        return TOO_MUCH if heavy else FAILED
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _read(told: Mapping[str, Any], folder: Path | None) -> Examined:
    found, xform = told["found"], told["xform"]
    form = read_xform(xform.encode(), told["table"]) if xform else None
    media: Media = {}
    if form is not None and folder is not None and not found["errors"]:
        media = load_media(folder / told["table"], media_names(form))
    return Examined(
        form=form,
        media=media,
        errors=found["errors"],
        halted=found["halted"],
        findings=tuple(map(_found, found["problems"])),
        sheets={
            name: tuple(Line(row, tuple(cells)) for row, cells in lines)
            for name, lines in told["sheets"]
        },
    )


def _found(problem: Mapping[str, Any]) -> Found:
    return Found(
        code=problem["code"],
        severity=problem["severity"],
        sheet=problem["sheet"] or "",
        row=problem["row"],
        column=problem["column"] or "",
        header=problem["header"] or "",
        path=problem["path"] or "",
        what=problem["what"],
        mend=problem["mend"],
    )
