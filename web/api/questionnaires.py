"""Questionnaires: what is kept, what a check finds, and bringing one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from desk.questionnaires import Kept, all_kept, keep, one_kept
from desk.roles import May
from desk.store import DeskTransaction
from surveys.conduct import FormShelf
from surveys.forms.form import FormError
from surveys.lint.rules import asked
from web.api.call import Caller
from web.api.operations import Operation
from web.api.paging import Page, Paged
from web.api.problems import Fault, ProblemError
from web.api.texts import Bilingual
from web.console.checking import LARGEST, Examined, Examiner, Found

SUFFIXES = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "text/csv": ".csv",
    "text/markdown": ".md",
    "application/xml": ".xml",
    "application/zip": ".zip",
}
"""What a file is, by its media type. An archive has the table and the files of its labels."""

_TEXT: dict[str, object] = {"schema": {"type": "string"}}
_BYTES: dict[str, object] = {"schema": {"type": "string", "format": "binary"}}
KINDS = {kind: _TEXT if kind.startswith("text/") else _BYTES for kind in SUFFIXES}
Version = Annotated[
    str,
    Path(description="A version: the first 16 digits of its SHA-256.", pattern=r"^[0-9a-f]{16}$"),
]


class QuestionnaireModel(BaseModel):
    """One version of a questionnaire; it never changes."""

    model_config = ConfigDict(title="Questionnaire")

    version: str = Field(description="What names it: the first 16 digits of its SHA-256.")
    title: str = Field(description="What it is called.")
    languages: list[str] = Field(description="Which languages it speaks.")
    questions: int = Field(description="How many questions it has.")
    campaigns: list[str] = Field(description="The campaigns that ask it, or have asked it.")
    added_at: datetime | None = Field(description="When it was brought, where that is known.")
    added_by: str = Field(description="Who brought it; empty where that is not known.")


class FindingModel(BaseModel):
    """One finding of the check, and where it stands."""

    model_config = ConfigDict(title="Finding")

    code: str = Field(description="What was found, for programs.")
    severity: str = Field(
        description="error: mend it first.", json_schema_extra={"enum": ["error", "warning"]}
    )
    sheet: str = Field(description="The sheet.")
    row: int | None = Field(description="The row, as the spreadsheet counts.")
    column: str = Field(description="The column's letter.")
    header: str = Field(description="The column's title.")
    path: str = Field(description="The question, where there is no row.")
    what: Bilingual = Field(description="What is wrong.")
    mend: Bilingual = Field(description="How to mend it.")


class CheckedModel(BaseModel):
    """What was found, and the version that is kept now, where it is."""

    model_config = ConfigDict(title="Checked")

    version: str | None = Field(description="The version; null where it cannot be read as one.")
    kept: bool = Field(description="Whether it is kept; false for a check alone.")
    new: bool = Field(description="Whether it was not there before.")
    errors: int = Field(description="How many findings must be mended first.")
    warnings: int = Field(description="How many should be looked at.")
    halted: bool = Field(description="Once the errors are mended, there may be more.")
    findings: list[FindingModel] = Field(description="Everything that was found.")


async def questionnaires(call: Caller, page: Paged) -> Page[QuestionnaireModel]:
    """Every version that is kept, by version."""
    shelf = FormShelf()

    def work(tx: DeskTransaction) -> tuple[list[QuestionnaireModel], str | None]:
        shown, onward = page.cut(all_kept(tx, shelf), lambda kept: (kept.form.hash,))
        return [_model(kept) for kept in shown], onward

    items, onward = await call.read(work)
    return Page(items=items, next=onward)


async def questionnaire(call: Caller, version: Version) -> QuestionnaireModel:
    """One version."""
    try:
        return _model(await call.read(lambda tx: one_kept(tx, FormShelf(), version)))
    except LookupError:
        raise ProblemError("missing") from None


async def xform(call: Caller, version: Version) -> Response:
    """One version as an XForm, for other programs that ask it."""
    source = await call.read(lambda tx: tx.form(version))
    if source is None:
        raise ProblemError("missing")
    headers = {"Content-Disposition": f'attachment; filename="{version[:12]}.xml"'}
    return Response(source, 200, headers, "application/xml")


async def bring_questionnaire(
    call: Caller,
    request: Request,
    use: Annotated[Literal["rating", "concern"], Query(description="What it is for.")] = "rating",
    dry_run: Annotated[bool, Query(description="Only check it.")] = False,
) -> Response:
    """Check a questionnaire and keep it; with errors it is refused, and each is told.

    The body is the file itself: an XLSForm, an XForm, or a zip with one of them and the files of
    its labels. Its Content-Type says which.
    """
    examined = await _examiner(request).examine(call.body, SUFFIXES[call.kind], use, media=True)
    if examined.refused:
        raise ProblemError("refused", detail=examined.refused)
    form = examined.form
    if (form is None or examined.errors) and not dry_run:
        findings = [_finding(each).model_dump(mode="json") for each in examined.findings]
        faults = [_fault(each) for each in examined.findings if each.severity == "error"]
        more = {"findings": findings, "halted": examined.halted}
        raise ProblemError("questionnaire", faults=faults, more=more, count=examined.errors)

    def work(tx: DeskTransaction) -> tuple[CheckedModel, int]:
        if form is None or dry_run:
            return _checked(examined, kept=False, new=False), 200
        name = f"API {call.token.name}"
        try:
            new = keep(tx, call.act(), form, examined.media, name)
        except FormError as error:
            raise ProblemError("refused", detail={"zh": str(error), "en": str(error)}) from None
        return _checked(examined, kept=True, new=new), 201 if new else 200

    return await call.change(work, 201)


def _examiner(request: Request) -> Examiner:
    examiner: Examiner = request.app.state.examiner
    return examiner


def _model(kept: Kept) -> QuestionnaireModel:
    form = kept.form
    return QuestionnaireModel(
        version=form.hash,
        title=form.title,
        languages=list(form.languages),
        questions=len(asked(form)),
        campaigns=[each.campaign for each in kept.asked_by],
        added_at=kept.added_at,
        added_by=kept.added_by,
    )


def _checked(examined: Examined, *, kept: bool, new: bool) -> CheckedModel:
    return CheckedModel(
        version=examined.form.hash if examined.form is not None else None,
        kept=kept,
        new=new,
        errors=examined.errors,
        warnings=examined.warnings,
        halted=examined.halted,
        findings=[_finding(each) for each in examined.findings],
    )


def _finding(found: Found) -> FindingModel:
    return FindingModel(
        code=found.code,
        severity=found.severity,
        sheet=found.sheet,
        row=found.row,
        column=found.column,
        header=found.header,
        path=found.path,
        what=Bilingual.of(found.what),
        mend=Bilingual.of(found.mend),
    )


def _fault(found: Found) -> Fault:
    places = {"code": found.code, "sheet": found.sheet, "row": found.row, "column": found.column}
    detail = {code: f"{found.what[code]} {found.mend[code]}" for code in found.what}
    return Fault(detail, more=places)


OPERATIONS = (
    Operation("GET", "/questionnaires", questionnaires, May.FORMS_READ, Page[QuestionnaireModel]),
    Operation("POST", "/questionnaires", bring_questionnaire, May.FORMS_WRITE, CheckedModel, 201,
              KINDS, LARGEST, also={200: CheckedModel}),
    Operation("GET", "/questionnaires/{version}", questionnaire, May.FORMS_READ,
              QuestionnaireModel),
    Operation("GET", "/questionnaires/{version}/xform", xform, May.FORMS_READ,
              gives="application/xml"),
)  # fmt: skip
