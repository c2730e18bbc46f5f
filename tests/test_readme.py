"""README is read by newcomers: what it names must be there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_path_that_readme_names_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    modules = re.findall(r"\b(?:\w+/)+\w+\.py\b", README)
    missing = [path for path in (*links, *modules) if not (ROOT / path).exists()]
    assert not missing


def test_the_house_in_readme_has_every_room_and_no_other() -> None:
    plan = README.partition("## The house")[2].partition("```")[2].partition("```")[0]
    told = set(re.findall(r"^(\w+)/", plan, re.MULTILINE))
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rooms = {path.split("/")[0] for path in listed if "/" in path and not path.startswith(".")}
    assert told == rooms


def test_both_commands_stand_on_the_first_screen() -> None:
    first_screen = README.splitlines()[:24]
    assert any(line.startswith("make demo") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)
