"""Bringing a database up to date, from wherever it stands."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage.engine import begin, open_engine
from storage.outage import patiently

_ONE_AT_A_TIME = 0x6D696E7969  # "minyi": two processes starting together migrate in turn


def migrate(url: str, to: str = "head") -> None:
    """Bring the schema to revision ``to``: ``head``, ``base`` or a revision id, up or down.

    One transaction: it happens whole or not at all. Raises ValueError for a wrong URL and
    DatabaseGoneError where the database stays away for 15 seconds.
    """
    engine = open_engine(url)

    def attempt() -> None:
        with engine.connect() as connection, begin(connection):
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME}
                )
            _move(connection, to)

    try:
        patiently(attempt)
    finally:
        engine.dispose()


def revision(url: str) -> str | None:
    """The revision the database stands at; None where it has no tables of ours yet."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def newest_revision() -> str | None:
    """The revision that this version of the program needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def knows_revision(revision: str) -> bool:
    """Whether this version of the program can bring a database from ``revision`` up to date."""
    script = ScriptDirectory.from_config(_config())
    return revision in {step.revision for step in script.walk_revisions()}


def _move(connection: Connection, to: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    here = MigrationContext.configure(connection).get_current_revision()
    goal = script.get_current_head() if to == "head" else to
    behind = {step.revision for step in script.iterate_revisions(here or "base", "base")}
    if goal == "base" or (goal in behind and goal != here):
        command.downgrade(config, goal)
    else:
        command.upgrade(config, goal or "head")


def _config() -> Config:
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
