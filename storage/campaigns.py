"""Questionnaires, campaigns, waves and their rolls: rows <-> objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    and_,
    bindparam,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from storage import tables
from storage.columns import Moment
from storage.tables import campaigns, forms, interviews, waves
from storage.unit import Unit, insert_new, upsert
from surveys.audience import Audience
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.store import Assignment

_ROLL = tables.assignments
_FORM = select(forms.c.xform).where(forms.c.id == bindparam("form"))
_FORMS = select(forms.c.id, forms.c.title).order_by(forms.c.seq)
_CAMPAIGNS = select(campaigns).order_by(campaigns.c.id)
_CAMPAIGN = select(campaigns).where(campaigns.c.id == bindparam("campaign"))
WAVES = select(
    waves.c.id,
    waves.c.campaign,
    waves.c.period,
    waves.c.opens_at,
    waves.c.closes_at,
    waves.c.tally_key,
    waves.c.state,
    waves.c.form,
    waves.c.seed,
)
_WAVE = WAVES.where(waves.c.id == bindparam("wave"))
_ASSIGNMENT = select(_ROLL.c.rater_group).where(
    _ROLL.c.wave == bindparam("wave"),
    _ROLL.c.person == bindparam("person"),
    _ROLL.c.subject == bindparam("subject"),
)
_ONESELF = select(_ROLL.c.subject).where(
    _ROLL.c.wave == bindparam("wave"),
    _ROLL.c.person == bindparam("person"),
    _ROLL.c.rater_group == RaterGroup.SELF,
)
_COMPLETE = (
    select(1)
    .where(
        interviews.c.wave == _ROLL.c.wave,
        interviews.c.person == _ROLL.c.person,
        interviews.c.subject == _ROLL.c.subject,
        interviews.c.complete,
    )
    .correlate(_ROLL)
    .exists()
)
_NOW = bindparam("now", type_=Moment)
OPEN = and_(waves.c.state == WaveState.OPEN, waves.c.opens_at <= _NOW, waves.c.closes_at > _NOW)
_BEGUN = (
    select(1)
    .where(
        interviews.c.wave == _ROLL.c.wave,
        interviews.c.person == _ROLL.c.person,
        interviews.c.subject == _ROLL.c.subject,
    )
    .correlate(_ROLL)
    .exists()
)
_ENDS_AT = type_coerce(waves.c.closes_at, BigInteger) + type_coerce(campaigns.c.grace, BigInteger)
_IN_GRACE = and_(waves.c.state == WaveState.OPEN, _ENDS_AT > _NOW, _BEGUN)
_OPEN_ASSIGNMENTS = (
    select(_ROLL.c.wave, _ROLL.c.person, _ROLL.c.subject, _ROLL.c.rater_group)
    .join(waves, waves.c.id == _ROLL.c.wave)
    .join(campaigns, campaigns.c.id == waves.c.campaign)
    .where(or_(OPEN, _IN_GRACE), _ROLL.c.person == bindparam("person"), ~_COMPLETE)
    .order_by(waves.c.opens_at, _ROLL.c.wave, _ROLL.c.subject)
)
_LEFT = (
    select(func.count())
    .select_from(_ROLL)
    .where(_ROLL.c.wave == bindparam("wave"), _ROLL.c.person == bindparam("person"), ~_COMPLETE)
)


_OPEN_WAVE = (
    update(waves)
    .where(waves.c.id == bindparam("which"), waves.c.state == WaveState.PLANNED)
    .values(
        state=WaveState.OPEN,
        form=select(campaigns.c.form).where(campaigns.c.id == waves.c.campaign).scalar_subquery(),
    )
)


class CampaignRows(Unit):
    __slots__ = ()

    def form(self, form: str) -> bytes | None:
        row = self._one(_FORM, {"form": form})
        return None if row is None else bytes(row.xform)

    def put_form(self, form: str, title: str, xform: bytes) -> None:
        """A form is what its hash says; putting it again changes nothing."""
        self._changed(
            insert_new(self._dialect, forms), {"id": form, "title": title, "xform": xform}
        )

    def forms(self) -> Sequence[tuple[str, str]]:
        return [(row.id, row.title) for row in self._all(_FORMS)]

    def campaign(self, campaign: str) -> Campaign | None:
        row = self._one(_CAMPAIGN, {"campaign": campaign})
        return None if row is None else _campaign(row)

    def campaigns(self) -> Sequence[Campaign]:
        return [_campaign(row) for row in self._all(_CAMPAIGNS)]

    def put_campaign(self, campaign: Campaign) -> None:
        row = {
            "id": campaign.id,
            "title": dict(campaign.title),
            "form": campaign.form,
            "groups": list(campaign.groups),
            "starts": campaign.starts,
            "recurrence": campaign.recurrence,
            "zone": campaign.zone,
            "opens_hour": campaign.opens_hour,
            "window": campaign.window,
            "reminders": [int(delay.total_seconds()) for delay in campaign.reminders],
            "k": campaign.k,
            "paused": campaign.paused,
            "shift": campaign.shift,
            "quiet": list(campaign.quiet),
            "grace": campaign.grace,
            "audience": campaign.audience.packed(),
            "messages": {stage: dict(words) for stage, words in campaign.messages.items()},
            "paid": campaign.paid,
            "agreed": campaign.agreed,
        }
        self._put(campaigns, [row])

    def wave(self, wave: str) -> Wave | None:
        row = self._one(_WAVE, {"wave": wave})
        return None if row is None else Wave(*row)

    def waves(self) -> Sequence[Wave]:
        """Every wave, by its opening."""
        return [Wave(*row) for row in self._all(WAVES.order_by(waves.c.opens_at, waves.c.id))]

    def put_wave(self, wave: Wave) -> None:
        campaign = None if wave.form else self.campaign(wave.campaign)
        row = {
            "id": wave.id,
            "campaign": wave.campaign,
            "period": wave.period,
            "opens_at": wave.opens_at,
            "closes_at": wave.closes_at,
            "tally_key": wave.tally_key,
            "state": wave.state,
            "form": wave.form if campaign is None else campaign.form,
            "seed": wave.seed,
        }
        self._many(upsert(self._dialect, waves, kept=("state", "form", "seed")), [row])

    def open_wave(self, wave: str) -> bool:
        return self._changed(_OPEN_WAVE, {"which": wave}) == 1

    def put_assignments(self, assignments: Iterable[Assignment]) -> None:
        self._put(
            _ROLL,
            (
                {
                    "wave": assignment.wave,
                    "person": assignment.person,
                    "subject": assignment.subject,
                    "rater_group": assignment.group,
                }
                for assignment in assignments
            ),
        )

    def assignment(self, wave: str, person: str, subject: str) -> Assignment | None:
        row = self._one(_ASSIGNMENT, {"wave": wave, "person": person, "subject": subject})
        return None if row is None else Assignment(wave, person, subject, row.rater_group)

    def assesses_oneself(self, wave: str, person: str) -> bool:
        return bool(self._all(_ONESELF, {"wave": wave, "person": person}))

    def open_assignments(self, person: str, now: datetime) -> Sequence[Assignment]:
        rows = self._all(_OPEN_ASSIGNMENTS, {"person": person, "now": now})
        return [Assignment(*row) for row in rows]

    def assignments_left(self, wave: str, person: str) -> int:
        row = self._one(_LEFT, {"wave": wave, "person": person})
        return 0 if row is None else int(row[0])


def _campaign(row: Any) -> Campaign:
    return Campaign(
        id=row.id,
        title=row.title,
        form=row.form,
        groups=tuple(RaterGroup(group) for group in row.groups),
        starts=row.starts,
        recurrence=row.recurrence,
        zone=row.zone,
        opens_hour=row.opens_hour,
        window=row.window,
        reminders=tuple(timedelta(seconds=delay) for delay in row.reminders),
        k=row.k,
        paused=row.paused,
        shift=row.shift,
        quiet=(row.quiet[0], row.quiet[1]),
        grace=row.grace,
        audience=Audience.unpacked(row.audience),
        messages=row.messages,
        paid=row.paid,
        agreed=row.agreed,
    )
