"""Runs Alembic's migrations on the connection that bot.storage.migrate hands over."""

from alembic import context

from bot.storage.tables import metadata

connection = context.config.attributes["connection"]
# SQLite alters a table by copying it, which batch mode does.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
