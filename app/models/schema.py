"""All local tables in one metadata, and the revision of the schema this program writes.

Whoever changes a table adds a revision under ``migrations/versions`` and names it here; a test
compares the migrated database with the tables.
"""

from app.models import blob, journal, measured, order, people, place, token
from app.models.base import Base

REVISION = "0003"

TABLE_MODULES = (blob, journal, measured, order, people, place, token)
METADATA = Base.metadata
