"""The desk's tables: accounts and what leads to them, the audit, approvals, work, webhooks."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

from desk.accounts import Stage
from desk.store import Decision, WorkState
from storage.columns import Code, Json, Moment
from storage.tables import Serial, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("grants", Json, nullable=False),  # [role, subject] each
    Column("language", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("totp", LargeBinary, nullable=False),
    Column("totp_step", BigInteger, nullable=False),
    Column("recovery", Json, nullable=False),
    Column("issuer", Text),
    Column("external_subject", Text),
    Column("channel", Text),
    Column("handle", Text),
    Column("disabled", Boolean, nullable=False),
    UniqueConstraint("issuer", "external_subject"),
    UniqueConstraint("channel", "handle"),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("stage", Code(Stage), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("origin", Text, nullable=False),
    Column("agent", Text, nullable=False),
    sqlite_with_rowid=False,
)

# whose account a ticket leads to may not be known yet: no foreign key
tickets = Table(
    "tickets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("data", Json, nullable=False),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("until", Moment),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("what", Text, nullable=False, index=True),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("seal", Text, nullable=False),
    sqlite_with_rowid=False,
)

# one row: whoever appends holds it until their work ends
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("action", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("decision", Code(Decision), nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment),
    Column("note", Text, nullable=False),
    sqlite_with_rowid=False,
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_on", Text, nullable=False),
    sqlite_with_rowid=False,
)

# what was answered under an idempotency key
remembered = Table(
    "remembered",
    metadata,
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("made_at", Moment, nullable=False),
)

works = Table(
    "works",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("state", Code(WorkState), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("result", Json, nullable=False),
)

hooks = Table(
    "hooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Json, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# no foreign key: a hook that goes while something happens must not undo what happened
notices = Table(
    "notices",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("hook", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("claimed_until", Moment),
)
DUE_NOTICE = text("state = 'due'")
Index(
    "ix_notices_due",
    notices.c.due_at,
    notices.c.id,
    sqlite_where=DUE_NOTICE,
    postgresql_where=DUE_NOTICE,
)
Index("ix_notices_hook", notices.c.hook, notices.c.id)

# REPLACE deletes without asking the DELETE trigger, hence the third
_SQLITE_GUARD = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
    "WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit) "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
)
_POSTGRES_GUARD = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)
for _dialect, _guard in (("sqlite", _SQLITE_GUARD), ("postgresql", _POSTGRES_GUARD)):
    for _trigger in _guard:
        _made = DDL(_trigger).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(audit, "after_create", _made)
