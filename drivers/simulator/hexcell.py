"""A virtual Hexcell DDSY1088: single-phase prepayment meter, DLMS on RS-485 or over TCP.

Client 16 wants the password; client 17 needs none and sees only who the meter is, its clock and the
counter of client 1, which must cipher and prove its keys; client 2 proves the password (HLS 2).
On the bus it answers to logical device 1 at the physical address made of its serial.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from drivers.metertype import load_meter_type
from drivers.simulator import findings, past
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.ciphering import MeterKeys
from drivers.simulator.dlms.classes import (
    clock_object,
    disconnect_object,
    hdlc_setup,
    log_objects,
    logical_devices,
)
from drivers.simulator.dlms.faults import FAULTS, Faults
from drivers.simulator.dlms.hdlc import HdlcStation, StationSettings
from drivers.simulator.dlms.images import Images
from drivers.simulator.dlms.objects import (
    AMPERE,
    HERTZ,
    VOLT,
    WATT,
    WH,
    Access,
    ObjectModel,
    data,
)
from drivers.simulator.dlms.profile import CLOCK, Column, Profile
from drivers.simulator.dlms.server import Client, Server
from drivers.simulator.dlms.tariffs import Tariffs
from drivers.simulator.dlms.wrapper import TwoFramings, WrapperDevice
from drivers.simulator.household import Household, Outage
from drivers.simulator.loadprofile import Capture, PeriodicRows, grown
from drivers.simulator.meterclock import MeterClock, Zone
from drivers.simulator.model import (
    CALENDAR_ACTIVE,
    FIRMWARE_ACTIVATED,
    MAGNET,
    MAGNET_GONE,
    NEW_TIME,
    OLD_TIME,
    TERMINALS_CLOSED,
    TERMINALS_OPEN,
    WRONG_PASSWORD,
    Disconnector,
    Event,
    EventLog,
    Mode,
)
from drivers.simulator.prepayment import Prepayment
from drivers.simulator.prepayment_objects import ASCII, PrepaymentObjects
from drivers.simulator.quantities import Quantity
from drivers.simulator.sts_meter import StsMeter
from drivers.simulator.supervision import Supervision
from drivers.simulator.tokenoffice import FIRST_KEY, drn_of, virtual_key
from drivers.sts.identifiers import KeyName, tid_of

__all__ = ["FAULTS", "PASSWORD", "PUBLIC_CLIENT", "Hexcell", "build", "physical_address"]

PASSWORD = b"MW-TEST-1"  # of the virtual meter alone; no real meter has it
AUTHENTICATION_KEY = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")  # these as well
ENCRYPTION_KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
CLIENT, PUBLIC_CLIENT, KEY_CLIENT, CHALLENGED_CLIENT = 16, 17, 1, 2
COUNTER = "0-0:43.1.0.255"
TYPE = "hexcell-ddsy1088"
FIRMWARE = "HXE1088-V2.31"
PERIOD_S = 1800
CAPACITY = 4320
LIMIT_W = 13_800  # what 60 A at 230 V are
REFRESH_S = 120  # values move on so often; what was expected stays true that long
PROFILE, PROFILE_STATUS = "1-0:99.1.0.255", "0-0:96.10.1.255"
STANDARD_LOG, TAMPER_LOG, RELAY_LOG = "0-0:99.98.0.255", "0-0:99.98.1.255", "0-0:99.98.2.255"
ZONE = Zone(60)  # West Africa
_DIGITS = 11
_CREDIT, _BOUGHT = 613, 1000  # units of 0.1 kWh: what is left, and what was bought last
_MADE = datetime(2023, 6, 1)  # noqa: DTZ001 (a meter's local clock has no zone)
_OUTAGES = ((2, 13, 22, 216), (9, 17, 5, 12), (41, 4, 48, 95), (130, 15, 11, 61), (260, 9, 3, 20))


def physical_address(serial: str) -> int:
    """Return the physical HDLC address of a meter: its last four digits plus 1,000."""
    return int(serial) % 10_000 + 1000


def build(
    *,
    serial: str = "",
    rows: int = 0,
    seed: int = 1,
    faults: Sequence[str] = (),
    start: datetime | None = None,
) -> TwoFramings:
    """Return a virtual meter that hears HDLC and the TCP wrapper.

    Args:
        serial: 11 digits; "" makes one from the seed.
        rows: Rows in the load profile; 0 for 1,440 (thirty days).
        seed: Chooses the household and the error of the clock.
        faults: Names out of `FAULTS`.
        start: True time at the first call; None for the real time.

    Raises:
        ValueError: The serial is no number of 11 digits, or a fault is unknown.
    """
    return Hexcell(serial, rows or CAPACITY // 3, seed, Faults(faults), start).device()


@dataclass(frozen=True, slots=True)
class Past:
    """What has happened to the meter before it is read."""

    outages: tuple[Outage, ...]
    standard: tuple[Event, ...]
    tamper: tuple[Event, ...]


class Hexcell:
    """The meter behind the line: what it measures, what it remembers, who may ask."""

    def __init__(
        self,
        serial: str,
        rows: int,
        seed: int,
        faults: Faults,
        start: datetime | None,
        *,
        key: KeyName = FIRST_KEY,
        encoding: str = ASCII,
    ) -> None:
        chance = Random(f"hexcell {seed}")  # noqa: S311 (no secret)
        self.serial = serial or f"46{chance.randrange(10**8, 10**9)}"
        if not (self.serial.isdecimal() and len(self.serial) == _DIGITS):
            raise ValueError(f"the serial must have {_DIGITS} digits, not {self.serial!r}")
        self.faults = faults
        self.clock = MeterClock(
            start, past.clock_error(chance, ten_years="clock-off-10-years" in faults), ZONE
        )
        born = self.clock.born
        before = _past(born)
        since = past.counting_since(born, rows, PERIOD_S)
        self.home = Household(seed, since, low=60, high=150, outages=before.outages)
        self.standard = EventLog(100, before.standard)
        self.tamper = EventLog(50, before.tamper)
        self.relay_log = EventLog(20)
        self.switch = Disconnector(Mode.DIRECT, self._switched)
        self.prepayment = self._prepayment(key)
        self._cosem = PrepaymentObjects(self.prepayment, self.clock, faults, encoding)
        self._rows = rows
        self._capacity = max(rows, CAPACITY)
        self._lag = chance.uniform(0.90, 0.99)  # power factor
        self._volts = chance.uniform(226.0, 234.0)
        self._hertz = chance.uniform(49.95, 50.05)
        self.energy = Quantity(
            "1-0:1.8.0.255", lambda t: self.home.energy("+", 0, t) // 10, scaler=1, unit=WH
        )
        self.voltage = Quantity("1-0:32.7.0.255", self._voltage, axdr.U16, -1, VOLT)
        self.quantities = {item.code: item for item in self._quantities()}
        self.capture = Capture(ZONE, (self.energy, self.voltage), before.outages)
        self.settings = StationSettings(lower=physical_address(self.serial))
        self.firmware = FIRMWARE
        self.tariffs = Tariffs(self.clock, self._tariffs_changed)
        self.images = Images(b"HXE", self._loaded)
        self.supervision = self._supervised()
        self.supervision.begin(faults)
        title = b"HXE" + int(self.serial).to_bytes(5, "big")
        self.keys = MeterKeys(ENCRYPTION_KEY, AUTHENTICATION_KEY, title, chance.randrange(9000))

    def _supervised(self) -> Supervision:
        return Supervision(
            self.clock,
            standard=self.standard,
            tamper=self.tamper,
            relay_log=self.relay_log,
            power=self.home.power,
            energy=lambda moment: self.home.energy("+", 0, moment),
            supplied=lambda: self.switch.output,
            switch=self.prepayment.limit,
            limit_w=LIMIT_W,
        )

    def _prepayment(self, key: KeyName) -> Prepayment:
        drn = drn_of(self.serial)
        sts = StsMeter(
            virtual_key(drn, key), key, balance=_CREDIT, manufactured=tid_of(_MADE, key.base)
        )
        account = Prepayment(sts, drn, self.switch, self._used)
        account.purchased = _BOUGHT
        return account

    def _used(self, now: float) -> int:
        return self.home.energy("+", 0, self.clock.true(now))

    # -- what it measures --------------------------------------------------------------------

    def _quantities(self) -> tuple[Quantity, ...]:
        return (
            self.energy,
            Quantity("1-0:1.7.0.255", self._watts, unit=WATT),
            self.voltage,
            Quantity("1-0:31.7.0.255", self._current, axdr.U16, -2, AMPERE),
            Quantity("1-0:13.7.0.255", lambda _: round(self._lag * 1000), axdr.U16, -3),
            Quantity("1-0:14.7.0.255", lambda _: round(self._hertz * 100), axdr.U16, -2, HERTZ),
        )

    def _watts(self, moment: datetime) -> int:
        return self.home.power(moment) if self.switch.output else 0

    def _voltage(self, moment: datetime) -> int:
        return round(self._volts * 10) - self.home.power(moment) // 40

    def _current(self, moment: datetime) -> int:
        volts = self._voltage(moment) / 10
        return round(self._watts(moment) / (volts * self._lag) * 100)

    def measured(self, now: float) -> datetime:
        """Return the moment up to which registers are brought at ``now``."""
        return self.clock.measured(now, REFRESH_S)

    # -- what it remembers -------------------------------------------------------------------

    def rows_at(self, moment: datetime) -> PeriodicRows:
        """Return the load profile when its values are brought up to ``moment``."""
        count = min(self._capacity, self._rows + grown(self.clock.born, moment, PERIOD_S))
        return PeriodicRows(self.capture, PERIOD_S, moment, count)

    def _held(self, now: float) -> PeriodicRows:
        return self.rows_at(self.clock.measured(now, PERIOD_S))

    def _switched(self, now: float, code: int) -> None:
        self.relay_log.add(self.clock.shown(now), code)

    def _clock_moved(self, now: float, by: timedelta) -> None:
        self.standard.add(self.clock.shown(now) - by, OLD_TIME)
        self.standard.add(self.clock.shown(now), NEW_TIME)

    def _locked(self, now: float) -> None:
        self.tamper.add(self.clock.shown(now), WRONG_PASSWORD)

    def _tariffs_changed(self, now: float) -> None:
        self.standard.add(self.clock.shown(now), CALENDAR_ACTIVE)

    def _loaded(self, now: float, identifier: bytes) -> None:
        self.firmware = identifier.decode("ascii", "replace")
        self.standard.add(self.clock.shown(now), FIRMWARE_ACTIVATED)

    # -- how it is asked ---------------------------------------------------------------------

    def device(self) -> TwoFramings:
        """Return the meter as a device on a line."""
        name = f"{TYPE} {self.serial}"
        server = Server(
            self.model(),
            (
                Client(CLIENT, Access.MANAGE, PASSWORD),
                Client(PUBLIC_CLIENT, Access.PUBLIC),
                Client(KEY_CLIENT, Access.MANAGE, keys=self.keys),
                Client(CHALLENGED_CLIENT, Access.MANAGE, PASSWORD, challenge=True),
            ),
            self.faults,
            expected=self.expected,
            wrong_password=self._locked,
            settle=self.supervision.settle,
        )
        station = HdlcStation(name, self.settings, server, self.faults)
        wrapper = WrapperDevice(name, server, self.faults)
        return TwoFramings(station, wrapper, self.clock.true, self.prepayment.keypad)

    @property
    def logical_device_name(self) -> str:
        """Return the maker's three letters and the serial: 16 characters."""
        return f"HXE{self.serial:0>13}"

    def model(self) -> ObjectModel:
        """Return all objects."""
        profile = Profile(
            PROFILE,
            (
                Column(8, CLOCK),
                Column(1, PROFILE_STATUS),
                *(Column(item.class_id, item.code) for item in self.capture.quantities),
            ),
            period_s=PERIOD_S,
            capacity=self._capacity,
            held=self._held,
            zone=ZONE,
            faults=self.faults,
        )
        control = self._cosem.switch(disconnect_object(self.switch))
        model = ObjectModel(
            [
                data("0-0:42.0.0.255", axdr.text(self.logical_device_name), Access.PUBLIC),
                data("0-0:96.1.0.255", axdr.text(self.serial), Access.PUBLIC),
                data("1-0:0.2.0.255", lambda _: axdr.text(self.firmware), Access.PUBLIC),
                data(COUNTER, lambda _: axdr.integer(axdr.U32, self.keys.accepted), Access.PUBLIC),
                data(PROFILE_STATUS, axdr.integer(axdr.U8, 0)),
                logical_devices([(self.settings.upper, self.logical_device_name)]),
                hdlc_setup(self.settings),
                clock_object(self.clock, self.faults, self._clock_moved),
                control,
                profile.cosem(),
                self.supervision.monitor.demand.cosem(self.measured),
                *self.supervision.objects(control),
            ]
        )
        for quantity in self.quantities.values():
            model.add(quantity.cosem(self.measured))
        for item in (*self.tariffs.objects(), self.images.cosem()):
            model.add(item)
        for item in self._cosem.all():
            model.add(item)
        logs = (STANDARD_LOG, self.standard), (TAMPER_LOG, self.tamper), (RELAY_LOG, self.relay_log)
        for number, (code, log) in enumerate(logs):
            for item in log_objects(code, number, log, self.clock, self.faults):
                model.add(item)
        return model

    def expected(self) -> dict[str, object]:
        """What a correct reader must find at the start."""
        born = self.clock.born
        wanted = [item.code for item in load_meter_type(TYPE).registers]
        return {
            "type": TYPE,
            "identity": {
                "serial": self.serial,
                "utility_serial": "",
                "logical_device_name": self.logical_device_name,
                "manufacturer": "HXE",
                "model": "",  # nothing in it tells
                "firmware": FIRMWARE,
                "identification": "",
            },
            "registers": findings.registers(wanted, self.quantities, born),
            "profile": findings.profile(
                PROFILE, PERIOD_S, self.capture.quantities, self.rows_at(born)
            ),
            "events": findings.events(STANDARD_LOG, self.standard),
            "logs": [
                findings.events(TAMPER_LOG, self.tamper),
                findings.events(RELAY_LOG, self.relay_log),
            ],
            "clock": findings.clock(self.clock),
            "relay": findings.relay(self.switch),
            "prepayment": findings.prepayment(self.prepayment),
        }


def _past(born: datetime) -> Past:
    """Return what the logs hold: one outage of some hours two days ago, older ones, a tamper."""
    failures = past.outages(born, _OUTAGES)
    events = past.outage_events(failures)
    installed = past.daily(born, 400, 9, 0)
    events += [Event(installed, OLD_TIME), Event(installed + timedelta(seconds=40), NEW_TIME)]
    tamper = (
        Event(past.daily(born, 399, 10, 12), TERMINALS_OPEN),
        Event(past.daily(born, 399, 10, 21), TERMINALS_CLOSED),
        Event(past.daily(born, 33, 19, 31), MAGNET),
        Event(past.daily(born, 33, 19, 44), MAGNET_GONE),
    )
    return Past(failures, tuple(events), tamper)
