"""The API's sentences: whole in both languages, each one used, none missing."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

from surveys.words import LANGUAGES
from web.api.app import OPERATIONS
from web.api.problems import CODES, WORDS

FOLDER = Path(__file__).parents[3] / "web" / "api"
CODE = "\n".join(file.read_text("utf-8") for file in FOLDER.glob("*.py"))
KEYS = WORDS.keys()


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_every_sentence_is_in_both_languages_with_the_same_places_to_fill() -> None:
    for key in KEYS:
        texts = WORDS.all_of(key)
        assert set(texts) == set(LANGUAGES), key
        assert len({frozenset(placeholders(text)) for text in texts.values()}) == 1, key


def test_there_is_a_sentence_for_each_code_and_operation_and_no_other() -> None:
    wanted = {f"problem.{code}.{part}" for code in CODES for part in ("title", "detail")}
    wanted |= {f"operation.{operation.name}" for operation in OPERATIONS}
    families = ("problem.", "operation.")
    assert {key for key in KEYS if key.startswith(families)} == wanted
    others = {key for key in KEYS if not key.startswith(families)}
    spoken = set(re.findall(r"""["']((?:invalid|answer)\.\w+)["']""", CODE))
    spoken |= {f"invalid.{kind}" for kind in ("missing", "extra_forbidden", "json_invalid")}
    assert others == spoken


def test_every_code_is_raised_somewhere() -> None:
    raised = set(re.findall(r"""["'](\w+)["']""", CODE))
    assert set(CODES) <= raised
