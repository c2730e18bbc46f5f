"""Random walks through one questionnaire, on both engines at once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from benchmarks.agreement.answering import move
from benchmarks.agreement.engine import Engine, EngineError
from benchmarks.agreement.pair import Check, Pair
from surveys.forms.form import Form, Kind, Question, plain
from surveys.saying import Ask, say

MOMENT = datetime(2026, 7, 31, 12, 13, 20, tzinfo=UTC)
_MOVES = 60
_NAMES = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Difference:
    """A check that does not agree, after the answers in ``trail``.

    ``follows`` is a node that its rule looks at, or that it hangs on, and that differs itself.
    The rest tells of its question: whether it has a trigger, offers no choice now, filters its
    choices, shuffles them, and has a default that its kind cannot hold.
    """

    form: str
    check: Check
    trail: tuple[tuple[str, str], ...]
    follows: str = ""
    triggered: bool = False
    offers_nothing: bool = False
    filtered: bool = False
    shuffled: bool = False
    unfit: bool = False


@dataclass
class Tally:
    """What walking came to. ``failed`` are the forms that theirs could not run, ``broken`` ours."""

    forms: int = 0
    walks: int = 0
    moves: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


def walk_form(form: Form, name: str, engine: Engine, walks: int, seed: int, tally: Tally) -> None:
    """Walk ``form`` so many times and add to ``tally`` what was found."""
    for number in range(walks):
        chance = Random(f"{seed}|{name}|{number}")
        language = chance.choice(form.languages)
        try:
            pair = Pair(form, engine, MOMENT.astimezone(engine.zone), language)
            _walk(pair, name, chance, tally)
        except EngineError as error:
            tally.failed[name] = str(error)
            break
        except Exception as error:  # whatever breaks there is a find
            tally.broken[name] = f"{type(error).__name__}: {error}"
            break
        tally.walks += 1
    else:
        tally.forms += 1


def _walk(pair: Pair, name: str, chance: Random, tally: Tally) -> None:
    seen: set[tuple[str, str]] = set()
    standing: list[Check] = []  # what differs at the answers as they are

    def note(checks: list[Check]) -> None:
        for check in checks:
            tally.compared[check.aspect] += 1
            if not check.agrees and (check.aspect, check.path) not in seen:
                seen.add((check.aspect, check.path))
                tally.differences.append(_difference(name, pair, check, standing))

    def look() -> None:
        checks = list(pair.checks())
        standing[:] = [check for check in checks if not check.agrees]
        note(checks)

    look()
    for _ in range(_MOVES):
        said = say(pair.view)
        if not isinstance(said, Ask):
            break
        if chance.random() < 0.05 and pair.interview.answers:
            pair.forget(chance.choice(list(pair.interview.answers)))
        else:
            note(list(pair.step(move(said, pair.interview.turn, chance))))
            tally.moves += 1
        look()


def _difference(name: str, pair: Pair, check: Check, standing: list[Check]) -> Difference:
    question = pair.question(check.path)
    itemset = question.itemset if question else None
    return Difference(
        name,
        check,
        tuple(pair.interview.answers.items()),
        next((other.path for other in standing if _hangs(check, other)), ""),
        triggered=question is not None and question.trigger is not None,
        offers_nothing=pair.offers_nothing(check.path),
        filtered=itemset is not None,
        shuffled=itemset is not None and itemset.seed is not None,
        unfit=question is not None and _unfit(question),
    )


def _unfit(question: Question) -> bool:
    return question.kind is Kind.DATE and not re.fullmatch(r"(\d{4}-\d\d-\d\d)?", question.default)


def _hangs(check: Check, other: Check) -> bool:
    """Whether ``check`` hangs on ``other``: by its rule, or as it stands in or under it."""
    if other is check or other.aspect in ("label", "hint", "notes", "message"):
        return False
    at = check.path.partition(" = ")[0]
    if other.aspect in ("relevance", "repeat count", "choices") and at.startswith(other.path):
        return (check.aspect, check.path) != (other.aspect, other.path)
    if other.aspect == "relevance" and at.startswith(other.path.rpartition("/")[0] + "/"):
        return check.aspect == "value" and other.path.count("/") > 2  # the group around both
    return other.path != at and plain(other.path).rsplit("/", 1)[-1] in _NAMES.findall(check.rule)
