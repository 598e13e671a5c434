"""Slave meters on the M-Bus of a virtual meter: up to four, each with its own client (class 72).

Theory of operation.  Four meters hang on the wire at the addresses 1 to 4.  A channel is installed
by writing the address and calling method 1: what answers there tells maker, number, version and
kind.  Its value then is in the register of the channel and under the OBIS code of its medium, and
once an hour goes into the profile of the channel.  A channel that is not installed has no value:
only a value read back proves an installation.
Source: COSEM class 72, M-Bus client, version 1, IEC 62056-6-2; EN 13757-3.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from drivers.simulator.alarms import Alarms
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import (
    OTHER_REASON,
    UNAVAILABLE,
    WH,
    Attribute,
    CosemObject,
    Reader,
    Refused,
    data,
    logical_name,
)
from drivers.simulator.dlms.profile import CLOCK, Column, ListedRows, Profile, Row
from drivers.simulator.household import Outage
from drivers.simulator.loadprofile import Capture, PeriodicRows
from drivers.simulator.meterclock import MeterClock
from drivers.simulator.model import SLAVE_EVENTS, SLAVE_INSTALLED
from drivers.simulator.quantities import Quantity

CHANNELS = range(1, 5)
ROWS, PERIOD_S = 240, 3600
CUBIC_METRE = 13
HEAT, GAS, COLD_WATER, HOT_WATER = 6, 7, 8, 9  # the medium, group A of OBIS
_KINDS = {HEAT: 4, GAS: 3, COLD_WATER: 7, HOT_WATER: 6}  # device types of EN 13757-3
_CODES = {HEAT: "6-{}:1.0.0.255", GAS: "7-{}:3.0.0.255", COLD_WATER: "8-{}:1.0.0.255",
          HOT_WATER: "9-{}:1.0.0.255"}  # fmt: skip
_INSTALLED = (1, 2)  # channels that are ready as delivered
_NO_KEY = 0
_LONGEST_SERIAL = 24


@dataclass(frozen=True, slots=True)
class Slave:
    """One meter on the wire: maker, number and kind, and how fast it counts."""

    medium: int
    maker: str
    number: int  # eight digits
    version: int
    start: int  # litres, or Wh
    per_hour: int

    def count(self, since: datetime, moment: datetime) -> int:
        """Return what it shows at ``moment``; more is used by day than by night."""
        hours, rest = divmod(int((moment - since).total_seconds()), 3600)
        days, hour = divmod(hours, 24)
        by_day = min(max(hour - 6, 0), 16)
        part = self.per_hour * rest // 3600 if 6 <= hour < 22 else 0  # noqa: PLR2004 (by day)
        return self.start + (days * 16 + by_day) * self.per_hour + part

    @property
    def maker_code(self) -> int:
        """The maker's three letters, five bits each."""
        first, second, third = (ord(letter) - 64 for letter in self.maker)
        return first << 10 | second << 5 | third

    @property
    def serial(self) -> str:
        """The maker's serial as it is printed on the meter."""
        return f"{self.maker}{self.number:08}"

    def quantity(self, code: str, since: datetime) -> Quantity:
        """Return its value under an OBIS code."""
        unit = WH if self.medium == HEAT else CUBIC_METRE
        return Quantity(code, lambda t: self.count(since, t), scaler=0 if unit == WH else -3,
                        unit=unit)  # fmt: skip


WIRE = {  # by primary address
    1: Slave(GAS, "ELS", 40_117_263, 2, 1_204_310, 190),
    2: Slave(COLD_WATER, "ITW", 20_554_108, 1, 311_072, 14),
    3: Slave(HEAT, "KAM", 68_200_417, 8, 9_120_000, 2400),
    4: Slave(HOT_WATER, "ITW", 20_554_109, 1, 104_906, 6),
}


@dataclass(slots=True)
class Channel:
    """What the master knows of one channel."""

    number: int
    address: int = 0
    identification: int = 0
    maker: int = 0
    version: int = 0
    kind: int = 0
    configuration: int = 0
    utility_serial: str = ""
    slave: Slave | None = None  # None: not installed
    since: datetime | None = None  # when it was installed
    alarm: int = 0

    def learn(self, slave: Slave) -> None:
        """Take over what a slave told."""
        self.slave = slave
        self.identification = int(f"{slave.number:08}", 16)
        self.maker, self.version, self.kind = slave.maker_code, slave.version, _KINDS[slave.medium]


