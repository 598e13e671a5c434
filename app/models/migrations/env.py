"""Entry point of alembic: runs the revisions on the connection it is handed."""

from alembic import context

from app.models.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
