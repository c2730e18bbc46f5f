"""Links and QR codes: of windows, of staff, of campaigns."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import segno
from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.exporting import inert
from desk.linking import KINDS, Link, LinkError, draw, draw_missing, mark, renew, void
from desk.roles import May
from desk.store import DeskTransaction, PeopleSought
from surveys.people import Invite, Kind
from surveys.words import pick
from web.console.context import Context
from web.console.doors import Door
from web.console.paging import Pages, linked, paged

PER_PAGE = 50
PATH = "/desk/roster/links"


@dataclass(frozen=True, slots=True)
class Line:
    """What links lead to, and its links."""

    target: str
    name: str
    invites: list[Invite]


@dataclass(frozen=True, slots=True)
class Lines:
    """One page of them."""

    lines: list[Line]
    pages: Pages


async def links(at: Context) -> Response:
    """The links there are; of staff links only that there is one, never whether it was used."""
    return await _links(at, at.request.query_params.get("kind", "unit"))


async def _links(at: Context, kind: str, wrong: str = "") -> Response:
    if kind not in KINDS:
        raise HTTPException(404)
    asked = at.request.query_params
    text, page = asked.get("q", "").strip()[:100], paged(asked)

    def work(tx: DeskTransaction) -> Lines | None:
        within = at.reach(tx, May.ROSTER_READ)
        if within is not None and kind != "unit":
            return None  # a campaign asks more than one unit; staff links are no chief's business
        named, count = _named(tx, at, kind, text, page, within)
        invites: dict[str, list[Invite]] = {}
        for each in tx.invites_to(kind, [target for target, _ in named]):
            invites.setdefault(each.target, []).append(each)
        lines = [Line(target, name, invites.get(target, [])) for target, name in named]
        return Lines(lines, Pages(page, count, PER_PAGE))

    found = await at.read(work)
    if found is None:
        raise HTTPException(404)
    whole = await at.read(lambda tx: at.reach(tx, May.ROSTER_READ)) is None
    return at.page("links/links.html", status=422 if wrong else 200, found=found, kind=kind,
                   text=text, wrong=wrong, mark=mark, whole=whole, kinds=KINDS)  # fmt: skip


def _named(
    tx: DeskTransaction, at: Context, kind: str, text: str, page: int, within: frozenset[str] | None
) -> tuple[list[tuple[str, str]], int]:
    """(id, name) of one page of what may be linked to, and how many there are."""
    start = (page - 1) * PER_PAGE
    if kind == "staff":
        sought = PeopleSought(text, "", Kind.STAFF, False, within)
        people, count = tx.seek_people(sought, start, PER_PAGE)
        return [(person.id, person.name or person.id) for person in people], count
    if kind == "unit":
        named = [
            (each.id, pick(each.name, at.language) or each.id)
            for each in tx.subjects()
            if each.kind == "unit" and (within is None or each.id in within)
        ]
    else:
        named = [(each.id, pick(each.title, at.language) or each.id) for each in tx.campaigns()]
    fitting = [each for each in named if text.casefold() in f"{each[0]}\n{each[1]}".casefold()]
    return fitting[start : start + PER_PAGE], len(fitting)


async def make(at: Context) -> Response:
    """Another link to one thing. A staff link replaces the one before and is shown this once."""
    kind, target = at.fields.get("kind", ""), at.fields.get("target", "")
    try:
        if kind == "staff":
            [link] = await at.write(lambda tx: renew(tx, at.act(), target))
            return _once(at, link)
        await at.write(lambda tx: draw(tx, at.act(), kind, [target], new=True))
    except LinkError as error:
        return await _refused(at, kind, error)
    return at.go(linked(PATH, kind=kind, q=target), "links.made")


def _once(at: Context, link: Link) -> Response:
    """In this answer and nowhere else: no address, no cookie, no picture of its own."""
    telegram = link.telegram(at.site.bot_username) if at.site.bot_username else ""
    address = telegram or link.browser(at.site.public_url)
    code = segno.make(address, error="m", micro=False)
    picture = code.svg_inline(scale=6, border=4, light="#fff", omitsize=False)
    return at.page("links/once.html", link=link, browser=link.browser(at.site.public_url),
                   telegram=telegram, picture=picture)  # fmt: skip


async def make_missing(at: Context) -> Response:
    """A link for everything that has none. Those for staff come as a file, this once."""
    kind = at.fields.get("kind", "")
    try:
        made = await at.write(lambda tx: draw_missing(tx, at.act(), kind))
    except LinkError as error:
        return await _refused(at, kind, error)
    if kind != "staff" or not made:
        key = "links.made_many" if made else "links.none_missing"
        return at.go(linked(PATH, kind=kind), key, count=at.number(len(made)))
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    bot = at.site.bot_username
    writer.writerow(["id", "name", "link", *(["telegram"] if bot else [])])
    for link in made:
        telegram = [link.telegram(bot)] if bot else []
        cells = (link.invite.target, link.name, link.browser(at.site.public_url), *telegram)
        writer.writerow([inert(cell) for cell in cells])
    headers = {"Content-Disposition": 'attachment; filename="minyi-staff-links.csv"'}
    content = written.getvalue().encode("utf-8-sig")
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


async def end(at: Context) -> Response:
    """Make a link lead nowhere."""
    kind, target, which = (at.fields.get(name, "") for name in ("kind", "target", "which"))
    try:
        await at.write(lambda tx: void(tx, at.act(), kind, target, which))
    except LinkError as error:
        return await _refused(at, kind, error)
    return at.go(linked(PATH, kind=kind), "links.voided")


async def _refused(at: Context, kind: str, error: LinkError) -> Response:
    shown = kind if kind in KINDS else "unit"
    return await _links(at, shown, error.saying.said(at.language))


DOORS = (
    Door("/roster/links", links, May.ROSTER_READ),
    Door("/roster/links", make, May.ROSTER_WRITE, "POST"),
    Door("/roster/links/missing", make_missing, May.ROSTER_WRITE, "POST"),
    Door("/roster/links/void", end, May.ROSTER_WRITE, "POST"),
)
