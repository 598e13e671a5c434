"""A centre and some laptops in one folder, what their users do, and the invariants between them.

The invariants are I1 to I3, I5, I6, I8 of the documentation on sync.
"""

import atexit
import shutil
import sqlite3
import time
import uuid
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.centre.contract import Envelope
from app.centre.opening import open_centre
from app.centre.wire import Wire, address
from app.models.database import FILE, Database
from app.models.files import keep_file
from app.models.journal import JournalEvent, Laptop, append
from app.models.order import Attachment, OrderState, WorkOrder
from app.sync.chip import chip
from app.sync.session import SyncResult, synchronise
from app.tasks import collect
from tests.instruments.postgres_server import binaries, postgres

HASH_SIZE = 32
CENTRE_FILE = "centre.sqlite"


class Field:
    """One laptop and what its user does."""

    def __init__(self, folder: Path, db: Database | None = None) -> None:
        self.folder = folder
        self.db = db or Database.open(folder)
        with self.db.read() as session:
            self.device_id = session.execute(select(Laptop.device_id)).scalar_one()

    def take_orders(self, count: int, source: str = "csv", start: int = 1) -> list[str]:
        ids = []
        for number in range(start, start + count):
            with self.db.write() as session:
                order = WorkOrder(number=str(number), source=source, external_ref=str(number))
                session.add(order)
                body = {"number": str(number), "source": source, "external_ref": str(number)}
                append(session, "order.imported", body, order_id=order.order_id, epoch=1)
                ids.append(order.order_id)
        return ids

    def record(self, order_id: str, kind: str, body: dict[str, Any]) -> str:
        with self.db.write() as session:
            order = session.get(WorkOrder, order_id)
            event = append(
                session, kind, body, order_id=order_id, epoch=order.epoch if order else 1
            )
        return event.event_id

    def photograph(self, order_id: str, data: bytes) -> str:
        sha256, path = keep_file(self.folder, data, ".jpg")
        with self.db.write() as session:
            order = session.get_one(WorkOrder, order_id)
            session.add(
                Attachment(
                    order_id=order_id,
                    kind="photo",
                    sha256=sha256,
                    size=len(data),
                    mime="image/jpeg",
                    path=path,
                )
            )
            body = {"sha256": sha256, "size": len(data)}
            append(session, "attachment.added", body, order_id=order_id, epoch=order.epoch)
        return sha256

    def complete(self, order_id: str, verdict: str = "PASS") -> str:
        with self.db.write() as session:
            order = session.get_one(WorkOrder, order_id)
            order.state = OrderState.DONE
            body = {"verdict": verdict, "report_sha256": "00" * 32}
            event = append(session, "order.done", body, order_id=order_id, epoch=order.epoch)
        return event.event_id

    def move(self, order_id: str, state: str) -> None:
        with self.db.write() as session:
            session.get_one(WorkOrder, order_id).state = state

    def state(self, order_id: str) -> str:
        with self.db.read() as session:
            return session.get_one(WorkOrder, order_id).state

    def chip(self, order_id: str) -> str:
        with self.db.read() as session:
            return chip(session, order_id).text

    def laptop(self) -> Laptop:
        with self.db.read() as session:
            return session.execute(select(Laptop)).scalar_one()

    def events(self) -> list[JournalEvent]:
        with self.db.read() as session:
            return list(
                session.scalars(
                    select(JournalEvent).order_by(JournalEvent.incarnation, JournalEvent.seq)
                )
            )

    def image(self, folder: Path) -> Path:
        """Copy the disk, as a backup program would."""
        folder.mkdir()
        with (
            closing(sqlite3.connect(self.folder / FILE)) as there,
            closing(sqlite3.connect(folder / FILE)) as here,
        ):
            there.backup(here)
        return folder

    def close(self) -> None:
        self.db.close()


