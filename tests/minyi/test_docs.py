"""The documents name every setting and every command, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from minyi.cli import app
from minyi.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def commands(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name
        return
    for word, each in inner.items():
        yield from commands(each, f"{name} {word}")


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    documented = set(
        re.findall(r"^\| `(MINYI_\w+)`", (DOCS / "settings.md").read_text("utf-8"), re.M)
    )
    assert documented == {f"MINYI_{name.upper()}" for name in Settings.model_fields} | {
        "MINYI_CONFIG"
    }


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_documented_default_and_meaning_are_the_settings_own(name: str) -> None:
    field = Settings.model_fields[name]
    [line] = [
        line
        for line in (DOCS / "settings.md").read_text("utf-8").splitlines()
        if line.startswith(f"| `MINYI_{name.upper()}` |")
    ]
    assert field.description
    assert field.description in line
    assert field.default in {None, ""} or f"`{field.default}`" in line


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    documented = set(
        re.findall(r"^\| `(minyi [^`]+)`", (DOCS / "commands.md").read_text("utf-8"), re.M)
    )
    assert documented == set(commands(typer.main.get_command(app), "minyi"))
