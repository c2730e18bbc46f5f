"""Ratings from any CSV file (``.gz`` too): rater, subject, indicator, value; unit and group.

Streams: a file of any size takes the memory of what is kept. Every wrong row is addressed.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TextIO

INSTEVAL: Mapping[str, str] = {
    "rater": "s",
    "subject": "d",
    "unit": "dept",
    "group": "service",
    "value": "y",
}
"""Columns of R lme4's InstEval; it has one indicator, given as a constant."""

_NEEDED = ("rater", "subject", "indicator", "value")
_OPTIONAL = ("unit", "group")


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating; ``value`` is 1..5; ``line`` is where it stands in the file (1 is the header)."""

    rater: str
    subject: str
    indicator: str
    value: int
    unit: str = ""
    group: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class BadRow:
    """One thing wrong in the file and how to mend it; ``column`` is empty for the whole line."""

    file: str
    line: int
    column: str
    what: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" + (f", column {self.column}" * bool(self.column))
        return f"{place}: {self.what}. {self.mend}."


class UnreadableRatings(ValueError):  # noqa: N818 - names what it is
    """The file cannot be used; ``faults`` says every reason found, at most ``MOST_FAULTS``."""

    def __init__(self, faults: list[BadRow]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column holds what. ``columns`` maps our names to the file's; ``indicator`` names the
    one indicator of a file without such a column.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    indicator: str = ""

    def places(self, header: list[str], file: str) -> dict[str, int]:
        """Index of each known column; raises ``UnreadableRatings`` for what is missing."""
        places: dict[str, int] = {}
        faults: list[BadRow] = []
        for name in (*_NEEDED, *_OPTIONAL):
            column = self.columns.get(name, name)
            if header.count(column) > 1:
                faults.append(BadRow(file, 1, column, "two columns have this name", "Rename one"))
            elif column in header:
                places[name] = header.index(column)
            elif name in self.columns or (
                name in _NEEDED and not (name == "indicator" and self.indicator)
            ):
                mend = f"Add it, or map {name} to one of: {', '.join(header) or 'no columns'}"
                faults.append(BadRow(file, 1, column, "this column is missing", mend))
        if faults:
            raise UnreadableRatings(faults)
        return places


def read_ratings(
    path: Path, layout: Layout | None = None, *, sample: int = 0, seed: int = 0
) -> list[Rating]:
    """All ratings, in file order, or those of ``sample`` raters drawn by ``seed``.

    A sample is drawn from all raters of the file (reservoir sampling, Vitter's algorithm R, over
    raters as they first appear), so the same seed and file give the same people. Every row is
    checked, sampled or not. Raises ``UnreadableRatings`` with all faults; nothing is half-read.
    """
    chosen = _draw(path, layout or Layout(), sample, seed) if sample > 0 else None
    kept: list[Rating] = []
    faults: list[BadRow] = []
    lines: dict[tuple[str, str, str], int] = {}
    for found in _rows(path, layout or Layout()):
        if isinstance(found, BadRow):
            faults.append(found)
        elif (first := lines.setdefault(_key(found), found.line)) != found.line:
            faults.append(_doubled(path, found, first))
        elif chosen is None or found.rater in chosen:
            kept.append(found)
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise UnreadableRatings(faults)
    return kept


def by_rater(ratings: Iterable[Rating]) -> dict[str, list[Rating]]:
    """Each rater's ratings, raters and ratings in file order."""
    raters: dict[str, list[Rating]] = {}
    for rating in ratings:
        raters.setdefault(rating.rater, []).append(rating)
    return raters


def _key(rating: Rating) -> tuple[str, str, str]:
    return rating.rater, rating.subject, rating.indicator


def _doubled(path: Path, rating: Rating, first: int) -> BadRow:
    what = (
        f"rater {rating.rater} already rated {rating.subject} on {rating.indicator} in line {first}"
    )
    return BadRow(path.name, rating.line, "", what, "Keep one of the two lines")


def _draw(path: Path, layout: Layout, sample: int, seed: int) -> set[str]:
    chance = Random(seed)
    drawn: list[str] = []
    met: set[str] = set()
    for found in _rows(path, layout):
        if isinstance(found, BadRow) or found.rater in met:
            continue
        met.add(found.rater)
        if len(drawn) < sample:
            drawn.append(found.rater)
        elif (place := chance.randrange(len(met))) < sample:
            drawn[place] = found.rater
    return set(drawn)


def _rows(path: Path, layout: Layout) -> Iterator[Rating | BadRow]:
    with _opened(path) as stream:
        reader = csv.reader(stream, strict=True)
        line = 1
        try:
            header = [name.strip() for name in next(reader, [])]
            places = layout.places(header, path.name)
            for row in reader:
                line = reader.line_num
                if row:
                    yield _rating(row, places, layout, path.name, line)
        except csv.Error as trouble:
            mend = "Check the quotes and separators of this line"
            raise UnreadableRatings(
                [BadRow(path.name, max(line, reader.line_num), "", f"not CSV: {trouble}", mend)]
            ) from None
        except UnicodeDecodeError:
            wrong = BadRow(path.name, line + 1, "", "not UTF-8 text", "Save the file as UTF-8")
            raise UnreadableRatings([wrong]) from None
        except (EOFError, gzip.BadGzipFile):
            wrong = BadRow(
                path.name, line, "", "the compressed file is damaged", "Compress it anew"
            )
            raise UnreadableRatings([wrong]) from None


def _rating(
    row: list[str], places: Mapping[str, int], layout: Layout, file: str, line: int
) -> Rating | BadRow:
    values = {"indicator": layout.indicator}
    for name, place in places.items():
        column = layout.columns.get(name, name)
        if place >= len(row):
            return BadRow(file, line, column, "the line ends before this column", "Complete it")
        values[name] = row[place].strip()
        if not values[name] and name in _NEEDED:
            return BadRow(file, line, column, "empty", "Fill it in, or remove the line")
    value = values.pop("value")
    if value not in {"1", "2", "3", "4", "5"}:
        column = layout.columns.get("value", "value")
        return BadRow(
            file, line, column, f"{value!r} is no grade", "Use a whole number from 1 to 5"
        )
    return Rating(value=int(value), line=line, **values)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as packed:
            yield io.TextIOWrapper(packed, encoding="utf-8-sig", newline="")
    else:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield stream
