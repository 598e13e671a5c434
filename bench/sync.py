"""How fast journals travel: ``.venv/bin/python -m bench.sync``.

Push of 5,000 events to PostgreSQL on this machine and over a line with a 50 ms round trip, whole
sessions a second, rows a second into the log against plain executemany in the same run, and bytes
a reading as day segments against one row a reading.  Needs PostgreSQL; uses a private server.
"""

import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pg8000.dbapi

from app.centre import wire
from app.centre.contract import MAX_EVENTS, CentreSession, Envelope
from app.centre.fold import computed_hash
from app.centre.opening import open_centre
from app.centre.postgres_readings import store
from app.centre.readings import day_runs
from app.centre.wire import Wire, address
from app.models.base import canonical, new_id
from app.models.journal import append
from app.sync.session import synchronise
from app.tasks import collect
from tests.instruments.cutting_proxy import CuttingProxy
from tests.protocol.sync_world import PostgresWorld, World, postgres_world

EVENTS = 5_000
ROUND_TRIP_S = 0.05
BODY = canonical({"step": "photo", "value": "x" * 900})


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def batch(device: str, first: int, count: int, body: str = BODY) -> list[Envelope]:
    """Return events of about 1 kB, without an order of their own."""
    made = []
    for seq in range(first, first + count):
        sent = Envelope(
            seq, new_id(), "", 1, "step.result", 1, body, "", datetime.now(UTC), boot_id=device
        )
        made.append(replace(sent, sha256=computed_hash(sent)))
    return made


class At:
    """A centre at another address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def session(self, device_id: str) -> CentreSession:
        """Return the laptop's calls at that address."""
        return open_centre(self._url).session(device_id)


def push(world: World, url_of: Callable[[str], str] | None = None) -> float:
    """Return the seconds of a whole session that sends 5,000 events from a laptop's journal."""
    field = world.laptop(f"l{new_id()}")
    (order,) = field.take_orders(1, source=field.device_id)
    with field.db.write() as session:
        for _ in range(EVENTS - 1):
            append(session, "step.result", {"value": "x" * 900}, order_id=order, epoch=1)
    centre = At(url_of(field.device_id)) if url_of else world.centre
    took = timed(lambda: collect(synchronise(field.db, centre)))
    assert world.sync(field).in_step
    return took


def ingest(world: PostgresWorld) -> tuple[float, float, float]:
    """Return rows a second: push, replayed push, and plain executemany into the same table."""
    device = "bench"
    world.centre.enrol(device)
    calls = world.centre.session(device)
    batches = [batch(device, 1 + n, MAX_EVENTS) for n in range(0, 5_000, MAX_EVENTS)]
    pushed = timed(lambda: [calls.push(1, one) for one in batches])
    replayed = timed(lambda: [calls.push(1, one) for one in batches])
    calls.close()
    where = address(world.centre.url)
    connection = pg8000.dbapi.connect(
        where.user, database=where.database, unix_sock=where.unix_sock
    )
    cursor = connection.cursor()
    rows = [
        (e.seq, e.event_id, e.kind, e.body, bytes.fromhex(e.sha256), e.wall)
        for one in batches[:4]
        for e in one
    ]
    plain = timed(
        lambda: (
            cursor.executemany(
                "insert into mw.event (tenant_id, received_on, device_id, incarnation, seq,"
                " event_id, order_id, epoch, kind, schema_v, body, sha256, wall, mono_ns, boot_id,"
                " hlc, verdict, received_at) values ('main', current_date, 'plain', 1, %s, %s, '',"
                " 1, %s, 1, %s, %s, %s, 0, '', 0, 'applied', now())",
                rows,
            ),
            connection.commit(),
        )
    )
    connection.close()
    count = sum(map(len, batches))
    return count / pushed, count / replayed, len(rows) / plain


def sessions(world: World, count: int = 40) -> float:
    """Return whole sessions a second of one laptop after another: connect, push 20, close."""
    field = world.laptop(f"often {new_id()}")
    took = 0.0
    for _ in range(count):
        field.take_orders(20, source=new_id())
        took += timed(lambda: collect(synchronise(field.db, world.centre)))
    return count / took


