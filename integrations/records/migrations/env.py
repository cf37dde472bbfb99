"""Alembic's entry: migrations run on the connection that `integrations.records.database.upgrade` hands in."""

from alembic import context

from integrations.records.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot change a table in place.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
