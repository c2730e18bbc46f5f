"""``python -m benchmarks.agreement``: does our form logic agree with ODK's own engine?"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

from benchmarks.agreement.engine import Engine
from benchmarks.agreement.growing import grown
from benchmarks.agreement.report import report
from benchmarks.agreement.walking import Tally, walk_form
from surveys.forms.form import FormError
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import SUFFIXES, compile_xlsform

_OWN = Path(__file__).parent / "forms"


def main(arguments: list[str]) -> int:
    """Walk and report; 1 where a difference has no known cause."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=__doc__)
    parser.add_argument("--forms", type=int, default=60, help="random forms besides the others")
    parser.add_argument("--paths", type=int, default=10, help="random walks through each form")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--zone", default="Asia/Shanghai", help="where the survey is held")
    parser.add_argument(
        "--mended", action="store_true", help="with the engine's known departures mended"
    )
    parser.add_argument("--only", default="", help="only forms with this in their name")
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of XLSForms to walk too")
    chosen = parser.parse_args(arguments)
    tables = [(path.name, path.suffix, path.read_bytes()) for path in _tables(chosen.folder)]
    for number in range(chosen.seed * 1000, chosen.seed * 1000 + chosen.forms):
        tables.append((f"random {number}", ".md", grown(number).encode()))
    tally, refused = Tally(), dict[str, str]()
    warnings.simplefilter("ignore")  # what openpyxl finds odd in a workbook is not asked here
    with Engine(chosen.zone, mended=chosen.mended) as engine:
        for name, suffix, table in tables:
            if chosen.only not in name:
                continue
            try:
                form = read_xform(compile_xlsform(table, suffix, name), name)
            except FormError as error:
                refused[name] = str(error)
                continue
            walk_form(form, name, engine, chosen.paths, chosen.seed, tally)
    unexplained = report(tally, refused)
    return 1 if unexplained else 0


def _tables(folder: Path | None) -> list[Path]:
    """Our own forms, then those of ``folder``."""
    folders = [_OWN] + ([folder] if folder else [])
    return [path for at in folders for path in sorted(at.rglob("*")) if path.suffix in SUFFIXES]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
