"""Waves in the field: who was asked and how many answered, in figures that tell nobody apart."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from desk.fieldwork import Fieldwork, fieldwork
from desk.outcomes import Outcomes, outcomes
from desk.roles import May
from desk.store import DeskTransaction
from surveys.campaigns import Wave
from surveys.dispositions import Disposition
from web.api.call import Caller
from web.api.operations import Operation
from web.api.paging import Page, Paged
from web.api.problems import ProblemError
from web.api.texts import ID, WaveId


class SideModel(BaseModel):
    """One subject as one rater group sees it."""

    subject: str = Field(description="Who is rated.")
    group: str = Field(description="From which side: SUP, PEER, SUB, SVC or SELF.")
    asked: int = Field(description="How many are asked.")
    answered: int | None = Field(
        description="How many rated; null while the wave is open, and where it must not be told."
    )


class OutcomesModel(BaseModel):
    """What became of everybody on a wave's roll, by person; rates are AAPOR's, in percent."""

    model_config = ConfigDict(title="Outcomes")

    people: int = Field(description="How many people are on the roll.")
    exact: bool = Field(
        description="Whether the numbers are exact; else they are rounded down to tens, and the "
        "rates at least so much."
    )
    numbers: dict[str, int | None] = Field(
        description="How many came to which end: " + ", ".join(Disposition) + "; null: not told."
    )
    rates: dict[str, float | None] | None = Field(
        description="RR1, RR2, REF1 and CON1 to one decimal; null while the wave is open."
    )


class WaveModel(BaseModel):
    """One occurrence of a campaign."""

    model_config = ConfigDict(title="Wave")

    id: str = Field(description="Its id.")
    campaign: str = Field(description="The campaign's id.")
    period: str = Field(description="The quarter that it counts for, as 2026Q4.")
    form: str = Field(description="The version of the questionnaire that it asks.")
    opens_at: datetime = Field(description="When it opens.")
    closes_at: datetime = Field(description="When it closes.")
    state: str = Field(
        description="How it stands.", json_schema_extra={"enum": ["planned", "open", "tallied"]}
    )
    asked: int = Field(description="How many ratings are asked for.")
    begun: int | None = Field(
        description="Interviews begun, rounded down to tens; null below ten and after the tally."
    )
    complete: int | None = Field(
        description="Interviews complete, rounded down to tens, null below ten; after the tally "
        "the sum of the turnouts that are told."
    )


class WaveWithSides(WaveModel):
    """A wave, with whom it asks about and what became of those it asked."""

    model_config = ConfigDict(title="WaveWithSides")

    outcomes: OutcomesModel | None = Field(
        description="What became of everybody; null before it opens, and for whoever sees only "
        "some of its subjects."
    )

    sides: list[SideModel] = Field(description="By subject and rater group.")


async def waves(
    call: Caller,
    page: Paged,
    campaign: Annotated[str, Query(description="Only those of this campaign.", pattern=ID)] = "",
) -> Page[WaveModel]:
    """Waves, with how many were asked and have answered: never so exactly that it tells who."""

    def work(tx: DeskTransaction) -> tuple[list[WaveModel], str | None]:
        within = call.reach(tx, May.FIELDWORK_READ)
        mine: list[Wave] = [wave for wave in tx.waves() if campaign in ("", wave.campaign)]
        if within is not None:
            mine = [wave for wave in mine if fieldwork(tx, wave.id, within) is not None]
        shown, onward = page.cut(mine, lambda wave: (wave.id,))
        found = [fieldwork(tx, wave.id, within) for wave in shown]
        return [WaveModel.model_validate(_wave(each)) for each in found if each is not None], onward

    items, onward = await call.read(work)
    return Page(items=items, next=onward)


async def wave(call: Caller, wave: WaveId) -> WaveWithSides:
    """One wave, with whom it asks about and what became of those it asked."""

    def work(tx: DeskTransaction) -> tuple[Fieldwork, Outcomes | None] | None:
        within = call.reach(tx, May.FIELDWORK_READ)
        found = fieldwork(tx, wave, within)
        if found is None:
            return None
        return found, outcomes(tx, found.wave, found.campaign) if within is None else None

    seen = await call.read(work)
    if seen is None:
        raise ProblemError("missing")
    found, came = seen
    sides = [SideModel.model_validate(side, from_attributes=True) for side in found.sides]
    told = None if came is None else _outcomes(came)
    return WaveWithSides.model_validate({**_wave(found), "sides": sides, "outcomes": told})


def _wave(found: Fieldwork) -> dict[str, object]:
    wave = found.wave
    return {
        "id": wave.id,
        "campaign": wave.campaign,
        "period": wave.period,
        "form": wave.form or found.campaign.form,
        "opens_at": wave.opens_at,
        "closes_at": wave.closes_at,
        "state": wave.state,
        "asked": found.asked,
        "begun": found.begun,
        "complete": found.complete,
    }


def _outcomes(came: Outcomes) -> dict[str, object]:
    shares = {name: percent for name, _, percent in came.shares}
    return {
        "people": came.people,
        "exact": came.exact,
        "numbers": {str(each): count for each, count in came.numbers.items()},
        "rates": shares or None,
    }


OPERATIONS = (
    Operation("GET", "/waves", waves, May.FIELDWORK_READ, Page[WaveModel]),
    Operation("GET", "/waves/{wave}", wave, May.FIELDWORK_READ, WaveWithSides),
)
