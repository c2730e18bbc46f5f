"""Long work, watched while it goes on; the page may be closed and opened again at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.campaigns.rehearsing import KIND
from desk.importing.columns import TABLES
from desk.roles import May
from desk.store import Work, WorkState
from desk.works import Far, interrupted
from surveys.words import pick
from web.console.areas import rehearsal
from web.console.context import Context
from web.console.doors import Door


@dataclass(frozen=True, slots=True)
class Told:
    """What came of checking or importing a table, in the reader's language.

    ``outcome``: good, bad, unreadable, or '' where it broke off. A change is (key, [(column,
    before, after)]).
    """

    outcome: str
    result: Mapping[str, Any]
    why: str
    warnings: Sequence[str]
    bads: Sequence[Mapping[str, str]]
    news: Sequence[tuple[str, list[tuple[str, str, str]]]]
    changes: Sequence[tuple[str, list[tuple[str, str, str]]]]


def told(at: Context, work: Work) -> Told:
    """The result of ``work`` as a page shows it."""
    result = cast(Mapping[str, Any], work.result)
    bads = [
        {**bad, "what": pick(bad["what"], at.language), "mend": pick(bad["mend"], at.language)}
        for bad in result.get("bads", ())
    ]
    changed = {
        name: [(each["key"], _fields(at, work, each)) for each in result.get(name, ())]
        for name in ("news", "changes")
    }
    warnings = [pick(each, at.language) for each in result.get("warnings", ())]
    why = pick(result.get("why", {}), at.language)
    return Told(str(result.get("outcome", "")), result, why, warnings, bads, **changed)


def _fields(at: Context, work: Work, change: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    columns = TABLES[str(work.result["table"])].columns
    return [
        (
            columns[name].title(at.language),
            columns[name].shown(change["before"].get(name, ""), at.language),
            columns[name].shown(value, at.language),
        )
        for name, value in change["after"].items()
    ]


async def _mine(at: Context) -> Work:
    """HTTPException 404 for what is not there, or somebody else's."""
    name = at.request.path_params["work"]
    found = await at.read(lambda tx: tx.work(name))
    if found is None or found.account != at.account.id:
        raise HTTPException(404)
    return found


async def work(at: Context) -> Response:
    """How far it is, or what came of it."""
    found = await _mine(at)
    if found.kind == KIND:
        far = _far(at, found) if _running(at, found) else None
        return await rehearsal.result(at, found, far, interrupted(found, at.now))
    if found.kind == "check" and not _running(at, found):
        return RedirectResponse(f"/desk/roster/import/{found.result['upload']}", 303)
    return at.page("works/work.html", work=found, running=_running(at, found), far=_far(at, found),
                   cut=interrupted(found, at.now), shown=told(at, found))  # fmt: skip


async def now(at: Context) -> Response:
    """The bar alone; once the work has ended, word to load the whole page."""
    found = await _mine(at)
    if not _running(at, found):
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return at.page("works/bar.html", far=_far(at, found))


def _running(at: Context, found: Work) -> bool:
    here = at.console.works.far(found.id) is not None
    return found.state is WorkState.RUNNING and (here or not interrupted(found, at.now))


def _far(at: Context, found: Work) -> Far:
    return at.console.works.far(found.id) or Far("", found.done, found.total)


DOORS = (
    Door("/works/{work}", work, May.HOME),
    Door("/works/{work}/now", now, May.HOME),
)
