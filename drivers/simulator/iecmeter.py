"""A virtual IEC 62056-21 meter with registers, load profile and logs, all chosen by its seed.

Three makes of it differ in their dialect: ``emh`` (season flag, eight status digits, password in
the second group), ``metcom`` (two status digits, event codes), ``mass`` (Turkish: split times, own
time in each row, no header).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from drivers.simulator.iec62056 import FAULTS as PORT_FAULTS
from drivers.simulator.iec62056 import OpticalPort, framed
from drivers.simulator.programming import FAULTS as MODE_FAULTS
from drivers.simulator.programming import ProgrammingMode

PERIOD = timedelta(minutes=15)
ROWS = 3360  # 35 days
FAULTS = {**PORT_FAULTS, **MODE_FAULTS}
PASSWORD = b"12345678"  # of the meters that want one
_OUTAGE = timedelta(hours=1)
_EXTRA = timedelta(hours=2)
_SUMMER_BIT, _POWER_BIT, _SET_BIT = 0x08, 0x80, 0x20


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one make writes differently."""

    identification: str
    columns: tuple[tuple[str, str], ...]  # code and unit of the profile's values
    zone: str = "Europe/Berlin"
    split: bool = False  # times as yy-mm-dd,hh:mm and a time in each row
    long_status: bool = False  # eight hex digits
    event_codes: bool = False  # P.98 names events by 0-0:C.11.0
    in_value: bool = False  # the password goes with the value


DIALECTS = {
    "emh": Dialect(
        "/EMH5\\@\\201LZQJL0013F",
        (("1.5", "kW"), ("2.5", "kW"), ("5.5", "kvar"), ("8.5", "kvar")),
        long_status=True,
        in_value=True,
    ),
    "metcom": Dialect(
        "/MCS5\\@V0050010067967",
        (("1-0:1.5.0", "kW"), ("1-0:2.5.0", "kW"), ("1-0:5.5.0", "kvar"), ("1-0:8.5.0", "kvar")),
        event_codes=True,
    ),
    "mass": Dialect(
        "/VIK5<1>VEMM",
        (("1.8.0", "kWh"), ("5.8.0", "kVArh"), ("8.8.0", "kVArh")),
        zone="Europe/Istanbul",
        split=True,
    ),
}


