"""Making a campaign: four plain pages, each kept as it was typed; then it is made, once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.approvals import ApprovalError, deciders
from desk.campaigns.audiences import audience_of
from desk.campaigns.days import calendar
from desk.campaigns.drafting import FIELDS, KEY, WRONG, Defaults, blank, keep, typed, wish_of
from desk.campaigns.foreseeing import Reach, fitting, reach
from desk.campaigns.outlook import Coming, Look, Note, coming, look, notes
from desk.campaigns.rhythm import OFFERED, WORDS, Every, On
from desk.campaigns.seconding import CREATE, create_or_ask
from desk.campaigns.sizes import advise, precision_of
from desk.campaigns.wishing import Wish, planned
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.questionnaires import brought
from desk.roles import May
from desk.store import Approval, DeskTransaction
from surveys.audience import STRATA
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.people import Subject
from surveys.sizing import Measure
from surveys.words import pick
from web.console.campaign_telling import closing, moment, rule
from web.console.context import Context
from web.console.doors import Door

NEW = "/desk/campaigns/new"
SHOWN = 6  # openings shown while the days are being chosen
PAGES = tuple(FIELDS)
UNITS, TAGS = 300, 40  # offered while somebody types
NARROW = ("units", "tags", "rest_days", "sample", "strata", "quotas", "per_rater", "per_subject",
          "at_most")  # fmt: skip
"""What makes an audience smaller than all."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed, what it means as far as it means anything, and what is wrong with it."""

    fields: Mapping[str, str]
    wish: Wish
    made: Campaign | None
    wrongs: Sequence[Wrong]

    def on(self, step: int) -> dict[str, Wrong]:
        """What is to be mended on page ``step``, by field; the first of each."""
        found: dict[str, Wrong] = {}
        for wrong in self.wrongs:
            if WRONG[wrong.field] == step:
                found.setdefault(wrong.field, wrong)
        return found


def shelf(tx: DeskTransaction) -> list[tuple[str, Look]]:
    """(version, what there is to say of it), the newest first."""
    forms = [(version, look(version, tx.form(version) or b"")) for version, _ in tx.forms()]
    return forms[::-1]


async def begin(at: Context) -> Response:
    """The first page, under a name of its own: two windows make two campaigns."""
    return RedirectResponse(f"{NEW}/{secrets.token_hex(10)}/1", 303)


async def show(at: Context) -> Response:
    """One of the four pages, with what was typed before."""
    key, step = _where(at)
    values = await at.read(lambda tx: _page(tx, at, key, step))
    return at.page(f"campaigns/step{step}.html", **values)


async def save(at: Context) -> Response:
    """Keep what the page says, whatever it says, and go where its button points."""
    key, step = _where(at)

    def kept(tx: DeskTransaction) -> bool:
        fields = typed(tx, at.account.id, key, _defaults(at), at.now)
        sent = {name: at.fields.get(name, "") for name in FIELDS[step]}
        fields |= _titled(tx, sent) if step == 1 else sent
        if step == 2 and at.fields.get("go") in ("take", "take_each"):
            fields |= _taken(tx, at, fields)
        keep(tx, at.account.id, key, fields, at.now)
        return bool(_draft(tx, fields, at.now).on(step))

    try:
        wrong = await at.write(kept)
    except LookupError:
        raise HTTPException(404) from None
    go = at.fields.get("go", "")
    if go == "create" and step == PAGES[-1] and not wrong:
        return await create(at, key)
    if go in map(str, PAGES) and (int(go) < step or not wrong):
        return RedirectResponse(f"{NEW}/{key}/{go}", 303)
    part = "#size" if go in ("size", "take", "take_each") else ""
    return RedirectResponse(f"{NEW}/{key}/{step}?look=1{part}", 303)


async def create(at: Context, key: str) -> Response:
    """Make the campaign, or ask a second person to agree to it."""
    limit = at.console.approval_above

    def made(tx: DeskTransaction) -> Campaign | Approval:
        fields = typed(tx, at.account.id, key, _defaults(at), at.now)
        wish, wrongs = wish_of(fields)
        if wrongs:
            raise CampaignError(wrongs)
        return create_or_ask(tx, at.act(), at.account, wish, limit)

    try:
        done = await at.write(made)
    except CampaignError:
        return RedirectResponse(f"{NEW}/{key}/4?look=1", 303)
    except ApprovalError as error:
        values = await at.read(lambda tx: _page(tx, at, key, 4))
        return at.page("campaigns/step4.html", status=409,
                       **values | {"refused": error.said(at.language)})  # fmt: skip
    if isinstance(done, Approval):
        return at.go(f"/desk/approvals/{done.id}", "campaigns.said.asked")
    return at.go(f"/desk/campaigns/{done.id}", "campaigns.said.created")


