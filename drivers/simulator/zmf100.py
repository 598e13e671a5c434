r"""A virtual Landis+Gyr ZMF100 with its AIM module: three phases, optical port, mode E.

Client 16 reads without a password; client 32 with the utility's password may also write and
switch; client 1 ciphers and proves keys.  Each of them chooses logical or short names.
Mode C gives the readout of the display list, ``ACK 2 Z 2`` the way into HDLC.
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
from drivers.simulator.dlms.faults import FAULTS as DLMS_FAULTS
from drivers.simulator.dlms.faults import POLYPHASE_CONDITIONS, Faults
from drivers.simulator.dlms.hdlc import HdlcStation, StationSettings
from drivers.simulator.dlms.objects import Access, ObjectModel, data
from drivers.simulator.dlms.profile import CLOCK, Column, Profile, Rows
from drivers.simulator.dlms.server import Client, Server
from drivers.simulator.dlms.short_names import DEVICE_NAME, MODULE, SAP
from drivers.simulator.dlms.tariffs import Tariffs
from drivers.simulator.household import Household, Outage
from drivers.simulator.iec62056 import FAULTS as OPTICAL_FAULTS
from drivers.simulator.iec62056 import OpticalPort
from drivers.simulator.loadprofile import (
    CalendarRows,
    Capture,
    PeriodicRows,
    grown,
    midnights,
    month_starts,
)
from drivers.simulator.meterclock import MeterClock, Zone
from drivers.simulator.model import (
    CALENDAR_ACTIVE,
    NEW_TIME,
    OLD_TIME,
    WRONG_PASSWORD,
    Disconnector,
    EventLog,
    Mode,
)
from drivers.simulator.slaves import MBus
from drivers.simulator.supervision import Supervision
from drivers.simulator.zmf100_past import DISTURBED, LONG_OUTAGE, OUTAGES, events
from drivers.simulator.zmf100_readout import readout
from drivers.simulator.zmf100_values import Measured

PASSWORD = b"MW-TEST-2"  # of the virtual meter alone; no real meter has it
AUTHENTICATION_KEY = bytes.fromhex("A0A1A2A3A4A5A6A7A8A9AAABACADAEAF")  # these as well
ENCRYPTION_KEY = bytes.fromhex("0F0E0D0C0B0A09080706050403020100")
READER, UTILITY, KEY_CLIENT = 16, 32, 1  # clients
COUNTER = "0-0:43.1.0.255"
SHORT_NAMES = {  # the base names that this family reserves
    "0-0:41.0.0.255": SAP,
    "0-0:42.0.0.255": DEVICE_NAME,
    "1-1:0.2.0.255": MODULE,
}
FAULTS = OPTICAL_FAULTS | DLMS_FAULTS | POLYPHASE_CONDITIONS
TYPE = "landisgyr-zmf100"
IDENTIFICATION = "/LGZ5\\2ZMF100AC.M26"
FIRMWARE, MODULE_FIRMWARE = "M26", "ADP1 V4.12"
CONFIGURATION, PARAMETERS = "C4-0401", "17"
PERIOD_S, DAY_S = 3600, 86_400
PERIODIC_ROWS, DAILY_ROWS, MONTHLY_ROWS = 2160, 366, 13
REFRESH_S = 600  # values move on so often; what was expected stays true that long
SYNC_LIMIT_S = 9  # a clock set by more leaves a mark in the profile and in the log
ZONE = Zone(60, summer_time=True)
PERIODIC, DAILY, MONTHLY = "1-0:99.1.0.255", "1-0:99.2.0.255", "0-0:98.1.0.255"
STANDARD_LOG, RELAY_LOG = "0-0:99.98.0.255", "0-0:99.98.2.255"
_STATUS = {PERIODIC: "0-0:96.10.1.255", DAILY: "0-0:96.10.2.255", MONTHLY: "0-0:96.10.3.255"}
_COLUMNS = {
    PERIODIC: ("1-0:1.8.0.255", "1-0:2.8.0.255", "1-0:15.8.0.255"),
    DAILY: ("1-0:1.8.1.255", "1-0:1.8.2.255", "1-0:2.8.1.255", "1-0:2.8.2.255"),
    MONTHLY: ("1-0:1.8.0.255", "1-0:1.8.1.255", "1-0:1.8.2.255", "1-0:2.8.0.255"),
}
_DIGITS = 8
_LOG_STATUS, _SLAVE_STATUS = "0-0:96.10.4.255", "0-0:96.10.5.255"
LIMIT_W = 69_000  # what 3 x 100 A at 230 V are
_HIGHEST_PARAMETERS = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """One profile: what it captures, how many rows it can hold, and its period (0: calendar)."""

    capture: Capture
    capacity: int
    period_s: int


def build(
    *,
    serial: str = "",
    rows: int = 0,
    seed: int = 1,
    faults: Sequence[str] = (),
    start: datetime | None = None,
) -> OpticalPort:
    """Return a virtual meter behind its optical port.

    Args:
        serial: Up to 8 digits; "" makes one from the seed.
        rows: Rows in the periodic profile; 0 for 2,160.
        seed: Chooses the household and the error of the clock.
        faults: Names out of `FAULTS`.
        start: True time at the first call; None for the real time.

    Raises:
        ValueError: The serial is no such number, or a fault is unknown.
    """
    inner = Faults(name for name in faults if name not in OPTICAL_FAULTS or name in DLMS_FAULTS)
    return Zmf100(serial, rows or PERIODIC_ROWS, seed, inner, start).port(faults)


class ClockedPort(OpticalPort):
    """An optical port whose first character starts the meter's clock."""

    clock: MeterClock

    def receive(self, now: float, data: bytes) -> None:
        """Hear ``data``, whose last stop bit passed at ``now``."""
        self.clock.true(now)
        super().receive(now, data)


