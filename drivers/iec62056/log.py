"""Event logs: ``P.98(time)(status)()(count)[(code)(unit)]…[(value)]…``, one record a line.

Two records may share one time, and times go backwards across a clock set: the order is the
meter's.  With a clock set the record's time is the old one.  Operator logs (P.99) hold
``(old;new)``.  Makers' own logs (P.200, P.210, P.211) may hold a time alone, or values without
codes: the words are then the type's, or there are none.
"""

from collections.abc import Sequence
from dataclasses import replace

from drivers import obis
from drivers.eventwords import event_text
from drivers.iec62056.dataset import parse_number
from drivers.iec62056.profile import worded
from drivers.iec62056.times import MeterZone, parse_datetime
from drivers.metertype import MeterType, StatusBit
from drivers.values import MeterEvent

_FIXED = 4  # groups: time, status, "", count
_EVENT_CODE = "0-0:96.11.0.255"
_LONG = 8  # hex digits of the long status word, the only one whose bits are known
_BITS = {0x10: "Month end", 0x40: "Power up", 0x80: "Power down"}
_CLOCK_SET = (0x20, 0x8000)


def is_log(code: str) -> bool:
    """Tell whether a code such as ``P.98`` names a log."""
    number = code[2:] if code.startswith("P.") else ""
    return number.isdecimal() and int(number[:4]) >= 50  # noqa: PLR2004 (P.01 to P.49 are profiles)


def parse_record(
    code: str, groups: tuple[str, ...], zone: MeterZone, bits: Sequence[StatusBit] = ()
) -> MeterEvent | None:
    """Return the event of one record; None when the groups are none.

    The event's code is the value of the meter's event-code object where the record has one, else
    the status word.  ``bits`` are those of the meter's type, where it names them.
    """
    time = parse_datetime(groups[0], zone) if groups else None
    if time is None:
        return None
    status = groups[1].strip() if len(groups) > 1 else ""
    names, values = _captured(groups)
    event, details = status, []
    for name, value in zip(names, values, strict=False):
        if obis.parse(name) == _EVENT_CODE and parse_number(value) is not None:
            event = value
        else:
            details.append(f"{obis.name_of(name) or name}: {changed(value)}")
    details += list(values[len(names) :])
    if event != status:
        details.append(f"status {status}")
    text = words_of(status, bits) if event == status else ""
    return MeterEvent(obis.parse(code) or code, time, event, text, tuple(details))


def changed(value: str) -> str:
    """Return ``old;new`` of an operator log as one sees it, any other value as it is."""
    old, mark, new = value.partition(";")
    return f"{old or '-'} → {new or '-'}" if mark else value


def words_of(status: str, bits: Sequence[StatusBit] = ()) -> str:
    """Return in words what a status word reports; "" when not known.

    Without the type's own bits only words of eight hex digits are known.
    """
    try:
        raw = int(status, 16)
    except ValueError:
        return ""
    if bits:
        return ", ".join(worded(raw, bits))
    if len(status) != _LONG:
        return ""
    words = [word for bit, word in _BITS.items() if raw & bit]
    if all(raw & bit for bit in _CLOCK_SET):
        words.append("Clock set")
    return ", ".join(words)


def in_words(event: MeterEvent, meter_type: MeterType) -> MeterEvent:
    """Return the event with the text that the table of the type's log has for its code."""
    logs = meter_type.logs
    table = next(
        (log.events for log in logs if (obis.parse(log.code) or log.code) == event.log), ""
    )
    if not table or not event.code.isdecimal():
        return event
    return replace(event, text=event_text(table, event.log, int(event.code)) or event.text)


def _captured(groups: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return codes and values of a record; a record without a count has values only."""
    count = groups[3].strip() if len(groups) >= _FIXED else ""
    if not count.isdecimal() or len(groups) < _FIXED + 2 * int(count[:4]):
        return (), groups[2:]
    end = _FIXED + 2 * int(count[:4])
    return groups[_FIXED:end:2], groups[end:]
