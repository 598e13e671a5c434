"""A meter that speaks IEC 62056-21, as the program sees every meter.

Entering it sets up the line; the meter itself is asked when something of it is first wanted,
because a readout takes seconds to minutes and costs a heat meter's battery.  The list is read
once and kept: identity, registers and clock all come from it.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drivers.errors import DriverError, GarbledReply, NotSupported
from drivers.iec62056.archive import inside, log_name, profile_name, range_text, windows
from drivers.iec62056.dataset import DataSet
from drivers.iec62056.frames import Identification
from drivers.iec62056.programming import ProgrammingDialogue
from drivers.iec62056.reading import Block, ReadoutDialogue
from drivers.iec62056.readout import DataReader, Readout, decode_message
from drivers.iec62056.registers import identity_of, matching, reading_of, readings
from drivers.iec62056.session import DataLine, Identified, Settings
from drivers.iec62056.talk import perform, result_of
from drivers.iec62056.times import MeterZone
from drivers.link import Link
from drivers.metertype import BadMeterType, MeterType
from drivers.secrets import Secrets
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileBlock,
    ProfileInfo,
    Reading,
    RelayReading,
    Span,
)

_RESOLUTION_S = Decimal("0.5")  # half of the whole seconds that meters print
_LOOK_BACK = (timedelta(hours=2), timedelta(days=2), timedelta(days=40))
_CLOCK_CODES = ("1-0:0.9.1.255", "0-0:1.0.0.255")


class Iec62056Meter:
    """One meter on ``link``; see `drivers.meter.Meter` for what can be asked.

    Raises:
        BadMeterType: The type names a time zone that does not exist.
    """

    def __init__(self, link: Link, meter_type: MeterType, secrets: Secrets) -> None:
        self.meter_type = meter_type
        self.statistics = link.statistics
        self.identification = Identification()
        self._link = link
        self._secrets = secrets
        self._zone = zone_of(meter_type)
        self._keep_first_speed = False  # learned
        self._readout: Readout | None = None
        self._session: ProgrammingDialogue | None = None
        self._begun: datetime | None = None  # when the data message began to arrive
        self._clock_at: datetime | None = None  # when its clock line had arrived

    def __enter__(self) -> Self:
        """Set up the line and the probe's supply; the meter is not yet spoken to."""
        line = self.meter_type.line
        self._link.set_lines(rts=line.rts, dtr=line.dtr)
        self._link.configure(Settings(self.meter_type, self._link.sets_line).line())
        if line.settle_s:
            self._link.wait(line.settle_s)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End programming mode; after a readout the meter is at rest by itself."""
        self._leave()

    def arriving(self) -> Iterator[DataSet]:
        """Read the list, yielding its values as they arrive, before their check is known.

        For showing progress.  Values of a block that is read again come again.  `registers` then
        gives the same values with their proof, without asking the meter once more.
        """
        self._leave()
        settings = Settings(self.meter_type, self._link.sets_line, self._keep_first_speed)
        dialogue = ReadoutDialogue(settings, self.statistics)
        run = perform(self._link, dialogue.readout())
        reader = DataReader(self._zone)
        while True:
            try:
                event = next(run)
            except StopIteration as done:
                self._take(done.value)
                return
            except DriverError:
                self._keep(reader)
                raise
            if isinstance(event, Identified):
                self.identification = event.identification
                continue
            if event.fresh:
                reader = DataReader(self._zone)
                self._begun, self._clock_at = datetime.now(UTC), None
            yield from self._arrived(reader, event)

    def _arrived(self, reader: DataReader, event: DataLine) -> list[DataSet]:
        sets = reader.take(event.text)
        if any(item.obis in _CLOCK_CODES for item in sets):
            self._clock_at = datetime.now(UTC)
        return sets

    def _take(self, block: Block) -> None:
        self.identification = block.identification
        self._keep_first_speed = block.keep_first_speed
        readout = decode_message(block.identification, block.message, self._zone)
        for remark in readout.remarks:
            if remark not in self.statistics.remarks:
                self.statistics.remarks.append(remark)
        self.statistics.discarded += readout.damaged
        self._readout = readout

    def _keep(self, reader: DataReader) -> None:
        """Keep what arrived of a list that broke off, as bad."""
        if reader.values:
            found = self.identification
            self._readout = Readout(
                found.line, found.manufacturer, found.model, "bad", tuple(reader.values)
            )

    def _list(self) -> Readout:
        """Return the readout, read at the first call.

        Raises:
            GarbledReply: Its check is bad, after all repetitions.
        """
        if self._readout is None or self._readout.check == "bad":
            for _ in self.arriving():
                pass
        if self._readout is None:
            raise GarbledReply("the meter's list is empty")
        if self._readout.check == "bad":
            count = len(self._readout.values)
            raise GarbledReply(f"the check of the list does not fit ({count} values arrived)")
        return self._readout

    def identity(self) -> Identity:
        """Who the meter is, from its identification line and its list."""
        return identity_of(self._list(), self.meter_type)

    def registers(self) -> Iterator[Reading]:
        """The values the type lists (all when it lists none), proved by the block's check.

        When the check stays bad or the line breaks, what arrived comes marked ``bad``, and then
        the error is raised.
        """
        try:
            readout = self._list()
        except DriverError:
            if self._readout is not None:
                yield from readings(self._readout, self.meter_type)
            raise
        yield from readings(readout, self.meter_type)

    def object(self, code: str, class_id: int = 0, attribute: int = 2) -> Reading:  # noqa: ARG002
        """One register of the list by its code in any spelling."""
        readout = self._list()
        found = matching(readout, code)
        if not found:
            raise NotSupported(f"the meter's list has no {code}")
        return reading_of(found[0], readout.check)

    def clock(self) -> ClockReading:
        """The meter's clock from its list, beside ours when that line arrived."""
        readout = self._list()
        if readout.clock is None or self._clock_at is None or self._begun is None:
            raise NotSupported("the meter's list tells no time")
        span = self._clock_at - self._begun
        read_at = self._begun + span / 2  # the meter took its time somewhere in between
        meter_time = readout.clock.astimezone(UTC)
        return ClockReading(
            meter_time,
            read_at,
            _seconds(meter_time - read_at),
            _seconds(span / 2) + _RESOLUTION_S,
        )

    def profile_info(self, code: str = "") -> ProfileInfo:
        """What the load profile captures, by the header of its newest rows."""
        name = profile_name(self.meter_type, code)
        now = datetime.now(UTC)
        for back in _LOOK_BACK:
            found = self._archive(name, now - back, None).profile
            if found is not None:
                return found.info
        raise NotSupported(f"{name} holds nothing of the last {_LOOK_BACK[-1].days} days")

    def profile(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        """The rows of ``span``, a week at a time; each block is proved before it is given out."""
        name = profile_name(self.meter_type, info.obis)
        ranges = list(windows(span, info.period_s, datetime.now(UTC)))
        expected = span.last
        if not expected and ranges[:1] and (first := ranges[0][0]) and (last := ranges[-1][1]):
            expected = int((last - first).total_seconds() // (info.period_s or 900)) + 1
        for start, end in ranges:
            found = self._archive(name, start, end).profile
            rows = [row for row in found.rows if inside(row.time, start, end)] if found else []
            yield ProfileBlock(tuple(rows), expected)

    def events(self, code: str = "", span: Span | None = None) -> Iterator[MeterEvent]:
        """The records of a log in the meter's order."""
        name = log_name(self.meter_type, code)
        start, end = (span.start, span.end) if span else (None, None)
        log = self._archive(name, start, end).log
        rows = [row for row in log.rows if inside(row.time, start, end)] if log else []
        if span and span.last:
            rows = rows[-span.last :]
        for row in rows:
            yield replace(row, time=row.time.astimezone(UTC))

    def _archive(self, name: str, start: datetime | None, end: datetime | None) -> Readout:
        """Return the answer for a range of a profile or log, read in programming mode."""
        session = self._programming()
        order = f"{name}({range_text(start, end, self._zone)})"
        answer = result_of(self._link, session.ask(self.meter_type.iec62056.read_command, order))
        return decode_message(self.identification, answer, self._zone)

    def _programming(self) -> ProgrammingDialogue:
        """Return the open session in programming mode, entered at the first call."""
        if self._session is None or not self._session.open:
            settings = Settings(self.meter_type, self._link.sets_line, self._keep_first_speed)
            self._session = ProgrammingDialogue(settings, self.statistics)
            try:
                result_of(self._link, self._session.enter(self._secrets.password))
            except BaseException:
                self._leave()
                raise
            self.identification = self._session.identification
        return self._session

    def _leave(self) -> None:
        """Send the break where a session is open; a line that is gone is no new error."""
        session, self._session = self._session, None
        if session is not None and session.open:
            with suppress(DriverError):
                result_of(self._link, session.leave())

    def set_clock(self, to: datetime | None = None) -> ClockReading:  # noqa: ARG002
        """Refuse: this protocol's readout cannot set anything."""
        raise NotSupported("the clock of this meter type cannot be set")

    def relay(self) -> RelayReading:
        """Refuse: no IEC 62056-21 readout tells the state of a supply switch."""
        raise NotSupported("this meter type tells nothing about a supply switch")


def zone_of(meter_type: MeterType) -> MeterZone:
    """Return the zone of the type's clock.

    Raises:
        BadMeterType: There is no such zone.
    """
    own = meter_type.iec62056
    if own.timezone:
        try:
            ZoneInfo(own.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadMeterType(f"{meter_type.name}: no time zone {own.timezone!r}") from error
    return MeterZone(own.utc_offset_min, own.timezone)


def _seconds(span: timedelta) -> Decimal:
    return Decimal(f"{span.total_seconds():.3f}")
