"""Who rates whom: read, ended, and proposed to a second person."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from desk.approvals import ApprovalError
from desk.nominating import MOST, nominate
from desk.relating import RelationError, end, identify, numbered
from desk.roles import May
from desk.store import DeskTransaction
from surveys.cells import RaterGroup
from surveys.people import Person, Relation
from web.api.call import Caller
from web.api.operations import Operation
from web.api.oversight import ApprovalModel, approval_model, problem_of
from web.api.paging import Page, Paged
from web.api.problems import Fault, ProblemError
from web.api.texts import ID, LINE, PersonId, SubjectId


class RelationModel(BaseModel):
    """`rater` sees `subject` from the side of `group`."""

    model_config = ConfigDict(title="Relation")

    rater: str = Field(description="A person's id.")
    subject: str = Field(description="A subject's id.")
    group: str = Field(description="SUP, PEER, SUB, SVC or SELF.")


async def relations(
    call: Caller,
    page: Paged,
    subject: Annotated[str, Query(description="Only about this subject.", pattern=ID)] = "",
    rater: Annotated[str, Query(description="Only of this person.", pattern=ID)] = "",
) -> Page[RelationModel]:
    """Who of the people on the roster may rate whom, and from which side."""

    def work(tx: DeskTransaction) -> tuple[list[Relation], str | None]:
        within = call.reach(tx, May.ROSTER_READ)
        known = {person.id for person in tx.people() if person.listed and _seen(person, within)}
        mine = (
            each
            for each in tx.relations()
            if each.rater in known
            and (within is None or each.subject in within)
            and subject in ("", each.subject)
            and rater in ("", each.rater)
        )
        shown, onward = page.cut(mine, lambda each: (each.subject, each.rater))
        return list(shown), onward

    shown, onward = await call.read(work)
    items = [RelationModel(rater=r.rater, subject=r.subject, group=r.group) for r in shown]
    return Page(items=items, next=onward)


def _seen(person: Person, within: frozenset[str] | None) -> bool:
    """Whether whoever sees the subjects ``within`` may know of ``person``."""
    return within is None or person.unit in within


class NominationWish(BaseModel):
    """People who should rate a subject."""

    model_config = ConfigDict(title="NominationWish", extra="forbid")

    group: Literal["SUP", "PEER", "SUB"] = Field(description="From which side.")
    people: list[Annotated[str, Field(min_length=1, max_length=64, pattern=LINE)]] = Field(
        description="Staff, by id.", min_length=1, max_length=MOST
    )


async def nominate_raters(call: Caller, subject: SubjectId, wish: NominationWish) -> Response:
    """Propose raters; they rate from the next wave on, once a second person approves."""

    def work(tx: DeskTransaction) -> ApprovalModel:
        if tx.subject(subject) is None:
            raise ProblemError("missing")
        side = RaterGroup(wish.group)
        try:
            people = "\n".join(numbered(tx, each).id for each in wish.people)
            asked = nominate(tx, call.act(), call.account, subject, side, people)
        except RelationError as error:
            raise _refused(error, "#/people") from None
        except ApprovalError as error:
            raise problem_of(error) from None
        return approval_model(asked)

    return await call.change(work, 202)


class SelfWish(BaseModel):
    """The person that an official is."""

    model_config = ConfigDict(title="SelfWish", extra="forbid")

    person: str | None = Field(
        description="A member of staff, by id; null for nobody.", pattern=ID, min_length=1
    )


async def identify_official(call: Caller, subject: SubjectId, wish: SelfWish) -> Response:
    """Say which person an official is: they assess themselves from the next wave on."""

    def work(tx: DeskTransaction) -> None:
        official = tx.subject(subject)
        if official is None or official.kind != "official":
            raise ProblemError("missing")
        try:
            identify(tx, call.act(), subject, numbered(tx, wish.person).id if wish.person else "")
        except RelationError as error:
            raise _refused(error, "#/person") from None

    return await call.change(work, 204)


def _refused(error: RelationError, where: str) -> ProblemError:
    return ProblemError("refused", faults=[Fault(error.saying.everywhere(), where)])


async def end_relation(call: Caller, rater: PersonId, subject: SubjectId) -> Response:
    """Ask somebody about a subject no more, from the next wave on. An open wave stays as it is."""

    def work(tx: DeskTransaction) -> None:
        if end(tx, call.act(), rater, subject) is None:
            raise ProblemError("missing")

    return await call.change(work, 204)


OPERATIONS = (
    Operation("GET", "/relations", relations, May.ROSTER_READ, Page[RelationModel]),
    Operation("POST", "/subjects/{subject}/nominations", nominate_raters, May.ROSTER_WRITE,
              ApprovalModel, 202, refuses=(409,)),
    Operation("PUT", "/subjects/{subject}/self", identify_official, May.ROSTER_WRITE, None, 204),
    Operation("DELETE", "/relations/{rater}/{subject}", end_relation, May.ROSTER_WRITE, None, 204),
)  # fmt: skip
