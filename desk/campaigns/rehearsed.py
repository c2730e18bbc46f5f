"""What a rehearsal showed, in words and tables: the same in the console and at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from desk.outcomes import label
from surveys.campaigns import INVITE, REMIND, Outcome
from surveys.dispositions import Disposition
from surveys.words import Words, pick

WORDS = Words.of("desk", "rehearsal")
UNSENT = (Outcome.LATE, Outcome.DUE, Outcome.UNKNOWN)
Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A table; all but its first column are numbers or moments."""

    title: str
    heads: Cells
    rows: Sequence[Cells]


@dataclass(frozen=True, slots=True)
class Told:
    """A report in one language. ``problems``: what to look at, the gravest first; ``look`` stands
    above them, or says that there are none.
    """

    lead: Sequence[str]
    look: str
    problems: Sequence[str]
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Listing]

    @classmethod
    def of(
        cls, report: Mapping[str, Any], language: str, named: Callable[[str], str] = str
    ) -> Told:
        """``named`` gives a subject's name for its id."""
        tables = [_stages(report, language), _outcomes(report, language)]
        questions = _questions(report, language)
        problems = list(_problems(report, language, named))
        return cls(
            list(_lead(report, language)),
            WORDS.say("problems" if problems else "problems.none", language),
            problems,
            list(_facts(report, language)),
            [*tables, *([questions] if questions.rows else [])],
        )


def _lead(report: Mapping[str, Any], language: str) -> Iterator[str]:
    wish, whole = report["wish"], report["whole"]["people"]
    yield WORDS.say("lead" if report["messages"] else "lead.unheard", language)
    if report["people"] < whole:
        yield WORDS.say("lead.part", language, whole=f"{whole:,}", people=f"{report['people']:,}",
                        subjects=report["subjects"], seed=wish["seed"])  # fmt: skip
    yield WORDS.say("assumed", language, **report["shares"], response=wish["response"],
                    seed=wish["seed"])  # fmt: skip


def _facts(report: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    def fact(name: str, **arguments: object) -> tuple[str, str]:
        return WORDS.say(f"fact.{name}", language), WORDS.say(
            f"fact.{name}.value", language, **arguments
        )

    for name in ("opens", "closes", "counted"):
        yield WORDS.say(f"fact.{name}", language), f"{_moment(report[name])} ({report['zone']})"
    whole = report["whole"]
    yield fact("asked", **{name: f"{number:,}" for name, number in whole.items()})
    yield WORDS.say("fact.messages", language), f"{report['messages']:,}"
    yield WORDS.say("fact.quiet", language), f"{report['quiet']:,}"
    yield fact("pace", count=report["worst_second"], rate=f"{report['rate']:g}")
    yield fact("sending", minutes=ceil(whole["reachable"] / report["rate"] / 60))
    rate = report["rates"]["response"]
    percent = WORDS.say("percent", language, percent=f"{100 * (rate or 0):.1f}")
    yield WORDS.say("fact.response", language), percent
    yield fact("results", published=report["published"], subjects=report["subjects"])


def _problems(
    report: Mapping[str, Any], language: str, named: Callable[[str], str]
) -> Iterator[str]:
    def problem(name: str, **arguments: object) -> str:
        return WORDS.say(f"problem.{name}", language, **arguments)

    outcomes = [each["outcomes"] for each in report["stages"]]
    late = sum(each.get(Outcome.LATE, 0) for each in outcomes)
    owed = sum(each.get(Outcome.DUE, 0) for each in outcomes)
    if report["stuck"]:
        where = [pick(each["label"], language) for each in report["questions"] if each["stuck"]]
        yield problem("stuck", count=report["stuck"], questions=_list(where, language))
    elif report["messages"] and not _finished(report):
        yield problem("nobody")
    if report["people"] and not report["messages"]:
        yield problem("unheard" if report["whole"]["reachable"] else "unreachable")
    if report["quiet"]:
        yield problem("quiet", count=report["quiet"])
    yield from (pick(note, language) for note in report["notes"])
    if report["held"]:
        yield problem(report["held"], people=f"{report['whole']['people']:,}")
    if late:
        yield problem("late", count=late)
    if owed:
        yield problem("owed", count=owed)
    if report["withheld"]:
        names = _list([named(each) for each in report["withheld_named"]], language)
        if report["withheld"] > len(report["withheld_named"]):
            names = WORDS.say("more", language, names=names)
        yield problem("withheld", count=report["withheld"], subjects=report["subjects"],
                      k=report["k"], names=names)  # fmt: skip


def _finished(report: Mapping[str, Any]) -> int:
    found = report["outcomes"]
    return int(found.get(Disposition.COMPLETE, 0)) + int(found.get(Disposition.PARTIAL, 0))


def _stages(report: Mapping[str, Any], language: str) -> Listing:
    heads = ("stage", "planned", "left", "sent", "gone", "unsent", "moot")
    rows = []
    for each in report["stages"]:
        outcomes = each["outcomes"]
        numbers = [outcomes.get(name, 0) for name in (Outcome.SENT, Outcome.GONE)]
        numbers.append(sum(outcomes.get(name, 0) for name in UNSENT))
        numbers.append(outcomes.get(Outcome.MOOT, 0))
        moments = _moment(each["planned"]), _span(each["first"], each["last"])
        rows.append((_stage(each["stage"], language), *moments, *(f"{n:,}" for n in numbers)))
    return Listing(WORDS.say("stages", language), _heads("stages", heads, language), rows)


def _stage(name: str, language: str) -> str:
    if name == INVITE:
        return WORDS.say("stage.invite", language)
    return WORDS.say("stage.remind", language, number=name.removeprefix(REMIND))


def _outcomes(report: Mapping[str, Any], language: str) -> Listing:
    found = {each: report["outcomes"].get(each, 0) for each in Disposition}
    rows = [(label(each, language), f"{count:,}") for each, count in found.items() if count]
    return Listing(WORDS.say("outcomes", language),
                   _heads("outcomes", ("what", "people"), language), rows)  # fmt: skip


def _questions(report: Mapping[str, Any], language: str) -> Listing:
    numbers = ("answered", "skipped", "troubled", "left")
    rows = [
        (pick(each["label"], language), *(f"{each[name]:,}" for name in numbers))
        for each in report["questions"]
    ]
    heads = _heads("questions", ("question", *numbers), language)
    return Listing(WORDS.say("questions", language), heads, rows)


def _heads(table: str, names: Sequence[str], language: str) -> Cells:
    return tuple(WORDS.say(f"{table}.{name}", language) for name in names)


def _list(names: Sequence[str], language: str) -> str:
    return WORDS.say("list", language).join(names)


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M}"


def _span(first: str, last: str) -> str:
    """From the first message to the last, to the second; the day once where it is one."""
    if not first:
        return "–"
    one, two = datetime.fromisoformat(first), datetime.fromisoformat(last)
    end = "%H:%M:%S" if one.date() == two.date() else "%Y-%m-%d %H:%M:%S"
    return f"{one:%Y-%m-%d %H:%M:%S} – {two.strftime(end)}"