class World:
    """A centre and the laptops that were let in; this one is a SQLite file in ``folder``."""

    LETTER = "INSERT INTO mail(device_id, seq, kind, order_id, body) VALUES(?, ?, ?, ?, ?)"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / CENTRE_FILE
        self.centre: Any = open_centre(f"sqlite:///{self.path}")
        self.centre.init()
        self.fields: list[Field] = []

    def laptop(self, name: str) -> Field:
        field = self.open(self.folder / name)
        self.centre.enrol(field.device_id, name)
        return field

    def open(self, folder: Path) -> Field:
        field = Field(folder)
        self.fields.append(field)
        return field

    def sync(self, field: Field, centre: Any = None, **options: Any) -> SyncResult:
        return collect(synchronise(field.db, centre or self.centre, **options))[0]

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement, values).fetchall()

    def change(self, statement: str, *values: object) -> None:
        """Do what the program never does: write into the centre by hand."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, values)

    def post(self, device_id: str, seq: int, kind: str, order_id: str, body: str) -> None:
        """Put a letter into a mailbox that the centre would not write."""
        self.change(self.LETTER, device_id, seq, kind, order_id, body)

    def attachment_path(self, field: Field, sha256: str) -> str:
        with field.db.read() as session:
            return session.execute(
                select(Attachment.path).where(Attachment.sha256 == sha256)
            ).scalar_one()

    def verdict(self, event_id: str) -> str:
        ((verdict,),) = self.rows("SELECT verdict FROM event WHERE event_id = ?", event_id)
        return str(verdict)

    def backup(self) -> Path:
        self.centre.close()
        copy = self.folder / "backup.sqlite"
        shutil.copyfile(self.path, copy)
        return copy

    def restore(self, copy: Path, *, told: bool = True) -> None:
        self.centre.close()
        shutil.copyfile(copy, self.path)
        if told:
            self.centre.after_restore()

    def close(self) -> None:
        self.centre.close()
        for field in self.fields:
            field.close()


class FieldCentre:
    """A PostgreSQL centre whose sessions are opened by each laptop's own login."""

    def __init__(self, centre: Any) -> None:
        self._centre = centre
        self.logins: dict[str, str] = {}
        self._sessions: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._centre, name)

    def enrol(self, device_id: str, name: str = "") -> Any:
        enrolment = self._centre.enrol(device_id, name)
        self.logins[device_id] = enrolment.url
        return enrolment

    def session(self, device_id: str) -> Any:
        made = open_centre(self.logins.get(device_id, self._centre.url)).session(device_id)
        self._sessions.append(made)
        return made

    def close(self) -> None:
        for session in self._sessions:
            session.close()  # kept in the list: a late message may open it again
        self._centre.close()


class PostgresWorld(World):
    """The same on PostgreSQL: a database of its own on the server at ``server_url``."""

    LETTER = (
        "INSERT INTO mail(tenant_id, device_id, seq, kind, order_id, body)"
        " VALUES('main', ?, CAST(? AS int8), ?, ?, ?)"
    )

    def __init__(self, folder: Path, server_url: str) -> None:
        self.folder = folder
        self.fields = []
        self._server = Wire(address(server_url))
        self.database = f"w_{uuid.uuid4().hex[:12]}"
        self._server.script(f"create database {self.database} template {template(server_url)}")
        # A copy does not take over who may connect; `init` has set that for the original.
        self._server.script(f"revoke all on database {self.database} from public")
        self._server.script(f"grant connect on database {self.database} to mw_field, mw_office")
        where = replace(address(server_url), database=self.database)
        self.centre = FieldCentre(open_centre(where.url))
        self.reader = Wire(where)
        self.reader.script("update mw.centre set centre_id = gen_random_uuid()::text")

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        found = self.reader.query(self._own(statement), *values)
        return [tuple(_plain(value) for value in row) for row in found]

    def change(self, statement: str, *values: object) -> None:
        self.reader.query(self._own(statement), *values)

    def _own(self, statement: str) -> str:
        self.reader.script("set search_path = mw")
        parts = statement.replace("review.event_position", "review.position").split("?")
        numbered = [f"{part}:v{index}" for index, part in enumerate(parts[:-1])]
        return "".join([*numbered, parts[-1]])

    def backup(self) -> Path:
        copy = f"b_{uuid.uuid4().hex[:12]}"
        self._let_go()
        self._server.script(f"create database {copy} template {self.database}")
        return Path(copy)

    def restore(self, copy: Path, *, told: bool = True) -> None:
        self._let_go()
        self._server.script(f"drop database {self.database} with (force)")
        self._server.script(f"create database {self.database} template {copy}")
        if told:
            self.centre.after_restore()

    def close(self) -> None:
        super().close()
        self._let_go()
        self._server.script(f"drop database {self.database} with (force)")
        self._server.close()

    def _let_go(self) -> None:
        self.centre.close()
        self.reader.close()
        self._server.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = :v0",
            self.database,
        )
        while self._server.call(
            "select count(*) from pg_stat_activity where datname = :v0", self.database
        ):
            time.sleep(0.005)


