"""Whom a campaign asks, as typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from desk.campaigns.wrongs import Wrong
from desk.store import DeskTransaction
from surveys.audience import STRATA, Audience, Quota, swallowed
from surveys.people import Subject

NAMED = 20  # of those that exist, in a refusal
MOST = 10_000_000  # people
NUMBERS = {
    "rest_days": 366,
    "sample": MOST,
    "per_rater": 1000,
    "per_subject": MOST,
    "at_most": MOST,
}
"""The largest number that each field takes."""


class Typed(Protocol):
    """The fields of a wish that are read here."""

    @property
    def units(self) -> str: ...
    @property
    def tags(self) -> str: ...
    @property
    def strata(self) -> str: ...
    @property
    def quotas(self) -> str: ...


def audience_of(tx: DeskTransaction, wish: Typed, k: int, wrongs: list[Wrong]) -> Audience:
    """What the fields mean, as far as they mean anything; the rest is added to ``wrongs``."""
    units, tags = _words(wish.units), _words(wish.tags)
    quotas = _quotas(wish.quotas, wrongs)
    named = [quota.unit for quota in quotas if quota.unit]
    borne = [quota.tag for quota in quotas if quota.tag]
    tree = tx.subjects() if units or quotas else ()
    units = _units("units", units, tree, wrongs)
    _units("quotas", named, tree, wrongs)
    if tags or borne:
        known = sorted(tx.people_by_tag())
        tags = _known("tags", "no_tag", tags, known, wrongs)
        _known("quotas", "no_tag", borne, known, wrongs)
    numbers = {name: _number(name, getattr(wish, name), most, wrongs)
               for name, most in NUMBERS.items()}  # fmt: skip
    wrongs += [
        Wrong("quotas", "quota_swallowed", {"line": _line(late), "first": _line(first)})
        for late, first in swallowed(quotas, tree)
    ]
    strata = wish.strata.strip()
    if strata not in STRATA:
        wrongs.append(Wrong("strata", "strata", {"text": strata[:40]}))
        strata = ""
    if 0 < numbers["per_subject"] < k:
        wrongs.append(Wrong("per_subject", "per_subject_k", {"k": k}))
    return Audience(units=units, tags=tags, quotas=quotas, strata=strata, **numbers)


def _words(text: str) -> tuple[str, ...]:
    words = (word.strip() for word in re.split("[,，、\r\n]", text))
    return tuple(dict.fromkeys(word for word in words if word))


def _units(
    name: str, words: Iterable[str], subjects: Sequence[Subject], wrongs: list[Wrong]
) -> tuple[str, ...]:
    """Those of ``words`` that are units; nobody belongs to an official."""
    kinds = {subject.id: subject.kind for subject in subjects}
    officials = sorted({word for word in words if kinds.get(word, "unit") != "unit"})
    if officials:
        wrongs.append(Wrong(name, "official", {"text": ", ".join(officials)[:200]}))
    units = sorted(each for each, kind in kinds.items() if kind == "unit")
    return _known(name, "no_unit", [w for w in words if w not in officials], units, wrongs)


def _known(
    name: str, code: str, words: Iterable[str], known: Sequence[str], wrongs: list[Wrong]
) -> tuple[str, ...]:
    """Those of ``words`` that are known."""
    unknown = sorted(set(words) - set(known))
    if unknown:
        there = ", ".join(known[:NAMED]) + (" …" if len(known) > NAMED else "")
        told = {"text": ", ".join(unknown)[:200]} | ({"known": there} if there else {})
        wrongs.append(Wrong(name, code if there else f"{code}_yet", told))
    return tuple(word for word in words if word not in unknown)


def _number(name: str, text: str, most: int, wrongs: list[Wrong]) -> int:
    typed = text.strip()
    if not typed:
        return 0
    least = 0 if name == "rest_days" else 1  # "0 people" would mean all of them
    if re.fullmatch("[0-9]{1,8}", typed) and least <= int(typed) <= most:
        return int(typed)
    wrongs.append(Wrong(name, "count", {"text": text[:40], "least": least, "most": f"{most:,}"}))
    return 0


def _line(quota: Quota) -> str:
    return f"{quota.unit}; {quota.tag}; {quota.people}"[:80]


def _quotas(text: str, wrongs: list[Wrong]) -> tuple[Quota, ...]:
    found: list[Quota] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        parts = [part.strip() for part in re.split("[;；]", line)]
        whole = len(parts) == 3 and re.fullmatch("[0-9]{1,8}", parts[2])
        if not whole or int(parts[2]) > MOST:
            wrongs.append(Wrong("quotas", "quota", {"line": line[:80]}))
        elif any((each.unit, each.tag) == (parts[0], parts[1]) for each in found):
            wrongs.append(Wrong("quotas", "quota_twice", {"line": line[:80]}))
        else:
            found.append(Quota(parts[0], parts[1], int(parts[2])))
    return tuple(found)
