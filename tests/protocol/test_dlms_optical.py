"""The driver on a virtual ZMF100: mode E sign-on, then HDLC, and back to rest at the end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drivers.dlms.meter import DlmsMeter
from drivers.errors import AccessDenied, NoReply
from drivers.link import Line
from drivers.metertype import MeterType, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell, zmf100
from drivers.simulator.device import Device
from drivers.simulator.iec62056 import OpticalPort, framed
from drivers.simulator.memory import DeviceLink
from drivers.values import Span

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIAL = "00018438"
ROWS = 120


def zmf_type(**dlms: object) -> MeterType:
    kind = load_meter_type("landisgyr-zmf100")
    return replace(kind, dlms=replace(kind.dlms, **dlms))


class Bench:
    """A virtual ZMF100 and the driver on its optical port, in virtual time."""

    def __init__(
        self,
        faults: Sequence[str] = (),
        *,
        device: Device | None = None,
        kind: MeterType | None = None,
        password: bytes = b"",
    ) -> None:
        meter = zmf100.build(serial=SERIAL, rows=ROWS, faults=faults, start=START)
        self.device = device or meter
        self.link = DeviceLink([self.device])
        self.expected = self.device.expected()
        self.meter = DlmsMeter(
            self.link,
            kind or zmf_type(),
            Secrets(password=Secret(password)),
            wall=lambda: START + timedelta(seconds=self.link.now()),
        )

    def rows(self, code: str = "") -> list[tuple[object, ...]]:
        with self.meter as meter:
            info = meter.profile_info(code)
            return [
                (
                    row.time.isoformat().replace("+00:00", "Z"),
                    row.status_raw,
                    list(row.status),
                    [str(value) for value in row.values],
                )
                for block in meter.profile(info, Span())
                for row in block.rows
            ]


def wanted_rows(profile: dict) -> list[tuple[object, ...]]:
    return [
        (row["time"], row["status_raw"], row["status"], row["values"]) for row in profile["rows"]
    ]


def test_the_meter_says_who_it_is_through_both_protocols() -> None:
    bench = Bench()
    with bench.meter as meter:
        identity = meter.identity()
    for name, value in bench.expected["identity"].items():
        assert getattr(identity, name) == value, name


def test_registers_and_logs_are_what_the_meter_holds() -> None:
    bench = Bench()
    with bench.meter as meter:
        registers = list(meter.registers())
        events = list(meter.events())
        relay = meter.relay()
    assert [
        {"obis": one.obis, "value": str(one.value), "unit": one.unit, "time": None}
        for one in registers
    ] == bench.expected["registers"]
    assert [(int(one.code), one.text) for one in events] == [
        (row["code"], row["text"]) for row in bench.expected["events"]["rows"]
    ]
    assert (relay.output, relay.state, relay.mode) == tuple(bench.expected["relay"].values())


def test_the_periodic_profile_is_complete() -> None:
    bench = Bench()
    assert bench.rows() == wanted_rows(bench.expected["profile"])


@pytest.mark.parametrize("code", ["1-0:99.2.0.255", "0-0:98.1.0.255"])
def test_daily_and_monthly_profiles_read_at_local_midnight(code) -> None:
    rows = Bench().rows(code)
    assert len(rows) in {13, 366}
    assert {row[0][11:16] for row in rows} <= {"22:00", "23:00"}


def test_the_line_goes_from_300_to_8n1_and_rests_again_afterwards() -> None:
    bench = Bench()
    with bench.meter as meter:
        meter.clock()
    assert bench.link.lines == [Line(300, 7, "E"), Line(9600, 8, "N")]
    bench.link.wait(1)
    assert bench.device.format.speed == 300
    with bench.meter as meter:  # a second session signs on anew
        assert meter.clock()


@pytest.mark.parametrize("fault", ["echo", "filler", "late-answer", "lost-frame", "dm", "noise"])
def test_a_fault_on_the_way_changes_no_row(fault) -> None:
    bench = Bench([fault])
    assert bench.rows() == wanted_rows(bench.expected["profile"])


def test_a_port_that_fell_asleep_is_signed_on_again() -> None:
    bench = Bench()
    with bench.meter as meter:
        meter.clock()
        bench.link.wait(45)  # the operator reads something; the meter rests after 30 s
        assert str(next(meter.registers()).value) == bench.expected["registers"][0]["value"]
    assert any("built anew" in remark for remark in bench.link.statistics.remarks)


def test_a_port_that_falls_asleep_in_mid_profile_is_signed_on_and_no_row_is_lost() -> None:
    bench = Bench(kind=zmf_type(max_info=128, pdu=256))
    with bench.meter as meter:
        blocks = meter.profile(meter.profile_info(), Span())
        rows = list(next(blocks).rows)
        bench.device._rest()  # a cloud's shadow, a probe that slipped
        rows += [row for block in blocks for row in block.rows]
    assert len(rows) == len({row.time for row in rows}) == ROWS
    assert any("asked for anew" in remark for remark in bench.link.statistics.remarks)


def test_a_sign_on_without_hdlc_behind_it_is_told_and_the_port_left_at_rest() -> None:
    port = OpticalPort(
        name="half a meter",
        identification=zmf100.IDENTIFICATION.encode("ascii"),
        readout=framed(["1-0:1.8.0(1*kWh)"]),
        hdlc=hexcell.build(faults=["silence"], start=START),
    )
    bench = Bench(device=port)
    with pytest.raises(NoReply) as caught, bench.meter:
        pass
    assert caught.value.hint == "late-dlms"
    assert bench.link.lines[-2:] == [Line(300, 7, "E"), Line(9600, 7, "E")]


def test_a_silent_port_is_told() -> None:
    with pytest.raises(NoReply), Bench(["silence"]).meter:
        pass


def test_the_utilitys_client_wants_its_password() -> None:
    kind = zmf_type(client=32, auth="low")
    with Bench(kind=kind, password=zmf100.PASSWORD).meter as meter:
        assert abs(meter.set_clock().offset) <= 1
    with pytest.raises(AccessDenied), Bench(kind=kind, password=b"wrong").meter:
        pass


def test_the_public_reader_may_not_set_the_clock() -> None:
    with Bench().meter as meter, pytest.raises(AccessDenied):
        meter.set_clock()