@cache
def server() -> str:
    """Start one PostgreSQL server for this process and return its address."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(postgres())


def postgres_world(folder: Path) -> PostgresWorld:
    """Return a world on PostgreSQL; the test is skipped where there is no server."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    return PostgresWorld(folder, server())


@cache
def template(server_url: str) -> str:
    """Make the database that all worlds on this server are copied from."""
    with closing(Wire(address(server_url))) as wire:
        wire.script("create database made")
    with open_centre(replace(address(server_url), database="made").url) as centre:
        centre.init()
    return "made"


def _plain(value: Any) -> Any:
    """Return a value as SQLite gives it: hashes in hex."""
    return value.hex() if isinstance(value, bytes) and len(value) == HASH_SIZE else value


def envelope(row: JournalEvent, **changed: Any) -> Envelope:
    values = {name: getattr(row, name) for name in Envelope.__slots__}
    return Envelope(**{**values, **changed})


def check_invariants(world: World, field: Field) -> None:
    """Raise where laptop and centre, both quiet, break a promise."""
    check_laptop(world, field)
    check_centre(world)


def check_laptop(world: World, field: Field, *, copies: bool = False) -> None:
    """Raise where a laptop differs from what the centre has of it.

    With ``copies`` the centre may have an event under a second number too: a disk that was put
    back sends again what an even newer state of it had sent under other numbers.  It is logged as
    a duplicate and does not count.
    """
    events = field.events()
    local = [(e.incarnation, e.seq, e.event_id, e.body, e.sha256) for e in events]
    there = world.rows(
        "SELECT incarnation, seq, event_id, body, sha256 FROM event WHERE device_id = ?"
        " ORDER BY incarnation, seq",
        field.device_id,
    )
    said = f"I1, I2: {len(local)} events here, {len(there)} at the centre"
    if copies:
        assert set(local) <= set(there), said
        assert {row[2] for row in local} == {row[2] for row in there}, said
    else:
        assert local == there, said
    counters = dict(
        world.rows(
            "SELECT incarnation, last_seq FROM incarnation WHERE device_id = ?", field.device_id
        )
    )
    for incarnation in {row[0] for row in there}:
        numbers = [row[1] for row in there if row[0] == incarnation]
        assert numbers == list(range(1, len(numbers) + 1)), "I2: a gap"
        assert counters[incarnation] == len(numbers), "I2: the counter differs from the log"
    assert all(e.acked_at is not None for e in events), "I6: not everything acknowledged"
    ((result,),) = _local(field, "PRAGMA integrity_check")
    assert result == "ok"


def check_centre(world: World) -> None:
    """Raise where the centre breaks a promise by itself."""
    assert world.centre.rebuild(check=True).differences == (), "I3: state is not fold of log"
    shut = world.rows(
        "SELECT count(*) FROM event LEFT JOIN review ON review.event_position = event.position"
        " WHERE event.verdict <> 'applied' AND (review.event_position IS NULL"
        " OR (review.closed IS NOT NULL AND review.closed_by = ''))"
    )
    assert shut == [(0,)], "I5: an event that was not applied is in no review"
    for device_id, head in world.rows("SELECT device_id, mail_head FROM device"):
        numbers = world.rows("SELECT seq FROM mail WHERE device_id = ? ORDER BY seq", device_id)
        assert [row[0] for row in numbers] == list(range(1, head + 1)), "I10: mail has a gap"


def _local(field: Field, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(field.folder / FILE)) as connection:
        return connection.execute(statement).fetchall()
