"""The central store in PostgreSQL: for many laptops that are not trusted.

A laptop's role owns nothing and writes no table; it calls the functions in ``sql/``, which ask
``session_user`` who is calling.  This class is for the administrator and the office; the session
it gives uses the same login, so a laptop opens its own address and calls `session`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from app.centre.contract import (
    CENTRE_DEVICE,
    SCHEMA_MAX,
    Act,
    Count,
    Enrolment,
    Envelope,
    Maintained,
    Rebuilt,
    ReviewItem,
)
from app.centre.fold import ASSIGNED, FIELD_KINDS
from app.centre.order import CentreOrder
from app.centre.postgres_logins import employ, let_in, shut_out
from app.centre.postgres_readings import fold_readings, readings_of
from app.centre.postgres_session import PostgresSession
from app.centre.readings import DayRun
from app.centre.rebuild import FoldedLog, check_device_name, rejudge
from app.centre.wire import Wire, address, array
from app.errors import CentreRefused

VERSION = 1
TENANT = "main"
MONTHS_AHEAD = 3

_SQL = Path(__file__).with_name("sql")
_COLUMNS = ", ".join(f"o.{field.name}" for field in fields(CentreOrder))
_ENVELOPE = (
    "e.seq, e.event_id, e.order_id, e.epoch, e.kind, e.schema_v, e.body, encode(e.sha256, 'hex'),"
    " e.wall, e.mono_ns, e.boot_id, e.hlc, e.offset_s"
)
_PAGE = 2000


class PostgresCentre:
    """The store at a ``postgresql+pg8000://`` address; see `app.centre.contract.Centre`."""

    def __init__(self, url: str, password: Callable[[], str] = str) -> None:
        self._where = address(url)
        self._password = password
        self._wire_: Wire | None = None

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return self._where.url

    @property
    def _wire(self) -> Wire:
        if self._wire_ is None:
            self._wire_ = Wire(self._where, self._password())
        return self._wire_

    def init(self) -> str:
        """Make the store if there is none; return the centre's id.

        Needs a login that may create roles; one that is a superuser also shuts the doors that
        PostgreSQL leaves open to everybody (large objects, the procedural language).
        """
        wire = self._wire
        if not wire.call("select count(*) from pg_namespace where nspname = 'mw'"):
            superuser = wire.call("select rolsuper from pg_roles where rolname = current_user")
            parts = [file.read_text(encoding="utf-8") for file in sorted(_SQL.glob("[0-9]*.sql"))]
            whole = [
                "begin",
                (_SQL / "roles.sql").read_text(encoding="utf-8"),
                *parts,
                f"insert into mw.centre (version) values ({VERSION})",  # noqa: S608 - a number
                f"select mw.partitions_ahead({MONTHS_AHEAD})",
                "reset role",
                (_SQL / "superuser.sql").read_text(encoding="utf-8") if superuser else "",
                "commit",
            ]
            wire.script(";\n".join(whole))
            self._teach()
        version, centre_id = wire.query("select version, centre_id from mw.centre")[0]
        if version != VERSION:
            raise CentreRefused(f"{self.url} is of version {version}, this program of {VERSION}")
        return str(centre_id)

    def enrol(self, device_id: str, name: str = "") -> Enrolment:
        """Let a laptop in under a role of its own; once more gives it a new password.

        The role's name is random, because every role can read the list of roles.
        """
        check_device_name(device_id)
        role, password = let_in(self._wire, TENANT, device_id, name)
        return Enrolment(device_id, replace(self._where, user=role).url, password)

    def revoke(self, device_id: str) -> None:
        """Shut a laptop out at once: its role, its sessions, its row; what it has sent stays."""
        shut_out(self._wire, TENANT, device_id)

    def employ(self, name: str, role: str, areas: Sequence[str] = ()) -> Enrolment:
        """Give a person of the office a login; ``areas`` limit what it sees and does."""
        login, password = employ(self._wire, TENANT, name, role, list(areas))
        return Enrolment(name, replace(self._where, user=login).url, password)

    def act(self, act: Act) -> None:
        """Do what the office wants: log, fold and mail it in one transaction."""
        self._wire.query(
            "select api.act(:v0, :v1, :v2, :v3, :v4, :v5, cast(:v6 as text[]), cast(:v7 as int8),"
            " :v8)",
            act.kind,
            act.order_id,
            act.who,
            act.role,
            act.device,
            act.reason.strip(),
            array(list(act.steps)),
            act.item,
            act.decision,
        )

    def assign(self, order_ids: Sequence[str], device_id: str) -> None:
        """Give orders to a laptop: all of them or none."""
        self._wire.query(
            "select api.act(:v0, o, '', 'dispatcher', :v1, '', '{}', null, '')"
            " from unnest(cast(:v2 as text[])) o",
            ASSIGNED,
            device_id,
            array(list(order_ids)),
        )

    def orders(self, wanted: Sequence[str] = (), state: str = "") -> list[CentreOrder]:
        """Return orders by number or id, or all in a state."""
        rows = self._wire.query(
            f"select {_COLUMNS} from mw.work_order o where (cardinality(cast(:v0 as text[])) = 0"  # noqa: S608
            " or o.order_id = any (cast(:v0 as text[])) or o.number = any (cast(:v0 as text[])))"
            " and (cast(:v1 as text) = '' or o.state = :v1) order by o.number, o.order_id",
            array(list(wanted)),
            state,
        )
        return [CentreOrder(*row) for row in rows]

    def reviews(self, *, item: int | None = None, closed: bool = False) -> list[ReviewItem]:
        """Return the open review items, oldest first; with ``item`` that one alone."""
        rows = self._wire.query(
            "select r.position, r.event_id, r.order_id, coalesce(o.number, ''), r.device_id,"
            " e.kind, r.verdict, r.opened, e.body, r.closed_by, r.decision, r.reason"
            " from mw.review r join mw.event e on e.tenant_id = r.tenant_id"
            " and e.device_id = r.device_id and e.incarnation = r.incarnation and e.seq = r.seq"
            " and e.received_on = r.received_on"
            " left join mw.work_order o on o.tenant_id = r.tenant_id and o.order_id = r.order_id"
            " where case when cast(:v0 as int8) is not null then r.position = cast(:v0 as int8)"
            " else cast(:v1 as bool) or r.closed is null end order by r.position",
            item,
            closed,
        )
        return [ReviewItem(*row) for row in rows]

    def history(self, order_id: str) -> list[tuple[str, str, Envelope]]:
        """Return device, verdict and event of everything about an order, as it arrived."""
        rows = self._wire.query(
            f"select e.device_id, e.verdict, {_ENVELOPE} from mw.event e"  # noqa: S608
            " where e.order_id = :v0 order by e.position",
            order_id,
        )
        return [(row[0], row[1], Envelope(*row[2:])) for row in rows]

    def counts(self) -> list[Count]:
        """Return how many orders of each area, crew and day are in each state."""
        rows = self._wire.query(
            "select o.area, coalesce(nullif(d.name, ''), o.assignee), o.ended, o.state, count(*)"
            " from mw.work_order o left join mw.device d on d.tenant_id = o.tenant_id"
            " and d.device_id = o.assignee group by 1, 2, 3, 4 order by 1, 2, 3, 4"
        )
        return [Count(*row) for row in rows]

    def status(self) -> dict[str, Any]:
        """Return the counters in the shape of ``centre status --json``."""
        wire = self._wire
        centre_id, generation = wire.query("select centre_id, generation from mw.centre")[0]
        devices = wire.query(
            "select d.device_id, d.name, coalesce(i.incarnation, 1), coalesce(i.last_seq, 0),"
            " d.mail_head, d.mail_acked, d.revoked, d.last_seen from mw.device d"
            " left join lateral (select * from mw.incarnation x where x.tenant_id = d.tenant_id"
            " and x.device_id = d.device_id order by x.incarnation desc limit 1) i on true"
            " order by d.device_id"
        )
        names = ("device", "name", "incarnation", "last_seq", "mail_head", "mail_acked", "revoked")
        verdicts = wire.query(
            "select verdict, count(*) from mw.event where device_id <> :v0 group by 1 order by 1",
            CENTRE_DEVICE,
        )
        states = wire.query("select state, count(*) from mw.work_order group by 1 order by 1")
        return {
            "centre_id": centre_id,
            "generation": generation,
            "devices": [
                {**dict(zip(names, row, strict=False)), "last_seen": _iso(row[-1])}
                for row in devices
            ],
            "events": dict(map(tuple, verdicts)),
            "work_orders": dict(map(tuple, states)),
            "review_open": wire.call("select count(*) from mw.review where closed is null"),
        }

    def rebuild(self, *, check: bool) -> Rebuilt:
        """Fold the log anew, in Python: so the store's own folding is checked by another."""
        wire = self._wire
        with wire.transaction(isolation="repeatable read"):
            if not check:
                wire.query("lock table mw.work_order in exclusive mode")
            folded = FoldedLog(self._log())
            rows = wire.query(f"select {_COLUMNS} from mw.work_order o")  # noqa: S608
            if not check:
                self._replace_orders(folded)
        return folded.compared(CentreOrder(*row) for row in rows)

    def after_restore(self) -> int:
        """Start a new generation; to be called first after a backup was put back."""
        # The clock makes it unique even when the same backup is put back twice.
        generation: int = self._wire.call(
            "update mw.centre set generation = greatest(generation + 1, cast(:v0 as int8))"
            " returning generation",
            time.time_ns() // 1000,
        )
        return generation

    def readings(self, meter: str, obis: str) -> list[DayRun]:
        """Return the day segments of a meter's channel, by day."""
        return readings_of(self._wire, meter, obis)

    def maintain(self) -> Maintained:
        """Make partitions ahead, fold readings, judge again; look for what waits outside."""
        self._teach()
        made = self._wire.call("select mw.partitions_ahead(cast(:v0 as int4))", MONTHS_AHEAD)
        readings = fold_readings(self._wire)
        alarms = [
            f"{count} rows of {table} lie in no month's partition"
            for table in ("event", "reading_day")
            if (count := self._wire.call(f"select count(*) from mw.{table}_default"))  # noqa: S608
        ]
        return Maintained(made, readings, rejudge(self), tuple(alarms))

    def session(self, device_id: str) -> PostgresSession:
        """Return the calls of the laptop whose login this address has; its name is for messages."""
        return PostgresSession(Wire(self._where, self._password(), device_id))

    def close(self) -> None:
        """Let go of connections."""
        if self._wire_ is not None:
            self._wire_.close()
            self._wire_ = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _teach(self) -> None:
        """Tell the store which kinds of event this version knows."""
        self._wire.query(
            "insert into mw.kind select * from unnest(cast(:v0 as text[])) x"
            " on conflict do nothing",
            array(sorted(FIELD_KINDS)),
        )
        self._wire.query("update mw.centre set schema_max = cast(:v0 as int8)", SCHEMA_MAX)

    def _log(self) -> Any:
        """Yield the log by pages, in the order in which it arrived."""
        after = 0
        while rows := self._wire.query(
            f"select e.position, e.device_id, e.incarnation, e.verdict, {_ENVELOPE}"  # noqa: S608
            " from mw.event e where e.position > cast(:v0 as int8) order by e.position"
            f" limit {_PAGE}",
            after,
        ):
            for row in rows:
                yield row[1], row[2], row[3], Envelope(*row[4:])
            after = rows[-1][0]

    def _replace_orders(self, folded: FoldedLog) -> None:
        self._wire.query("delete from mw.work_order")
        names = [field.name for field in fields(CentreOrder)]
        orders = list(folded.orders.values())
        kinds = {"epoch": "int8", "revision": "int8", "priority": "int8", "completed": "bool"}
        arrays = ", ".join(
            f"cast(:v{index} as {kinds.get(name, 'text')}[])" for index, name in enumerate(names)
        )
        self._wire.query(
            f"insert into mw.work_order (tenant_id, {', '.join(names)})"  # noqa: S608
            f" select '{TENANT}', x.* from unnest({arrays}) x",
            *(array(getattr(order, name) for order in orders) for name in names),
        )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
