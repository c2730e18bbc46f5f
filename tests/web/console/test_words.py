"""The desk's sentences: whole in both languages, each one used, none missing."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

from desk.roles import Role
from surveys.words import LANGUAGES
from web.console.context import WORDS

ROOT = Path(__file__).parents[3]
SOURCES = [
    file
    for folder in (ROOT / "web", ROOT / "desk", ROOT / "minyi")
    for file in sorted(folder.rglob("*"))
    if file.suffix in {".py", ".html", ".svg"}
]
KEYS = frozenset(WORDS.keys())
CODE = "\n".join(file.read_text("utf-8") for file in SOURCES)
WHOLE = set(re.findall(r"""["']([a-z][\w.]*)["']""", CODE))
# the beginning of a key that is put together: f"attention.{key}", "desk.room." ~ key
BEGUN = set(re.findall(r"""["']([a-z][\w.]*[._])(?:\{|["']\s*[~+])""", CODE))
FAMILIES = ("action.", "role.")  # found by what the audit and the table of roles hold


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_every_sentence_is_in_both_languages_with_the_same_places_to_fill() -> None:
    for key in KEYS:
        texts = WORDS.all_of(key)
        assert set(texts) == set(LANGUAGES), key
        assert len({frozenset(placeholders(text)) for text in texts.values()}) == 1, key
        assert all(text.strip() for text in texts.values()), key


def test_every_sentence_is_used() -> None:
    unused = [key for key in KEYS if key not in WHOLE and not key.startswith((*FAMILIES, *BEGUN))]
    assert not unused


def test_every_key_that_is_spoken_exists() -> None:
    folder = ROOT / "web" / "console"
    code = "\n".join(file.read_text("utf-8") for file in SOURCES if folder in file.parents)
    spoken = set(re.findall(r"""\bsay\(\s*["']([a-z][\w.]*)["']\s*[,)]""", code))
    assert spoken <= KEYS, sorted(spoken - KEYS)


def test_every_action_of_the_audit_has_its_sentence() -> None:
    recorded = set(re.findall(r"""record\(\s*tx,\s*\w+,\s*["']([a-z_]+\.[a-z_]+)["']""", CODE))
    assert recorded
    missing = sorted(action for action in recorded if f"action.{action}" not in KEYS)
    assert not missing


def test_every_role_has_its_name() -> None:
    assert all(f"role.{role}" in KEYS for role in Role)


def test_whatever_renews_parts_of_a_page_loads_what_does_it_and_no_other_page_does() -> None:
    folder = ROOT / "web" / "console" / "templates"
    pages = {file: file.read_text("utf-8") for file in folder.rglob("*.html")}
    renewing = {file for file, text in pages.items() if "hx-get" in text}
    chat = folder / "questionnaires" / "trial.html"  # its talk renews itself
    assert renewing | {chat} == {
        f for f, text in pages.items() if '{% include "htmx.html" %}' in text
    }


def test_no_page_of_the_desk_holds_inline_styles_or_scripts() -> None:
    for template in (ROOT / "web" / "console" / "templates").rglob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"\sstyle=|<style|\son\w+=", text), template.name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), template.name
