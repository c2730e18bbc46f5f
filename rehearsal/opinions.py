"""What simulated people think: a mood drawn from a seed, or grades recorded in a data set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any

from rehearsal.attempts import WORDS
from rehearsal.reader import PlainReader, Reader, Rows, Screen
from rehearsal.refusals import StageMistake

Opinion = Callable[[str, Rows], str | None]
"""Given the visible text and the rows of labels: the label to press, words to type, or None."""

TURNS_PAGE = 0.3
"""How often somebody looks at the next page of choices before choosing."""


class Names:
    """Finds the longest known name in a text.

    ``Lecturer 12`` is not found in ``Lecturer 123``: a Latin letter or digit at a name's edge must
    not go on. Chinese names may touch other characters.
    """

    def __init__(self, names: Iterable[str]) -> None:
        longest_first = sorted({name for name in names if name}, key=len, reverse=True)
        inner = "|".join(_bounded(name) for name in longest_first)
        self._pattern = re.compile(f"(?=({inner}))") if inner else None

    def find(self, text: str) -> str | None:
        if self._pattern is None:
            return None
        found = [match.group(1) for match in self._pattern.finditer(text)]
        return max(found, key=len, default=None)


def _bounded(name: str) -> str:
    edge = "[0-9A-Za-z_]"
    before = f"(?<!{edge})" if re.match(edge, name[0]) else ""
    after = f"(?!{edge})" if re.match(edge, name[-1]) else ""
    return f"{before}{re.escape(name)}{after}"


class SeededOpinion:
    """Grades around ``mood[subject]`` (mean 1..5), the same again for the same words.

    ``spread`` is the standard deviation of the normal draw before it is rounded and clipped;
    ``wordy`` the chance to type a comment where words are asked for.
    """

    def __init__(
        self,
        mood: Mapping[str, float],
        seed: int,
        *,
        otherwise: float = 4.0,
        spread: float = 0.9,
        wordy: float = 0.3,
        language: str = "zh",
        reader: Reader | None = None,
    ) -> None:
        self._mood = mood
        self._names = Names(mood)
        self._seed = seed
        self._otherwise = otherwise
        self._spread = spread
        self._wordy = wordy
        self._words = WORDS.get(language[:2], WORDS["en"])
        self._rest = Rest(reader or PlainReader())
        self._subject = ""

    def __call__(self, text: str, rows: Rows) -> str | None:
        screen = self._rest.reader.read(text, rows)
        chance = Random(f"{self._seed}|{self._names.find(text) or self._subject}|{text}")
        if screen.grades:
            # a bot names its subject once and then asks on: people remember of whom it speaks
            self._subject = self._names.find(text) or self._subject
            mean = self._mood.get(self._subject, self._otherwise)
            wanted = chance.gauss(mean, self._spread)
            return screen.grades[min(screen.grades, key=lambda grade: abs(grade - wanted))]
        words = chance.choice(self._words) if chance.random() < self._wordy else None
        return self._rest.answer(screen, chance, words)


class RecordedOpinion:
    """Answers with the grade recorded for the subject and question on the screen.

    ``grades`` maps (subject, question marker) to 1..5; a marker is any text that names the
    question, ``""`` fits all. Where nothing is recorded: not applicable, else skip, else silence.
    """

    def __init__(
        self, grades: Mapping[tuple[str, str], int], *, reader: Reader | None = None
    ) -> None:
        wrong = next((key for key, grade in grades.items() if not 1 <= grade <= 5), None)
        if wrong is not None:
            raise StageMistake(f"recorded grade of {wrong}: {grades[wrong]}, not 1..5")
        self._names = Names(subject for subject, _ in grades)
        self._markers: dict[str, list[tuple[str, int]]] = {}
        for (subject, marker), grade in grades.items():
            self._markers.setdefault(subject, []).append((marker, grade))
        for known in self._markers.values():
            known.sort(key=lambda pair: len(pair[0]), reverse=True)
        self._rest = Rest(reader or PlainReader())

    def __call__(self, text: str, rows: Rows) -> str | None:
        screen = self._rest.reader.read(text, rows)
        if not screen.grades:
            return self._rest.answer(screen, None, None)
        known = self._markers.get(self._names.find(text) or "", ())
        grade = next((grade for marker, grade in known if marker in text), None)
        if grade is not None:
            return screen.grades.get(grade)
        return screen.not_applicable or screen.skip


class Rest:
    """Everything but grades: start, choices, comments, done, send. Remembers what it pressed."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._ticked: dict[str, set[str]] = {}
        self._done: Counter[str] = Counter()
        self._pressed: Counter[tuple[str, str]] = Counter()
        self._turned: set[str] = set()

    def answer(self, screen: Screen, chance: Random | None, words: str | None) -> str | None:
        """``chance`` None does the least that goes on; ``words``: typed where words are asked."""
        if screen.start or screen.send:
            return screen.start or screen.send
        if screen.gathers:
            return self._tick(screen, chance)
        if screen.choices:
            return self._choose(screen, chance)
        if screen.asks_for_words:
            return words or screen.skip
        return screen.not_applicable

    def _choose(self, screen: Screen, chance: Random | None) -> str:
        """One of the choices; what led back to the same words twice is not chosen again."""
        if chance is None:
            if screen.skip:
                return screen.skip
        elif screen.more and screen.key not in self._turned and chance.random() < TURNS_PAGE:
            self._turned.add(screen.key)
            return screen.more
        fresh = [label for label in screen.choices if self._pressed[screen.key, label] < 2]
        left = fresh or list(screen.choices)
        label = left[0] if chance is None else chance.choice(left)
        self._pressed[screen.key, label] += 1
        return label

    def _tick(self, screen: Screen, chance: Random | None) -> str | None:
        """One or two reasons, then Done; with least effort one, or none where it may be skipped.

        Where Done is refused, one more; where everything has to be put in order, everything.
        """
        if chance is None and screen.skip:
            return screen.skip
        ticked = self._ticked.setdefault(screen.key, set())
        wanted = (1 if chance is None else chance.choice((1, 1, 2))) + self._done[screen.key]
        left = [label for label in screen.choices if label not in screen.marked]
        enough = len(screen.marked) >= wanted or len(ticked) >= wanted or not left
        if screen.done and enough and not screen.ranks:
            self._ticked.pop(screen.key, None)
            self._done[screen.key] += 1
            return screen.done
        if not left:
            return screen.done or screen.more
        label = left[0] if chance is None else chance.choice(left)
        ticked.add(label)
        return label


