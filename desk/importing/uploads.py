"""Tables brought through a browser: kept, checked, and imported once their owner says so.

Checking and importing are long work. Both are named after the file they are about, so that a second
click finds the first one's work instead of beginning another.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import datetime

from desk.audit import Act
from desk.exporting import inert
from desk.importing.bringing import Imported, Rejected, bring_in
from desk.importing.columns import TABLES
from desk.importing.drafts import Change
from desk.importing.records import Bad, Records, understand
from desk.importing.sheets import UnreadableError, table
from desk.saying import shown
from desk.store import DeskStore, DeskTransaction, Upload, Work, WorkState
from desk.works import Moved, Works, finish

SHOWN = 50  # mistakes on a page; the rest is in a file
Result = dict[str, object]
Clock = Callable[[], datetime]


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
    """Drop a file and the list of its mistakes."""
    tx.drop_upload(upload)
    tx.drop_upload(mistakes_of(upload))


async def check(works: Works, store: DeskStore, clock: Clock, upload: Upload, into: str) -> Work:
    """Begin to look whether the file can be imported ``into`` a table, and what it would change."""

    async def do(moved: Moved) -> None:
        try:
            records = await works.off_loop(lambda: _understood(upload, into, moved))
        except UnreadableError as error:
            told: Result = {"outcome": "unreadable", "why": error.saying.everywhere()}
            await store.write(
                lambda tx: finish(tx, check_of(upload.id), clock(), WorkState.DONE, told)
            )
            return
        outcome = await bring_in(store, records, None)
        listed = await works.off_loop(lambda: _listed(outcome))
        result = _result(outcome, records)

        def write(tx: DeskTransaction) -> None:
            if listed and own(tx, upload.account, upload.id) is not None:
                name = f"{upload.name}.csv"
                tx.put_upload(Upload(mistakes_of(upload.id), upload.account, name, listed, clock()))
            finish(tx, check_of(upload.id), clock(), WorkState.DONE, result)

        await store.write(write)

    return await works.begin(store, clock, _work(check_of(upload.id), "check", upload, into, clock),
                             do)  # fmt: skip


async def confirm(
    works: Works, store: DeskStore, clock: Clock, upload: Upload, into: str, act: Act
) -> Work:
    """Begin to import the file ``into`` a table, for ``act``; a second click begins nothing.

    What is stored may have changed since the check: all is checked again where it is written.
    """
    name = import_of(upload.id)

    async def do(moved: Moved) -> None:
        records = await works.off_loop(lambda: _understood(upload, into, moved))

        def noted(tx: DeskTransaction, outcome: Imported) -> None:
            finish(tx, name, clock(), WorkState.DONE, _result(outcome, records))
            forget(tx, upload.id)

        outcome = await bring_in(
            store, records, act, progress=lambda done, of: moved("writing", done, of), noted=noted
        )
        if isinstance(outcome, Rejected):
            result = _result(outcome, records)
            await store.write(lambda tx: finish(tx, name, clock(), WorkState.FAILED, result))

    return await works.begin(store, clock, _work(name, "import", upload, into, clock), do)


def _work(name: str, kind: str, upload: Upload, into: str, clock: Clock) -> Work:
    begun = {"upload": upload.id, "file": shown(upload.name, 100), "table": into}
    return Work(name, kind, upload.account, clock(), clock(), result=begun)


def _understood(upload: Upload, into: str, moved: Moved) -> Records:
    wanted = TABLES[into]
    sheet = table(
        upload.name, upload.content, wanted.titles, lambda rows: moved("reading", rows, 0)
    )
    total = len(sheet.rows)
    return understand(wanted, sheet, lambda done: moved("checking", done, total))


# outcomes as plain data, in every language that a page may be read in


def _result(outcome: Imported | Rejected, records: Records) -> Result:
    if isinstance(outcome, Rejected):
        return {
            "outcome": "bad",
            "sheet": records.sheet,
            "count": len(outcome.bads),
            "more": outcome.more,
            "bads": [_bad(bad) for bad in outcome.bads[:SHOWN]],
        }
    return {
        "outcome": "good",
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "sheet": records.sheet,
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
