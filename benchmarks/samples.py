"""Questionnaires of others: how many can be imported, and interviewed to the end by chance.

``python -m benchmarks.samples FOLDER [--walks N]`` reads every XLSForm and XForm below FOLDER and
prints what became of each kind. It is no part of the tests: the files are other people's.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from rehearsal.walker import StuckError, beginning, walk_through
from surveys.forms.form import Form, FormError
from surveys.forms.xlsform import SUFFIXES, load_form

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one file: ``finished`` | ``stuck`` | ``refused`` | ``crashed``, and why."""

    file: Path
    outcome: str
    reasons: tuple[str, ...] = ()
    detail: str = ""
    turns: int = 0


def main() -> None:
    """Read, walk, print."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("folder", type=Path)
    reader.add_argument("--walks", type=int, default=5, help="interviews of each questionnaire")
    reader.add_argument("--each", action="store_true", help="name every file that did not finish")
    given = reader.parse_args()
    fates = [fate(file, given.walks) for file in files(given.folder)]
    report(fates, each=given.each)


def files(folder: Path) -> Iterator[Path]:
    """Every file that may be a questionnaire."""
    suffixes = (*SUFFIXES, ".xml")
    return (file for file in sorted(folder.rglob("*")) if file.suffix.lower() in suffixes)


def fate(file: Path, walks: int) -> Fate:
    """Import ``file`` and interview it ``walks`` times by chance."""
    try:
        form = load_form(file)
    except FormError as error:
        codes = sorted({problem.code for problem in error.problems if problem.stop})
        return Fate(file, "refused", tuple(codes) or ("pyxform",), str(error))
    except Exception as error:  # the very thing that must not happen
        return Fate(file, "crashed", (type(error).__name__,), repr(error))
    return walked(file, form, walks)


def walked(file: Path, form: Form, walks: int) -> Fate:
    """Interview ``form`` to the end ``walks`` times."""
    turns = 0
    for seed in range(walks):
        chance = Random(f"{file.name}|{seed}")
        try:
            turns += walk_through(form, beginning(NOW, chance), chance, NOW).turns
        except StuckError as error:
            return Fate(file, "stuck", (), str(error))
        except Exception as error:  # the very thing that must not happen
            return Fate(file, "crashed", (type(error).__name__,), repr(error))
    return Fate(file, "finished", turns=turns)


def report(fates: list[Fate], *, each: bool) -> None:
    """The numbers, then the reasons, then (``each``) the files."""
    outcomes = Counter(fate.outcome for fate in fates)
    print(f"{len(fates)} files; " + ", ".join(f"{n} {name}" for name, n in outcomes.most_common()))
    print(f"{sum(fate.turns for fate in fates)} turns in interviews that came to their end")
    reasons: dict[str, list[Fate]] = defaultdict(list)
    for one in fates:
        for reason in one.reasons or (() if one.outcome == "finished" else (one.outcome,)):
            reasons[f"{one.outcome}: {reason}"].append(one)
    for reason, found in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"{len(found):5}  {reason}")
    if each:
        for one in fates:
            if one.outcome != "finished":
                print(f"{one.outcome}  {one.file.name}: {one.detail}")


if __name__ == "__main__":
    main()
