"""The product's own sentences, in every language side by side, in a room's words.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh", "en")


def pick(texts: Mapping[str, str], language: str) -> str:
    """The text in ``language``, else in another language rather than nothing; '' for no text."""
    if language in texts:
        return texts[language]
    for fallback in LANGUAGES:
        if fallback in texts:
            return texts[fallback]
    return next(iter(texts.values()), "")


def nearest(tag: str) -> str:
    """The language we speak that is nearest to a BCP 47 tag; English for tags we do not know."""
    return "zh" if tag.lower().replace("_", "-").split("-")[0] in ("zh", "") else "en"


class Words:
    """The sentences of one room, by key. A missing key or language is a bug (KeyError)."""

    def __init__(self, table: Mapping[str, Mapping[str, str]]) -> None:
        self._table = table

    @classmethod
    @cache
    def of(cls, room: str, name: str = "words") -> Words:
        """Load ``name``.toml beside the modules of ``room``; read once."""
        return cls(flatten(tomllib.loads(files(room).joinpath(f"{name}.toml").read_text("utf-8"))))

    def say(self, key: str, language: str, **arguments: object) -> str:
        """The sentence ``key`` in ``language`` with its placeholders filled.

        A questionnaire may speak more languages than we do; around it we speak the nearest.
        """
        texts = self._table[key]
        return (texts.get(language) or texts[nearest(language)]).format(**arguments)

    def all_of(self, key: str) -> Mapping[str, str]:
        """The sentence in all its languages, unfilled."""
        return self._table[key]

    def keys(self) -> frozenset[str]:
        """Every key, for the test that finds sentences without a translation or a use."""
        return frozenset(self._table)


def flatten(tree: Mapping[str, object], prefix: str = "") -> dict[str, dict[str, str]]:
    """TOML tables to dotted keys: the strings of a table are one sentence, its tables go below."""
    flat: dict[str, dict[str, str]] = {}
    for name, value in tree.items():
        if not isinstance(value, Mapping):
            raise ValueError(f"words: {prefix}{name} must be a table with zh and en")
        texts = {k: v for k, v in value.items() if isinstance(v, str)}
        if texts:
            flat[prefix + name] = texts
        below = {k: v for k, v in value.items() if not isinstance(v, str)}
        flat |= flatten(below, f"{prefix}{name}.")
    return flat
