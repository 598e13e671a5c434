"""Faults between a laptop and a PostgreSQL centre: cuts, kills, a server that comes back."""

import os
import random
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.centre.opening import open_centre
from app.centre.wire import Wire, address
from app.errors import AppError, CentreUnreachable
from app.sync.session import synchronise
from app.tasks import collect
from tests.instruments.cutting_proxy import CuttingProxy
from tests.instruments.postgres_server import binaries, postgres
from tests.protocol.sync_world import PostgresWorld, check_invariants, postgres_world

pytestmark = pytest.mark.postgres

LIMITS_MS = (1, 2, 5, 10, 20, 50)
SEEDS = max(6, int(os.environ.get("METERWRIGHT_SEEDS", "16")) // 2)


class Elsewhere:
    """The centre, reached by another address than the laptop's own."""

    def __init__(self, url: str) -> None:
        self._url = url

    def session(self, device_id: str):
        return open_centre(self._url).session(device_id)


def a_day(world, name):
    field = world.laptop(name)
    orders = field.take_orders(4, source=name)
    for order_id in orders:
        field.record(order_id, "reading.taken", {"values": ["1.5"] * 50})
        field.photograph(order_id, order_id.encode() * 20)
        field.complete(order_id)
    return field, orders


def until_in_step(field, centre, most, again=lambda: None):
    """Sync until in step; return how many sessions failed."""
    failed = 0
    for _ in range(most):
        try:
            if collect(synchronise(field.db, centre, batch=3))[0].in_step:
                return failed
        except CentreUnreachable:
            failed += 1
            again()
    raise AssertionError("not in step: the queue does not empty")


def test_a_line_that_is_cut_after_any_byte_loses_and_doubles_nothing(tmp_path):
    world = postgres_world(tmp_path)
    where = address(world.centre.url)
    cuts = 0
    try:
        for seed in range(SEEDS):
            proxy = CuttingProxy(where.unix_sock, seed=seed, share=0.8)
            field, orders = a_day(world, f"ana{seed}")
            login = address(world.centre.logins[field.device_id])
            url = replace(login, unix_sock="", host="127.0.0.1", port=proxy.port).url
            until_in_step(field, Elsewhere(url), 60)
            proxy.close()
            cuts += proxy.cuts
            check_invariants(world, field)
            states = [order.state for order in world.centre.orders(orders)]
            assert states == ["in_review"] * 4
        assert cuts > SEEDS
    finally:
        world.close()
    sys.stdout.write(f"proxy: {SEEDS} days, {cuts} cuts tried, failures 0\n")


class Blocked:
    """A session of ``field`` that waits inside push, because its device row is locked."""

    def __init__(self, world, field) -> None:
        self.error: BaseException | None = None
        self.result = None
        self._world = world
        self._lock = Wire(address(world.centre.url))
        self._lock.query("begin")
        self._lock.query(
            "select 1 from mw.work_order where assignee = :v0 for update", field.device_id
        )
        self._thread = threading.Thread(target=self._run, args=(field,))
        self._thread.start()
        self.pid = self._waiting()

    def _run(self, field) -> None:
        try:
            self.result = collect(synchronise(field.db, self._world.centre))[0]
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def _waiting(self) -> int:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            rows = self._world.reader.query(
                "select pid from pg_stat_activity where wait_event_type = 'Lock'"
                " and query like '%api.push%' and datname = current_database()"
            )
            if rows:
                return rows[0][0]
            time.sleep(0.01)
        raise AssertionError("no push waits for the lock")

    def let_go(self) -> None:
        self._lock.close()
        self._thread.join(30)


def late_day(world):
    """A laptop whose orders are at the centre, and whose results are not."""
    field = world.laptop("ana")
    orders = field.take_orders(3)
    world.sync(field)
    for order_id in orders:
        field.complete(order_id)
    return field


def test_a_backend_that_is_terminated_in_mid_push_is_met_by_pushing_again(tmp_path):
    world = postgres_world(tmp_path)
    try:
        field = late_day(world)
        blocked = Blocked(world, field)
        world.reader.query("select pg_terminate_backend(cast(:v0 as int4))", blocked.pid)
        blocked.let_go()
        assert isinstance(blocked.error, CentreUnreachable), blocked.error
        assert world.sync(field).in_step
        check_invariants(world, field)
    finally:
        world.close()
    sys.stdout.write("postgres, backend terminated in mid-push: 1 point tried, failures 0\n")


def test_a_statement_time_out_in_mid_push_is_met_by_pushing_again(tmp_path):
    world = postgres_world(tmp_path)
    try:
        field = late_day(world)
        role = address(world.centre.logins[field.device_id]).user
        for milliseconds in LIMITS_MS:
            world.reader.script(f"alter role {role} set statement_timeout = '{milliseconds}ms'")
            field.take_orders(20, source=f"t{milliseconds}")
            try:
                world.sync(field)
            except CentreUnreachable:
                continue
        world.reader.script(f"alter role {role} set statement_timeout = '60s'")
        assert world.sync(field).in_step
        check_invariants(world, field)
    finally:
        world.close()
    count = len(LIMITS_MS)
    sys.stdout.write(f"postgres, statement time-out: {count} limits tried, failures 0\n")


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
def test_a_server_that_crashes_in_mid_push_and_comes_back_has_lost_nothing(tmp_path):
    with postgres(durable=True) as url:
        world = PostgresWorld(tmp_path, url)
        field = late_day(world)
        blocked = Blocked(world, field)
        # A backend that dies this way takes the whole server down; it recovers by itself.
        os.kill(blocked.pid, signal.SIGKILL)
        blocked.let_go()
        assert isinstance(blocked.error, CentreUnreachable), blocked.error
        for wire in (world.reader, world._server):
            wire.close()
        world.centre.close()

        def wait():
            time.sleep(0.05)

        until_in_step(field, world.centre, 400, wait)
        again(world.reader)
        again(world._server)
        check_invariants(world, field)
        world.close()
    sys.stdout.write("postgres, server crash and restart in mid-push: 1 point tried, failures 0\n")


def again(wire):
    """Use a line until the server answers on it."""
    for _ in range(400):
        try:
            return wire.query("select 1")
        except AppError:
            time.sleep(0.05)
    raise AssertionError("the server does not come back")


def test_laptops_that_push_and_a_dispatcher_who_moves_their_orders_at_once_keep_order(tmp_path):
    """Pushes and acts of the office run in parallel; deadlocks are met by trying again."""
    world = postgres_world(tmp_path)
    errors: list[BaseException] = []
    try:
        fields = [world.laptop(f"l{number}") for number in range(3)]
        given = {field.device_id: field.take_orders(6, source=field.device_id) for field in fields}
        for field in fields:
            world.sync(field)
        threads = [
            threading.Thread(target=work, args=(world, field, given[field.device_id], errors))
            for field in fields
        ]
        for thread in threads:
            thread.start()
        office = open_centre(world.centre.url)
        chance = random.Random(3)
        while any(thread.is_alive() for thread in threads):
            order_id = chance.choice(chance.choice([*given.values()]))
            try:
                office.assign([order_id], chance.choice(fields).device_id)
            except AppError:
                continue
        for thread in threads:
            thread.join()
        office.close()
        assert errors == []
        for field in fields:
            until_in_step(field, world.centre, 10)
        for field in fields:
            check_invariants(world, field)
    finally:
        world.close()


def work(world, field, orders, errors):
    try:
        for order_id in orders:
            field.record(order_id, "step.result", {"step": "x"})
            field.complete(order_id)
            with_patience(lambda: collect(synchronise(field.db, world.centre, batch=2)))
    except BaseException as error:  # noqa: BLE001 - the test looks at it
        errors.append(error)


def with_patience(call):
    for _ in range(50):
        try:
            return call()
        except CentreUnreachable:
            time.sleep(0.01)
    raise AssertionError("the centre is never reached")


def test_a_centre_out_of_connections_is_a_centre_to_try_later(tmp_path: Path):
    world = postgres_world(tmp_path)
    try:
        field = late_day(world)
        role = address(world.centre.logins[field.device_id]).user
        world.reader.script(f"alter role {role} connection limit 0")
        with pytest.raises(CentreUnreachable):
            world.sync(field)
        world.reader.script(f"alter role {role} connection limit 2")
        assert world.sync(field).in_step
    finally:
        world.close()