@dataclass
class Registers:
    """What the meter holds: the store behind its programming mode and its readout.

    Args:
        dialect: How it writes.
        serial: Its serial number.
        seed: Chooses the values.
        rows: Profile rows before ``born``.
        born: True time at the first ``now``.
        error: What its clock is off by at first.
        extra: Answers a profile with two hours more than it was asked for.
        live: Its true time is that of this computer.
    """

    dialect: Dialect
    serial: str
    seed: int
    rows: int
    born: datetime
    error: timedelta = timedelta()
    extra: bool = False
    live: bool = False
    changes: list[tuple[datetime, str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._origin: float | None = None
        self._zone = ZoneInfo(self.dialect.zone)
        self._day: str | None = None  # a date that was written and waits for its time
        whole = self.born.replace(second=0, microsecond=0)
        self._last = whole - timedelta(minutes=whole.minute % 15)
        chance = Random(f"iec meter {self.seed}")  # noqa: S311 (a load curve is no secret)
        self.energy = chance.randrange(1_000_000, 90_000_000)  # Wh
        out = self._last - PERIOD * (self.rows // 3)
        self.outage = (out, out + _OUTAGE)

    # -- time --------------------------------------------------------------------------------

    def shown(self, now: float) -> datetime:
        """Return what the meter takes for the time."""
        if self._origin is None:
            age = (datetime.now(UTC) - self.born).total_seconds() if self.live else 0.0
            self._origin = now - age
        return self.born + timedelta(seconds=now - self._origin) + self.error

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def _stamp(self, moment: datetime) -> str:
        local = self._local(moment)
        if self.dialect.split:
            return f"{local:%y-%m-%d,%H:%M}"
        return f"{1 if local.dst() else 0}{local:%y%m%d%H%M%S}"

    def _clock(self, now: float) -> tuple[str, str]:
        """Return time and date as the clock registers show them."""
        local = self._local(self.shown(now))
        if self.dialect.split:
            return f"{local:%H:%M:%S}", f"{local:%y-%m-%d}"
        season = f"{1 if local.dst() else 0}"
        return f"{season}{local:%H%M%S}", f"{season}{local:%y%m%d}"

    # -- reading -----------------------------------------------------------------------------

    def read(self, now: float, code: str, argument: str) -> list[str] | None:
        """Return the data lines for a code; None when there is no such value."""
        if code.startswith("P."):
            start, end = self._range(argument)
            return self._archive(now, code, start, end)
        known = self.values(now)
        return [f"{code}({known[code]})"] if code in known else None

    def values(self, now: float) -> dict[str, str]:
        """Return the groups of all registers."""
        clock, day = self._clock(now)
        passed = (self.shown(now) - self.error - self.born).total_seconds()
        wh = self.energy + int(passed // 4)
        first = wh * 6 // 10
        return {
            "F.F": "00000000",
            "0.0.0": self.serial,
            "0.9.1": clock,
            "0.9.2": day,
            "1.8.0": f"{wh / 1000:010.3f}*kWh",
            "1.8.1": f"{first / 1000:010.3f}*kWh",
            "1.8.2": f"{(wh - first) / 1000:010.3f}*kWh",
            "2.8.0": "000000.000*kWh",
            "32.7.0": f"{225 + self.seed % 11}.4*V",
            "C.1.0": self.serial,
        }

    def lines(self, now: float) -> list[str]:
        """Return the data lines of the readout."""
        return [f"{code}({value})" for code, value in self.values(now).items()]

    def _range(self, argument: str) -> tuple[datetime | None, datetime | None]:
        start, _, end = argument.partition(";")
        return self._moment(start), self._moment(end)

    def _moment(self, text: str) -> datetime | None:
        if not text:
            return None
        if "-" in text:
            local = datetime.strptime(text, "%y-%m-%d,%H:%M")  # noqa: DTZ007 (wall time)
            return local.replace(tzinfo=self._zone)
        season = text[0] if len(text) % 2 else ""
        digits = text[len(season) :].ljust(12, "0")
        local = datetime.strptime(digits, "%y%m%d%H%M%S")  # noqa: DTZ007 (wall time)
        return local.replace(tzinfo=self._zone, fold=1 if season == "0" else 0)

    def _archive(
        self, now: float, code: str, start: datetime | None, end: datetime | None
    ) -> list[str] | None:
        if code in {"P.01", "P.02"}:
            return self._profile(now, code, start, end)
        if code not in {"P.98", "P.99"} or (code == "P.99" and self.dialect.split):
            return None
        records = self._events() if code == "P.98" else self._operator_records()
        kept = [
            line
            for moment, line in records
            if (start is None or moment >= start) and (end is None or moment <= end)
        ]
        return [f"{code}{line}" for line in kept] or [f"{code}(ERROR)"]

    # -- load profile ------------------------------------------------------------------------

    def times(
        self, now: float, start: datetime | None = None, end: datetime | None = None
    ) -> list[datetime]:
        """Return the ends of the intervals that were stored, outage left out."""
        newest = self._last + max(0, (self.shown(now) - self._last) // PERIOD) * PERIOD
        first = self._last - PERIOD * (self.rows - 1)
        if start is not None and start > first:
            first += -((first - start) // PERIOD) * PERIOD
        if end is not None:
            newest = min(newest, end + (_EXTRA if self.extra else timedelta()))
        count = max(0, (newest - first) // PERIOD + 1)
        moments = [(first + n * PERIOD).astimezone(UTC) for n in range(count)]
        return [m for m in moments if not self.outage[0] < m <= self.outage[1]]

    def row(self, moment: datetime) -> tuple[str, ...]:
        """Return the values of the interval that ends at ``moment``, as printed."""
        slot = int(moment.timestamp()) // 900
        base = (slot * 7919 + self.seed * 104_729) % 65_521
        return tuple(
            f"{(base * (n + 3)) % 99_991 / 100_000:.5f}" for n in range(len(self.dialect.columns))
        )

    def _profile(
        self, now: float, code: str, start: datetime | None, end: datetime | None
    ) -> list[str]:
        step = PERIOD if code == "P.01" else timedelta(days=1)
        moments = self.times(now, start, end)
        if code == "P.02":
            moments = [m for m in moments if self._local(m).hour == self._local(m).minute == 0]
        lines: list[str] = []
        before: datetime | None = None
        for moment in moments:
            values = "".join(f"({value})" for value in self.row(moment))
            if self.dialect.split:
                lines.append(f"{code}({self._stamp(moment)}){values}({self._status(moment)})")
                continue
            if before is None or self._new_header(before, moment, step):
                lines.append(self._header(code, moment, step))
            lines.append(values)
            before = moment
        return lines or [f"{code}(ERROR)"]

    def _new_header(self, before: datetime, moment: datetime, step: timedelta) -> bool:
        gap = moment - before != step and step == PERIOD
        season = self._local(before).dst() != self._local(moment).dst()
        return gap or season or self._status(before) != self._status(moment)

    def _header(self, code: str, moment: datetime, step: timedelta) -> str:
        minutes = int(step.total_seconds() // 60)
        columns = "".join(f"({c})({u})" for c, u in self.dialect.columns)
        head = f"({self._stamp(moment)})({self._status(moment)})({minutes:02d})"
        return f"{code}{head}({len(self.dialect.columns)}){columns}"

    def _status(self, moment: datetime) -> str:
        bits = _POWER_BIT if moment - PERIOD == self.outage[1] else 0
        if self.dialect.long_status:
            return f"{bits:08X}"
        bits |= _SUMMER_BIT if self._local(moment).dst() else 0
        return f"{bits:02X}"

    # -- logs --------------------------------------------------------------------------------

    def _events(self) -> list[tuple[datetime, str]]:
        down, up = self.outage
        found = [(down, "00000080", 1), (up, "00000040", 2)]
        for moment, code, _, _ in self.changes:
            if code == "0.9.1":
                found.append((moment, "00008020", 4))
        return [(moment, self._record(moment, status, number)) for moment, status, number in found]

    def _record(self, moment: datetime, status: str, number: int) -> str:
        if self.dialect.event_codes:
            return f"({self._stamp(moment)})(00)()(1)(0-0:C.11.0)()({number})"
        return f"({self._stamp(moment)})({status})()(0)"

    def _operator_records(self) -> list[tuple[datetime, str]]:
        return [
            (moment, f"({self._stamp(moment)})(00000000)()(1)({code})()({old};{new})")
            for moment, code, old, new in self.changes
        ]

    # -- writing -----------------------------------------------------------------------------

    def write(self, now: float, code: str, value: str) -> bool:
        """Take a new time or date; everything else is refused."""
        if code not in {"0.9.1", "0.9.2"}:
            return False
        before = self.shown(now)
        clock, day = self._clock(now)
        new_clock, new_day = (value, day) if code == "0.9.1" else (clock, value)
        form = "%y-%m-%d %H:%M:%S" if self.dialect.split else "%y%m%d %H%M%S"
        cut = 0 if self.dialect.split or len(new_clock) % 2 == 0 else 1
        cut_day = 0 if self.dialect.split or len(new_day) % 2 == 0 else 1
        try:
            local = datetime.strptime(  # noqa: DTZ007 (wall time)
                f"{new_day[cut_day:]} {new_clock[cut:]}", form
            )
        except ValueError:
            return False
        fold = 1 if cut and new_clock[0] == "0" else 0
        moment = local.replace(tzinfo=self._zone, fold=fold).astimezone(UTC)
        self.error += moment - before
        self.changes.append((before, code, clock if code == "0.9.1" else day, value))
        return True


def build(
    *,
    serial: str = "",
    rows: int = 0,
    seed: int = 1,
    faults: Sequence[str] = (),
    start: datetime | None = None,
    dialect: str = "emh",
    password: bytes = b"",
    error: timedelta = timedelta(),
    block: int = 256,
) -> OpticalPort:
    """Return a virtual meter of one of the `DIALECTS`; without ``password`` all is open.

    Raises:
        ValueError: There is no such dialect or fault.
    """
    if dialect not in DIALECTS or (unknown := set(faults) - set(FAULTS)):
        text = dialect if dialect not in DIALECTS else ", ".join(sorted(unknown))
        raise ValueError(f"there is no dialect or fault {text}")
    own = DIALECTS[dialect]
    serial = serial or f"{33_000_000 + seed:08d}"
    store = Registers(
        own,
        serial,
        seed,
        rows or ROWS,
        start or datetime.now(UTC),
        error,
        extra="extra-rows" in faults,
        live=start is None,
    )
    mode = _programming(store, password, seed, faults)
    mode.block = block
    identification = own.identification.encode("ascii")
    return OpticalPort(
        name=f"iec62056-{dialect} {serial}",
        identification=identification,
        readout=lambda now: framed(store.lines(now)),
        programming=mode,
        address=serial,
        faults=faults,
        expected=lambda: expected(store),
    )


def _programming(
    store: Registers, password: bytes, seed: int, faults: Sequence[str]
) -> ProgrammingMode:
    """Return the programming mode with the password that is wanted, if one is."""
    if "wants-computed-password" in faults:
        return ProgrammingMode(
            store,
            operand=f"{seed * 0x9E3779B97F4A7C15 % 2**64:016X}".encode("ascii"),
            passwords={"P2": PASSWORD},
            method="a1700",
            reads_open=False,
            faults=faults,
        )
    wanted = "wants-password" in faults
    given = password or (PASSWORD if wanted else b"")
    passwords = {"P1": given} if given else {}
    in_value = store.dialect.in_value
    return ProgrammingMode(
        store, passwords=passwords, in_value=in_value, reads_open=not wanted, faults=faults
    )


def expected(store: Registers) -> dict[str, object]:
    """Return what a correct reader must find, values as of the first moment."""
    registers = []
    for code, group in store.values(store._origin or 0.0).items():  # noqa: SLF001 (same module)
        value, _, unit = group.partition("*")
        if unit:
            registers.append({"code": code, "value": f"{float(value):.3f}", "unit": unit})
    columns = [{"code": code, "unit": unit} for code, unit in store.dialect.columns]
    rows = [
        {"time": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "values": list(store.row(moment))}
        for moment in store.times(store._origin or 0.0)  # noqa: SLF001
    ]
    return {
        "identity": {
            "serial": store.serial,
            "identification": store.dialect.identification,
        },
        "registers": registers,
        "profile": {"period_s": 900, "columns": columns, "rows": rows},
    }
