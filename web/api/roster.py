"""People, units and who rates whom: read, changed, and brought in as tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from desk.consenting import told_version
from desk.forgetting import ForgetError, forget
from desk.importing.bringing import planned
from desk.roles import May
from desk.roster import RosterError, edit_person, opt_out
from desk.store import DeskTransaction
from surveys.people import Person, Subject
from web.api.call import Call, Caller
from web.api.imports import bring, rows_of
from web.api.operations import Operation
from web.api.paging import Page, Paged
from web.api.problems import Fault, ProblemError
from web.api.texts import ID, LINE, Bilingual, PersonId, SubjectId, Truth

TAG = r'^[^,，、;；"\\\x00-\x1f\x7f]*$'


class SubjectModel(BaseModel):
    """A unit or an official that is rated."""

    model_config = ConfigDict(title="Subject")

    id: str = Field(description="Its id.")
    name: Bilingual = Field(description="What it is called.")
    kind: str = Field(description="What it is.", json_schema_extra={"enum": ["unit", "official"]})
    parent: str | None = Field(description="The unit it belongs to.")
    rating_class: str = Field(description="Only subjects of one class are compared.")


class PersonModel(BaseModel):
    """Somebody who may be asked. How to reach them is not told."""

    model_config = ConfigDict(title="Person")

    id: str = Field(description="Their id.")
    kind: str = Field(
        description="Which side of the counter.", json_schema_extra={"enum": ["citizen", "staff"]}
    )
    name: str = Field(description="What they are called; empty for most citizens.")
    unit: str | None = Field(description="The unit they work in.")
    language: str | None = Field(description="What they are asked in: zh, en; null: not known.")
    opted_out: bool = Field(description="True: they said stop and are never asked again.")
    left: bool = Field(description="True: the roster says that they have left.")
    tags: list[str] = Field(description="Words by which an audience may choose them.")
    zone: str | None = Field(description="Their time zone (IANA); null: not known.")
    consent: str | None = Field(
        description="Version of the privacy text they were told, empty: of none; null: not told of "
        "whoever a table lists, since it would tell who has come."
    )


class SubjectWish(BaseModel):
    """A unit or official as it shall be."""

    model_config = ConfigDict(title="SubjectWish", extra="forbid")

    name: Bilingual = Field(description="What it is called; in Chinese at least.")
    kind: Literal["unit", "official"] = Field("unit", description="What it is.")
    parent: str | None = Field(
        None, description="The unit it belongs to.", max_length=64, pattern=ID
    )
    rating_class: str | None = Field(
        None, description="Its class; else the kind.", max_length=200, pattern=LINE
    )


class PersonChange(BaseModel):
    """What of a person is to be changed; what is left out stays, null clears it."""

    model_config = ConfigDict(title="PersonChange", extra="forbid")

    name: str | None = Field(
        None, description="What they are called.", max_length=200, pattern=LINE
    )
    unit: str | None = Field(None, description="The unit they work in.", max_length=64, pattern=ID)
    language: Literal["zh", "en"] | None = Field(None, description="What they are asked in.")
    tags: list[Annotated[str, Field(max_length=40, pattern=TAG)]] | None = Field(
        None, description="Words by which an audience may choose them.", max_length=100
    )
    zone: str | None = Field(
        None, description="Their time zone, by its IANA name.", max_length=64, pattern=LINE
    )
    left: Truth = Field(False, description="Whether they have left, and are asked no more.")


async def subjects(call: Caller, page: Paged) -> Page[SubjectModel]:
    """Units and officials that are rated."""

    def work(tx: DeskTransaction) -> list[Subject]:
        within = call.reach(tx, May.ROSTER_READ)
        return [each for each in tx.subjects() if within is None or each.id in within]

    shown, onward = page.cut(await call.read(work), lambda subject: (subject.id,))
    return Page(items=[_subject(each) for each in shown], next=onward)


async def subject(call: Caller, subject: SubjectId) -> SubjectModel:
    """One unit or official."""

    def work(tx: DeskTransaction) -> Subject | None:
        within = call.reach(tx, May.ROSTER_READ)
        return tx.subject(subject) if within is None or subject in within else None

    found = await call.read(work)
    if found is None:
        raise ProblemError("missing")
    return _subject(found)


async def put_subject(call: Caller, subject: SubjectId, wish: SubjectWish) -> Response:
    """Add a unit or official, or replace what is known of it; as an import of one row."""
    row = {
        "id": subject,
        "name_zh": wish.name.zh,
        "name_en": wish.name.en,
        "kind": wish.kind,
        "parent": wish.parent,
        "class": wish.rating_class,
    }
    records = rows_of("subjects", [dict(row)], call.body)

    def work(tx: DeskTransaction) -> tuple[SubjectModel, int]:
        new = tx.subject(subject) is None
        bring(tx, call.act(), planned(tx, records))
        made = tx.subject(subject)
        assert made is not None
        return _subject(made), 201 if new else 200

    return await call.change(work)


async def people(
    call: Caller,
    page: Paged,
    unit: Annotated[str, Query(description="Only those of this unit.", pattern=ID)] = "",
    kind: Annotated[Literal["citizen", "staff", ""], Query(description="Only these.")] = "",
    tag: Annotated[str, Query(description="Only those with this tag.", max_length=64)] = "",
    left: Annotated[bool | None, Query(description="Only who has left, or has not.")] = None,
) -> Page[PersonModel]:
    """People who may be asked, as the roster lists them; not who came by a code or a link alone."""

    def work(tx: DeskTransaction) -> tuple[list[PersonModel], str | None]:
        within = call.reach(tx, May.ROSTER_READ)
        mine = (
            person
            for person in tx.people()
            if person.listed
            and (within is None or person.unit in within)
            and unit in ("", person.unit)
            and kind in ("", person.kind)
            and (not tag or tag in person.tags)
            and left in (None, person.left)
        )
        shown, onward = page.cut(mine, lambda person: (person.id,))
        return [_person(each) for each in shown], onward

    items, onward = await call.read(work)
    return Page(items=items, next=onward)


async def person(call: Caller, person: PersonId) -> PersonModel:
    """One person."""
    found = await call.read(lambda tx: _within(tx, call, person))
    if found is None:
        raise ProblemError("missing")
    return _person(found)


async def change_person(call: Caller, person: PersonId, wish: PersonChange) -> Response:
    """Change what the roster knows of somebody: name, unit, language, tags, zone, having left."""

    def work(tx: DeskTransaction) -> PersonModel:
        if tx.person(person) is None:
            raise ProblemError("missing")
        told = wish.model_dump(exclude_unset=True)
        if "tags" in told:
            told["tags"] = ",".join(told["tags"] or ())
        change: dict[str, Any] = {
            name: "" if value is None else value for name, value in told.items()
        }
        try:
            new = edit_person(tx, call.act(), person, **change)
        except RosterError as error:
            faults = [Fault(w.why.everywhere(), f"#/{w.field}") for w in error.wrongs]
            raise ProblemError("refused", faults=faults) from None
        assert new is not None
        return _person(new)

    return await call.change(work)


async def opt_person_out(call: Caller, person: PersonId) -> Response:
    """Ask somebody no more, as they wished. Only they themselves can undo it, in the chat."""

    def work(tx: DeskTransaction) -> PersonModel:
        done = opt_out(tx, call.act(), person)
        if done is None:
            raise ProblemError("missing")
        return _person(done)

    return await call.change(work)


async def forget_person(call: Caller, person: PersonId) -> Response:
    """Forget somebody who asked for it: all that is known of them goes, and it cannot be undone.

    What they finished in a wave that is not counted yet stays, under a place without a name; only
    they themselves can take that back, in the chat with `/forget`. A later import that names them
    makes them anew.
    """

    def work(tx: DeskTransaction) -> None:
        keyring = call.console.keyring
        if keyring is None:
            raise ProblemError("away")
        try:
            done = forget(tx, call.act(), person, keyring)
        except ForgetError as error:
            raise ProblemError("state", detail=error.saying.everywhere()) from None
        if not done:
            raise ProblemError("missing")

    return await call.change(work, 204)


def _within(tx: DeskTransaction, call: Call, person: str) -> Person | None:
    found = tx.person(person)
    within = call.reach(tx, May.ROSTER_READ)
    return found if found and (within is None or found.unit in within) else None


def _subject(subject: Subject) -> SubjectModel:
    return SubjectModel(
        id=subject.id,
        name=Bilingual.of(subject.name),
        kind=subject.kind,
        parent=subject.parent,
        rating_class=subject.rating_class,
    )


def _person(person: Person) -> PersonModel:
    seen = PersonModel.model_validate(person, from_attributes=True)
    return seen.model_copy(update={"consent": told_version(person)})


OPERATIONS = (
    Operation("GET", "/subjects", subjects, May.ROSTER_READ, Page[SubjectModel]),
    Operation("GET", "/subjects/{subject}", subject, May.ROSTER_READ, SubjectModel),
    Operation("PUT", "/subjects/{subject}", put_subject, May.ROSTER_WRITE, SubjectModel,
              also={201: SubjectModel}),
    Operation("GET", "/people", people, May.ROSTER_READ, Page[PersonModel]),
    Operation("GET", "/people/{person}", person, May.ROSTER_READ, PersonModel),
    Operation("PATCH", "/people/{person}", change_person, May.ROSTER_WRITE, PersonModel),
    Operation("DELETE", "/people/{person}", forget_person, May.ROSTER_WRITE, None, 204),
    Operation("POST", "/people/{person}/opt-out", opt_person_out, May.ROSTER_WRITE, PersonModel),
)  # fmt: skip
