"""Who did what, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from desk import approvals as two
from desk.approvals import ApprovalError
from desk.audit import Entry
from desk.leaving import audit_taken
from desk.roles import May
from desk.store import Approval, Decision, DeskTransaction, Sought
from surveys.words import LANGUAGES
from web.api.call import Call, Caller
from web.api.operations import Operation
from web.api.paging import Page, Paged
from web.api.problems import ProblemError
from web.api.texts import LINE, Truth

DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
STATES = {"missing": "missing", "own": "own_request", "forbidden": "role_missing",
          "impossible": "refused"}  # fmt: skip


class EntryModel(BaseModel):
    """One line of the audit. Its hash covers the ten fields before it."""

    model_config = ConfigDict(title="Entry")

    seq: int = Field(description="Its number: 1, 2, 3 …")
    at: str = Field(description="When, in UTC.")
    who: str = Field(
        description="An account's id; operator:NAME at the terminal; minyi: the clock."
    )
    name: str = Field(description="What they are called.")
    origin: str = Field(description="From where: an address, terminal, telegram, or token ID at …")
    action: str = Field(description="What was done, as campaign.paused.")
    what: str = Field(description="To what, as campaign:window.")
    before: str = Field(description="The changed fields before, as canonical JSON; '' for none.")
    after: str = Field(description="The changed fields after, as canonical JSON; '' for none.")
    prev: str = Field(description="The hash of the entry before it.")
    hash: str = Field(description="SHA-256 of the ten fields above, as a JSON array.")
    seal: str = Field(description="HMAC of the hash under a key outside the database.")


class ApprovalModel(BaseModel):
    """Something that takes effect when a second person agrees."""

    model_config = ConfigDict(title="Approval")

    id: str = Field(description="Its id.")
    action: str = Field(description="What is to be done, as campaign.create.")
    what: str = Field(description="To what, as campaign:window.")
    arguments: dict[str, str] = Field(description="What it will be done with.")
    asked_by: str = Field(description="Who asked: an account's id.")
    asked_at: datetime = Field(description="When.")
    expires_at: datetime = Field(description="Until when it can be decided.")
    decision: str = Field(
        description="How it stands.", json_schema_extra={"enum": [each.value for each in Decision]}
    )
    decided_by: str | None = Field(description="Who decided.")
    decided_at: datetime | None = Field(description="When.")
    note: str = Field(description="What they said with it.")


class DecisionWish(BaseModel):
    """A decision upon a request of somebody else."""

    model_config = ConfigDict(title="DecisionWish", extra="forbid")

    agree: Truth = Field(description="true: it is done now. false: it never is.")
    note: str = Field("", description="Why, for whoever asked.", max_length=two.LONGEST,
                      pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")  # fmt: skip


ApprovalId = Annotated[str, Path(description="A request's id.", pattern=r"^[!-~]{1,64}$")]


async def audit(
    call: Caller,
    page: Paged,
    who: Annotated[
        str,
        Query(
            description="An id: an account's, operator:NAME or minyi.", max_length=200, pattern=LINE
        ),
    ] = "",
    action: Annotated[
        str,
        Query(
            description="What was done, or its beginning: campaign.", max_length=200, pattern=LINE
        ),
    ] = "",
    what: Annotated[
        str, Query(description="To what, as campaign:window.", max_length=200, pattern=LINE)
    ] = "",
    since: Annotated[str, Query(pattern=DAY, description="Of this day (UTC) or later.")] = "",
    before: Annotated[str, Query(pattern=DAY, description="Before this day (UTC).")] = "",
    text: Annotated[
        str,
        Query(
            description="Stands somewhere in what, name, before or after.",
            max_length=200,
            pattern=LINE,
        ),
    ] = "",
) -> Page[EntryModel]:
    """Who did what, when and from where; the newest first."""
    sought = Sought(who, action, what, since, before, text)
    below = _below(page)
    await call.leaves(
        "audit.exported", "audit:chain", lambda tx, act: audit_taken(tx, act, Sought(), "api")
    )
    found: Sequence[Entry] = await call.read(lambda tx: tx.audit(sought, below, page.limit + 1))
    shown = found[: page.limit]
    more = len(found) > page.limit
    items = [EntryModel.model_validate(entry, from_attributes=True) for entry in shown]
    return Page(items=items, next=page.onward((shown[-1].seq,)) if more else None)


def _below(page: Paged) -> int:
    match page.after:
        case None:
            return 0
        case (int(seq),) if 0 < seq < 2**62:
            return seq
    raise page.refuse()


async def approvals(
    call: Caller,
    page: Paged,
    open: Annotated[bool, Query(description="Only those that wait for a decision.")] = False,
) -> Page[ApprovalModel]:
    """Requests for a second person's agreement, the newest first."""
    found = await call.read(lambda tx: tx.approvals(open_only=open))
    shown, onward = page.cut(found, lambda each: (-int(each.asked_at.timestamp() * 1e6), each.id))
    return Page(items=[approval_model(each) for each in shown], next=onward)


async def approval(call: Caller, approval: ApprovalId) -> ApprovalModel:
    """One request."""
    found = await call.read(lambda tx: tx.approval(approval))
    if found is None:
        raise ProblemError("missing")
    return approval_model(found)


async def decide(call: Caller, approval: ApprovalId, wish: DecisionWish) -> Response:
    """Agree to a request of somebody else, so that it is done now, or refuse it.

    The token needs the scope that the action itself needs as well.
    """

    def work(tx: DeskTransaction) -> ApprovalModel:
        _whole(call, tx.approval(approval))
        try:
            decided = two.decide(
                tx, call.act(), call.account, approval, wish.agree, wish.note, call.now
            )
        except ApprovalError as error:
            raise problem_of(error) from None
        return approval_model(decided)

    return await call.change(work)


def problem_of(error: ApprovalError) -> ProblemError:
    """Why something cannot be asked for or decided."""
    detail = {language: error.said(language) for language in LANGUAGES}
    code = STATES.get(error.code, "state")
    more = {"needed": None} if code == "role_missing" else {}
    return ProblemError(code, detail=detail, more=more, needed="")


def _whole(call: Call, asked: Approval | None) -> None:
    """A token may not decide upon what it could not do: reading requests is not enough."""
    kind = two.ACTIONS.get(asked.action) if asked is not None else None
    if kind is not None and kind.permission not in call.may:
        needed = kind.permission.value
        raise ProblemError("scope_missing", more={"needed": needed}, needed=needed)


def approval_model(approval: Approval) -> ApprovalModel:
    """A request as the API tells it."""
    return ApprovalModel(
        id=approval.id,
        action=approval.action,
        what=approval.what,
        arguments=dict(approval.arguments),
        asked_by=approval.asked_by,
        asked_at=approval.asked_at,
        expires_at=approval.expires_at,
        decision=approval.decision,
        decided_by=approval.decided_by or None,
        decided_at=approval.decided_at,
        note=approval.note,
    )


OPERATIONS = (
    Operation("GET", "/audit", audit, May.AUDIT_READ, Page[EntryModel], refuses=(422,)),
    Operation("GET", "/approvals", approvals, May.APPROVALS_READ, Page[ApprovalModel]),
    Operation("GET", "/approvals/{approval}", approval, May.APPROVALS_READ, ApprovalModel),
    Operation("POST", "/approvals/{approval}/decision", decide, May.APPROVALS_READ, ApprovalModel,
              refuses=(409,)),
)  # fmt: skip
