"""A virtual ZMF100 and the driver on it, for what both ways of naming objects must tell alike."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from drivers.dlms.meter import DlmsMeter
from drivers.link import Line, Link
from drivers.metertype import MeterType, load_meter_type
from drivers.ports import open_link
from drivers.secrets import Secret, Secrets
from drivers.simulator import zmf100
from drivers.simulator.device import Device
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.hdlc import HdlcStation
from drivers.simulator.dlms.server import Server
from drivers.simulator.dlms.wrapper import TwoFramings, WrapperDevice
from drivers.simulator.memory import DeviceLink
from drivers.simulator.model import Mode
from drivers.simulator.serve import serve
from drivers.values import Span

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)  # no new row comes while a test runs
SERIAL = "00018438"
ROWS = 60
NAMINGS = ("logical", "short")
RELAY_LOG = "0-0:99.98.2.255"
CLIENTS: dict[str, dict[str, object]] = {
    "none": {"client": 16, "auth": "none"},
    "low": {"client": 32, "auth": "low"},
    "gmac": {"client": 1, "auth": "gmac"},
}
SECRETS = Secrets(
    password=Secret(zmf100.PASSWORD),
    authentication_key=Secret(zmf100.AUTHENTICATION_KEY),
    encryption_key=Secret(zmf100.ENCRYPTION_KEY),
)


def kind_of(naming: str, auth: str = "none", framing: str = "hdlc", **dlms: object) -> MeterType:
    """Return the ZMF100's type for an association; without a sign-on its line is 9600 8N1."""
    kind = load_meter_type("landisgyr-zmf100")
    dlms = {"referencing": naming, **CLIENTS[auth], **dlms}
    kind = replace(kind, framing=framing, dlms=replace(kind.dlms, **dlms))
    if framing == "mode-e":
        return kind
    line = replace(kind.line, speed=9600, format="8N1")
    return replace(kind, line=line, dlms=replace(kind.dlms, physical=17 * (framing == "hdlc")))


@dataclass
class World:
    """One meter with its faults; `opened` signs on in virtual time, `on_line` on a real line."""

    faults: Sequence[str] = ()
    max_pdu: int = 1024
    rows: int = ROWS
    meter: zmf100.Zmf100 = field(init=False)
    link: DeviceLink = field(init=False)

    def __post_init__(self) -> None:
        self.meter = zmf100.Zmf100(SERIAL, self.rows, 1, Faults(self.faults), START)
        self.meter.switch.mode = Mode.REMOTE
        self.link = DeviceLink([self.bus()])

    def server(self) -> Server:
        return self.meter.server(self.max_pdu)

    def bus(self) -> Device:
        """Return the meter without an optical port: HDLC or the wrapper, as it is spoken to."""
        server = self.server()
        station = HdlcStation("zmf100", self.meter.settings, server, self.meter.faults)
        wrapper = WrapperDevice("zmf100", server, self.meter.faults)
        return TwoFramings(station, wrapper, self.meter.clock.true)

    def driver(self, link: Link, kind: MeterType) -> DlmsMeter:
        begun = link.now() if link is not self.link else 0.0

        def wall() -> datetime:
            return START + timedelta(seconds=link.now() - begun)

        return DlmsMeter(link, kind, SECRETS, wall=wall)

    @contextmanager
    def opened(self, kind: MeterType):
        with self.driver(self.link, kind) as meter:
            yield meter

    @contextmanager
    def on_line(self, kind: MeterType, listen: str):
        device = self.meter.port() if kind.framing == "mode-e" else self.bus()
        with serve([device], listen) as server:
            link = open_link(server.link, Line.named(kind.line.speed, kind.line.format))
            try:
                with self.driver(link, kind) as meter:
                    yield meter
            finally:
                link.close()


def everything(meter: DlmsMeter) -> dict[str, Any]:
    """Return all that a technician reads; what passes by itself (seconds of the clock) left out."""
    info = meter.profile_info()
    rows = rows_of(meter, Span())
    start, end = rows[10].time, rows[30].time
    return {
        "identity": meter.identity(),
        "registers": list(meter.registers()),
        "columns": (info.obis, info.period_s, info.columns, info.entries, info.capacity),
        "rows": rows,
        "range": rows_of(meter, Span(start, end)),
        "last": rows_of(meter, Span(last=5)),
        "daily": rows_of(meter, Span(last=3), "1-0:99.2.0.255"),
        "events": list(meter.events()),
        "last events": list(meter.events(span=Span(last=3))),
        "relay log": list(meter.events(RELAY_LOG)),
        "clock status": meter.clock().status,
        "relay": meter.relay(),
        "calendar": meter.calendar(),
        "object": meter.object("1-0:1.8.0.255"),
        "limiter": meter.limiters(),
        "monitor": meter.monitors(),
        "alarms": meter.alarms(),
        "slaves": meter.slaves(),
    }


def rows_of(meter: DlmsMeter, span: Span, code: str = "") -> list[Any]:
    """Return the rows of a profile."""
    blocks = meter.profile(meter.profile_info(code), span)
    return [row for block in blocks for row in block.rows]
