"""Tables brought through a browser: kept, checked, and imported once their owner says so.

Checking and importing are long work. Both are named after the file they are about, so that a second
click finds the first one's work instead of beginning another.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from desk.audit import Act
from desk.exporting import inert
from desk.importing.bringing import Imported, MovedError, Rejected, bring_in
from desk.importing.columns import TABLES
from desk.importing.drafts import Change
from desk.importing.records import Bad, Records, understand
from desk.importing.sheets import Progress, Sheet, UnreadableError
from desk.saying import shown
from desk.store import DeskStore, DeskTransaction, Upload, Work, WorkState
from desk.works import Moved, Works, finish

WHOLE, MANY = "whole", "many"
SHOWN = 50  # mistakes on a page; the rest is in a file
Result = dict[str, object]
Clock = Callable[[], datetime]
Reader = Callable[[str, bytes, Sequence[str], Progress | None], Sheet]
"""Reads a file's name and content as ``desk.importing.sheets.table`` does."""
_BARE = (
    "upload",
    "file",
    "table",
    "outcome",
    "sheet",
    "added",
    "changed",
    "unchanged",
    "left",
    "whole",
    "warnings",
)  # what no person stands in


def check_of(upload: str) -> str:
    """The id of the work that checks the file."""
    return f"c{upload}"


def import_of(upload: str) -> str:
    """The id of the work that imports the file."""
    return f"i{upload}"


def mistakes_of(upload: str) -> str:
    """The id of the file that lists everything wrong with the file."""
    return f"m{upload}"


def keep(tx: DeskTransaction, upload: Upload, instead: str = "") -> None:
    """Keep a file just brought; ``instead`` is the one of the same account that it mends."""
    if instead and own(tx, upload.account, instead) is not None:
        forget(tx, instead)
    tx.put_upload(upload)


def own(tx: DeskTransaction, account: str, upload: str) -> Upload | None:
    """The file, where ``account`` brought it."""
    found = tx.upload(upload)
    return found if found is not None and found.account == account else None


def forget(tx: DeskTransaction, upload: str) -> None:
    """Drop a file, the list of its mistakes, and every name and cell that its works keep."""
    tx.drop_upload(upload)
    tx.drop_upload(mistakes_of(upload))
    for work in filter(None, (tx.work(check_of(upload)), tx.work(import_of(upload)))):
        bare = {name: value for name, value in work.result.items() if name in _BARE}
        tx.put_work(replace(work, result=bare))


async def check(
    works: Works,
    store: DeskStore,
    clock: Clock,
    read: Reader,
    upload: Upload,
    into: str,
    whole: str = "",
) -> Work:
    """Begin to look whether the file can be imported ``into`` a table, and what it would change.

    ``whole``: WHOLE where the file is all there is, so that whoever is not in it has left; MANY
    where that may be a large part.
    """
    work = _work(check_of(upload.id), "check", upload, into, clock, whole)

    async def do(moved: Moved) -> None:
        try:
            records = await _understood(works, store, read, work, moved)
        except UnreadableError as error:
            told: Result = {"outcome": "unreadable", "why": error.saying.everywhere()}
            await store.write(lambda tx: finish(tx, work, clock(), WorkState.DONE, told))
            return
        if records is None:
            await store.write(lambda tx: finish(tx, work, clock(), WorkState.FAILED, {}))
            return
        outcome = await bring_in(store, records, None)
        listed = await works.off_loop(lambda: _listed(outcome))
        result = _result(outcome, records)

        def write(tx: DeskTransaction) -> None:
            kept = own(tx, work.account, str(work.result["upload"]))
            if kept is None:  # thought better of meanwhile
                finish(tx, work, clock(), WorkState.FAILED, {})
                return
            if listed:
                name = f"{kept.name}.csv"
                tx.put_upload(Upload(mistakes_of(kept.id), kept.account, name, listed, clock()))
            finish(tx, work, clock(), WorkState.DONE, result)

        await store.write(write)

    return await works.begin(store, clock, work, _alone(works, do))


