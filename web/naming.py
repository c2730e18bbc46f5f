"""What things on a scorecard are called, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from evaluation.method import Method
from evaluation.reason import Reason
from surveys.forms.xform import read_xform
from surveys.people import Text
from surveys.store import Transaction
from surveys.words import Words, pick
from web.site import WORDS

SCORING = Words.of("evaluation")
QUARTER = re.compile(r"(\d{4})-?Q([1-4])")


@dataclass(frozen=True, slots=True)
class Names:
    """Names for one page. ``subjects`` by id, ``choices`` by (question, choice)."""

    language: str
    methods: Sequence[Method]
    subjects: Mapping[str, Text]
    choices: Mapping[tuple[str, str], Text]

    def subject(self, subject: str) -> str:
        """A subject's name; its id where nobody named it."""
        return pick(self.subjects.get(subject, {}), self.language) or subject

    def period(self, period: str) -> str:
        """2026Q1 as people say it."""
        if found := QUARTER.fullmatch(period):
            year, quarter = found.groups()
            return WORDS.say("results.quarter", self.language, year=year, quarter=quarter)
        return period

    def method(self, version: str) -> Method | None:
        """The method of that version; else one of the same name, for its names only."""
        name = version.partition("@")[0]
        near = (each for each in self.methods if each.name == name)
        return self._exactly(version) or next(near, None)

    def edges(self, version: str) -> tuple[float, ...]:
        """Where bands begin, without the lowest; none for a method that is not known here."""
        method = self._exactly(version)
        return tuple(band.start for band in method.bands[1:]) if method else ()

    def group(self, group: str) -> str:
        """A rater group."""
        return SCORING.say(f"group_{group}", self.language)

    def band(self, version: str, band: str) -> str:
        """A band."""
        method = self.method(version)
        bands = method.bands if method else ()
        return self._of(((each.id, each.names) for each in bands), band)

    def bands(self, version: str, bands: Iterable[str]) -> str:
        """One band, or the two it lies between."""
        joined = WORDS.say("results.between", self.language)
        return joined.join(self.band(version, each) for each in bands)

    def category(self, version: str, category: str) -> str:
        """A category of work."""
        method = self.method(version)
        rules = method.categories if method else {}
        return self._of(((each.value, rule.names) for each, rule in rules.items()), category)

    def indicator(self, version: str, indicator: str) -> str:
        """An indicator."""
        method = self.method(version)
        known = method.indicators if method else ()
        return self._of(((each.id, each.names) for each in known), indicator)

    def term(self, version: str, key: str) -> str:
        """A contribution: baseline, workload, indicator:ID or adjustment."""
        kind, _, indicator = key.partition(":")
        if kind == "indicator":
            return self.indicator(version, indicator)
        return SCORING.say(key, self.language)

    def choice(self, question: str, choice: str) -> str:
        """An answer that could be chosen."""
        return pick(self.choices.get((question, choice), {}), self.language) or choice

    def reason(self, version: str, reason: Reason) -> str:
        """Why something is withheld or marked, as a sentence."""
        arguments: dict[str, object] = dict(reason.arguments)
        if "group" in arguments:
            arguments["group"] = self.group(str(arguments["group"]))
        if "groups" in arguments:
            groups = re.split(r",\s*", str(arguments["groups"]))
            comma = "、" if self.language == "zh" else ", "
            arguments["groups"] = comma.join(self.group(each) for each in groups)
        if "indicator" in arguments:
            arguments["indicator"] = self.indicator(version, str(arguments["indicator"]))
        return SCORING.say(reason.code, self.language, **arguments)

    def scoring(self, key: str, **arguments: object) -> str:
        """A sentence of the scoring room."""
        return SCORING.say(key, self.language, **arguments)

    def _exactly(self, version: str) -> Method | None:
        return next((each for each in self.methods if each.version == version), None)

    def _of(self, named: Iterable[tuple[str, Text]], wanted: str) -> str:
        return pick(dict(named).get(wanted, {}), self.language) or wanted


def choices_of(tx: Transaction) -> dict[tuple[str, str], Text]:
    """What the choices of every reason question are called, newest questionnaire last."""
    found: dict[tuple[str, str], Text] = {}
    for form, _ in tx.forms():
        if source := tx.form(form):
            found |= _choices(form, source)
    return found


@cache
def _choices(form: str, source: bytes) -> Mapping[tuple[str, str], Text]:
    return {
        (question.name, choice.name): choice.label
        for question in read_xform(source, form).questions
        if question.reason
        for choice in question.choices
    }