async def openings(at: Context) -> Response:
    """A fragment: the next openings of the days that stand in the form just now."""
    query = at.request.query_params
    blanks = blank("0" * 20, _defaults(at), at.now)
    fields = blanks | {name: query.get(name, "")[:300] for name in FIELDS[3]}
    wish, wrongs = wish_of(fields)
    # whoever is asked and what does not matter here
    whole = replace(wish, id="x", title_zh="x", groups=RaterGroup.RECIPIENT, k="5")

    def looked(tx: DeskTransaction) -> dict[str, Any]:
        made, more = planned(tx, whole, at.now)
        found = [each for each in (*wrongs, *more) if WRONG[each.field] == 3]
        return _openings(tx, at, made, found)

    shown = await at.read(looked)
    return at.page("campaigns/openings.html", **shown)


def _where(at: Context) -> tuple[str, int]:
    key, step = at.request.path_params["key"], at.request.path_params["step"]
    if not KEY.fullmatch(key) or step not in map(str, PAGES):
        raise HTTPException(404)
    return key, int(step)


def _defaults(at: Context) -> Defaults:
    return Defaults(at.console.zone, at.console.k)


def _titled(tx: DeskTransaction, sent: Mapping[str, str]) -> dict[str, str]:
    """Whoever leaves the titles empty gets the questionnaire's own."""
    fields = dict(sent)
    source = tx.form(fields["form"]) if fields["form"] else None
    if source is None or fields["title_zh"].strip() or fields["title_en"].strip():
        return fields
    seen = look(fields["form"], source)
    only = "zh" if "zh" in seen.languages else "en"
    for language, title in seen.title.items():
        name = f"title_{language or only}"
        if name in fields:
            fields[name] = title
    return fields


def _draft(tx: DeskTransaction, fields: Mapping[str, str], now: datetime) -> Draft:
    wish, wrongs = wish_of(fields)
    made, more = planned(tx, wish, now)
    wrongs = [*wrongs, *more]
    there = tx.campaign(wish.id)
    if there is not None and there != made:
        wrongs.append(Wrong("id", "taken", {"id": wish.id}))
    return Draft(fields, wish, made, wrongs)


def _page(tx: DeskTransaction, at: Context, key: str, step: int) -> dict[str, Any]:
    draft = _draft(tx, typed(tx, at.account.id, key, _defaults(at), at.now), at.now)
    looking = "look" in at.request.query_params or step == PAGES[-1]
    said = draft.on(step) if looking else {}
    if "form" in said and draft.fields["title_zh"] == draft.fields["title_en"] == "":
        said.pop("title_zh", None)  # the questionnaire that is chosen brings its own title
    values: dict[str, Any] = {
        "key": key,
        "step": step,
        "pages": PAGES,
        "fields": draft.fields,
        "wrongs": {name: wrong.said(at.language) for name, wrong in said.items()},
        "post": f"{NEW}/{key}/{step}",
    }
    return values | _MORE[step](tx, at, draft)


def _which(tx: DeskTransaction, at: Context, draft: Draft) -> dict[str, Any]:
    return {"forms": shelf(tx), "brought": brought(tx)}


def _whom(tx: DeskTransaction, at: Context, draft: Draft) -> dict[str, Any]:
    chosen = tuple(group for group in RaterGroup if draft.fields[group])
    asked = _probe(tx, at, draft.fields, chosen)
    groups = [(group, fitting(tx, replace(asked, groups=(group,)), at.now))
              for group in RaterGroup]  # fmt: skip
    wanted, wrongs = precision_of(draft.fields)
    sized = "look" in at.request.query_params and wanted is not None and chosen
    return {
        "groups": groups,
        "chosen": chosen,
        "together": reach(tx, asked, at.now),
        "drawn": asked.audience.drawn,
        "narrow": any(draft.fields[name] for name in NARROW),
        "units": _some(at, tx.subjects()),
        "tags": sorted(tx.people_by_tag())[:TAGS],
        "measures": tuple(Measure),
        "strata": STRATA,
        "unsized": {wrong.field: wrong.said(at.language) for wrong in wrongs},
        "advice": advise(tx, asked, wanted, at.now) if sized and wanted else None,
    }


