"""Brings the local database to the schema of this program, never in place.

The file is copied, the copy is migrated and checked, then it takes the place of the old one, of
which one copy stays behind.  A kill at any moment leaves the old file or the new.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from app.errors import DatabaseDamaged
from app.models.base import new_id
from app.models.engine import sqlite_engine
from app.models.files import put_in_place, working_copy
from app.models.journal import Laptop, event_hash

MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> Config:
    """Return alembic's settings, made in code: there is no ini file to lose."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def create(target: Path) -> None:
    """Make a new database with one laptop row, whole or not at all."""
    made = working_copy(target)
    _upgrade(made)
    engine = sqlite_engine(made)
    try:
        with Session(engine) as session, session.begin():
            session.add(Laptop(device_id=new_id()))
    finally:
        engine.dispose()
    put_in_place(made, target)


def upgrade(target: Path, revision: str) -> None:
    """Bring ``target``, which stands at ``revision``, to the newest schema.

    Raises:
        DatabaseDamaged: A newer program wrote it, or the migrated copy is not equal in content.
    """
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if revision not in known:
        raise DatabaseDamaged(f"{target}: written by a newer version (schema {revision})")
    copy = working_copy(target)
    with closing(sqlite3.connect(target)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    _upgrade(copy)
    _check(target, copy)
    kept = target.with_name(f"{target.stem}-{revision}{target.suffix}")
    shutil.copyfile(target, kept)
    put_in_place(copy, target)


def _upgrade(path: Path) -> None:
    engine = sqlite_engine(path, foreign_keys=False)
    try:
        with engine.begin() as connection:
            settings = config()
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    finally:
        engine.dispose()


def _check(old: Path, new: Path) -> None:
    """Compare the copy with the original: rows kept, references whole, journal unchanged."""
    with closing(sqlite3.connect(old)) as before, closing(sqlite3.connect(new)) as after:
        if after.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise DatabaseDamaged(f"{old}: the migrated copy is damaged")
        if after.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise DatabaseDamaged(f"{old}: the migrated copy has lost references")
        for table in sorted(_tables(before) & _tables(after)):
            count = f'SELECT count(*) FROM "{table}"'  # noqa: S608 - our own names
            if before.execute(count).fetchone() != after.execute(count).fetchone():
                raise DatabaseDamaged(f"{old}: rows of {table} were lost in the migration")
        for event_id, order_id, epoch, kind, schema_v, body, sha256 in after.execute(
            "SELECT event_id, order_id, epoch, kind, schema_v, body, sha256 FROM outbox"
        ):
            computed = event_hash(
                event_id=event_id,
                order_id=order_id,
                epoch=epoch,
                kind=kind,
                schema_v=schema_v,
                body=body,
            )
            if computed != sha256:
                raise DatabaseDamaged(f"{old}: journal event {event_id} does not fit its hash")


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    } - {"alembic_version"}
