"""Whose token this is, and long work that its account began."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from desk.roles import May
from desk.store import Work
from web.api.call import Caller
from web.api.operations import Operation
from web.api.problems import ProblemError


class GrantModel(BaseModel):
    """A role that the account holds."""

    role: str = Field(description="administrator, officer, supervisor, handler, …")
    subject: str | None = Field(description="The unit or person it is held for, where it is one's.")


class TokenModel(BaseModel):
    """The token that was sent."""

    id: str = Field(description="Its short name in lists and in the audit; not the secret.")
    name: str = Field(description="What it was called when it was made.")
    expires_at: datetime = Field(description="From then on it opens nothing.")


class Me(BaseModel):
    """Whose token this is and what it opens now."""

    account: str = Field(description="The account's id.")
    login: str = Field(description="What its owner signs in as.")
    name: str = Field(description="What its owner is called.")
    roles: list[GrantModel] = Field(description="The account's roles.")
    token: TokenModel = Field(description="The token that was sent.")
    scopes: list[str] = Field(
        description="What the token opens now: its scopes that the account's roles still give."
    )


class WorkModel(BaseModel):
    """Long work and what came of it."""

    id: str = Field(description="Its id.")
    kind: str = Field(description="What is being done.")
    state: str = Field(
        description="How it stands.", json_schema_extra={"enum": ["running", "done", "failed"]}
    )
    done: int = Field(description="How far it has come.")
    total: int = Field(description="How far it has to go; 0 where that is not known yet.")
    made_at: datetime = Field(description="When it began.")
    seen_at: datetime = Field(description="When it last said that it is going on.")
    result: dict[str, object] = Field(description="What came of it.")


async def me(call: Caller) -> Me:
    """Whose token this is, and what it opens now."""
    account, token = call.account, call.token
    return Me(
        account=account.id,
        login=account.login,
        name=account.name,
        roles=[
            GrantModel(role=grant.role, subject=grant.subject or None) for grant in account.grants
        ],
        token=TokenModel(id=token.id, name=token.name, expires_at=token.expires_at),
        scopes=sorted(call.may),
    )


async def work(
    call: Caller,
    work: Annotated[str, Path(description="The work's id.", pattern=r"^[!-~]{1,64}$")],
) -> WorkModel:
    """How long work stands that this account began at the desk."""
    found: Work | None = await call.read(lambda tx: tx.work(work))
    if found is None or found.account != call.account.id:
        raise ProblemError("missing")
    return WorkModel(
        id=found.id,
        kind=found.kind,
        state=found.state,
        done=found.done,
        total=found.total,
        made_at=found.made_at,
        seen_at=found.seen_at,
        result=dict(found.result),
    )


OPERATIONS = (
    Operation("GET", "/me", me, May.HOME, Me),
    Operation("GET", "/works/{work}", work, May.HOME, WorkModel),
)
