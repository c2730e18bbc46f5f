"""A database as if nobody had answered yet: what is left of open waves without their keys.

Sealed ballots and interviews open for nobody without the keys of their wave; their rows only tell
who began, who finished and when. So they are not copied without those keys, nor kept.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, and_, delete, exists, inspect, or_, select, update

from storage import copying
from storage.copying import Contents
from storage.ledgers import paradata_drafts
from storage.tables import (
    assignments,
    ballots,
    chats,
    deliveries,
    interviews,
    people,
    visits,
    waves,
)
from surveys.campaigns import Outcome, WaveState

# of PostgreSQL whole tables stay out: pg_dump cannot choose rows
TABLES = ("ballots", "interviews", "paradata_drafts")


def forget_answers(connection: Connection, of: Collection[str]) -> None:
    """Delete what was answered in the waves ``of``, and each trace of who has.

    Reminders that were sent or became moot tell as much; those still to come stay.
    """
    names = list(of)
    for table in (interviews, ballots, paradata_drafts):
        connection.execute(delete(table).where(table.c.wave.in_(names)))
    known = exists(select(interviews.c.id).where(interviews.c.id == chats.c.interview))
    lost = and_(chats.c.interview.is_not(None), ~known)
    connection.execute(update(chats).where(lost).values(interview=None))
    begun = or_(
        deliveries.c.state != Outcome.DUE,
        deliveries.c.attempts > 0,
        deliveries.c.begun_at.is_not(None),
    )
    reminders = and_(deliveries.c.wave.in_(names), deliveries.c.stage.like("remind%"))
    connection.execute(delete(deliveries).where(reminders, begun))
    if not inspect(connection).has_table(visits.name):  # of a version before
        return
    # only who has come is told the privacy text; a visitor's place is theirs who opened a link
    connection.execute(update(people).where(people.c.consent != "").values(consent=""))
    named = exists(select(people.c.id).where(people.c.id == assignments.c.person))
    visitors = and_(assignments.c.wave.in_(names), ~named)
    connection.execute(delete(assignments).where(visitors))
    connection.execute(update(visits).values(used=False))


def without_answers(file: Path, of: Collection[str]) -> Contents:
    """The same in a SQLite file that nobody else uses, down to its free pages; what is left."""
    with copying.changing(f"sqlite:///{file}") as connection:
        forget_answers(connection, of)
    anew = file.with_name(f"{file.name}.anew")
    copying.copy_sqlite(file, anew)
    anew.replace(file)
    return copying.sqlite_contents(file)


def may_begin(connection: Connection, now: datetime) -> frozenset[str]:
    """The waves not tallied yet in which people can still answer, or are yet to."""
    comes = or_(waves.c.state == WaveState.PLANNED, waves.c.closes_at > now)
    found = connection.execute(select(waves.c.id).where(waves.c.state != WaveState.TALLIED, comes))
    return frozenset(str(row.id) for row in found)
