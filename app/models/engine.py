"""SQLite as Meterwright uses it: own transactions, durable settings, errors in our words.

Python's own transaction handling is switched off; a transaction begins with ``BEGIN IMMEDIATE``
unless the connection carries the option ``reading``.  SQLite 3.7.0 to 3.51.2 can damage a file
in WAL mode, so WAL is used from 3.51.3 on and a truncated rollback journal before.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from app.errors import AppError, DatabaseDamaged, DatabaseInUse, NoRoom

WAL_SAFE_SINCE = (3, 51, 3)
BUSY_SECONDS = 20

_PRIMARY_CODE = 0xFF
_NO_ROOM_CODES = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_IN_USE_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_ROOM_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
}


def journal_pragmas(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> tuple[str, ...]:
    """Return the pragmas that survive a power cut with this version of SQLite."""
    if version >= WAL_SAFE_SINCE:
        return ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
    return ("PRAGMA journal_mode=TRUNCATE", "PRAGMA synchronous=EXTRA")


def sqlite_engine(path: Path, *, foreign_keys: bool = True, query_only: bool = False) -> Engine:
    """Return an engine on the SQLite file at ``path``; it may be used from several threads."""
    pragmas = (
        *journal_pragmas(),
        f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}",
        *(("PRAGMA query_only=ON",) if query_only else ()),
    )
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),  # a path may hold ? and %
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
        pool_size=4,
        max_overflow=12,
    )

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(pragma).close()

    def begin(connection: Connection) -> None:
        reading = query_only or connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into ours; ``where`` names the file."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        known = in_our_words(error, where)
        if known is None:
            raise
        raise known from error


def in_our_words(error: Exception, where: str) -> AppError | None:
    """Return the error the operator can act on, or None for a defect of the program."""
    cause: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    detail = f"{where}: {cause}"
    if isinstance(cause, OSError):
        return NoRoom(detail) if cause.errno in _NO_ROOM_ERRNOS else None
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None:
        return None
    code &= _PRIMARY_CODE
    if code in _NO_ROOM_CODES:
        return NoRoom(detail)
    if code in _DAMAGED_CODES:
        return DatabaseDamaged(detail)
    if code in _IN_USE_CODES:
        return DatabaseInUse(detail)
    return None
