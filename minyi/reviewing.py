"""What a rehearsal showed, as plain data: from the stage, the ledger and the tally it ended in."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from desk.campaigns.rehearsing import Script
from desk.dropoff import label
from rehearsal.raters import ASIDE, AT_ONCE
from surveys.campaigns import INVITE, Outcome, Wave, reminders
from surveys.cells import THIRD_PARTIES
from surveys.dispositions import rates
from surveys.dropoff import REVIEW, Row
from surveys.forms.xform import read_xform
from surveys.hours import is_quiet
from surveys.paradata import Counts, What
from surveys.words import LANGUAGES

NAMED = 20  # subjects that are listed one by one
QUESTIONS = 100


@dataclass
class Seen:
    """What was noted while it went on. ``arrived``: when a message came, and in which zone.

    ``left``: (person, question) of every interview that stood unfinished at the end; ``stuck`` are
    those who could not go on.
    """

    arrived: list[tuple[datetime, str]] = field(default_factory=list)
    ledger: Sequence[tuple[str, Outcome, int]] = ()
    left: Sequence[tuple[str, str]] = ()
    stuck: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counter)
    rate: float = 0.0  # messages a second, at most


def reviewed(tx: Any, script: Script, wave: Wave, seen: Seen) -> dict[str, object]:
    """The report; moments are ISO, in the campaign's zone. Read after the tally."""
    campaign, whole = script.campaign, script.whole
    counts = tx.recorded_dispositions(wave.id)
    zone = ZoneInfo(campaign.zone)

    def told(at: datetime) -> str:
        return at.astimezone(zone).isoformat(timespec="seconds")

    quiet = sum(is_quiet(at, ZoneInfo(where), campaign.quiet) for at, where in seen.arrived)
    return {
        "campaign": campaign.id,
        "zone": campaign.zone,
        "opens": told(script.opens_at),
        "begins": told(script.begins),
        "closes": told(wave.closes_at),
        "counted": told(wave.closes_at + campaign.grace),
        "whole": asdict(whole),
        "held": script.held,
        "people": len(script.raters),
        "wish": asdict(script.wish),
        "shares": {"at_once": AT_ONCE, **ASIDE},
        "k": campaign.k,
        "stages": _stages(script, wave, seen, told),
        "messages": len(seen.arrived),
        "worst_second": worst_second([at for at, _ in seen.arrived]),
        "rate": seen.rate,
        "quiet": quiet,
        "outcomes": {each.value: count for each, count in counts.items()},
        "rates": asdict(rates(counts)),
        "stuck": len(seen.stuck),
        "notes": list(script.notes),
        **_results(tx, script, wave),
        "questions": _questions(script, wave, seen),
    }


def worst_second(moments: Sequence[datetime]) -> int:
    """The most messages in any window of one second."""
    lately, worst = deque[datetime](), 0
    for at in sorted(moments):
        lately.append(at)
        while lately[0] <= at - timedelta(seconds=1):
            lately.popleft()
        worst = max(worst, len(lately))
    return worst


def _stages(script: Script, wave: Wave, seen: Seen, told: Any) -> list[dict[str, object]]:
    """Each stage: when it was planned, when its first and last message left, what became of all."""
    plans = [(INVITE, wave.opens_at), *reminders(wave.opens_at, script.campaign)]
    ends = [at for _, at in plans[1:]] + [wave.closes_at]
    found = []
    for (stage, planned), end in zip(plans, ends, strict=True):
        since = min(planned, script.begins) if stage == INVITE else planned
        times = [at for at, _ in seen.arrived if since <= at < end]
        outcomes = {outcome.value: count for each, outcome, count in seen.ledger if each == stage}
        found.append({
            "stage": stage, "planned": told(planned), "outcomes": outcomes,
            "first": told(min(times)) if times else "", "last": told(max(times)) if times else "",
        })  # fmt: skip
    return found


def _results(tx: Any, script: Script, wave: Wave) -> dict[str, object]:
    """Of the subjects rehearsed: which would have results of their own."""
    rated = {subject for each in script.raters for subject, group in each.sides
             if group in THIRD_PARTIES}  # fmt: skip
    shown = {cell.subject for cell in tx.cells(wave.period)
             if not cell.pooled and cell.group in THIRD_PARTIES}  # fmt: skip
    withheld = sorted(rated - shown)
    return {
        "subjects": len(rated),
        "published": len(rated & shown),
        "withheld": len(withheld),
        "withheld_named": withheld[:NAMED],
    }


def _questions(script: Script, wave: Wave, seen: Seen) -> list[dict[str, object]]:
    """How each question fared; of those who could not go on, where they stood."""
    form = read_xform(script.form, script.campaign.form)
    left = Counter(path for _, path in seen.left)
    stuck = Counter(path for who, path in seen.left if who in seen.stuck)
    paths = [question.path for question in form.questions if question.asks][:QUESTIONS]
    return [
        {
            "label": {language: label(form, Row(wave.id, path), language)[:200]
                      for language in LANGUAGES},
            "answered": seen.counts[path, What.ANSWERED],
            "skipped": seen.counts[path, What.SKIPPED],
            "troubled": seen.counts[path, What.TROUBLED],
            "left": left[path],
            "stuck": stuck[path],
        }
        for path in [*paths, *([REVIEW] if left[REVIEW] else [])]
    ]  # fmt: skip
