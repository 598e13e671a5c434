"""A meter that speaks IEC 62056-21, as the program sees every meter.

Entering it sets up the line; the meter itself is asked when something of it is first wanted,
because a readout takes seconds to minutes and costs a heat meter's battery.  The list is read
once and kept: identity, registers and clock all come from it.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drivers.errors import (
    AccessDenied,
    GarbledReply,
    NoReply,
    NotSupported,
    ValueRefused,
)
from drivers.iec62056.access import Programming, lines_of
from drivers.iec62056.archive import (
    UNTOLD_PERIOD_S,
    ReadingPlan,
    inside,
    log_name,
    profile_name,
    range_text,
)
from drivers.iec62056.clock import Clock, reading
from drivers.iec62056.dataset import DataSet
from drivers.iec62056.frames import Identification, Message
from drivers.iec62056.log import in_words
from drivers.iec62056.reading import Block, ReadoutDialogue
from drivers.iec62056.readout import DataReader, Readout, decode_message
from drivers.iec62056.registers import all_readings, identity_of, matching, reading_of, readings
from drivers.iec62056.session import DataLine, Identified, Settings
from drivers.iec62056.talk import perform
from drivers.iec62056.times import MeterZone
from drivers.link import Link
from drivers.metertype import BadMeterType, MeterType
from drivers.newest import newest_rows
from drivers.prepayment import PrepaymentReading, TokenAnswer, TokenState
from drivers.secrets import Secret, Secrets
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileBlock,
    ProfileInfo,
    ProfileRow,
    Reading,
    RelayReading,
    Span,
    newest,
)

_REOPENED = 1  # new sessions after an answer broke off, without one row in between
_LOOK_BACK = (timedelta(hours=2), timedelta(days=2), timedelta(days=40))
_FURTHEST_S = 10 * 366 * 86_400  # more than any meter keeps
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
        self._zone = zone_of(meter_type)
        self._access = Programming(link, meter_type, secrets)
        self._clock = Clock(link, self._access, self._zone)
        self._keep_first_speed = False  # learned
        self._readout: Readout | None = None
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
        self._access.leave()

    def arriving(self) -> Generator[DataSet, None, None]:
        """Read the list, yielding its values as they arrive, before their check is known.

        For showing progress.  Values of a block that is read again come again.  `registers` then
        gives the same values with their proof, without asking the meter once more.
        """
        self._access.leave()
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
            except Exception:  # the line broke, or the operator stopped
                self._keep(reader)
                raise
            if isinstance(event, Identified):
                self.identification = event.identification
                continue
            if isinstance(event, DataLine):
                if event.fresh:
                    reader = DataReader(self._zone)
                    self._begun, self._clock_at = self._clock.now(), None
                try:
                    yield from self._arrived(reader, event)
                except GeneratorExit:
                    self._keep(reader)
                    raise

    def _arrived(self, reader: DataReader, event: DataLine) -> list[DataSet]:
        sets = reader.take(event.text)
        if any(item.obis in _CLOCK_CODES for item in sets):
            self._clock_at = self._clock.now()
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
            text = f"the check of the list does not fit ({count} values arrived)"
            raise GarbledReply(text, "check")
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
        except Exception:
            if self._readout is not None:
                yield from readings(self._readout, self.meter_type)
            raise
        yield from readings(readout, self.meter_type)

    def everything(self) -> Iterator[Reading]:
        """Every value of the list, also those that the type does not list, as `registers` does."""
        try:
            readout = self._list()
        except Exception:
            yield from self.arrived()
            raise
        yield from all_readings(readout, self.meter_type)

    def arrived(self) -> Iterator[Reading]:
        """What is there of the list without asking for it, also where it broke off."""
        if self._readout is not None:
            yield from all_readings(self._readout, self.meter_type)

    def object(self, code: str, class_id: int = 0, attribute: int = 2) -> Reading:  # noqa: ARG002
        """One register by its code in any spelling, read by itself where the type can."""
        direct = self.meter_type.iec62056.objects_direct
        readout = self._single(code) if direct else self._list()
        found = matching(readout, code)
        if not found:
            raise NotSupported(f"the meter has no {code}")
        known = self.meter_type.register(code)
        return reading_of(found[0], readout.check, known, self.meter_type.iec62056)

    def _single(self, code: str) -> Readout:
        """Return the answer to the read command for ``code``; a bare value gets the code."""
        message = self._access.read(code)
        self.identification = self._access.identification
        body = message.body
        if body.lstrip().startswith(b"("):
            body = code.encode("ascii", "replace") + body.lstrip()
        return decode_message(self.identification, replace(message, body=body), self._zone)

    def clock(self) -> ClockReading:
        """The meter's clock beside ours when it told its own."""
        if self.meter_type.iec62056.clock_direct:
            return self._clock.read()
        readout = self._list()
        if readout.clock is None or self._clock_at is None or self._begun is None:
            raise NotSupported("the meter's list tells no time")
        # The meter took its time somewhere between the beginning of the list and that line.
        return reading(readout.clock, self._begun, self._clock_at)

    def set_clock(self, to: datetime | None = None) -> ClockReading:
        """Set the clock to the second (to our time when ``to`` is None); return what reads back."""
        if not self.meter_type.iec62056.sets_clock:
            raise NotSupported("the clock of this meter type cannot be set")
        return self._clock.set(to)

    def profile_info(self, code: str = "") -> ProfileInfo:
        """What the load profile captures, by the header of its newest rows."""
        name = profile_name(self.meter_type, code)
        for back in _LOOK_BACK:
            found = self._archive(name, self._clock.now() - back, None).profile
            if found is not None:
                return self._named(found.info)
        raise NotSupported(f"{name} holds nothing of the last {_LOOK_BACK[-1].days} days")

    def _named(self, info: ProfileInfo) -> ProfileInfo:
        kind = self.meter_type
        columns = (replace(one, name=kind.name_of(one.obis) or one.name) for one in info.columns)
        return replace(info, columns=tuple(columns))

    def profile(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        """The rows of ``span``; each block is proved before it is given out.

        Where an answer breaks off the reading goes on behind the last row that was proved.  With
        ``span.last`` the rows come when it is known which they are.
        """
        if span.entries is not None:
            raise NotSupported("this meter gives rows by time, not by number")
        if not span.last:
            return self._all(info, span)
        now = self._clock.now()
        period_s = info.period_s or UNTOLD_PERIOD_S
        back = min(span.last * period_s, _FURTHEST_S)
        return newest_rows(
            lambda part: self._all(info, part),
            span,
            period_s=period_s,
            now=now,
            furthest=(span.end or now) - timedelta(seconds=back) - _LOOK_BACK[-1],
        )

    def _all(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        name = profile_name(self.meter_type, info.obis)
        plan = ReadingPlan(span, info.period_s, self._clock.now())
        expected = plan.expected
        while (window := plan.window()) is not None:
            try:
                for rows in self._rows(name, *window, blocks=plan.troubled):
                    if rows:
                        plan.received(max(row.time for row in rows))
                    yield ProfileBlock(rows, expected)
                plan.done()
            except (NoReply, GarbledReply) as error:
                self._access.leave()
                plan.broken(error, _REOPENED)

    def _rows(
        self, name: str, start: datetime | None, end: datetime | None, *, blocks: bool
    ) -> Iterator[tuple[ProfileRow, ...]]:
        """Yield the rows of one range as their blocks are proved."""
        reader = self._reader()
        taken = 0
        for lines in lines_of(self._access.parts(self._order(name, start, end), blocks=blocks)):
            for line in lines:
                reader.take(line)
            found = reader.profile.rows if reader.profile else []
            yield tuple(row for row in found[taken:] if inside(row.time, start, end))
            taken = len(found)
        self._remark(reader)

    def _reader(self) -> DataReader:
        return DataReader(self._zone, own=self.meter_type.iec62056)

    def _remark(self, reader: DataReader) -> None:
        """Keep what the reader noticed for whoever looks at the line."""
        damaged = reader.damaged + (reader.profile.damaged if reader.profile else 0)
        self.statistics.discarded += damaged
        for remark in (*reader.remarks, *(reader.profile.remarks if reader.profile else ())):
            if remark not in self.statistics.remarks:
                self.statistics.remarks.append(remark)

    def events(self, code: str = "", span: Span | None = None) -> Iterator[MeterEvent]:
        """The records of a log in the meter's order, in words where its codes are known."""
        name = log_name(self.meter_type, code)
        wanted = span or Span()
        start, end = wanted.start, wanted.end
        log = self._archive(name, start, end).log
        rows = [row for row in log.rows if inside(row.time, start, end)] if log else []
        if wanted.entries is not None:
            rows = rows[wanted.entries[0] - 1 : wanted.entries[1]]
        rows = newest(rows, wanted.last)
        for row in rows:
            event = in_words(row, self.meter_type)
            yield replace(event, time=event.time.astimezone(UTC))

    def _archive(self, name: str, start: datetime | None, end: datetime | None) -> Readout:
        """Return the whole answer for a range of a profile or log; asked again when it breaks."""
        for attempt in range(_REOPENED + 1):
            try:
                parts = self._access.parts(self._order(name, start, end), blocks=attempt > 0)
                message = Message("", b"".join(parts), "absent")
                break
            except (NoReply, GarbledReply):
                self._access.leave()
                if attempt == _REOPENED:
                    raise
        self.identification = self._access.identification
        return decode_message(self.identification, message, self._zone, self.meter_type.iec62056)

    def _order(self, name: str, start: datetime | None, end: datetime | None) -> str:
        form = self.meter_type.iec62056.range_form
        return f"{name}({range_text(start, end, self._zone, form)})"

    def prepayment(self) -> PrepaymentReading:
        """Return the credit left, where the type reads it by itself; keys are not told this way."""
        code = self.meter_type.prepayment.balance
        if not code or not self.meter_type.iec62056.objects_direct:
            raise NotSupported("this meter type tells nothing of prepayment")
        credit = self.object(code)
        return PrepaymentReading(balance=credit.value, unit=credit.unit)

    def enter_token(self, token: Secret) -> TokenAnswer:
        """Write a token to the register of the type, once; an acknowledgement is acceptance.

        Raises:
            NotSupported: The type names no register; nothing was sent.
            GarbledReply: The meter says that it did not hear the command well.
        """
        register = self.meter_type.prepayment.token_register
        if not register:
            raise NotSupported("this meter type takes no tokens over the line; use the keypad")
        self._access.enter()  # what is refused here has nothing to do with the token
        try:
            heard = self._access.write(register, token.reveal().decode("ascii"), secret=True)
        except (ValueRefused, AccessDenied):
            return TokenAnswer(TokenState.REFUSED)
        if not heard:
            raise GarbledReply("the meter did not hear the token well")
        return TokenAnswer(TokenState.ACCEPTED)

    def token_answer(self) -> TokenAnswer:
        """Refuse: what became of an earlier token is not told this way."""
        raise NotSupported("this meter tells nothing of its last token over the line")

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
