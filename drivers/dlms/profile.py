"""Profile buffers (class 7): what they capture, and their rows as they arrive."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from drivers.dlms.apdu import Attribute
from drivers.dlms.clock import MeterZone
from drivers.dlms.objects import PROFILE, ObjectReader
from drivers.dlms.rowmaker import Capture, Layout, RowMaker
from drivers.dlms.rows import RowDecoder
from drivers.dlms.selectors import by_entry, by_range
from drivers.dlms.session import Session
from drivers.dlms.units import scaled
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    MeterBusy,
    NoReply,
    NotSupported,
    PortUnavailable,
)
from drivers.metertype import MeterType, ProfileType
from drivers.newest import newest_rows
from drivers.obis import from_bytes, parse, to_bytes
from drivers.values import ProfileBlock, ProfileColumn, ProfileInfo, ProfileRow, Span, Statistics

_BUFFER, _CAPTURED, _PERIOD, _IN_USE, _CAPACITY = 2, 3, 4, 7, 8
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=2)  # how far ahead of ours a meter's clock may run in an open range
_MANY = 1 << 31  # more rows than any buffer has
_RESUMES = 2  # new requests without a single new row between them
_CAPTURE_WIDTH = 4


class ProfileReader:
    """Reads the profiles of one session."""

    def __init__(
        self,
        session: Session,
        objects: ObjectReader,
        zone: MeterZone,
        *,
        meter_type: MeterType,
        statistics: Statistics,
        meter_now: Callable[[], datetime],
    ) -> None:
        self._session = session
        self._objects = objects
        self._zone = zone
        self._type = meter_type
        self._statistics = statistics
        self._meter_now = meter_now
        self._layouts: dict[str, Layout] = {}

    # --- what it captures -------------------------------------------------------------------

    def info(self, code: str) -> ProfileInfo:
        """Return columns, period and counts of the profile with this OBIS code."""
        layout = self.layout(code)
        columns = []
        for place, unit in zip(layout.values, layout.units, strict=True):
            capture = layout.captures[place]
            obis = from_bytes(capture.code)
            text = scaled(0, *unit)[1]
            columns.append(ProfileColumn(obis, capture.attribute, text, self._type.name_of(obis)))
        kind = self._kind(code)
        return ProfileInfo(
            obis=code,
            period_s=self._number(code, _PERIOD) or 0,
            columns=tuple(columns),
            entries=self._number(code, _IN_USE),
            capacity=self._number(code, _CAPACITY) or kind.capacity or None,
        )

    def layout(self, code: str) -> Layout:
        """Return the captured objects with scaler and unit; read once per session."""
        if code not in self._layouts:
            captures = _captures(self._objects.value(PROFILE, to_bytes(code), _CAPTURED), code)
            clock = next((n for n, one in enumerate(captures) if one.is_clock), None)
            status = next((n for n, one in enumerate(captures) if one.is_status), None)
            values = tuple(n for n in range(len(captures)) if n not in {clock, status})
            units = tuple(self._unit(captures[n]) for n in values)
            self._layouts[code] = Layout(captures, clock, status, values, units)
        return self._layouts[code]

    def _unit(self, capture: Capture) -> tuple[int, int]:
        if capture.attribute > 3:  # noqa: PLR2004 - a time or a count, not the value
            return 0, 255
        try:
            return self._objects.unit_of(capture.class_id, capture.code)
        except (NotSupported, AccessDenied) as error:
            self._remark(f"no unit for {from_bytes(capture.code)}: {error}")
            return 0, 255

    def _number(self, code: str, attribute: int) -> int | None:
        try:
            value = self._objects.value(PROFILE, to_bytes(code), attribute)
        except (NotSupported, AccessDenied):
            return None
        return value if isinstance(value, int) else None

    def _kind(self, code: str) -> ProfileType:
        known = (kind for kind in self._type.profiles if parse(kind.code) == code)
        return next(known, ProfileType(code))

    # --- rows -------------------------------------------------------------------------------

    def rows(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        """Yield the rows of ``span``, a block per answer of the meter.

        The last rows are looked for backwards where the meter takes a range, and cut off the whole
        where it does not; either way they come when it is known which they are.
        """
        period_s = info.period_s if self._kind(info.obis).selector == "range" else 0
        if not span.last or not (period_s or span.start or span.end):
            return self._rows(info, span)
        return newest_rows(
            lambda part: self._rows(info, part),
            span,
            period_s=period_s,
            now=self._meter_now(),
            furthest=_EARLIEST,
        )

    def _rows(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        """Yield the rows of ``span`` as they arrive.

        When the link is lost or the meter aborts the transfer, the rest is asked for anew, from the
        last good row on; a buffer whose form is wrong is not read twice.
        """
        layout = self.layout(info.obis)
        maker = RowMaker(layout, self._zone, info.period_s, self._kind(info.obis))
        last: datetime | None = None
        left, got = _RESUMES, 0
        while True:
            try:
                for block in self._once(info, layout, maker, span):
                    if block.rows:
                        last, left = block.rows[-1].time, _RESUMES
                    got += len(block.rows)
                    yield block
                break
            except (GarbledReply, NoReply, MeterBusy) as error:
                aborted = isinstance(error, MeterBusy)
                if left <= 0 or not (aborted or self._session.lost):
                    raise
                left -= 1
                self._anew(error)
                if span.entries is not None:
                    span = replace(span, entries=(span.entries[0] + got, span.entries[1]))
                    got = 0
                elif last is not None:
                    span = replace(span, start=last + timedelta(seconds=1), last=0)
        maker.remarks(self._remark)

    def _anew(self, error: DriverError) -> None:
        self._remark(f"the rest was asked for anew: {error}")
        if not self._session.lost:
            self._session.pause()
            return
        try:
            self._session.renew()
        except PortUnavailable:
            raise
        except DriverError as second:
            raise error from second

    def _once(
        self, info: ProfileInfo, layout: Layout, maker: RowMaker, span: Span
    ) -> Iterator[ProfileBlock]:
        """Yield the rows of one request; without its selector where the meter refuses it."""
        attribute = Attribute(PROFILE, to_bytes(info.obis), _BUFFER)
        selector = self._selector(info, layout, span)
        decoder = RowDecoder(len(layout.captures))
        blocks = self._session.blocks(attribute, info.obis, selector)
        try:
            first = next(blocks)
        except NotSupported as error:
            if not selector:
                raise
            self._remark(f"the meter refused the range, all rows are read: {error}")
            blocks = self._session.blocks(attribute, info.obis)
            first = next(blocks)
            selector = b""
        # the whole buffer has come where no numbers could be asked for
        numbers = None if selector else span.entries
        outside = 0
        block: bytes | None = first
        while block is not None:
            raw = decoder.feed(block)
            announced = decoder.announced or 0
            low, high = _wanted(numbers, span.last, announced)
            before = decoder.rows - len(raw)
            made = maker.rows(raw)[max(0, low - before) : max(0, high - before)]
            good = tuple(row for row in made if _inside(row, span))
            outside += len(made) - len(good)
            yield ProfileBlock(good, max(0, min(announced, high) - low))
            block = next(blocks, None)
        decoder.finish()
        if outside:
            self._remark(f"{outside} rows outside the range were skipped")

    def _selector(self, info: ProfileInfo, layout: Layout, span: Span) -> bytes:
        kind = self._kind(info.obis)
        if span.entries is not None:
            return by_entry(*span.entries)
        if span.last and kind.selector == "entry":
            in_use = self._number(info.obis, _IN_USE)
            return by_entry(max(1, in_use - span.last + 1), 0) if in_use else b""
        if kind.selector != "range" or (span.start is None and span.end is None):
            return b""
        end = span.end or self._meter_now() + _AHEAD
        column = to_bytes(kind.selector_column) if kind.selector_column else layout.clock_code
        return by_range(column, self._octets(span.start or _EARLIEST), self._octets(end))

    def _octets(self, moment: datetime) -> bytes:
        dlms = self._type.dlms
        return self._zone.octets(moment, deviation=dlms.range_deviation, seconds=dlms.range_seconds)

    def _remark(self, text: str) -> None:
        if text not in self._statistics.remarks:
            self._statistics.remarks.append(text)


def _wanted(numbers: tuple[int, int] | None, last: int, announced: int) -> tuple[int, int]:
    """Return from which row on and to which (not included) a buffer's rows are wanted."""
    if numbers is not None:
        return numbers[0] - 1, numbers[1]
    return (max(0, announced - last) if last else 0), max(announced, _MANY)


def _inside(row: ProfileRow, span: Span) -> bool:
    after = span.start is None or row.time >= span.start
    return after and (span.end is None or row.time <= span.end)


def _captures(value: object, code: str) -> tuple[Capture, ...]:
    """Return the captured attributes from the value of attribute 3.

    Raises:
        GarbledReply: It is no list of captured objects.
    """
    captures = []
    for item in value if isinstance(value, list) else (None,):
        if not isinstance(item, tuple) or len(item) < _CAPTURE_WIDTH:
            raise GarbledReply(f"the captured objects of {code} cannot be read")
        class_id, name, attribute, index = item[:_CAPTURE_WIDTH]
        if not isinstance(name, bytes) or len(name) != 6:  # noqa: PLR2004 - an OBIS code
            raise GarbledReply(f"the captured objects of {code} cannot be read")
        captures.append(Capture(int(class_id), name, int(attribute), int(index)))
    return tuple(captures)
