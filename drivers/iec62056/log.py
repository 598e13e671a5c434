"""Event logs: ``P.98(time)(status)()(count)[(code)(unit)]…[(value)]…``, one record a line.

Two records may share one time, and times go backwards across a clock set: the order is the
meter's.  With a clock set the record's time is the old one.
"""

from drivers import obis
from drivers.iec62056.dataset import parse_number
from drivers.iec62056.times import MeterZone, parse_datetime
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


def parse_record(code: str, groups: tuple[str, ...], zone: MeterZone) -> MeterEvent | None:
    """Return the event of one record; None when the groups are none.

    The event's code is the value of the meter's event-code object where the record has one, else
    the status word.
    """
    time = parse_datetime(groups[0], zone) if groups else None
    if time is None or len(groups) < 2:  # noqa: PLR2004 (a time and a status at least)
        return None
    status = groups[1].strip()
    names, values = _captured(groups)
    event, details = status, []
    for name, value in zip(names, values, strict=False):
        if obis.parse(name) == _EVENT_CODE and parse_number(value) is not None:
            event = value
        else:
            details.append(f"{obis.name_of(name) or name}: {value}")
    details += list(values[len(names) :])
    if event != status:
        details.append(f"status {status}")
    text = words_of(status) if event == status else ""
    return MeterEvent(obis.parse(code) or code, time, event, text, tuple(details))


def words_of(status: str) -> str:
    """Return in words what a status word of eight hex digits reports; "" when not known."""
    try:
        raw = int(status, 16)
    except ValueError:
        return ""
    if len(status) != _LONG:
        return ""
    words = [word for bit, word in _BITS.items() if raw & bit]
    if all(raw & bit for bit in _CLOCK_SET):
        words.append("Clock set")
    return ", ".join(words)


def _captured(groups: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return codes and values of a record; a record without a count has values only."""
    count = groups[3].strip() if len(groups) >= _FIXED else ""
    if not count.isdecimal() or len(groups) < _FIXED + 2 * int(count[:4]):
        return (), groups[2:]
    end = _FIXED + 2 * int(count[:4])
    return groups[_FIXED:end:2], groups[end:]