def read_opinion(raw: Any, language: str) -> Opinion:
    """From decoded JSON: ``{"kind": "seeded", "mood": {...}, "seed": 1, ...}`` or
    ``{"kind": "recorded", "grades": [[subject, marker, grade], ...]}``; raises ``StageMistake``.
    """
    match raw:
        case {"kind": "seeded", **rest}:
            allowed = {"mood", "seed", "otherwise", "spread", "wordy"}
            if set(rest) - allowed or not isinstance(rest.get("mood", {}), dict):
                raise StageMistake(f"a seeded opinion has {', '.join(sorted(allowed))}")
            given: dict[str, Any] = {"mood": {}, "seed": 0}
            given.update({str(name): value for name, value in rest.items()})
            return SeededOpinion(given.pop("mood"), given.pop("seed"), language=language, **given)
        case {"kind": "recorded", "grades": list() as rows}:
            return RecordedOpinion(dict(_recorded(rows)))
    raise StageMistake('an opinion is {"kind": "seeded", ...} or {"kind": "recorded", ...}')


def _recorded(rows: Sequence[Any]) -> Iterable[tuple[tuple[str, str], int]]:
    for row in rows:
        match row:
            case [str() as subject, str() as marker, int() as grade]:
                yield (subject, marker), grade
            case _:
                raise StageMistake(f"recorded grade {row!r}: [subject, marker, grade]")
