"""The local database of one data folder: opening, transactions, errors.

Every user action is one ``with db.write() as session:`` block.  It begins with BEGIN IMMEDIATE,
ends with COMMIT, and rolls back on every error, so the order row and the journal row are written
together or not at all.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.errors import BadInput, DatabaseDamaged
from app.models.engine import BUSY_SECONDS, sqlite_engine, translated
from app.models.lock import FolderLock
from app.models.people import Actor
from app.models.schema import REVISION

FILE = "local.sqlite"


class Database:
    """The open database of a data folder; safe to use from several threads.

    Objects that leave a session are detached and stay readable; relations are not followed.
    """

    def __init__(self, folder: Path, engine: Engine, lock: FolderLock | None) -> None:
        self.folder = folder
        self.actor: Actor | None = None  # who has signed in; nobody needs to in single hands
        self._engine = engine
        self._reader = engine.execution_options(reading=True)
        self._lock = lock
        self._writing = threading.Lock()
        self._writer = threading.local()

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Self:
        """Open the database in ``folder``; it is made, or brought to the newest schema, first.

        Args:
            folder: The data folder; made when absent.
            read_only: Look at the data while another program holds the folder.

        Raises:
            DatabaseInUse: Another program holds the folder; the text names its process.
            DatabaseDamaged: It cannot be read, or a newer version wrote it.
            NoRoom: The folder cannot be written.
            BadInput: The folder's name is taken by a file.
        """
        path = folder / FILE
        _make_folder(folder)
        with translated(str(path)):
            if read_only and _revision(path) == REVISION:
                return cls(folder, sqlite_engine(path, query_only=True), None)
            lock = FolderLock(folder)
            try:
                _bring_up_to_date(path)
            except BaseException:
                lock.release()
                raise
        if not read_only:
            return cls(folder, sqlite_engine(path), lock)
        lock.release()
        return cls(folder, sqlite_engine(path, query_only=True), None)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session inside BEGIN IMMEDIATE; COMMIT at the end, ROLLBACK on any error.

        Raises:
            NoRoom: The disk is full; nothing of this transaction is kept.
            DatabaseDamaged: The file cannot be read.
            DatabaseInUse: Somebody else kept the file locked for too long.
        """
        if self._lock is None:
            raise RuntimeError("this database was opened to be read only")
        if getattr(self._writer, "busy", False):
            raise RuntimeError("this thread is already inside a write transaction")
        with self._writing:
            self._writer.busy = True
            try:
                with self._session(self._engine) as session:
                    session.connection()
                    yield session
                    session.commit()
            finally:
                self._writer.busy = False

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state of the data; keep it short, writers wait for it."""
        with self._session(self._reader) as session:
            yield session

    def close(self) -> None:
        """Close all connections and let other programs in; a second call does nothing."""
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with translated(str(self.folder / FILE)):
            session = Session(engine, expire_on_commit=False)
            try:
                yield session
            except BaseException:
                with suppress(SQLAlchemyError, sqlite3.Error):
                    session.rollback()
                raise
            finally:
                with suppress(SQLAlchemyError, sqlite3.Error):
                    session.close()


def _make_folder(folder: Path) -> None:
    with translated(str(folder)):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError, FileNotFoundError) as error:
            raise BadInput(f"{folder} is no folder and cannot be made one") from error


def _bring_up_to_date(path: Path) -> None:
    """Create or migrate the file; alembic is loaded only when there is something to do."""
    revision = _revision(path)
    if revision == REVISION:
        return
    from app.models import migrate  # noqa: PLC0415 - half a second that most starts need not pay

    if not revision:
        migrate.create(path)
    else:
        migrate.upgrade(path, revision)


def _revision(path: Path) -> str:
    """Return the revision of the schema in ``path``, "" where there is no file."""
    if not path.exists():
        return ""
    if path.stat().st_size == 0:
        raise DatabaseDamaged(f"{path} is empty")
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            raise DatabaseDamaged(f"{path} is no database of Meterwright") from error
    if row is None:
        raise DatabaseDamaged(f"{path} does not say which version wrote it")
    return str(row[0])
