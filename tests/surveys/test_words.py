from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from concerns.store import State
from surveys.cells import RaterGroup
from surveys.forms.form import Kind
from surveys.words import LANGUAGES, Words, flatten, nearest, pick

ROOT = Path(__file__).parents[2]
ROOMS = {
    # where the keys of a room's sentences are written
    "surveys": ("surveys", "desk", "minyi"),
    "concerns": ("concerns",),
    "web": ("web",),
    "evaluation": ("evaluation", "web"),
    "desk": ("desk", "minyi"),
}


def sources(rooms: tuple[str, ...]) -> str:
    """All code of ``rooms``: modules and page templates."""
    files = [file for room in rooms for file in sorted((ROOT / room).rglob("*"))]
    kept = [file for file in files if file.suffix in {".py", ".html", ".j2", ".js", ".svg"}]
    return "\n".join(file.read_text("utf-8") for file in kept)


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("room", ROOMS)
def test_every_sentence_is_in_both_languages_with_the_same_places_to_fill(room: str) -> None:
    words = Words.of(room)
    for key in words.keys():  # noqa: SIM118 - not a mapping
        texts = words.all_of(key)
        assert set(texts) == set(LANGUAGES), key
        assert len({frozenset(placeholders(text)) for text in texts.values()}) == 1, key
        assert all(text.strip() for text in texts.values()), key


def quoted(code: str) -> set[str]:
    return set(re.findall(r"""["']([a-z][a-zA-Z0-9_.]*)["']""", code))


def spoken(room: str) -> Iterator[str]:
    """Keys that code of the room asks for as they stand: say("key"), button("key")."""
    code = sources((room,))
    if room == "web":  # the desk's pages and the API have sentences and tests of their own
        for alcove in ("web/console", "web/api"):
            code = code.replace(sources((alcove,)), "")
    call = r"""\b(?:say|button|all_of)\(\s*["']([a-z][\w.]*)["']\s*[,)]"""
    yield from re.findall(call, code)


@pytest.mark.parametrize("room", ["surveys", "concerns", "web"])
def test_every_key_that_is_spoken_exists(room: str) -> None:
    known = Words.of(room).keys()
    if room == "surveys":  # authors are spoken to from a file of its own
        known |= Words.of("surveys", "problems").keys()
    assert not set(spoken(room)) - known


def built(code: str) -> set[str]:
    """Keys put together at run time, each by the parts it is put together from."""
    troubles = re.findall(r'Trouble\(\s*"(\w+)"', code)
    made = {f"trouble.{key}" for key in troubles} | {f"typed.{name}" for name in quoted(code)}
    made |= {f"state.{state}" for state in State} | {f"group_{group}" for group in RaterGroup}
    pages = set(re.findall(r'say\("(\w+\.\w+)" ~ (?:grade|step)\)', code))
    made |= {f"{stem}{number}" for stem in pages for number in range(1, 7)}
    named = {*Kind, *re.findall(r"""["']([a-z]+(?:-[a-z]+)?)["']""", code)}
    for stem in re.findall(r'"([a-z.]+)\.(?:\{|" ~ )', code):
        made |= {f"{stem}.{name}" for name in named}
    if '"trouble." ~ kind ~' in code:
        made |= {f"trouble.{kind}.{part}" for kind in quoted(code) for part in ("title", "help")}
    return made


@pytest.mark.parametrize("room", ROOMS)
def test_every_sentence_has_a_use(room: str) -> None:
    code = sources(ROOMS[room])
    assert not sorted(Words.of(room).keys() - quoted(code) - built(code))


def test_every_trouble_has_its_sentence() -> None:
    keys = set(re.findall(r'Trouble\(\s*"(\w+)"', sources(("surveys",))))
    assert len(keys) > 8
    assert {f"trouble.{key}" for key in keys} <= Words.of("surveys").keys()


def test_no_two_typed_commands_share_a_word() -> None:
    words = Words.of("surveys")
    typed = [key for key in words.keys() if key.startswith("typed.")]  # noqa: SIM118
    said = [w for key in typed for text in words.all_of(key).values() for w in text.split("|")]
    assert len(said) == len(set(said))


def test_a_sentence_is_filled_in_its_language_and_a_missing_one_is_a_bug() -> None:
    words = Words.of("surveys")
    assert "3" in words.say("offer", "en", count=3, title="T")
    with pytest.raises(KeyError):
        words.say("no.such.key", "zh")
    assert words.say("button.back", "fr") == words.say(
        "button.back", "en"
    )  # a questionnaire may be in French


def test_tables_become_dotted_keys() -> None:
    tree = {"a": {"zh": "甲", "en": "A", "b": {"zh": "乙", "en": "B"}}}
    assert flatten(tree) == {"a": {"zh": "甲", "en": "A"}, "a.b": {"zh": "乙", "en": "B"}}
    with pytest.raises(ValueError, match=r"a\.x"):
        flatten({"a": {"b": {"zh": "乙"}, "x": 3}})


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("ZH_hant_TW", "zh"),
        ("", "zh"),
        ("en-GB", "en"),
        ("de", "en"),
        ("zha", "en"),
    ],
)
def test_the_nearest_language_we_speak(tag: str, language: str) -> None:
    assert nearest(tag) == language


def test_another_language_is_better_than_nothing() -> None:
    assert pick({"zh": "甲", "en": "A"}, "en") == "A"
    assert pick({"zh": "甲"}, "en") == "甲"
    assert pick({"": "X"}, "en") == "X"
    assert pick({"fr": "Y"}, "zh") == "Y"
    assert pick({}, "zh") == ""
