"""Speed and format over RFC 2217, against a virtual meter that is strict about both."""

from datetime import UTC, datetime
from itertools import groupby

import pytest

from drivers.connect import open_meter
from drivers.iec62056.signon import sign_on_mode_e
from drivers.link import Line
from drivers.metertype import load_meter_type
from drivers.ports import open_link
from drivers.simulator.device import WireFormat
from drivers.simulator.iec62056 import OpticalPort, framed
from drivers.simulator.iecmeter import build
from drivers.simulator.serve import serve
from drivers.trace_link import Direction, Trace
from drivers.values import Span

TYPE = load_meter_type("generic-iec62056-21")
LINES = ["0.0.0(33112077)", "1.8.0(000123.456*kWh)", "32.7.0(229.8*V)"]
ALL_OCTETS = bytes(range(256))


class Mirror:
    """A station behind mode E that says every octet back: nothing but 8N1 lets all of them pass."""

    name = "mirror"
    format = WireFormat(9600, 8, "N")

    def __init__(self):
        self.waiting, self.garbled_count = b"", 0

    def receive(self, now, data):
        self.waiting += data

    def garbled(self, now, count):
        self.garbled_count += count

    def wake_at(self):
        return 0.0 if self.waiting else None

    def transmit(self, now):
        data, self.waiting = self.waiting, b""
        return data

    def sent(self, now):
        pass

    def expected(self):
        return {}


def port(*faults, hdlc=None):
    return OpticalPort(
        name="strict",
        identification=b"/MWT5\\2TEST",
        readout=framed(LINES),
        hdlc=hdlc,
        faults=faults,
    )


def settings_of(trace):
    lines = [r.data.decode() for r in trace.records if r.direction is Direction.LINE]
    return [key for key, _ in groupby(lines)]


@pytest.mark.parametrize("faults", [(), ("echo", "noise")])
def test_mode_c_and_mode_e_go_through_300_7e1_9600_7e1_and_9600_8n1(faults):
    mirror, trace = Mirror(), Trace()
    with serve([port(*faults, hdlc=mirror)], "rfc2217:0") as server:
        link = open_link(server.link, Line.named(300, "7E1"), trace=trace)
        try:
            with open_meter(link, TYPE) as meter:
                assert [r.code for r in meter.registers()] == ["0.0.0", "1.8.0", "32.7.0"]
            assert settings_of(trace) == ["300 7E1", "9600 7E1"]
            link.wait(1.7)  # the meter is at rest again
            sign_on_mode_e(link, TYPE)
            assert settings_of(trace) == ["300 7E1", "9600 7E1", "300 7E1", "9600 8N1"]
            link.write(ALL_OCTETS)
            heard = b""
            while len(heard) < len(ALL_OCTETS) and (piece := link.read(5.0)):
                heard += piece
            heard += link.read(0.2)  # nothing more
            assert heard == ALL_OCTETS
            assert link.statistics.parity_errors == 0
        finally:
            link.close()
    assert mirror.garbled_count == 0


@pytest.mark.parametrize("form", ["8N1"])
def test_another_format_is_not_answered(form):
    with serve([port()], "rfc2217:0") as server:
        link = open_link(server.link, Line.named(300, form))
        try:
            link.write(b"/?!\r\n")
            assert link.read(1.0) == b""
            link.configure(Line.named(300, "7E1"))
            link.write(b"/?!\r\n")
            assert link.read(1.5).startswith(b"/")
        finally:
            link.close()


def test_a_profile_is_read_in_programming_mode_over_rfc2217():
    now = datetime.now(UTC)
    device = build(rows=60, start=now)
    with serve([device], "rfc2217:0") as server:
        link = open_link(server.link, Line.named(300, "7E1"))
        try:
            with open_meter(link, load_meter_type("emh-lzqj")) as meter:
                info = meter.profile_info()
                rows = [r for b in meter.profile(info, Span(last=50)) for r in b.rows]
                assert meter.statistics.switch_margin_s > 0
        finally:
            link.close()
    assert len(rows) >= 45
    assert rows[-1].time <= now
