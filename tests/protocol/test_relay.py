"""Switching a supply: what the mode allows, the read-back, the question, the book."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.errors import BadInput, Cancelled, NotPermitted
from app.models.database import Database
from app.models.order import MeterCommand, WorkOrder
from app.services.booking import Book
from app.services.relay import switch_supply
from app.tasks import Ask, collect
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.errors import AccessDenied, NoReply, NotSupported
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell, zmf100
from drivers.simulator.memory import DeviceLink
from drivers.simulator.model import Mode
from drivers.switching import Switching, hindrance

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIAL = "46000755036"


class Bench:
    def __init__(self, faults=(), **dlms) -> None:
        self.meter = hexcell.Hexcell(SERIAL, 4, 1, hexcell.Faults(faults), START)
        self.link = DeviceLink([self.meter.device()])
        kind = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
        self.kind = replace(kind, dlms=replace(kind.dlms, **dlms))

    @contextmanager
    def opened(self):
        secrets = Secrets(password=Secret(hexcell.PASSWORD))
        with DlmsMeter(self.link, self.kind, secrets) as meter:
            yield meter

    def act(self, action, **more):
        return collect(switch_supply(self.opened, action, **more), {"relay.confirm": "5036"})


def zmf_driver(mode: Mode) -> tuple[zmf100.Zmf100, DlmsMeter]:
    meter = zmf100.Zmf100("18438", 4, 1, zmf100.Faults(()), START)
    meter.switch.mode = mode
    kind = load_meter_type("landisgyr-zmf100")
    dlms = replace(kind.dlms, client=32, auth="low", server=1, physical=17)
    line = replace(kind.line, speed=9600, format="8N1")
    kind = replace(kind, framing="hdlc", dlms=dlms, line=line)
    secrets = Secrets(password=Secret(zmf100.PASSWORD))
    return meter, DlmsMeter(DeviceLink([meter.station()]), kind, secrets)


def test_off_and_on_again_reads_back() -> None:
    bench = Bench()
    (_, before, after), events = bench.act(Switching.OPEN)
    assert (before.output, after.output, after.state) == (True, False, "disconnected")
    assert any(isinstance(event, Ask) and event.dangerous for event in events)
    (_, _, after), _ = bench.act(Switching.CLOSE)
    assert (after.output, after.state) == (True, "connected")
    assert [event.code for event in bench.meter.relay_log.events()] == [62, 63]


def test_what_is_done_already_is_not_done_again() -> None:
    bench = Bench()
    bench.act(Switching.CLOSE)
    assert bench.meter.relay_log.events() == ()


def test_arming_would_connect_at_once_in_mode_4_and_is_refused() -> None:
    bench = Bench()
    bench.act(Switching.OPEN)
    with pytest.raises(NotSupported, match="at once"):
        bench.act(Switching.ARM)
    assert not bench.meter.switch.output


def test_in_mode_3_the_customer_has_the_last_press() -> None:
    meter, driver = zmf_driver(Mode.REMOTE)
    with driver:
        driver.switch(Switching.OPEN)
        with pytest.raises(NotSupported, match="arm"):
            driver.switch(Switching.CLOSE)
        after = driver.switch(Switching.ARM)
        assert (after.output, after.state) == (False, "ready for reconnection")
        assert meter.switch.press(0.0)
        assert driver.switch(Switching.ARM).output  # pressed meanwhile: nothing to do


def test_other_digits_or_none_switch_nothing() -> None:
    bench = Bench()
    with pytest.raises(BadInput):
        collect(switch_supply(bench.opened, Switching.OPEN), {"relay.confirm": "1234"})
    with pytest.raises(Cancelled):
        collect(switch_supply(bench.opened, Switching.OPEN), {"relay.confirm": ""})
    with pytest.raises(BadInput, match="answers, not"):
        bench.act(Switching.OPEN, expected="46000755037")
    assert bench.meter.switch.output


def test_a_client_that_may_not_switch_is_told() -> None:
    bench = Bench(client=17, auth="none")
    with pytest.raises((AccessDenied, NotSupported)):
        bench.act(Switching.OPEN)
    assert bench.meter.switch.output


def test_yes_asks_nobody() -> None:
    _, events = Bench().act(Switching.OPEN, asked=False)
    assert not any(isinstance(event, Ask) for event in events)


@pytest.mark.parametrize("action", list(Switching))
def test_a_switch_that_never_switches_is_left_alone(action) -> None:
    assert "mode 0" in hindrance(action, 0)


def test_a_booked_act_has_its_intent_and_its_outcome(tmp_path) -> None:
    bench = Bench()
    with Database.open(tmp_path) as db:
        with db.write() as session:
            order = WorkOrder(number="1", state="in_progress")
            session.add(order)
            session.flush()
            order_id = order.order_id
        book = Book(db, order_id)
        bench.act(Switching.OPEN, book=book)
        bench.meter.switch.mode = Mode.REMOTE
        with db.read() as session:
            (command,) = session.scalars(select(MeterCommand)).all()
            assert (command.kind, command.outcome) == ("relay", "done")
            assert command.wanted == "disconnected"
            assert "supply off" in command.read_back
        bench.link.pull_after(10_000)
        with db.write() as session:
            session.get_one(WorkOrder, order_id).state = "completed"
        with pytest.raises(NotPermitted):
            bench.act(Switching.ARM, book=book)


def test_the_meter_that_disconnects_only_locally_refuses_to_connect_remotely() -> None:
    _, driver = zmf_driver(Mode.LOCAL)
    with driver:
        assert not driver.switch(Switching.OPEN).output
        with pytest.raises(NotSupported, match="button"):
            driver.switch(Switching.CLOSE)


def test_a_line_that_breaks_leaves_an_unknown_outcome(tmp_path) -> None:
    bench = Bench(["silent-after-500"])
    with pytest.raises(NoReply):
        bench.act(Switching.OPEN)
