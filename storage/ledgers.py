"""The tables beside the surveys: shared facts, concerns and scores."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from concerns.store import State
from storage.columns import Code, Day, Moment
from storage.tables import Serial, metadata

notes = Table(
    "notes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Moment, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("box", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# what each process has counted so far in an open wave, sealed; all boxes of a form have one size
paradata_drafts = Table(
    "paradata_drafts",
    metadata,
    Column("wave", Text, primary_key=True),
    Column("process", Text, primary_key=True),
    Column("box", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# NULL is withheld
paradata = Table(
    "paradata",
    metadata,
    Column("period", Text, primary_key=True),
    Column("wave", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),  # the form's order
    Column("question", Text, nullable=False),
    Column("shown", Integer),
    Column("answered", Integer),
    Column("skipped", Integer),
    Column("troubled", Integer),
    Column("left", Integer),
    sqlite_with_rowid=False,
)

concerns = Table(
    "concerns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("receipt_hash", LargeBinary, nullable=False, unique=True),
    Column("reader", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Code(State), nullable=False),
    Column("reply_to", LargeBinary, nullable=False),
    Column("opened_on", Day, nullable=False),
    sqlite_with_rowid=False,
)

entries = Table(
    "entries",
    metadata,
    Column("concern", Text, ForeignKey("concerns.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("box", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("period", Text, nullable=False, index=True),
    Column("category", Text, nullable=False),
    Column("points", Double, nullable=False),
    Column("exposure", Double, nullable=False),
)

score_runs = Table(
    "score_runs",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("period", Text, nullable=False, index=True),
    Column("method", Text, nullable=False),
    Column("input_hash", Text, nullable=False),
    Column("frozen", LargeBinary, nullable=False),
    Column("cards", LargeBinary, nullable=False),
)

publications = Table(
    "publications",
    metadata,
    Column("period", Text, primary_key=True),
    Column("cards", LargeBinary, nullable=False),
)
