"""A command line in an empty directory with an empty environment."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from minyi.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


Minyi = Callable[..., Ran]


@pytest.fixture
def minyi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Minyi:
    """Run ``minyi`` in ``tmp_path``, as typed; keyword arguments are the environment."""
    for name in [name for name in os.environ if name.upper().startswith("MINYI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*words: object, **environ: str) -> Ran:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["minyi", *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        status = ended.value.code
        return Ran(status if isinstance(status, int) else 0, said.out, said.err)

    return run


@pytest.fixture
def founded(minyi: Minyi) -> Minyi:
    """The same, after ``minyi init``."""
    assert minyi("init").status == 0
    return minyi


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Whoever configures the log writes to a stream that ends with the test.

    Servers of other tests leave levels and handlers on uvicorn's own loggers.
    """
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        left = logging.getLogger(name)
        left.handlers.clear()
        left.setLevel(logging.NOTSET)
        left.propagate = True
    yield
    structlog.reset_defaults()
