"""A meter in memory: it speaks no protocol, keeps its clock in a file, and fails when told to.

The file outlives the process, so that a test can kill the program and count what was written.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.errors import DriverError, NotSupported, ValueRefused
from drivers.metertype import MeterType, ProfileType, Ratings, RegisterType
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

NOW = datetime(2026, 11, 20, 10, 7, tzinfo=UTC)
PERIOD = 900
THREE_PHASE = {
    "1-0:1.8.0.255": ("Active energy import", "812.440", "kWh"),
    "1-0:2.8.0.255": ("Active energy export", "0.000", "kWh"),
    "1-0:32.7.0.255": ("Voltage L1", "231.4", "V"),
    "1-0:52.7.0.255": ("Voltage L2", "230.9", "V"),
    "1-0:72.7.0.255": ("Voltage L3", "232.2", "V"),
    "1-0:31.7.0.255": ("Current L1", "3.12", "A"),
    "1-0:51.7.0.255": ("Current L2", "2.94", "A"),
    "1-0:71.7.0.255": ("Current L3", "3.25", "A"),
    "1-0:13.7.0.255": ("Power factor", "0.94", ""),
    "1-0:14.7.0.255": ("Frequency", "49.98", "Hz"),
    "1-0:16.7.0.255": ("Active power", "2.026", "kW"),
    "0-0:97.97.0.255": ("Error register", "0", ""),
}
FAKE_TYPE = MeterType(
    name="fake-three-phase",
    title="Fake three-phase meter",
    maker="FAK",
    ratings=Ratings(phases=3, voltage="3x230/400 V", current="5(100) A", relay=True),
    registers=tuple(RegisterType(code) for code in THREE_PHASE),
    profiles=(ProfileType("1-0:99.1.0.255", period_s=PERIOD),),
)
INFO = ProfileInfo(
    obis="1-0:99.1.0.255",
    period_s=PERIOD,
    columns=(ProfileColumn("1-0:1.8.0.255", 2, "kWh"),),
    entries=40,
)


def rows(count: int, newest: datetime = NOW) -> tuple[ProfileRow, ...]:
    """``count`` quarter-hour rows, the oldest first; the register moves by 5 Wh each."""
    last = datetime.fromtimestamp(newest.timestamp() // PERIOD * PERIOD, UTC)
    return tuple(
        ProfileRow(
            last - timedelta(seconds=PERIOD * (count - 1 - n)),
            (Decimal("800.000") + Decimal("0.005") * n,),
            status_raw=0,
        )
        for n in range(count)
    )


class Memory:
    """What the meter keeps on a file: its clock's offset, and how often the clock was set."""

    def __init__(self, path: Path, offset: str = "95.0") -> None:
        self.path = path
        if not path.exists():
            self.save({"offset": offset, "writes": 0})

    def load(self) -> dict[str, object]:
        loaded: dict[str, object] = json.loads(self.path.read_text(encoding="utf-8"))
        return loaded

    def save(self, state: dict[str, object]) -> None:
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(self.path)


@dataclass
class Behaviour:
    """How the meter answers; ``before_call`` is told of each call and may raise or kill."""

    identity: Identity = field(
        default_factory=lambda: Identity(
            serial="00018438", manufacturer="FAK", model="F3", firmware="F3.1"
        )
    )
    kind: MeterType = FAKE_TYPE
    values: dict[str, tuple[str, str, str]] = field(default_factory=lambda: dict(THREE_PHASE))
    rows: tuple[ProfileRow, ...] = field(default_factory=lambda: rows(40))
    block: int = 10
    events: tuple[MeterEvent, ...] = (
        MeterEvent("0-0:99.98.0.255", NOW - timedelta(days=2), "2", "Power up"),
        MeterEvent("0-0:99.98.0.255", NOW - timedelta(hours=3), "4", "Clock adjusted"),
    )
    relay: RelayReading | None = field(default_factory=lambda: RelayReading(True, "connected", 4))
    has_profile: bool = True
    has_events: bool = True
    has_clock: bool = True
    refuses_clock: bool = False
    loses_answer: DriverError | None = None  # after the clock was set
    newest_first: bool = False
    before_call: Callable[[str], None] = lambda _name: None


class FakeMeter:
    """One session with the fake."""

    def __init__(self, memory: Memory, behaviour: Behaviour) -> None:
        self.memory = memory
        self.behaviour = behaviour
        self.meter_type = behaviour.kind
        self.statistics = Statistics()
        self.signed_on = False

    def __enter__(self) -> Self:
        self._called("enter")
        self.signed_on = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.signed_on = False

    def identity(self) -> Identity:
        self._called("identity")
        return self.behaviour.identity

    def registers(self) -> Iterator[Reading]:
        for code, (name, value, unit) in self.behaviour.values.items():
            self._called(f"register {code}")
            yield Reading(code, code, name, Decimal(value), unit, value)

    def profile_info(self, code: str = "") -> ProfileInfo:
        self._called("profile_info")
        if not self.behaviour.has_profile:
            raise NotSupported("no profile")
        return replace(INFO, entries=len(self.behaviour.rows))

    def profile(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        found = [
            row
            for row in self.behaviour.rows
            if (span.start is None or row.time >= span.start)
            and (span.end is None or row.time <= span.end)
        ]
        if self.behaviour.newest_first:
            found.reverse()
        size = self.behaviour.block
        for start in range(0, len(found), size):
            self._called(f"profile {start}")
            yield ProfileBlock(tuple(found[start : start + size]), len(found))

    def events(self, code: str = "", span: Span | None = None) -> Iterator[MeterEvent]:
        if not self.behaviour.has_events:
            raise NotSupported("no log")
        for event in self.behaviour.events:
            self._called("event")
            yield event

    def clock(self) -> ClockReading:
        self._called("clock")
        if not self.behaviour.has_clock:
            raise NotSupported("no clock")
        offset = Decimal(str(self.memory.load()["offset"]))
        meter_time = NOW + timedelta(seconds=float(offset))
        return ClockReading(meter_time, NOW, offset, Decimal("0.2"))

    def set_clock(self, to: datetime | None = None) -> ClockReading:
        self._called("set_clock")
        if self.behaviour.refuses_clock:
            raise ValueRefused("the meter keeps its time")
        state = self.memory.load()
        self.memory.save({"offset": "0.1", "writes": int(str(state["writes"])) + 1})
        self._called("clock was set")
        if self.behaviour.loses_answer is not None:
            error, self.behaviour.loses_answer = self.behaviour.loses_answer, None
            raise error
        return self.clock()

    def relay(self) -> RelayReading:
        self._called("relay")
        if self.behaviour.relay is None:
            raise NotSupported("no switch")
        return self.behaviour.relay

    def object(self, code: str, class_id: int = 0, attribute: int = 2) -> Reading:
        raise NotSupported(code)

    def _called(self, name: str) -> None:
        if name != "enter" and not self.signed_on:
            raise AssertionError(f"{name} without a session")
        self.behaviour.before_call(name)


def opener(
    memory: Memory, behaviour: Behaviour
) -> Callable[[str], AbstractContextManager[FakeMeter]]:
    """Return what a `WorkContext` opens meters with."""
    return lambda _meter_type: FakeMeter(memory, behaviour)
