"""Tables brought through the browser: chosen, checked, looked at, and only then imported."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.importing.columns import TABLES
from desk.importing.samples import ORDER
from desk.importing.sheets import UnreadableError
from desk.importing.uploads import (
    MANY,
    WHOLE,
    check,
    check_of,
    confirm,
    forget,
    import_of,
    keep,
    mistakes_of,
    own,
)
from desk.roles import May
from desk.store import DeskTransaction, Upload, Work, WorkState
from desk.works import interrupted
from surveys.words import LANGUAGES
from web.console.areas.works import told
from web.console.context import Context
from web.console.doors import Door
from web.console.workbooks import read_apart

SUFFIXES = (".csv", ".xlsx", ".txt", ".tsv")
PATIENCE = 1.5  # seconds: a small file is checked before the next page is asked for
PATH = "/desk/roster/import"


async def choose(at: Context) -> Response:
    """Which table, which file."""
    return await _choose(at, at.request.query_params.get("table", ""))


async def _choose(at: Context, table: str, wrong: str = "", *, about: str = "") -> Response:
    return at.page("importing/choose.html", status=422 if wrong else 200, order=ORDER, table=table,
                   wrong=wrong, about=about, languages=LANGUAGES)  # fmt: skip


async def bring(at: Context) -> Response:
    """Keep the file and begin to check it."""
    table = at.fields.get("table", "")
    if table not in TABLES:
        return await _choose(at, "", at.say("importing.no_table"), about="table")
    if at.file is None:
        return await _choose(at, table, at.say("importing.no_file"), about="file")
    name = PurePath(at.file.filename or "").name
    content = await at.file.read()
    wrong = _refused(at, name, content)
    if wrong:
        return await _choose(at, table, wrong, about="file")
    upload = Upload(secrets.token_hex(8), at.account.id, name, content, at.now)
    await at.write(lambda tx: keep(tx, upload, at.fields.get("instead", "")))
    whole = table == "people" and "whole" in at.fields
    return await _check(at, upload, table, WHOLE if whole else "")


def _refused(at: Context, name: str, content: bytes) -> str:
    """What is plainly no table is told at once."""
    if PurePath(name).suffix.lower() == ".xlsm":
        return UnreadableError("macros", name).saying.said(at.language)
    if PurePath(name).suffix.lower() not in SUFFIXES:
        return UnreadableError("other", name).saying.said(at.language)
    return "" if content else UnreadableError("empty", name).saying.said(at.language)


async def _check(at: Context, upload: Upload, table: str, whole: str) -> Response:
    console = at.console
    await check(console.works, console.store, console.clock, read_apart, upload, table, whole)
    await console.works.settled(check_of(upload.id), PATIENCE)
    return RedirectResponse(f"{PATH}/{upload.id}", 303)


@dataclass(frozen=True, slots=True)
class Brought:
    """A file of the reader's, the work that checked it, and the work that imports it."""

    upload: Upload | None
    checked: Work | None
    imported: Work | None


async def _brought(at: Context) -> Brought:
    """HTTPException 404 for what is not there, or somebody else's."""
    name = at.request.path_params["upload"]

    def work(tx: DeskTransaction) -> Brought:
        works = [tx.work(check_of(name)), tx.work(import_of(name))]
        mine = [w if w is not None and w.account == at.account.id else None for w in works]
        return Brought(own(tx, at.account.id, name), *mine)

    found = await at.read(work)
    if found.checked is None and found.upload is None:
        raise HTTPException(404)
    return found


async def look(at: Context) -> Response:
    """What the file would bring, or everything that is wrong with it."""
    found = await _brought(at)
    done = found.imported
    if done is not None and _stands(done, at):
        return RedirectResponse(f"/desk/works/{done.id}", 303)
    checked = found.checked
    if checked is None or found.upload is None:
        return at.page("importing/gone.html", status=410)
    if checked.state is WorkState.RUNNING and not interrupted(checked, at.now):
        return RedirectResponse(f"/desk/works/{checked.id}", 303)
    return at.page("importing/look.html", work=checked, upload=found.upload,
                   shown=told(at, checked), path=f"{PATH}/{found.upload.id}")  # fmt: skip


def _stands(done: Work, at: Context) -> bool:
    return done.state is WorkState.DONE or not (
        done.state is WorkState.FAILED or interrupted(done, at.now)
    )


async def again(at: Context) -> Response:
    """Check the same file once more: the check was cut off, or so many have left indeed."""
    found = await _brought(at)
    upload = found.upload
    if upload is None or found.checked is None:
        raise HTTPException(404)
    whole, table = str(found.checked.result.get("whole", "")), str(found.checked.result["table"])
    if not whole or "many" not in at.fields:
        return await _check(at, upload, table, whole)
    anew = replace(upload, id=secrets.token_hex(8))  # a check that has ended is not begun again
    await at.write(lambda tx: keep(tx, anew, upload.id))
    return await _check(at, anew, table, MANY)


async def agree(at: Context) -> Response:
    """Import what was looked at. A second click leads to the first one's work."""
    found = await _brought(at)
    checked, upload, console = found.checked, found.upload, at.console
    name, agreed = at.request.path_params["upload"], at.fields.get("seen", "")
    good = checked is not None and checked.result.get("outcome") == "good"
    if checked is not None and upload is not None and good:
        if agreed != checked.result.get("digest"):  # checked again since that page was opened
            return at.go(f"{PATH}/{name}", "importing.look_first")
        table = str(checked.result["table"])
        await confirm(
            console.works, console.store, console.clock, read_apart, upload, table, at.act(),
            agreed, str(checked.result.get("whole", "")),
        )  # fmt: skip
        await console.works.settled(import_of(name), PATIENCE)
    elif found.imported is None:
        return RedirectResponse(f"{PATH}/{name}", 303)
    return RedirectResponse(f"/desk/works/{import_of(name)}", 303)


async def drop(at: Context) -> Response:
    """Think better of it: the file goes, nothing else changes."""
    found = await _brought(at)
    if found.upload is not None:
        gone = found.upload.id
        await at.write(lambda tx: forget(tx, gone))
    return at.go(PATH, "importing.dropped")


async def mistakes(at: Context) -> Response:
    """Everything that is wrong, as a table to work through."""
    name = mistakes_of(at.request.path_params["upload"])
    found = await at.read(lambda tx: own(tx, at.account.id, name))
    if found is None:
        raise HTTPException(404)
    headers = {"Content-Disposition": 'attachment; filename="minyi-mistakes.csv"'}
    return Response(found.content, media_type="text/csv; charset=utf-8", headers=headers)


DOORS = (
    Door("/roster/import", choose, May.ROSTER_WRITE),
    Door("/roster/import", bring, May.ROSTER_WRITE, "POST", files=True),
    Door("/roster/import/{upload}", look, May.ROSTER_WRITE),
    Door("/roster/import/{upload}/again", again, May.ROSTER_WRITE, "POST"),
    Door("/roster/import/{upload}/confirm", agree, May.ROSTER_WRITE, "POST"),
    Door("/roster/import/{upload}/drop", drop, May.ROSTER_WRITE, "POST"),
    Door("/roster/import/{upload}/mistakes.csv", mistakes, May.ROSTER_WRITE),
)
