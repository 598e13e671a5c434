"""A meter without a line: realistic values, and faults on demand."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

from app.tasks import checkpoint
from drivers.errors import NotSupported
from drivers.metertype import MeterType
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileBlock,
    ProfileColumn,
    ProfileInfo,
    ProfileRow,
    Reading,
    RelayReading,
    Span,
    Statistics,
)

SERIAL = "50284117"
PERIOD = timedelta(minutes=15)
REGISTERS = [
    ("1-0:1.8.0.255", "Active energy import", "12345.678", "kWh"),
    ("1-0:2.8.0.255", "Active energy export", "17.204", "kWh"),
    ("1-0:3.8.0.255", "Reactive energy import", "2310.950", "kvarh"),
    ("1-0:32.7.0.255", "Voltage L1", "231.4", "V"),
    ("1-0:52.7.0.255", "Voltage L2", "230.9", "V"),
    ("1-0:72.7.0.255", "Voltage L3", "232.1", "V"),
    ("1-0:31.7.0.255", "Current L1", "18.60", "A"),
    ("1-0:51.7.0.255", "Current L2", "18.10", "A"),
    ("1-0:71.7.0.255", "Current L3", "18.90", "A"),
    ("1-0:14.7.0.255", "Frequency", "50.01", "Hz"),
]
COLUMNS = (
    ProfileColumn("1-0:1.8.0.255", 2, "kWh", "Active energy import"),
    ProfileColumn("1-0:32.7.0.255", 2, "V", "Voltage L1"),
    ProfileColumn("1-0:52.7.0.255", 2, "V", "Voltage L2"),
    ProfileColumn("1-0:72.7.0.255", 2, "V", "Voltage L3"),
)
EVENTS = [
    (30, "1", "Power down"),
    (29.3, "2", "Power up"),
    (20, "80", ""),
    (12, "79", "Overvoltage L1"),
    (11.9, "85", "Voltage L1 normal"),
    (3, "4", "Clock adjusted (old date/time)"),
]


@dataclass
class FakeMeter:
    """Answers at once; ``hold`` stops it in the middle of the profile until it is set."""

    serial: str = SERIAL
    rows: int = 480
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    offset: Decimal = Decimal("1.8")
    volts: Decimal = Decimal("231.4")
    fault: BaseException | None = None
    fault_at: str = ""  # identity, profile
    hold: threading.Event | None = None
    pause: float = 0.0  # s before each block of the profile
    meter_type: MeterType = field(
        default_factory=lambda: MeterType("landisgyr-zmf100", "Landis+Gyr ZMF100")
    )
    statistics: Statistics = field(default_factory=Statistics)
    closed: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed += 1

    def identity(self) -> Identity:
        self._fail("identity")
        return Identity(
            serial=self.serial,
            manufacturer="LGZ",
            model="ZMF100AC",
            firmware="M26",
            logical_device_name="LGZ" + self.serial,
        )

    def registers(self) -> Iterator[Reading]:
        for obis, name, value, unit in REGISTERS:
            checkpoint()
            number = self.volts if name == "Voltage L1" else Decimal(value)
            yield Reading(obis, obis, name, number, unit)

    def profile_info(self, code: str = "") -> ProfileInfo:
        return ProfileInfo("1-0:99.1.0.255", 900, COLUMNS, entries=self.rows)

    def profile(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        made = [row for row in profile_rows(self.rows, self.now) if _inside(row, span)]
        for start in range(0, len(made), 24):
            if start >= len(made) // 2:
                self._fail("profile")
                while self.hold is not None and not self.hold.wait(0.02):
                    checkpoint()
            checkpoint()
            time.sleep(self.pause)
            yield ProfileBlock(tuple(made[start : start + 24]), len(made))

    def events(self, code: str = "", span: Span | None = None) -> Iterator[MeterEvent]:
        for hours, number, text in EVENTS:
            yield MeterEvent("0-0:99.98.0.255", self.now - timedelta(hours=hours), number, text)

    def clock(self) -> ClockReading:
        return ClockReading(self.now, self.now, self.offset, Decimal("0.2"))

    def set_clock(self, to: datetime | None = None) -> ClockReading:
        self.offset = Decimal("0.1")
        return self.clock()

    def relay(self) -> RelayReading:
        raise NotSupported("no supply switch")

    def object(self, code: str, class_id: int = 0, attribute: int = 2) -> Reading:
        raise NotSupported(code)

    def _fail(self, where: str) -> None:
        if self.fault is not None and self.fault_at == where:
            raise self.fault


def _inside(row: ProfileRow, span: Span) -> bool:
    return (span.start is None or row.time >= span.start) and (
        span.end is None or row.time <= span.end
    )


def profile_rows(count: int, now: datetime) -> list[ProfileRow]:
    """Quarter hours of a bakery: a register that counts up, three voltages, one gap, flags."""
    last = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    total = Decimal("12000.000")
    rows = []
    for index in range(count):
        time = last - PERIOD * (count - 1 - index)
        hour = time.hour + time.minute / 60
        kilowatts = 2.1 + 4.6 * 2 ** -((hour - 7.8) ** 2) + 6.4 * 2 ** -(((hour - 18.6) / 2) ** 2)
        kilowatts += 0.3 * ((index * 7919) % 11) / 11
        total += Decimal(f"{kilowatts / 4:.3f}")
        away = count - index
        if 40 <= away < 43:
            continue
        volts = [
            Decimal(f"{base + ((index * step) % 17) / 8:.1f}")
            for base, step in ((231.0, 5), (227.5, 7), (234.5, 11))
        ]
        status = {39: ("power down",), 60: ("clock adjusted",), 61: ("clock adjusted",)}
        flags = status.get(away, ())
        rows.append(ProfileRow(time, (total, *volts), 8 if flags else 0, flags))
    return rows
