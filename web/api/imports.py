"""Tables brought in: all of their rows, or none, and every bad cell told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Path, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from desk.audit import Act
from desk.importing.bringing import Imported, Plan, Rejected, carried_out, compared
from desk.importing.columns import TABLES
from desk.importing.records import Bad, Records, understand
from desk.importing.sheets import Row, Sheet, UnreadableError
from desk.roles import May
from desk.store import DeskTransaction
from surveys.words import LANGUAGES
from web.api.call import JSON, Call, Caller
from web.api.operations import LARGE, Operation
from web.api.problems import WORDS, Fault, ProblemError
from web.console.workbooks import read_apart

SHOWN = 1000  # bad cells in one answer
MOST_ROWS = 20_000  # as JSON; a file may have more
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cell = str | int | float | bool | None


class Rows(BaseModel):
    """A table as JSON: one object a row, by column; a column that is left out stays as it is."""

    model_config = ConfigDict(title="Rows", extra="forbid")

    rows: list[dict[str, Cell]] = Field(
        description="The rows. Columns are those of `minyi import`, in Chinese or English.",
        min_length=1,
        max_length=MOST_ROWS,
        examples=[[{"id": "tax", "name_zh": "税务大厅", "name_en": "Tax office"}]],
    )


class ImportedModel(BaseModel):
    """What the table brought, or would."""

    model_config = ConfigDict(title="Imported")

    table: str = Field(description="Which table.")
    added: int = Field(description="Rows that are new.")
    changed: int = Field(description="Rows that changed something.")
    unchanged: int = Field(description="Rows that were stored so already.")
    left: int = Field(description="People on the whole roster no more.")
    leavers: list[str] = Field(description="What the first of them are called.")
    written: bool = Field(description="False for a dry run.")
    notes: list[str] = Field(description="What was left unread, in English.")


async def bring_table(
    call: Caller,
    table: Annotated[
        Literal["subjects", "people", "relations", "tasks"],
        Path(description="Which table; subjects come first."),
    ],
    dry_run: Annotated[bool, Query(description="Only say what would change.")] = False,
    whole: Annotated[
        bool, Query(description="People: this is the whole roster; who is not in it has left.")
    ] = False,
    many_left: Annotated[
        bool, Query(description="With `whole` only: also where over 30 % have left.")
    ] = False,
) -> Response:
    """Bring in a table: every row, or, where one cell is wrong, none.

    The body is a file (CSV or XLSX) or JSON rows. A column that is not there leaves stored values
    alone; a blank cell clears them. Whoever has opted out stays opted out.
    """
    if many_left and not whole:
        fault = Fault(WORDS.all_of("invalid.many_left"), parameter="many_left")
        raise ProblemError("refused", faults=[fault])
    works, act = call.console.works, call.act()

    async def write(plan: Plan) -> Response:
        return await call.change(lambda tx: told(bring(tx, act, plan, dry_run=dry_run), plan))

    async with works.turn():
        records = await works.off_loop(lambda: _records(call, table))
        records = replace(records, whole=whole, many_left=many_left)
        return await compared(call.read, records, write)


def bring(tx: DeskTransaction, act: Act, plan: Plan, *, dry_run: bool = False) -> Imported:
    """Import what ``plan`` says; ProblemError with every bad cell."""
    came = plan.outcome if dry_run else carried_out(tx, act, plan)
    if isinstance(came, Rejected):
        raise _refusal(came)
    return came


def told(came: Imported, plan: Plan) -> ImportedModel:
    """What an import did, as the API tells it."""
    return ImportedModel(
        table=plan.records.table.name,
        added=came.added,
        changed=came.changed,
        unchanged=came.unchanged,
        left=came.left,
        leavers=list(came.leavers),
        written=came.written,
        notes=[note.said("en") for note in came.warnings],
    )


def rows_of(name: str, rows: Sequence[dict[str, Cell]], content: bytes) -> Records:
    """JSON rows as the records of a sheet whose first row is their columns."""
    header = tuple(dict.fromkeys(title for row in rows for title in row))
    cells = [tuple(_text(row.get(title)) for title in header) for row in rows]
    numbered = tuple(Row(number, line) for number, line in enumerate(cells, 1))
    digest = hashlib.sha256(content).hexdigest()
    return understand(TABLES[name], Sheet("JSON", "", header, numbered, (), digest))


def _records(call: Call, name: str) -> Records:
    if call.kind == JSON:
        try:
            return rows_of(name, Rows.model_validate_json(call.body).rows, call.body)
        except ValidationError as error:
            found = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
            raise RequestValidationError(found) from None
    wanted = TABLES[name]
    suffix = ".xlsx" if call.kind == XLSX else ".csv"
    try:
        return understand(wanted, read_apart(name + suffix, call.body, wanted.titles))
    except UnreadableError as error:
        raise ProblemError("refused", detail=error.saying.everywhere()) from None


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell).strip()


def _refusal(came: Rejected) -> ProblemError:
    faults = [_fault(bad) for bad in came.bads[:SHOWN]]
    count = f"{len(came.bads)}+" if came.more else len(came.bads)
    return ProblemError("cells", faults=faults, count=count, shown=len(faults))


def _fault(bad: Bad) -> Fault:
    def said(language: str) -> str:
        stop = "。" if language == "zh" else ". "
        return f"{bad.wrong.said(language)}{stop}{bad.mending.said(language)}"

    pointer = None
    if bad.file == "JSON" and bad.row:
        column = bad.column.replace("~", "~0").replace("/", "~1")
        pointer = f"#/rows/{bad.row - 1}" + (f"/{column}" if column else "")
    places = {"sheet": bad.sheet, "row": bad.row, "column": bad.column, "code": bad.code}
    return Fault({language: said(language) for language in LANGUAGES}, pointer, more=places)


_BODY = {
    JSON: {"schema": {"$ref": "#/components/schemas/Rows"}},
    "text/csv": {"schema": {"type": "string"}},
    XLSX: {"schema": {"type": "string", "format": "binary"}},
}
OPERATIONS = (
    Operation(
        "POST",
        "/imports/{table}",
        bring_table,
        May.ROSTER_WRITE,
        ImportedModel,
        200,
        _BODY,
        LARGE,
        (409,),
        heavy=True,
    ),
)