class CountedSocket(socket.socket):
    """A line whose round trips are counted, and the time it waits for answers."""

    asked = False
    trips = 0
    waited = 0.0

    def send(self, *arguments: Any) -> int:
        """Send; a question may go out in several pieces."""
        CountedSocket.asked = True
        return super().send(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        """Receive, count the first piece of an answer, and measure the wait."""
        CountedSocket.trips += CountedSocket.asked
        CountedSocket.asked = False
        begun = time.perf_counter()
        try:
            return super().recv_into(*arguments)
        finally:
            CountedSocket.waited += time.perf_counter() - begun


def round_trips(world: World, count: int = 20) -> tuple[float, float, float]:
    """Return round trips, ms in all and ms of waiting for the server, of one session."""
    plain = wire.connected_socket

    def counted(where: wire.Address) -> CountedSocket:
        line = plain(where)
        wait = line.gettimeout()
        made = CountedSocket(line.family, line.type, line.proto, fileno=line.detach())
        made.settimeout(wait)
        return made

    wire.connected_socket = counted
    try:
        CountedSocket.trips, CountedSocket.waited = 0, 0.0
        took = count / sessions(world, count)
    finally:
        wire.connected_socket = plain
    return CountedSocket.trips / count, took / count * 1000, CountedSocket.waited / count * 1000


def readings(world: PostgresWorld) -> tuple[float, float, float, float]:
    """Return bytes a reading and readings a second, as segments and as one row each."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    days, meters, step = 31, 200, 900
    runs = []
    for meter in range(meters):
        rows = [
            [moment.isoformat(), 0, [], False, [f"{n * 137 / 1000:.3f}"]]
            for n in range(96 * days)
            for moment in [start + timedelta(seconds=step * n)]
        ]
        body = {
            "capture_id": new_id(),
            "meter": f"{meter:08}",
            "profile": {"period_s": step, "columns": [["1-0:1.8.0.255", 2, "kWh", ""]]},
            "rows": rows,
        }
        runs += day_runs(body)
    count = sum(len(run.delta) for run in runs)
    line: Wire = world.reader
    packed = timed(lambda: store(line, runs))
    size = line.call(
        "select sum(pg_total_relation_size(inhrelid)) from pg_inherits"
        " where inhparent = 'mw.reading_day'::regclass"
    )
    line.script(
        "create table mw.flat (tenant_id text, meter_id int8, channel_id int2, at timestamptz,"
        " value numeric, status int4, primary key (tenant_id, meter_id, channel_id, at))"
    )
    plain = timed(
        lambda: line.script(
            "insert into mw.flat select r.tenant_id, r.meter_id, r.channel_id, r.day +"
            " make_interval(secs => (x.i - 1) * 900), x.d, 0 from mw.reading_day r,"
            " unnest(r.delta) with ordinality x(d, i)"
        )
    )
    flat = line.call("select pg_total_relation_size('mw.flat')")
    return size / count, count / packed, flat / count, count / plain


def sizes(world: PostgresWorld) -> tuple[float, float]:
    """Return the bytes on disk of an event of 1 kB and of an open order, with their indexes."""
    field = world.laptop("orders")
    field.take_orders(2000, source="bench")
    world.sync(field)
    line: Wire = world.reader
    for table in ("work_order", "event"):
        line.script(f"vacuum full mw.{table}")
    event = line.call(
        "select (select sum(pg_total_relation_size(inhrelid)) from pg_inherits"
        " where inhparent = 'mw.event'::regclass) / (select count(*) from mw.event)"
    )
    order = line.call(
        "select pg_total_relation_size('mw.work_order') / count(*) from mw.work_order"
    )
    return float(event), float(order)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        world = postgres_world(Path(folder))
        where = address(world.centre.url)
        proxy = CuttingProxy(where.unix_sock, delay_s=ROUND_TRIP_S / 2)

        def far(device_id: str) -> str:
            login = address(world.centre.logins[device_id])
            return replace(login, unix_sock="", host="127.0.0.1", port=proxy.port).url

        near_s = statistics.median(push(world) for _ in range(3))
        far_s = statistics.median(push(world, far) for _ in range(3))
        print(f"push of {EVENTS} events, whole session: {near_s:.2f} s here, {far_s:.2f} s over a")
        print(f"  line of {ROUND_TRIP_S * 1000:.0f} ms (target 3 s), ratio {far_s / near_s:.1f}")
        pushed, replayed, plain = ingest(world)
        print(f"ingest: {pushed:,.0f} events/s judged and folded, {replayed:,.0f} replayed,")
        print(f"  {plain:,.0f} rows/s by plain executemany; ratio {pushed / plain:.1f}")
        print(f"sessions: {sessions(world):.0f} a second, one client (10,000 laptops need 11)")
        trips, whole, waited = round_trips(world)
        print(
            f"  one session: {trips:.0f} round trips, {whole:.0f} ms, {waited:.0f} of them waiting"
        )
        size, rate, flat, flat_rate = readings(world)
        print(f"readings: {size:.1f} bytes each as day segments, {flat:.1f} as rows; ")
        print(f"  {rate:,.0f} readings/s from Python, {flat_rate:,.0f} rows/s inside the server")
        event, order = sizes(world)
        print(f"on disk with indexes: {event:.0f} bytes an event of 1 kB, {order:.0f} an order")
        proxy.close()
        world.close()


if __name__ == "__main__":
    main()