async def confirm(
    works: Works,
    store: DeskStore,
    clock: Clock,
    read: Reader,
    upload: Upload,
    into: str,
    act: Act,
    agreed: str,
    whole: str = "",
) -> Work:
    """Begin to import the file ``into`` a table, for ``act``; a second click begins nothing.

    ``agreed`` is the digest of the changes that were looked at. What is stored may have changed
    since: then all is checked again, and where other changes come of it nothing is written, and
    the check tells what they are now.
    """
    work = _work(import_of(upload.id), "import", upload, into, clock, whole)
    name = upload.id

    async def do(moved: Moved) -> None:
        records = await _understood(works, store, read, work, moved)
        if records is None:
            await store.write(lambda tx: finish(tx, work, clock(), WorkState.FAILED, {}))
            return

        def noted(tx: DeskTransaction, outcome: Imported) -> None:
            finish(tx, work, clock(), WorkState.DONE, _result(outcome, records))
            forget(tx, name)

        try:
            outcome = await bring_in(
                store, records, act, progress=lambda done, of: moved("writing", done, of),
                noted=noted, agreed=agreed,
            )  # fmt: skip
        except MovedError:
            moving: Result = {"outcome": "moved"}
            await store.write(lambda tx: finish(tx, work, clock(), WorkState.FAILED, moving))
            return
        if isinstance(outcome, Rejected) or not outcome.written:
            await store.write(lambda tx: _differs(tx, work, clock(), _result(outcome, records)))

    return await works.begin(store, clock, work, _alone(works, do))


def _differs(tx: DeskTransaction, work: Work, now: datetime, result: Result) -> None:
    """The import ends here; mistakes are told where it ends, other changes where one agrees."""
    if result["outcome"] == "bad":
        finish(tx, work, now, WorkState.FAILED, result)
        return
    finish(tx, work, now, WorkState.FAILED, {"outcome": "moved"})
    checked = tx.work(check_of(str(work.result["upload"])))
    if checked is not None:
        begun = {
            name: checked.result[name]
            for name in ("upload", "file", "table", "whole")
            if name in checked.result
        }
        tx.put_work(replace(checked, seen_at=now, result={**begun, **result}))


def _alone(
    works: Works, do: Callable[[Moved], Awaitable[None]]
) -> Callable[[Moved], Awaitable[None]]:
    async def turned(moved: Moved) -> None:
        async with works.turn():
            await do(moved)

    return turned


def _work(name: str, kind: str, upload: Upload, into: str, clock: Clock, whole: str) -> Work:
    begun = {"upload": upload.id, "file": shown(upload.name, 100), "table": into, "whole": whole}
    return Work(name, kind, upload.account, clock(), clock(), result=begun)


async def _understood(
    works: Works, store: DeskStore, read: Reader, work: Work, moved: Moved
) -> Records | None:
    """The file's rows; None where it is no longer here. It is fetched only when its turn comes."""
    name, wanted = str(work.result["upload"]), TABLES[str(work.result["table"])]
    upload = await store.read(lambda tx: own(tx, work.account, name))
    if upload is None:
        return None

    def understood() -> Records:
        sheet = read(
            upload.name, upload.content, wanted.titles, lambda rows: moved("reading", rows, 0)
        )
        total = len(sheet.rows)
        whole = work.result["whole"]
        records = understand(wanted, sheet, lambda done: moved("checking", done, total))
        return replace(records, whole=whole in {WHOLE, MANY}, many_left=whole == MANY)

    return await works.off_loop(understood)


# outcomes as plain data, in every language that a page may be read in


def _result(outcome: Imported | Rejected, records: Records) -> Result:
    if isinstance(outcome, Rejected):
        return {
            "outcome": "bad",
            "sheet": records.sheet,
            "count": len(outcome.bads),
            "more": outcome.more,
            "bads": [_bad(bad) for bad in outcome.bads[:SHOWN]],
            "many_left": any(bad.code == "many-left" for bad in outcome.bads),
        }
    return {
        "outcome": "good",
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "left": outcome.left,
        "leavers": list(outcome.leavers),
        "sheet": records.sheet,
        "digest": outcome.digest,
        "warnings": [warning.everywhere() for warning in outcome.warnings],
        "news": [_change(each) for each in outcome.news],
        "changes": [_change(each) for each in outcome.changes],
    }


def _bad(bad: Bad) -> Mapping[str, object]:
    return {
        "sheet": bad.sheet,
        "row": bad.row,
        "column": shown(bad.column),
        "what": bad.wrong.everywhere(),
        "mend": bad.mending.everywhere(),
    }


def _change(change: Change) -> Mapping[str, object]:
    return {"key": change.key, "before": dict(change.before), "after": dict(change.after)}


_HEADS = (
    "工作表 sheet",
    "行 row",
    "列 column",
    "问题",
    "怎样改正",
    "what is wrong",
    "how to mend it",
)


def _listed(outcome: Imported | Rejected) -> bytes:
    """Every mistake as CSV, in both languages; b'' for none. Excel wants the mark in front."""
    if not isinstance(outcome, Rejected):
        return b""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_HEADS)
    for bad in outcome.bads:
        said = [
            text.said(language) for language in ("zh", "en") for text in (bad.wrong, bad.mending)
        ]
        cells: list[str | int] = [bad.sheet, bad.row, bad.column, *said]
        writer.writerow([inert(cell) for cell in cells])
    return written.getvalue().encode("utf-8-sig")
