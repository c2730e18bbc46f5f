"""A conversation as a text file: what the person does, and what is said to it.

The first line names questionnaire and language: ``# questionnaires/service.md, zh``. Every other
line that begins with ``#`` is for the reader. A line that begins with ``> `` is the person's:

- ``> /start demo`` comes first: the person opens the link on the poster;
- ``> [满意]`` presses the newest button ever shown with that label, even one long answered;
- ``> (a sticker)`` sends a picture where words are understood, ``> {1200 × 慢}`` a very long text;
- ``> (a photo)``, ``> (a recording)``, ``> (a document)`` hand over a file;
- ``> (the place 39.9042, 116.4074)`` shares it; ``> (changes it to: words)`` edits what was typed;
- anything else is typed.

What follows, up to the next ``> ``, is what the person then reads: the words, and below them a
line for each row of buttons, ``  [返回] [跳过]``. Receipts are random and stand as
0000-0000-0000-0000.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
MEDIA = HERE.parent / "data" / "media"
HEADER = re.compile(r"# (?P<questionnaire>\S+), (?P<language>zh|en)")
RECEIPT = re.compile(r"\b\d{4}-\d{4}-\d{4}-\d{4}\b")
MASKED = "0000-0000-0000-0000"
OPENING = "/start demo"
LONG = re.compile(r"\{(\d+) × (.+)\}")


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button, by the label it was shown with."""

    label: str


@dataclass(frozen=True, slots=True)
class Sticker:
    """Something that is not words."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """Words, typed and sent."""

    text: str


@dataclass(frozen=True, slots=True)
class Gave:
    """A file: ``kind`` is image, audio or file."""

    kind: str
    file: Path

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return self.file.read_bytes()


@dataclass(frozen=True, slots=True)
class Shared:
    """A place, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Changed:
    """The words typed last read otherwise now."""

    text: str


Act = Pressed | Sticker | Wrote | Gave | Shared | Changed
FILES = {
    "(a photo)": ("image", "photo.jpg"),
    "(a recording)": ("audio", "sound.ogg"),
    "(a document)": ("file", "paper.pdf"),
}
PLACE = re.compile(r"\(the place (-?[\d.]+), (-?[\d.]+)\)")
CHANGED = re.compile(r"\(changes it to: (.+)\)")


@dataclass(frozen=True, slots=True)
class Exchange:
    """``heard`` and ``said`` as they stand in the file; ``remarks`` stand above them."""

    heard: str
    said: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def wants_receipt(self) -> bool:
        """Whether the person types the receipt last given out."""
        return MASKED in self.heard

    def act(self, receipt: str = MASKED) -> Act:
        """What the person does; ``receipt`` is the one they were given."""
        if self.heard == "(a sticker)":
            return Sticker()
        if self.heard in FILES:
            kind, name = FILES[self.heard]
            return Gave(kind, MEDIA / name)
        if place := PLACE.fullmatch(self.heard):
            return Shared(float(place[1]), float(place[2]))
        if changed := CHANGED.fullmatch(self.heard):
            return Changed(changed[1])
        if self.heard.startswith("["):
            return Pressed(self.heard[1:-1])
        long = LONG.fullmatch(self.heard)
        text = long[2] * int(long[1]) if long else self.heard
        return Wrote(text.replace(MASKED, receipt))


@dataclass(frozen=True, slots=True)
class Script:
    """One conversation. ``path`` is where it was read."""

    path: Path
    questionnaire: str
    language: str
    exchanges: tuple[Exchange, ...]

    @property
    def name(self) -> str:
        """For the test's name: ``zh/satisfied``."""
        return f"{self.path.parent.name}/{self.path.stem}"

    def with_said(self, said: Sequence[str]) -> Script:
        """The same conversation with other answers."""
        pairs = zip(self.exchanges, said, strict=True)
        return replace(self, exchanges=tuple(replace(one, said=words) for one, words in pairs))

    def text(self) -> str:
        """As a file; the inverse of :func:`read`."""
        lines = [f"# {self.questionnaire}, {self.language}"]
        for exchange in self.exchanges:
            lines += [*exchange.remarks, f"> {exchange.heard}", *exchange.said.split("\n"), ""]
        return "\n".join(lines)


def scripts() -> list[Script]:
    """Every conversation there is."""
    return [read(path) for path in sorted(HERE.glob("*/*.txt"))]


def read(path: Path) -> Script:
    """The conversation in ``path``; ValueError where it is not written as it should be."""
    first, *lines = path.read_text("utf-8").splitlines()
    header = HEADER.fullmatch(first)
    if header is None:
        raise ValueError(f"{path}: the first line must name questionnaire and language")
    exchanges = tuple(_exchanges(lines))
    if not exchanges or exchanges[0].heard != OPENING:
        raise ValueError(f"{path}: it must begin with > {OPENING}")
    return Script(path, header["questionnaire"], header["language"], exchanges)


def masked(said: str) -> str:
    """``said`` with its receipt made comparable."""
    return RECEIPT.sub(MASKED, said)


def _exchanges(lines: Iterable[str]) -> Iterable[Exchange]:
    heard, remarks, above = "", tuple[str, ...](), list[str]()
    said: list[str] = []
    for line in [*lines, "> "]:
        if line.startswith("#"):
            above.append(line)
        elif line.startswith("> "):
            if heard:
                yield Exchange(heard, "\n".join(said).strip("\n"), remarks)
            heard, remarks, above, said = line[2:], tuple(above), [], []
        else:
            said.append(line)
