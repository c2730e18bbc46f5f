"""A method as an author writes it: TOML in, a checked `Method` out, every mistake named at once."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from evaluation.method import Band, Category, CategoryRule, GroupRule, Indicator, Method
from surveys.cells import THIRD_PARTIES, RaterGroup

LANGUAGES = ("zh", "en")
_ID = re.compile(r"[a-z][a-z0-9_]*")
_SHARES = (
    "gamma", "delta", "urgent_floor", "interval_level", "band_probability", "max_group_weight",
    "min_group_weight", "min_indicator_weight",
)  # fmt: skip


class MethodFileError(ValueError):
    """A method file that cannot be used; ``troubles`` says per key what is wrong and what to do."""

    def __init__(self, troubles: Iterable[str]) -> None:
        self.troubles = tuple(troubles)
        super().__init__("\n".join(self.troubles))


@dataclass(slots=True)
class _Table:
    """One TOML table being read: where it stands, and what was found wrong so far."""

    address: str
    keys: Mapping[str, Any]
    troubles: list[str]
    read: set[str] = field(default_factory=set)

    def say(self, key: str, trouble: str) -> None:
        self.troubles.append(f"{self.address}{key}: {trouble}")

    def take(self, key: str, kind: tuple[type, ...], wanted: str) -> Any:
        self.read.add(key)
        value = self.keys.get(key)
        if value is None:
            self.say(key, f"is missing; write {wanted}")
        elif not isinstance(value, kind) or isinstance(value, bool):
            self.say(key, f"is {value!r}; write {wanted}")
        else:
            return value
        return None

    def number(self, key: str, low: float, high: float) -> float:
        wanted = f"a number from {low:g} to {high:g}"
        value = self.take(key, (int, float), wanted)
        if value is None:
            return low
        if not low <= value <= high:
            self.say(key, f"is {value:g}; write {wanted}")
        return float(value)

    def whole(self, key: str, low: int) -> int:
        wanted = f"a whole number of at least {low}"
        value = self.take(key, (int,), wanted)
        if value is not None and value < low:
            self.say(key, f"is {value}; write {wanted}")
        return low if value is None else int(value)

    def text(self, key: str, wanted: str) -> str:
        return self.take(key, (str,), wanted) or ""

    def names(self) -> dict[str, str]:
        return {each: self.text(each, f"the name in {each}, in quotes") for each in LANGUAGES}

    def groups(self, key: str) -> tuple[RaterGroup, ...]:
        known = [each.value for each in THIRD_PARTIES]
        found = self.take(key, (list,), f"a list of rater groups, each one of {', '.join(known)}")
        for each in found or []:
            if each not in known:
                self.say(key, f"{each!r} {_no_group(each)}")
        return tuple(RaterGroup(each) for each in found or [] if each in known)

    def inner(self, key: str) -> list[_Table]:
        """The tables inside a table (addressed by key) or a list of tables (by number)."""
        found = self.take(key, (dict, list), f"a table [{self.address}{key}]") or {}
        pairs = found.items() if isinstance(found, dict) else enumerate(found, 1)
        tables = [
            _Table(f"{self.address}{key}.{k}.", v, self.troubles)
            for k, v in pairs
            if isinstance(v, dict)
        ]
        if len(tables) < len(found):
            self.say(key, "holds something that is no table; write one table each")
        return tables

    def own_key(self) -> str:
        return self.address.rstrip(".").rpartition(".")[2]

    def finish(self) -> None:
        for key in sorted(set(self.keys) - self.read):
            self.say(
                key, f"is not known here; remove it or write one of {', '.join(sorted(self.read))}"
            )


def shipped(name: str) -> Method:
    """A method that comes with the product: ``quarterly`` or ``single_group``."""
    return read_method((files("evaluation") / "methods" / f"{name}.toml").read_text("utf-8"))


def read_method(text: str) -> Method:
    """A method from TOML text; MethodFileError names every wrong key."""
    try:
        top = _Table("", tomllib.loads(text), [])
    except tomllib.TOMLDecodeError as mistake:
        raise MethodFileError([f"this is not TOML: {mistake}"]) from mistake
    method = _method(top)
    top.finish()
    troubles = top.troubles or list(_contradictions(method))
    if troubles:
        raise MethodFileError(troubles)
    return method


def _method(top: _Table) -> Method:
    return Method(
        name=top.text("name", "a short name in quotes"),
        groups=_group_rules(top),
        categories=_category_rules(top),
        bands=tuple(_band(each) for each in top.inner("bands")),
        indicators=tuple(_indicator(each) for each in top.inner("indicators")),
        min_groups=top.whole("min_groups", 1),
        needs_one_of=top.groups("needs_one_of"),
        min_class=top.whole("min_class", 4),
        se_inflation=top.number("se_inflation", 1, 2),
        review_gap=top.number("review_gap", 0, 100),
        nonresponse_cap=top.text("nonresponse_cap", "the id of a band, in quotes"),
        **{key: top.number(key, 0, 1) for key in _SHARES},
    )


def _group_rules(top: _Table) -> dict[RaterGroup, GroupRule]:
    rules = {}
    for table in top.inner("groups"):
        rule = GroupRule(
            weight=table.number("weight", 0, 1),
            least=table.whole("least", 1),
            clip=table.number("clip", 0.5, math.inf),
        )
        table.finish()
        name = table.own_key()
        if name in list(THIRD_PARTIES):
            rules[RaterGroup(name)] = rule
        else:
            top.say(f"groups.{name}", _no_group(name))
    return rules


def _no_group(name: object) -> str:
    """What is wrong with ``name`` as a group that counts."""
    if name == RaterGroup.SELF:
        return "is a self-assessment, which counts in no score; leave it out"
    return f"is no rater group; write one of {', '.join(THIRD_PARTIES)}"


def _category_rules(top: _Table) -> dict[Category, CategoryRule]:
    rules = {}
    for table in top.inner("categories"):
        rule = CategoryRule(
            weight=table.number("weight", 0.01, 1),
            urgency=table.number("urgency", 0.01, 100),
            names=table.names(),
        )
        table.finish()
        try:
            rules[Category(table.own_key())] = rule
        except ValueError:
            known = ", ".join(each.value for each in Category)
            top.say(
                f"categories.{table.own_key()}", f"is no category of work; write one of {known}"
            )
    return rules


def _band(table: _Table) -> Band:
    band = Band(_id(table), table.number("start", 0, 100), table.names())
    table.finish()
    return band


def _indicator(table: _Table) -> Indicator:
    known = [each.value for each in Category]
    wanted = f"one of {', '.join(known)}"
    category = table.text("category", wanted)
    if category and category not in known:
        table.say("category", f"is {category!r}; write {wanted}")
    indicator = Indicator(
        id=_id(table),
        category=Category(category) if category in known else Category.BASIC,
        weight=table.number("weight", 0.001, 1),
        names=table.names(),
        asked=table.groups("asked"),
    )
    table.finish()
    return indicator


def _id(table: _Table) -> str:
    wanted = "a short id in small letters, digits and _, in quotes"
    found = table.text("id", wanted)
    if found and not _ID.fullmatch(found):
        table.say("id", f"is {found!r}; write {wanted}")
    return found


def _contradictions(method: Method) -> Iterable[str]:
    """What is wrong although every single key is right."""
    for group, rule in method.groups.items():
        if rule.weight > method.max_group_weight:
            yield (
                f"groups.{group}.weight: is {rule.weight:g}, above max_group_weight "
                f"{method.max_group_weight:g}; lower it, so that no one group decides"
            )
        if method.indicators and not method.asked(group):
            yield f"groups.{group}: no indicator asks this group; add it to some indicator's asked"
    yield from _not_one("groups.*.weight", [each.weight for each in method.groups.values()])
    yield from _not_one("categories.*.weight", [each.weight for each in method.categories.values()])
    for category in method.categories:
        shares = [each.weight for each in method.indicators if each.category == category]
        if shares:
            yield from _not_one(f"indicators with category {category}: weight", shares)
    yield from _strays(method)
    yield from _band_order(method)


def _not_one(address: str, shares: list[float]) -> Iterable[str]:
    if abs(math.fsum(shares) - 1) > 1e-9:
        yield f"{address}: they add up to {math.fsum(shares):g}; make them add up to 1"


def _strays(method: Method) -> Iterable[str]:
    for number, each in enumerate(method.indicators, 1):
        if [other.id for other in method.indicators].count(each.id) > 1:
            yield f"indicators.{number}.id: {each.id!r} is used twice; give each indicator its own"
        if each.category not in method.categories:
            yield f"indicators.{number}.category: add a table [categories.{each.category}]"
        for group in each.asked:
            if group not in method.groups:
                yield f"indicators.{number}.asked: add a table [groups.{group}] or leave it out"
    for group in method.needs_one_of:
        if group not in method.groups:
            yield f"needs_one_of: add a table [groups.{group}] or leave it out"


def _band_order(method: Method) -> Iterable[str]:
    starts = [band.start for band in method.bands]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        yield "bands: write them from the lowest up, the first with start = 0, no start twice"
    ids = [band.id for band in method.bands]
    if len(set(ids)) < len(ids):
        yield "bands: two have the same id; give each its own"
    if method.nonresponse_cap not in ids:
        yield f"nonresponse_cap: is {method.nonresponse_cap!r}; write one of {', '.join(ids)}"
