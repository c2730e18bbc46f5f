"""How a wave's questionnaire fared, told: question by question, in either language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from surveys.campaigns import WaveState
from surveys.dropoff import REVIEW, Row, conditions
from surveys.forms.form import Form, Kind
from surveys.forms.xform import read_xform
from surveys.store import Transaction
from surveys.words import LANGUAGES, Words, pick

_WORDS = Words.of("surveys")
HEADS = ("question", "shown", "answered", "skipped", "nonresponse", "troubled", "left")


class DropoffError(LookupError):
    """There is nothing to tell of this wave; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Dropoff:
    """What left the tally of one wave: ``rows`` in the order of ``form``; ``k`` the campaign's."""

    wave: str
    period: str
    k: int
    form: Form
    rows: Sequence[Row]

    @property
    def partial(self) -> bool:
        """Whether anything is withheld."""
        told = (cell for row in self.rows for cell in cells(self, row, LANGUAGES[0]))
        return _told(None, LANGUAGES[0]) in told

    @property
    def branches(self) -> frozenset[str]:
        """Questions that only some are asked; whoever left there counts above."""
        return frozenset(path for path, rule in conditions(self.form).items() if rule)


def dropoff(tx: Transaction, name: str) -> Dropoff:
    """What may be known of ``name``; DropoffError where it is not there or not tallied yet."""
    wave = tx.wave(name)
    if wave is None:
        raise DropoffError(f"There is no wave {name!r}. See `minyi campaign show`.")
    if wave.state is not WaveState.TALLIED:
        raise DropoffError(f"{name} is {wave.state}. There are no interim results, for anyone.")
    campaign, source = tx.campaign(wave.campaign), tx.form(wave.form)
    rows = [row for row in tx.paradata(wave.period) if row.wave == name]
    if campaign is None or source is None or not rows:
        raise DropoffError(f"Nothing was counted in {name}.")
    return Dropoff(name, wave.period, campaign.k, read_xform(source, wave.form), rows)


def numbers(row: Row) -> tuple[int | None, ...]:
    """shown, answered, skipped, troubled, left; None where withheld."""
    return row.shown, row.answered, row.skipped, row.troubled, row.left


def nonresponse(row: Row) -> int | None:
    """Item nonresponse: those who skipped, in percent of those who were asked."""
    return round(100 * row.skipped / row.shown) if row.shown and row.skipped is not None else None


def as_json(found: Dropoff) -> dict[str, object]:
    """As data; null is withheld. Labels in every language of ours that the form has."""
    rows = [
        {
            "question": row.question,
            "label": {language: label(found.form, row, language) for language in LANGUAGES},
            **dict(zip(("shown", "answered", "skipped", "troubled", "left"), numbers(row),
                       strict=True)),
            "nonresponse_percent": nonresponse(row),
        }
        for row in found.rows
    ]  # fmt: skip
    return {"wave": found.wave, "period": found.period, "k": found.k, "questions": rows}


def heads(language: str) -> Iterator[str]:
    """The table's columns."""
    for head in HEADS:
        yield _WORDS.say(f"dropoff.{head}", language)


def cells(found: Dropoff, row: Row, language: str) -> Iterator[str]:
    """One line of the table."""
    shown, answered, skipped, troubled, left = numbers(row)
    yield label(found.form, row, language)
    if row.question == REVIEW:
        yield from ("", "", "", "", "", _told(left, language))
        return
    for number in (shown, answered, skipped):
        yield _told(number, language)
    percent = nonresponse(row)
    yield "" if row.shown == 0 else _told(None if percent is None else f"{percent} %", language)
    yield _told(troubled, language)
    yield "↑" if row.question in found.branches else _told(left, language)


def notes(found: Dropoff, language: str) -> Iterator[str]:
    """What the numbers mean, and why some are missing."""
    yield _WORDS.say("dropoff.meaning", language)
    if found.partial:
        yield _WORDS.say("dropoff.why_withheld", language, k=found.k)


def label(form: Form, row: Row, language: str) -> str:
    """The question in one line; … stands where an answer would be shown."""
    if row.question == REVIEW:
        return _WORDS.say("dropoff.review", language)
    question = form.question(row.question)
    texts = {
        tongue: " ".join("".join(p if isinstance(p, str) else "…" for p in pieces).split())
        for tongue, pieces in question.label.items()
    }
    words = pick(texts, language) or question.name
    return (
        _WORDS.say("dropoff.more", language, label=words) if question.kind is Kind.MORE else words
    )


def _told(value: object, language: str) -> str:
    return _WORDS.say("dropoff.withheld", language) if value is None else str(value)
