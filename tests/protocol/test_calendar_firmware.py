"""Switching tables and firmware: written, read back, resumed; what is wrong is told in time."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drivers.calendar import Calendar, Day, Season, SpecialDay, SwitchingPoint, Week
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.errors import AccessDenied, NotSupported, PortUnavailable, ValueRefused
from drivers.firmware import LoadStage
from drivers.metertype import load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.dlms.images import signed
from drivers.simulator.memory import DeviceLink
from drivers.simulator.model import Mode
from tests.protocol.test_relay import zmf_driver

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIAL = "46000755036"
NEW = Calendar(
    "TOU-2",
    (Season("SUMMER", "04-01", "WS"), Season("WINTER", "10-01", "WW")),
    (Week("WS", (1, 1, 1, 1, 1, 2, 2)), Week("WW", (1, 1, 1, 1, 1, 1, 2))),
    (
        Day(
            1, (SwitchingPoint("06:00", 1), SwitchingPoint("17:00", 3), SwitchingPoint("21:00", 2))
        ),
        Day(2, (SwitchingPoint("00:00", 2),)),
    ),
)
SPECIAL = (SpecialDay(1, "2026-12-25", 2), SpecialDay(2, "*-01-01", 2))


class Bench:
    def __init__(self, **dlms) -> None:
        self.meter = hexcell.Hexcell(SERIAL, 4, 1, hexcell.Faults(()), START)
        self.device = self.meter.device()
        self.link = DeviceLink([self.device])
        kind = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
        self.kind = replace(kind, dlms=replace(kind.dlms, **dlms))

    @contextmanager
    def opened(self, link: DeviceLink | None = None):
        driver = DlmsMeter(
            link or self.link,
            self.kind,
            Secrets(password=Secret(hexcell.PASSWORD)),
            wall=lambda: START + timedelta(seconds=self.link.now()),
        )
        with driver as meter:
            yield meter


# --- the switching table ------------------------------------------------------------------------


@pytest.mark.parametrize("pdu", [1024, 128])
def test_a_table_in_force_at_once_reads_back_as_the_active_one(pdu) -> None:
    with Bench(pdu=pdu).opened() as meter:
        assert meter.calendar().active.name == "TOU-1"
        after = meter.write_calendar(NEW, SPECIAL, None)
        assert (after.active, after.special_days) == (NEW, SPECIAL)
        assert [event.code for event in meter.events()][-1] == "9"


def test_special_days_that_the_meter_sorts_are_the_ones_that_were_written() -> None:
    with Bench().opened() as meter:
        after = meter.write_calendar(NEW, tuple(reversed(SPECIAL)), None)
        assert after.special_days == SPECIAL


def test_a_table_for_later_is_passive_until_then() -> None:
    bench = Bench()
    later = START + timedelta(hours=2)
    with bench.opened() as meter:
        after = meter.write_calendar(NEW, None, later)
        assert (after.passive, after.activation, after.active.name) == (NEW, later, "TOU-1")
    bench.link.wait(7300)
    with bench.opened() as meter:
        assert meter.calendar().active == NEW


def test_an_activation_in_the_past_is_refused() -> None:
    with Bench().opened() as meter, pytest.raises((ValueRefused, NotSupported)):
        meter.write_calendar(NEW, None, START - timedelta(days=1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seasons": tuple(Season(f"S{n}", f"0{n}-01", "WS") for n in range(1, 6))}, "holds 4"),
        ({"seasons": (Season("S", "13-01", "WS"),)}, "MM-DD"),
        ({"seasons": (Season("S", "01-01", "no"),)}, "not there"),
        ({"weeks": (Week("WS", (1,)), Week("WW", (1,) * 7))}, "seven"),
        ({"days": (Day(1, ()), Day(2, (SwitchingPoint("00:00", 1),)))}, "ascending"),
        ({"days": (Day(1, (SwitchingPoint("25:00", 1),)), Day(2, NEW.days[1].points))}, "HH:MM"),
        ({"days": (NEW.days[0], NEW.days[0])}, "twice"),
    ],
)
def test_a_table_that_is_wrong_is_not_sent(changes, words) -> None:
    bench = Bench()
    with bench.opened() as meter, pytest.raises(NotSupported, match=words):
        meter.write_calendar(replace(NEW, **changes), None, None)
    with bench.opened() as meter:
        assert meter.calendar().passive.name == "TOU-1"


def test_more_special_days_than_the_meter_holds_are_not_sent() -> None:
    many = tuple(SpecialDay(n, "*-12-25", 2) for n in range(51))
    with Bench().opened() as meter, pytest.raises(NotSupported, match="holds 50"):
        meter.write_calendar(NEW, many, None)


def test_the_public_client_writes_nothing() -> None:
    bench = Bench(client=17, auth="none")
    with bench.opened() as meter, pytest.raises((AccessDenied, NotSupported)):
        meter.write_calendar(NEW, None, None)


def test_the_parameterisation_of_a_zmf100_tells_that_another_table_is_in_force() -> None:
    _, driver = zmf_driver(Mode.LOCAL)
    with driver as meter:
        before = meter.calendar()
        after = meter.write_calendar(NEW, SPECIAL, None)
        assert (before.parameters, after.parameters) == ("17", "18")
        later = meter.write_calendar(NEW, None, after_now(meter))
        assert later.parameters == "18", "nothing is in force yet"
    with Bench().opened() as meter:
        assert meter.calendar().parameters == "", "a Hexcell has none"


def after_now(meter: DlmsMeter) -> datetime:
    return meter.clock().meter_time.replace(microsecond=0) + timedelta(days=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seasons": (Season("S", "02-30", "WS"),)}, "there is no 02-30"),
        ({"name": "Süd"}, "plain letters"),
        ({"days": (Day(256, NEW.days[0].points), *NEW.days)}, "256 is not 0 to 255"),
        ({"days": (Day(1, (SwitchingPoint("00:00", 65536),)), NEW.days[1])}, "not 0 to 65535"),
    ],
)
def test_what_would_not_come_back_as_it_was_sent_is_not_sent(changes, words) -> None:
    with Bench().opened() as meter, pytest.raises(NotSupported, match=words):
        meter.write_calendar(replace(NEW, **changes), None, None)


def test_a_special_day_on_a_date_that_never_comes_is_not_sent() -> None:
    never = (SpecialDay(1, "2027-02-29", 2),)
    with Bench().opened() as meter, pytest.raises(NotSupported, match="there is no 2027-02-29"):
        meter.write_calendar(NEW, never, None)


# --- firmware -----------------------------------------------------------------------------------

IMAGE = signed(bytes(range(256)) * 20)
NAME = b"HXE1088-V2.40"


@pytest.mark.parametrize("pdu", [1024, 128])  # a block of 200 octets takes two messages of 128
def test_an_image_is_sent_verified_and_active(pdu) -> None:
    with Bench(pdu=pdu).opened() as meter:
        stages = [step.stage for step in meter.load_firmware(NAME, IMAGE)]
        assert stages[-1] is LoadStage.ACTIVATED
        assert LoadStage.VERIFYING in stages
        assert meter.identity().firmware == NAME.decode()


def test_a_transfer_that_broke_goes_on_where_it_ended() -> None:
    bench = Bench()
    cut = DeviceLink([bench.device])
    cut.pull_after(650)
    with pytest.raises(PortUnavailable), bench.opened(cut) as meter:
        list(meter.load_firmware(NAME, IMAGE))
    bench.link.wait(200)
    with bench.opened() as meter:
        steps = list(meter.load_firmware(NAME, IMAGE))
    assert 0 < steps[0].resumed < steps[0].total
    sent = [step for step in steps if step.stage is LoadStage.SENDING]
    assert len(sent) == steps[0].total - steps[0].resumed + 1
    assert steps[-1].stage is LoadStage.ACTIVATED


def test_another_image_is_not_mixed_with_what_is_there() -> None:
    bench = Bench()
    other = signed(b"other" * 1000)
    with bench.opened() as meter:
        steps = meter.load_firmware(NAME, IMAGE)
        next(steps)
        next(steps)
        steps.close()
        assert next(iter(meter.load_firmware(b"HXE1088-V3.00", other))).resumed == 0


def test_a_damaged_image_is_not_activated() -> None:
    with Bench().opened() as meter:
        with pytest.raises(ValueRefused, match="damaged"):
            list(meter.load_firmware(NAME, IMAGE[:-1] + b"\x00"))
        assert meter.identity().firmware == hexcell.FIRMWARE


def test_an_image_of_another_make_is_refused() -> None:
    with Bench().opened() as meter, pytest.raises(ValueRefused):
        list(meter.load_firmware(b"LGZ-1", IMAGE))
