"""The dependency audit: a vulnerability fails it, data out of reach is said aloud."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
MISSED = {"name": "missed", "skip_reason": "not found"}


def audited(folder: Path, said: str) -> tuple[int, str]:
    """Run the audit with a pip-audit that says ``said``."""
    fake = folder / "pip-audit"
    fake.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\necho 'cannot connect' >&2\n")
    fake.chmod(0o700)
    command = [sys.executable, str(ROOT / ".ci" / "audit"), str(fake)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


@pytest.mark.parametrize(
    ("dependencies", "status", "words"),
    [
        ([GOOD], 0, "1 packages looked at, 0 vulnerabilities"),
        ([GOOD, BAD], 1, "bad 2 has CVE-1; mended in 3"),
        ([MISSED, BAD], 1, "bad 2 has CVE-1"),
        ([GOOD, MISSED], 0, "NOT DONE for 1 of 2 packages"),
    ],
)
def test_what_is_found_decides(
    tmp_path: Path, dependencies: list[object], status: int, words: str
) -> None:
    ended, said = audited(tmp_path, json.dumps({"dependencies": dependencies}))
    assert (ended, words in said) == (status, True)


def test_data_out_of_reach_is_said_aloud_and_fails_nothing(tmp_path: Path) -> None:
    ended, said = audited(tmp_path, "")
    assert ended == 0
    assert "NOT DONE" in said
    assert "cannot connect" in said


def test_the_check_command_runs_it() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "check: lint audit test" in makefile
    assert "make audit" in (ROOT / ".ci" / "run").read_text()
