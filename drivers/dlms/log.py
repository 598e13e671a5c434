"""Event logs: profiles whose rows are a time, a code, and sometimes more."""

from collections.abc import Iterator
from dataclasses import replace

from drivers.dlms.profile import ProfileReader
from drivers.dlms.rowmaker import Layout
from drivers.eventwords import event_text, status_words
from drivers.metertype import LogType, MeterType
from drivers.obis import from_bytes, parse
from drivers.values import MeterEvent, ProfileRow, Span, newest

_EVENT_GROUP = (96, 11)  # C and D of event codes


class LogReader:
    """Reads the event logs of one session."""

    def __init__(self, profiles: ProfileReader, meter_type: MeterType) -> None:
        self._profiles = profiles
        self._type = meter_type

    def events(self, code: str, span: Span) -> Iterator[MeterEvent]:
        """Yield the events of the log with this OBIS code, as their rows arrive.

        The last rows are cut off the whole range: logs have no period to reckon a start with, and
        what they count as entries is often wrong.
        """
        found = self._events(code, replace(span, last=0))
        return _newest(found, span.last) if span.last else found

    def _events(self, code: str, span: Span) -> Iterator[MeterEvent]:
        known = (log for log in self._type.logs if parse(log.code) == code)
        log = replace(next(known, LogType(code)), code=code)
        layout = self._profiles.layout(code)
        info = replace(self._profiles.info(code), period_s=0)  # a log has no fixed period
        place = _code_place(layout)
        for block in self._profiles.rows(info, span):
            for row in block.rows:
                yield self._event(log, layout, place, row)

    def _event(
        self, log: LogType, layout: Layout, place: int | None, row: ProfileRow
    ) -> MeterEvent:
        number = None if place is None else row.values[place]
        code = "" if number is None else str(int(number))
        details = [
            f"{self._title(layout, n)}: {value}"
            for n, value in enumerate(row.values)
            if n != place and value is not None
        ]
        if row.status_raw is not None:
            details += status_words("idis", row.status_raw) if log.events else ()
        text = event_text(log.events, log.code, int(code)) if code else ""
        return MeterEvent(log.code, row.time, code, text, tuple(details))

    def _title(self, layout: Layout, value: int) -> str:
        obis = from_bytes(layout.captures[layout.values[value]].code)
        return self._type.name_of(obis) or obis


def _newest(found: Iterator[MeterEvent], last: int) -> Iterator[MeterEvent]:
    """Yield the newest of the events; of those that came where the reading breaks off."""
    events: list[MeterEvent] = []
    try:
        events.extend(found)
    except Exception:  # the line broke, or the operator stopped
        yield from newest(events, last)
        raise
    yield from newest(events, last)


def _code_place(layout: Layout) -> int | None:
    """Return which of the values is the event code; None when the rows have no value."""
    for n, place in enumerate(layout.values):
        code = layout.captures[place].code
        if (code[2], code[3]) == _EVENT_GROUP:
            return n
    return 0 if layout.values else None
