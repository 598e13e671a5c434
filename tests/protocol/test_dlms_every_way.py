"""Everything `read` tells, over every kind of line and with every kind of association.

One virtual meter with an open client, a password client and a key client stands behind an optical
port (mode E), on an RS-485 bus with neighbours, behind an RFC 2217 converter (HDLC and mode E), and
on a TCP port (wrapper and HDLC).  Some ways run in virtual time at true speed, the others through
real sockets, unpaced.  One has 35,040 rows; ``METERWRIGHT_ROWS=35040`` gives all of them so many,
which takes some minutes.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.commands.read import told_shape
from app.services.connection import Overrides, Target, connect
from app.services.reading import Told, Wish, read_meter
from app.tasks import collect
from drivers.meter import Meter
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.device import Device
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.hdlc import HdlcStation
from drivers.simulator.dlms.objects import Access
from drivers.simulator.dlms.server import Client, Server
from drivers.simulator.dlms.wrapper import TwoFramings, WrapperDevice
from drivers.simulator.iec62056 import OpticalPort, framed
from drivers.simulator.memory import DeviceLink
from drivers.simulator.serve import serve
from drivers.values import Span

SERIAL, NEIGHBOURS = "46000755036", ("46000755037", "46000755038")
YEAR, MONTH, WEEK = 35_040, 1440, 336
ROWS = int(os.environ.get("METERWRIGHT_ROWS", "0"))
OPEN_CLIENT = 32
SECRETS = {
    "none": Secrets(),
    "LLS": Secrets(password=Secret(hexcell.PASSWORD)),
    "GMAC": Secrets(
        authentication_key=Secret(hexcell.AUTHENTICATION_KEY),
        encryption_key=Secret(hexcell.ENCRYPTION_KEY),
    ),
}
AUTH = {
    "none": {"auth": "none", "client": OPEN_CLIENT},
    "LLS": {"auth": "low", "client": hexcell.CLIENT},
    "GMAC": {"auth": "gmac", "client": hexcell.KEY_CLIENT},
}
WHAT = ("identity", "registers", "profile", "events", "clock", "relay", "prepayment", "account")


def build(rows: int, start: datetime, serial: str = SERIAL) -> TwoFramings:
    """A Hexcell that also serves one client without a password, as some utilities have it."""
    inner = hexcell.Hexcell(serial, rows, 1, Faults(()), start)
    clients = (
        Client(OPEN_CLIENT, Access.READ),
        Client(hexcell.CLIENT, Access.MANAGE, hexcell.PASSWORD),
        Client(hexcell.PUBLIC_CLIENT, Access.PUBLIC),
        Client(hexcell.KEY_CLIENT, Access.MANAGE, keys=inner.keys),
    )
    server = Server(
        inner.model(),
        clients,
        inner.faults,
        expected=inner.expected,
        wrong_password=lambda _: None,
    )
    station = HdlcStation(f"hexcell {serial}", inner.settings, server, inner.faults)
    wrapper = WrapperDevice(f"hexcell {serial}", server, inner.faults)
    return TwoFramings(station, wrapper, inner.clock.true)


def optical(device: TwoFramings) -> OpticalPort:
    return OpticalPort(
        name="optical",
        identification=b"/HXE5\\2DDSY1088",
        readout=framed(["1-0:1.8.0(1*kWh)"]),
        hdlc=device,
        expected=device.expected,
    )


@dataclass(frozen=True)
class Way:
    """One way to a meter: how it is served and what the operator sets."""

    listen: str  # "" in virtual time
    port: bool  # behind an optical port
    rows: int
    overrides: dict[str, Any]


MODE_E = {"framing": "mode-e", "speed": 300, "format": "7E1", "max_info": 2030}
WRAPPED = {"framing": "wrapper"}
WAYS = {
    "optical, mode E": Way("", True, MONTH, MODE_E),
    "RS-485, HDLC": Way("", False, MONTH, {"framing": "hdlc", "max_info": 128, "window": 7}),
    "RFC 2217, HDLC": Way("rfc2217:0", False, WEEK, {"framing": "hdlc", "max_info": 2030}),
    "RFC 2217, mode E": Way("rfc2217:0", True, WEEK, MODE_E),
    "wrapper": Way("", False, YEAR, WRAPPED),
    "TCP, wrapper": Way("tcp:0", False, WEEK, WRAPPED),
    "TCP, HDLC": Way("tcp:0", False, WEEK, {"framing": "hdlc", "max_info": 512, "window": 3}),
}


@dataclass
class Place:
    """A meter that stands ready: its link, how it is opened, and what a reader must find."""

    way: Way
    link: str
    expected: dict[str, Any]
    ahead_s: float  # how far the meter's true time is ahead of ours
    opened: DeviceLink | None = None

    def read(self, auth: str, wish: Wish, data: Path) -> tuple[Told, dict[str, Any]]:
        overrides = Overrides(**self.way.overrides, **AUTH[auth], pdu=4096)
        target = Target(self.link, "hexcell-ddsy1088", SERIAL, overrides, SECRETS[auth], data=data)
        told = Told()
        collect(read_meter(lambda: self._connected(target), wish, told))
        return told, told_shape(self.link, told)

    def _connected(self, target: Target) -> AbstractContextManager[Meter]:
        link = self.opened
        return connect(target) if link is None else connect(target, opener=lambda *_: link)


@contextmanager
def standing(way: Way) -> Iterator[Place]:
    now = datetime.now(UTC)
    start = now.replace(minute=now.minute // 30 * 30 + 1)  # no new row while it is read
    meter = build(ROWS or way.rows, start)
    expected, ahead = meter.expected(), (start - now).total_seconds()
    device: Device = optical(meter) if way.port else meter
    if way.listen:
        with serve([device], way.listen) as server:
            yield Place(way, server.link, expected, ahead)
        return
    alone = way.port or way.overrides is WRAPPED
    others = [] if alone else [build(20, start, one) for one in NEIGHBOURS]
    yield Place(way, "virtual", expected, ahead, DeviceLink([device, *others]))


@pytest.mark.parametrize("auth", AUTH)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_everything_reads_as_the_meter_holds_it(way, auth, tmp_path) -> None:
    with standing(way) as place:
        told, shape = place.read(auth, Wish(WHAT), tmp_path)
        _by_range(place, auth, tmp_path)
        _by_number(place, auth, tmp_path)
    wanted = place.expected
    assert told.complete
    assert shape["identity"] == wanted["identity"] | {
        "identification": "/HXE5\\2DDSY1088" if way.port else "",
        "model": "DDSY1088" if way.port else "",
    }
    for found, right in zip(shape["registers"], wanted["registers"], strict=True):
        assert (found["obis"], found["unit"]) == (right["obis"], right["unit"])
        # the meter has gone on measuring while the others were read
        assert abs(Decimal(found["value"]) - Decimal(right["value"])) < 300
    assert shape["profile"]["rows"] == wanted["profile"]["rows"]
    assert shape["profile"]["gaps"] == wanted["profile"]["gaps"]
    assert shape["events"]["rows"] == wanted["events"]["rows"]
    off = Decimal(shape["clock"]["offset_s"]) - Decimal(wanted["clock"]["offset_s"])
    virtual = place.opened.now() if place.opened else 0.0
    assert abs(float(off) - place.ahead_s) < 30 + virtual
    assert shape["relay"] == wanted["relay"]
    assert shape["prepayment"].items() >= wanted["prepayment"].items()
    assert shape["account"]["sts"][0]["supply_group_code"] == wanted["prepayment"]["sgc"]


def _by_range(place: Place, auth: str, folder: Path) -> None:
    right = place.expected["profile"]["rows"]
    start, end = (datetime.fromisoformat(right[at]["time"]) for at in (100, 299))
    _, shape = place.read(auth, Wish(("profile",), span=Span(start, end)), folder)
    assert shape["profile"]["rows"] == right[100:300]


def _by_number(place: Place, auth: str, folder: Path) -> None:
    right = place.expected["profile"]["rows"]
    before = place.opened.statistics.bytes_received if place.opened else 0
    told, shape = place.read(auth, Wish(("profile",), span=Span(entries=(101, 300))), folder)
    assert shape["profile"]["rows"] == right[100:300]
    heard = told.statistics.bytes_received - before
    assert heard < 12_000  # the meter was asked for these rows alone
