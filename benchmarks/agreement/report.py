"""What was compared and what differs, as a text table."""

from __future__ import annotations

from collections import defaultdict

from benchmarks.agreement.causes import UNKNOWN, Cause, cause_of
from benchmarks.agreement.walking import Difference, Tally


def report(tally: Tally, refused: dict[str, str]) -> int:
    """Print it; the number of differences without a known cause."""
    print(f"{tally.forms} forms, {tally.walks} walks, {tally.moves} moves")
    print()
    print(f"{'aspect':<14}{'compared':>10}{'differ':>8}")
    differ: dict[str, int] = defaultdict(int)
    for difference in tally.differences:
        differ[difference.check.aspect] += 1
    for aspect, count in sorted(tally.compared.items()):
        print(f"{aspect:<14}{count:>10}{differ[aspect]:>8}")
    print(f"{'in all':<14}{tally.compared.total():>10}{len(tally.differences):>8}")
    grouped: dict[Cause, list[Difference]] = defaultdict(list)
    for difference in tally.differences:
        grouped[cause_of(difference)].append(difference)
    for cause, found in sorted(grouped.items(), key=lambda item: -len(item[1])):
        judged = f" ({cause.verdict})" if cause.verdict else ""
        print(f"\n{len(found)} x {cause.words}{judged}")
        for difference in _shortest(found, 40 if cause is UNKNOWN else 1):
            _example(difference)
    for title, failed in (
        ("refused by us", refused),
        ("not run by the engine", tally.failed),
        ("that broke ours", tally.broken),
    ):
        if failed:
            print(f"\n{len(failed)} forms {title}")
            for name, reason in failed.items():
                print(f"  {name}: {reason[:300]}")
    return len(grouped[UNKNOWN]) + len(tally.broken)


def _shortest(found: list[Difference], most: int) -> list[Difference]:
    """One a place, the fewest answers first."""
    first: dict[tuple[str, str, str], Difference] = {}
    for difference in sorted(found, key=lambda one: len(one.trail)):
        check = difference.check
        first.setdefault((difference.form, check.aspect, check.rule or check.path), difference)
    return list(first.values())[:most]


def _example(difference: Difference) -> None:
    check = difference.check
    rule = f"  [{' '.join(check.rule.split())}]" if check.rule else ""
    print(f"  {difference.form}: {check.aspect} of {check.path}{rule}")
    print(f"    ours {check.ours!r}, theirs {check.theirs!r}")
    answers = ", ".join(f"{path.rsplit('/', 1)[-1]}={value!r}" for path, value in difference.trail)
    print(f"    after {answers[:300] or 'nothing'}")