class MBus:
    """All channels of one master.

    Args:
        clock: The master's clock.
        counting_since: When the slaves began to count.
        outages: When the master could not read them.
        alarms: What is wrong with the master.
        faults: What it does wrong.
        tell: Writes the log.
    """

    def __init__(
        self,
        clock: MeterClock,
        counting_since: datetime,
        outages: Sequence[Outage],
        *,
        alarms: Alarms,
        faults: Faults,
        tell: Callable[[float, int], None],
    ) -> None:
        self._clock = clock
        self._counting_since = counting_since
        self._outages = outages
        self._alarms = alarms
        self._faults = faults
        self._tell = tell
        self.channels = {number: Channel(number) for number in CHANNELS}
        for number in _INSTALLED:
            channel, slave = self.channels[number], WIRE[number]
            channel.learn(slave)
            channel.address, channel.since = number, counting_since
            channel.utility_serial = f"7601234{slave.number}"
            channel.configuration = 1
        if "slave-lost" in faults:
            self.channels[1].alarm = 1

    def objects(self) -> Iterator[CosemObject]:
        """Yield everything of all channels."""
        for channel in self.channels.values():
            yield self._client(channel)
            yield self._serial(channel)
            yield self._register(channel)
            yield self._profile(channel)
        for address, slave in WIRE.items():
            yield from self._mapped(self.channels[address], slave)

    # -- class 72 ----------------------------------------------------------------------------

    def _client(self, channel: Channel) -> CosemObject:
        def number(
            name: str, tag: int, limit: int | None = None
        ) -> tuple[Callable[[float], bytes], Callable[[float, Value], None]]:
            def write(now: float, value: Value) -> None:
                del now
                wanted = value.number(tag)
                if limit is not None and wanted > limit:
                    raise BadData("out of range")
                if channel.slave is not None and name != "configuration":
                    raise Refused(OTHER_REASON)  # the slave has to be taken off first
                setattr(channel, name, wanted)

            return lambda _: axdr.integer(tag, getattr(channel, name)), write

        port = axdr.octets(logical_name("0-0:24.6.0.255"))
        return CosemObject(
            72,
            f"0-{channel.number}:24.1.0.255",
            {
                2: Attribute(port),
                3: Attribute(axdr.array([])),
                4: Attribute(axdr.integer(axdr.U32, PERIOD_S)),
                5: Attribute(*number("address", axdr.U8, 250)),
                6: Attribute(*number("identification", axdr.U32)),
                7: Attribute(*number("maker", axdr.U16)),
                8: Attribute(*number("version", axdr.U8)),
                9: Attribute(*number("kind", axdr.U8)),
                10: Attribute(lambda now: axdr.integer(axdr.U8, round(now // PERIOD_S) % 256)),
                11: Attribute(axdr.integer(axdr.U8, 0)),
                12: Attribute(lambda _: axdr.integer(axdr.U8, channel.alarm)),
                13: Attribute(*number("configuration", axdr.U16)),
                14: Attribute(axdr.integer(axdr.ENUM, _NO_KEY)),
            },
            {
                1: self._acted(channel, self._install),
                2: self._acted(channel, self._take_off),
                3: self._acted(channel, self._capture),
                4: self._acted(channel, self._reset_alarm),
            },
            version=1,
        )

    def _acted(
        self, channel: Channel, act: Callable[[float, Channel, int], None]
    ) -> Callable[[float, Value | None], bytes]:
        def method(now: float, parameter: Value | None) -> bytes:
            if parameter is None:
                raise BadData("the parameter is missing")
            act(now, channel, parameter.number())
            return b""

        return method

    def _install(self, now: float, channel: Channel, address: int) -> None:
        """Ask the wire at the address written before, or given here, who is there."""
        if channel.slave is not None:
            raise Refused(OTHER_REASON)
        channel.address = address or channel.address
        slave = WIRE.get(channel.address)
        taken = any(other.slave is slave for other in self.channels.values())
        if slave is None or taken or self._lost(channel.address):
            raise Refused(OTHER_REASON)
        channel.learn(slave)
        channel.since = self._clock.true(now)
        self._tell(now, SLAVE_INSTALLED + (channel.number - 1) * SLAVE_EVENTS)

    def _take_off(self, now: float, channel: Channel, parameter: int) -> None:
        del now, parameter
        if channel.slave is None:
            raise Refused(OTHER_REASON)
        self.channels[channel.number].slave = None
        for name in ("address", "identification", "maker", "version", "kind", "configuration"):
            setattr(channel, name, 0)
        channel.utility_serial, channel.since = "", None

    def _capture(self, now: float, channel: Channel, parameter: int) -> None:
        del now, parameter
        if channel.slave is None or self._lost(channel.address):
            raise Refused(OTHER_REASON)

    def _reset_alarm(self, now: float, channel: Channel, parameter: int) -> None:
        del parameter
        channel.alarm = 0
        if channel.number == 1:
            self._alarms.end(now, "slave-lost")
        if self._lost(channel.address):
            channel.alarm = 1
            self._alarms.begin(now, "slave-lost")

    def _lost(self, address: int) -> bool:
        return address == 1 and "slave-lost" in self._faults

    # -- values ------------------------------------------------------------------------------

    def _serial(self, channel: Channel) -> CosemObject:
        def write(now: float, value: Value) -> None:
            del now
            octets = value.octets(axdr.OCTETS, axdr.VISIBLE)
            if len(octets) > _LONGEST_SERIAL or not octets.isascii():
                raise BadData("a serial has at most 24 characters")
            channel.utility_serial = octets.decode("ascii")

        read = Attribute(lambda _: axdr.text(channel.utility_serial), write=write)
        return CosemObject(1, f"0-{channel.number}:96.1.0.255", {2: read})

    def _moment(self, now: float) -> datetime:
        return self._clock.measured(now, PERIOD_S)

    def _value(self, channel: Channel, code: str) -> Quantity:
        if channel.slave is None:
            raise Refused(UNAVAILABLE)
        return channel.slave.quantity(code, self._counting_since)

    def _register(self, channel: Channel) -> CosemObject:
        code = f"0-{channel.number}:24.2.1.255"

        def value(now: float) -> bytes:
            return self._value(channel, code).octets(self._moment(now))

        def captured(now: float) -> bytes:
            return axdr.octets(self._clock.zone.octets(self._moment(now)))

        def form(now: float) -> bytes:
            del now
            quantity = self._value(channel, code)
            scaler = axdr.integer(axdr.I8, quantity.scaler or 0)
            return axdr.structure(scaler, axdr.integer(axdr.ENUM, quantity.unit))

        status = axdr.integer(axdr.U8, 0)
        attributes: dict[int, bytes | Reader] = {2: value, 3: form, 4: status, 5: captured}
        return CosemObject(4, code, {n: Attribute(read) for n, read in attributes.items()})

    def _mapped(self, channel: Channel, slave: Slave) -> Iterator[CosemObject]:
        """Yield serials and value of a slave under its medium's codes, B counted from 0."""
        place = channel.number - 1
        code = _CODES[slave.medium].format(place)

        def only(read: Callable[[Slave, float], bytes]) -> Callable[[float], bytes]:
            def reader(now: float) -> bytes:
                if channel.slave is not slave:
                    raise Refused(UNAVAILABLE)
                return read(slave, now)

            return reader

        yield data(
            f"{slave.medium}-{place}:0.0.0.255",
            only(lambda _, __: axdr.text(channel.utility_serial)),
        )
        yield data(f"{slave.medium}-{place}:0.0.9.255", only(lambda own, _: axdr.text(own.serial)))
        quantity = slave.quantity(code, self._counting_since)
        form = axdr.structure(
            axdr.integer(axdr.I8, quantity.scaler or 0), axdr.integer(axdr.ENUM, quantity.unit)
        )
        value = only(lambda _, now: quantity.octets(self._moment(now)))
        yield CosemObject(3, code, {2: Attribute(value), 3: Attribute(form)})

    # -- profile -----------------------------------------------------------------------------

    def _profile(self, channel: Channel) -> CosemObject:
        code = f"0-{channel.number}:24.3.0.255"
        register = Column(4, f"0-{channel.number}:24.2.1.255")
        profile = Profile(
            code,
            (Column(8, CLOCK), Column(1, "0-0:96.10.5.255"), register),
            period_s=PERIOD_S,
            capacity=ROWS,
            held=lambda now: self.rows_at(channel.number, self._moment(now)),
            zone=self._clock.zone,
            faults=self._faults,
        )
        return profile.cosem()

    def rows_at(self, number: int, moment: datetime) -> ListedRows:
        """Return the profile of a channel when it is brought up to ``moment``: 240 rows at most."""
        channel = self.channels[number]
        if channel.slave is None or channel.since is None:
            return ListedRows([])
        quantity = channel.slave.quantity("", self._counting_since)
        capture = Capture(self._clock.zone, (quantity,), self._outages)
        newest = moment
        if self._lost(channel.address):
            newest = self._clock.born - timedelta(days=1)  # that long it has been silent
        rows = PeriodicRows(capture, PERIOD_S, newest, ROWS)
        listed: list[Row] = [rows.row(place) for place in range(ROWS)]
        return ListedRows([row for row in listed if row.time > channel.since])
