"""Every table. Nothing here, or in its keys, may tell in which order people answered.

SQLite numbers the rows of an ordinary table in order of arrival (``rowid``), which matched 100 %
of people to their ballots; so whatever holds an answer is WITHOUT ROWID, keyed by what it is.
Foreign keys stand where a dangling row would be nonsense and the table is not on the hot path.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from storage.columns import Code, Day, Json, Moment, Span, Words
from surveys.campaigns import Outcome, Shift, WaveState
from surveys.cells import RaterGroup
from surveys.dispositions import Disposition
from surveys.people import Kind

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts upwards only in a column spelt INTEGER
Serial = BigInteger().with_variant(Integer, "sqlite")

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Code(Kind), nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text),
    Column("language", Text),
    Column("opted_out", Boolean, nullable=False),
    Column("left", Boolean, nullable=False, server_default=false()),
    Column("zone", Text),
    Column(
        "tags", Words, nullable=False, server_default=text("'[]'")
    ),  # a sorted list: '["windows","党员"]'
    Column("consent", Text, nullable=False, server_default=text("''")),
    sqlite_with_rowid=False,
)

chats = Table(
    "chats",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("handle", Text, primary_key=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False, index=True),
    Column("language", Text, nullable=False),
    Column("interview", Text),
    # False once the channel said that this address is gone; writing to us again mends it
    Column("reachable", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Json, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent", Text),
    Column("rating_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

relations = Table(
    "relations",
    metadata,
    Column("rater", Text, ForeignKey("people.id"), primary_key=True),
    Column("subject", Text, ForeignKey("subjects.id"), primary_key=True),
    Column("rater_group", Code(RaterGroup), nullable=False),
    sqlite_with_rowid=False,
)

invites = Table(
    "invites",
    metadata,
    Column("token", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("expires_at", Moment),
    sqlite_with_rowid=False,
)

# links made for one visit each; the token itself is kept nowhere, nor who opened it
visits = Table(
    "visits",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

forms = Table(
    "forms",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("xform", LargeBinary, nullable=False),
)

# pictures, sounds and films that belong to a question's label
form_media = Table(
    "form_media",
    metadata,
    Column("form", Text, ForeignKey("forms.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("mime", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Json, nullable=False),
    Column("form", Text, ForeignKey("forms.id"), nullable=False),
    Column("groups", Json, nullable=False),
    Column("starts", Day, nullable=False),
    Column("recurrence", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("opens_hour", Integer, nullable=False),
    Column("window", Span, nullable=False),
    Column("reminders", Json, nullable=False),  # seconds after the opening
    Column("k", Integer, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("shift", Code(Shift), nullable=False, server_default=text("'none'")),
    Column("quiet", Json, nullable=False, server_default=text("'[21,8]'")),  # [21, 8]
    Column("grace", Span, nullable=False, server_default=text("0")),
    Column("audience", Json, nullable=False, server_default=text("'{}'")),
    Column("messages", Json, nullable=False, server_default=text("'{}'")),
    Column("paid", Boolean, nullable=False, server_default=false()),
    Column("agreed", Integer, nullable=False, server_default=text("0")),
)

waves = Table(
    "waves",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campaign", Text, ForeignKey("campaigns.id"), nullable=False),
    Column("period", Text, nullable=False),
    Column("opens_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("tally_key", LargeBinary, nullable=False),
    Column("state", Code(WaveState), nullable=False),
    Column("form", Text, ForeignKey("forms.id"), nullable=False),
    Column("seed", Text, nullable=False, server_default=text("''")),
)

# how many people of a wave came to which end, once it is counted
dispositions = Table(
    "dispositions",
    metadata,
    Column("wave", Text, primary_key=True),
    Column("disposition", Code(Disposition), primary_key=True),
    Column("people", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# days that are worked or not, whatever the public calendar says
day_overrides = Table(
    "day_overrides",
    metadata,
    Column("day", Day, primary_key=True),
    Column("works", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    sqlite_with_rowid=False,
)

assignments = Table(
    "assignments",
    metadata,
    Column("wave", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("rater_group", Code(RaterGroup), nullable=False),
    sqlite_with_rowid=False,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("wave", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", Code(Outcome), nullable=False),
    Column("claimed_until", Moment),
    Column("begun_at", Moment),
    Column("detail", Text, nullable=False),
    UniqueConstraint("wave", "person", "stage"),
)
DUE = text("state = 'due'")
BEGUN = text("state = 'due' AND begun_at IS NOT NULL")
Index(
    "ix_deliveries_due",
    deliveries.c.due_at,
    deliveries.c.id,
    sqlite_where=DUE,
    postgresql_where=DUE,
)
Index(
    "ix_deliveries_begun",
    deliveries.c.claimed_until,
    sqlite_where=BEGUN,
    postgresql_where=BEGUN,
)

interviews = Table(
    "interviews",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("touched_at", Moment, nullable=False),
    Column("wave", Text),
    Column("subject", Text),
    Column("rater_group", Code(RaterGroup)),
    UniqueConstraint("wave", "person", "subject"),
    sqlite_with_rowid=False,
)

# files people handed over: that there is one, and since which day; nothing joins it to a person
attachments = Table(
    "attachments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("day", Day, nullable=False),
    Column("kept", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

ballots = Table(
    "ballots",
    metadata,
    Column("wave", Text, primary_key=True),
    Column("rid", LargeBinary, primary_key=True),
    Column("box", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

cells = Table(
    "cells",
    metadata,
    Column("period", Text, primary_key=True),
    Column("wave", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("indicator", Text, primary_key=True),
    Column("rater_group", Code(RaterGroup), primary_key=True),
    # a digest of ``pooled``: a parent may have a cell of its own beside its pool's
    Column("pool", Text, primary_key=True),
    Column("counts", Json, nullable=False),
    Column("pooled", Json, nullable=False),
    sqlite_with_rowid=False,
)

reasons = Table(
    "reasons",
    metadata,
    Column("period", Text, primary_key=True),
    Column("wave", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("question", Text, primary_key=True),
    Column("rater_group", Code(RaterGroup), primary_key=True),
    Column("n", Integer, nullable=False),
    Column("counts", Json, nullable=False),
    sqlite_with_rowid=False,
)

turnout = Table(
    "turnout",
    metadata,
    Column("period", Text, primary_key=True),
    Column("wave", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("rater_group", Code(RaterGroup), primary_key=True),
    Column("asked", Integer, nullable=False),
    Column("answered", Integer),
    sqlite_with_rowid=False,
)

spreads = Table(
    "spreads",
    metadata,
    Column("period", Text, primary_key=True),
    Column("wave", Text, primary_key=True),
    Column("rating_class", Text, primary_key=True),
    Column("rater_group", Code(RaterGroup), primary_key=True),
    Column("variance", Double, nullable=False),
    Column("ballots", Integer, nullable=False),
    sqlite_with_rowid=False,
)

withheld = Table(
    "withheld",
    metadata,
    Column("period", Text, primary_key=True),
    Column("wave", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("rater_group", Code(RaterGroup), primary_key=True),
    Column("indicator", Text, primary_key=True),
    Column("fate", Text, nullable=False),
    Column("into", Text),
    sqlite_with_rowid=False,
)

remarks = Table(
    "remarks",
    metadata,
    Column("period", Text, primary_key=True),
    Column("lot", LargeBinary, primary_key=True),  # 16 random bytes: the order they are read in
    Column("subject", Text, nullable=False),
    Column("remark", Text, nullable=False),
    sqlite_with_rowid=False,
)
