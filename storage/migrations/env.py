"""Runs inside Alembic: always on the open connection that :mod:`storage.schema` hands over."""

from alembic import context

import storage.desk_tables
import storage.ledgers  # noqa: F401 - fills the metadata
from storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