class Zmf100:
    """The meter behind the port: what it measures, what it remembers, who may ask."""

    def __init__(
        self, serial: str, rows: int, seed: int, faults: Faults, start: datetime | None
    ) -> None:
        chance = Random(f"zmf100 {seed}")  # noqa: S311 (no secret)
        self.serial = (serial or str(chance.randrange(10**7, 10**8))).zfill(_DIGITS)
        if not (self.serial.isdecimal() and len(self.serial) == _DIGITS):
            raise ValueError(f"the serial must have at most {_DIGITS} digits, not {serial!r}")
        self.faults = faults
        error = past.clock_error(chance, ten_years="clock-off-10-years" in faults)
        self.clock = MeterClock(start, error, ZONE)
        self.clock.lost = self._lost = "clock-lost" in faults
        born = self.clock.born
        outages = past.outages(born, (LONG_OUTAGE, *OUTAGES) if self._lost else OUTAGES)
        since = past.counting_since(born, rows, PERIOD_S)
        self.home = Household(seed, since, low=200, high=1000, solar=30, outages=outages)
        disturbed = {phase: v for name, (phase, v) in DISTURBED.items() if name in faults}
        self.measured = Measured(chance, self.home, outages, disturbed)
        self.standard = EventLog(200, events(born, ZONE, outages))
        self.relay_log = EventLog(20)
        self.switch = Disconnector(Mode.LOCAL, self._switched)
        self.parameters = int(PARAMETERS)
        self.tariffs = Tariffs(self.clock, self._tariffs_changed)
        self.supervision = self._supervised()
        self.slaves = MBus(
            self.clock,
            past.midnight(born) - timedelta(days=400),
            outages,
            alarms=self.supervision.alarms,
            faults=faults,
            tell=lambda now, code: self.standard.add(self.clock.shown(now), code),
        )
        self.supervision.begin(faults)
        self.settings = StationSettings(upper_alone=True, lower=17, inactivity_s=30.0)
        title = b"LGZ" + int(self.serial).to_bytes(5, "big")
        self.keys = MeterKeys(ENCRYPTION_KEY, AUTHENTICATION_KEY, title)
        self._rows = rows
        self._adjusted: list[datetime] = []
        self._unknown = [outages[-2].end] if self._lost else []  # when the clock was not known
        self.kept = {
            PERIODIC: Kept(self._capture(PERIODIC, outages), max(rows, PERIODIC_ROWS), PERIOD_S),
            DAILY: Kept(self._capture(DAILY, outages), DAILY_ROWS, DAY_S),
            MONTHLY: Kept(self._capture(MONTHLY, outages), MONTHLY_ROWS, 0),
        }

    def _supervised(self) -> Supervision:
        return Supervision(
            self.clock,
            standard=self.standard,
            tamper=self.standard,
            relay_log=self.relay_log,
            power=self.home.power,
            energy=lambda moment: self.home.energy("+", 0, moment),
            supplied=lambda: self.switch.output,
            switch=self.switch.act_by_itself,
            limit_w=LIMIT_W,
        )

    def settle(self, now: float) -> None:
        """Bring what the meter does by itself up to ``now``."""
        self.tariffs.settle(now)
        self.supervision.settle(now)

    def _tariffs_changed(self, now: float) -> None:
        """Tell the new contract by another parameterisation: a table may be named by its number."""
        name = self.tariffs.name.decode("ascii", "replace")
        known = name.isdecimal() and int(name) <= _HIGHEST_PARAMETERS
        self.parameters = int(name) if known else (self.parameters + 1) % (_HIGHEST_PARAMETERS + 1)
        self.standard.add(self.clock.shown(now), CALENDAR_ACTIVE)

    def _capture(self, code: str, outages: Sequence[Outage]) -> Capture:
        picked = self.measured.picked(*_COLUMNS[code])
        return Capture(ZONE, picked, outages, self._adjusted, self._unknown)

    @property
    def logical_device_name(self) -> str:
        """Return the maker's letters and the serial."""
        return f"LGZ{self.serial}"

    @property
    def utility_serial(self) -> str:
        """Return the utility's asset number: its prefix, the serial, a check digit."""
        number = f"7601234{self.serial}"
        weighted = sum(
            int(c) * (3 if place % 2 == 0 else 1) for place, c in enumerate(reversed(number))
        )
        return number + str(-weighted % 10)

    # -- what it remembers -------------------------------------------------------------------

    def rows_at(self, code: str, moment: datetime) -> Rows:
        """Return a profile when its values are brought up to ``moment``."""
        kept = self.kept[code]
        if code == PERIODIC:
            count = min(kept.capacity, self._rows + grown(self.clock.born, moment, PERIOD_S))
            return PeriodicRows(kept.capture, PERIOD_S, moment, count)
        listed = midnights if code == DAILY else month_starts
        begin, *times = listed(ZONE, moment, kept.capacity + 1)
        return CalendarRows(kept.capture, begin, times)

    def _switched(self, now: float, code: int) -> None:
        self.relay_log.add(self.clock.shown(now), code)

    def _clock_moved(self, now: float, by: timedelta) -> None:
        if self._lost:
            self._lost = False
            self._unknown.append(self.clock.shown(now))
            self.supervision.alarms.end(now, "clock-lost")
        if abs(by.total_seconds()) <= SYNC_LIMIT_S:
            return
        shown = self.clock.shown(now)
        self.standard.add(shown - by, OLD_TIME)
        self.standard.add(shown, NEW_TIME)
        self._adjusted.append(shown)

    def _locked(self, now: float) -> None:
        self.standard.add(self.clock.shown(now), WRONG_PASSWORD)

    # -- how it is asked ---------------------------------------------------------------------

    def port(self, faults: Sequence[str] = ()) -> OpticalPort:
        """Return the meter behind its optical port."""
        port = ClockedPort(
            name=f"{TYPE} {self.serial}",
            identification=IDENTIFICATION.encode("ascii"),
            readout=self.readout,
            hdlc=self.station(),
            address=self.serial,
            expected=self.expected,
            faults=faults,
        )
        port.clock = self.clock
        return port

    def server(self, max_pdu: int = 1024) -> Server:
        """Return what answers behind any link; ``max_pdu`` is the longest APDU it takes."""
        return Server(
            self.model(),
            (
                Client(READER, Access.READ),
                Client(UTILITY, Access.MANAGE, PASSWORD),
                Client(KEY_CLIENT, Access.MANAGE, keys=self.keys),
            ),
            self.faults,
            expected=self.expected,
            wrong_password=self._locked,
            max_pdu=max_pdu,
            settle=self.settle,
            short_names=SHORT_NAMES,
        )

    def station(self) -> HdlcStation:
        """Return the HDLC station without the optical sign-on."""
        return HdlcStation(f"{TYPE} {self.serial}", self.settings, self.server(), self.faults)

    def _brought(self, now: float) -> datetime:
        return self.clock.measured(now, REFRESH_S)

    def model(self) -> ObjectModel:
        """Return all objects."""
        control = disconnect_object(self.switch, (Mode.LOCAL, Mode.REMOTE))
        model = ObjectModel(
            [
                data("0-0:42.0.0.255", axdr.text(self.logical_device_name), Access.PUBLIC),
                data("1-0:0.0.0.255", axdr.text(self.utility_serial), Access.PUBLIC),
                data("1-0:0.2.0.255", axdr.text(FIRMWARE), Access.PUBLIC),
                data("1-1:0.2.0.255", axdr.text(MODULE_FIRMWARE)),
                data("0-1:96.1.9.255", axdr.text(f"AD{self.serial}")),
                data("1-0:96.90.0.255", axdr.text(CONFIGURATION)),
                data("1-0:0.2.1.255", lambda _: axdr.text(str(self.parameters))),
                data("0-0:96.1.0.255", axdr.text(self.serial)),
                data("0-0:96.1.1.255", axdr.text(" " * _DIGITS)),
                data(COUNTER, lambda _: axdr.integer(axdr.U32, self.keys.accepted), Access.PUBLIC),
                data(_LOG_STATUS, axdr.integer(axdr.U8, 0)),
                data(_SLAVE_STATUS, axdr.integer(axdr.U8, 0)),
                logical_devices([(self.settings.upper, self.logical_device_name)]),
                hdlc_setup(self.settings),
                clock_object(self.clock, self.faults, self._clock_moved),
                control,
                *self.tariffs.objects(),
                *self.supervision.objects(control),
                *self.slaves.objects(),
            ]
        )
        for quantity in (*self.measured.quantities.values(), self.supervision.monitor.demand):
            model.add(quantity.cosem(self._brought))
        for code in self.kept:
            model.add(data(_STATUS[code], axdr.integer(axdr.U8, 0)))
            model.add(self._profile(code).cosem())
        for number, code, log in ((0, STANDARD_LOG, self.standard), (2, RELAY_LOG, self.relay_log)):
            status = _LOG_STATUS
            for item in log_objects(code, number, log, self.clock, self.faults, status=status):
                model.add(item)
        return model

    def _profile(self, code: str) -> Profile:
        kept = self.kept[code]
        return Profile(
            code,
            (
                Column(8, CLOCK),
                Column(1, _STATUS[code]),
                *(Column(item.class_id, item.code) for item in kept.capture.quantities),
            ),
            period_s=kept.period_s,
            capacity=kept.capacity,
            held=lambda now: self.rows_at(code, self.clock.measured(now, PERIOD_S)),
            zone=ZONE,
            faults=self.faults,
        )

    def readout(self, now: float) -> bytes:
        """Return the data message of mode C: the display list with the values of ``now``."""
        return readout(
            self.measured,
            self._brought(now),
            serial=self.serial,
            utility_serial=self.utility_serial,
            firmware=FIRMWARE,
        )

    def expected(self) -> dict[str, object]:
        """What a correct reader must find at the start."""
        born = self.clock.born
        wanted = [item.code for item in load_meter_type(TYPE).registers]
        profiles = [
            findings.profile(code, kept.period_s, kept.capture.quantities, self.rows_at(code, born))
            for code, kept in self.kept.items()
        ]
        return {
            "type": TYPE,
            "identity": {
                "serial": self.serial,
                "utility_serial": self.utility_serial,
                "logical_device_name": self.logical_device_name,
                "manufacturer": "LGZ",
                "model": "ZMF100AC",
                "firmware": FIRMWARE,
                "identification": IDENTIFICATION,
            },
            "registers": findings.registers(wanted, self.measured.quantities, born),
            "profile": profiles[0],
            "profiles": profiles[1:],
            "events": findings.events(STANDARD_LOG, self.standard),
            "logs": [findings.events(RELAY_LOG, self.relay_log)],
            "clock": findings.clock(self.clock),
            "relay": findings.relay(self.switch),
        }