def _some(at: Context, subjects: Sequence[Subject]) -> list[tuple[str, str]]:
    """(id, name) of units, as many as a list to choose from can hold."""
    units = [each for each in subjects if each.kind == "unit"]
    return [(each.id, pick(each.name, at.language)) for each in units[:UNITS]]


def _probe(
    tx: DeskTransaction, at: Context, fields: Mapping[str, str], groups: tuple[RaterGroup, ...]
) -> Campaign:
    """Nothing but whom it asks, as far as that was typed."""
    wish, _ = wish_of(fields)
    audience = audience_of(tx, wish, 0, [])
    return Campaign(wish.id, {}, "", groups, at.now.date(), audience=audience)


def _taken(tx: DeskTransaction, at: Context, fields: Mapping[str, str]) -> dict[str, str]:
    """The size that was worked out, as the sample; nothing where it cannot be."""
    groups = tuple(group for group in RaterGroup if fields[group])
    wanted, _ = precision_of(fields)
    if wanted is None:
        return {}
    found = advise(tx, _probe(tx, at, fields, groups), wanted, at.now)
    each = found.each if at.fields.get("go") == "take_each" else None
    best = each or found.whole
    return {"sample": str(min(best.people, best.population) or "")}


def _when(tx: DeskTransaction, at: Context, draft: Draft) -> dict[str, Any]:
    wrongs = list(draft.on(3).values()) if "look" in at.request.query_params else []
    shown = _openings(tx, at, draft.made, wrongs)  # what is wrong stands beside its field
    return shown | {
        "troubles": [],
        "mend": bool(wrongs),
        "offered": OFFERED,
        "ons": tuple(On),
        "own": Every.OWN,
        "words": _words(at),
    }


def _openings(
    tx: DeskTransaction, at: Context, made: Campaign | None, wrongs: Sequence[Wrong]
) -> dict[str, Any]:
    return {
        "troubles": [wrong.said(at.language) for wrong in wrongs],
        "mend": False,
        "ahead": coming(made, calendar(tx), (), at.now, SHOWN) if made and not wrongs else [],
        "rule": rule(made) if made else {},
        "zone": made.zone if made else "",
        "when": moment(at.language),
        "now": at.now,
    }


def _check(tx: DeskTransaction, at: Context, draft: Draft) -> dict[str, Any]:
    made, limit = draft.made, at.console.approval_above
    whole = made is not None and not [each for each in draft.wrongs if WRONG[each.field] < 4]
    mend = [(WRONG[each.field], each.said(at.language)) for each in draft.wrongs
            if WRONG[each.field] < 4]  # fmt: skip
    shown: dict[str, Any] = {"mend": mend, "made": made if whole else None, "limit": limit,
                                "refused": ""}  # fmt: skip
    if made is None or not whole:
        return shown
    seen = look(made.form, tx.form(made.form) or b"")
    whom, cautions = reach(tx, made, at.now), notes(tx, made, at.now, seen)
    able = deciders(tx, CREATE, at.account.id, at.now) if whom.people > limit else []
    names = {"able": [one.name for one in able]}
    return shown | _outlook(tx, at, made, seen, whom, cautions) | names


def _outlook(
    tx: DeskTransaction,
    at: Context,
    made: Campaign,
    seen: Look,
    whom: Reach,
    cautions: Sequence[Note],
) -> dict[str, Any]:
    ahead: list[Coming] = coming(made, calendar(tx), (), at.now, 3)
    return {
        "look": seen,
        "reach": whom,
        "notes": [note.said(at.language) for note in cautions],
        "ahead": ahead,
        "rule": rule(made),
        "when": moment(at.language),
        "until": closing(at.language),
        "now": at.now,
    }


def _words(at: Context) -> object:
    return lambda key: WORDS.say(key, at.language)


_MORE = {1: _which, 2: _whom, 3: _when, 4: _check}
DOORS = (
    Door("/campaigns/new", begin, May.CAMPAIGNS_WRITE),
    Door("/campaigns/coming", openings, May.CAMPAIGNS_WRITE),
    Door("/campaigns/new/{key}/{step}", show, May.CAMPAIGNS_WRITE),
    Door("/campaigns/new/{key}/{step}", save, May.CAMPAIGNS_WRITE, "POST"),
)
