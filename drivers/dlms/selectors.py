"""Access selectors of a profile buffer: rows by range of time, or by number."""

from drivers.dlms.data import array, octets, signed8, structure, unsigned16, unsigned32

_CLOCK_CLASS = 8
_VALUE = 2


def by_range(column: bytes, start: bytes, end: bytes, class_id: int = _CLOCK_CLASS) -> bytes:
    """Return the selector for rows whose ``column`` lies from ``start`` to ``end``, both included.

    ``start`` and ``end`` are the twelve octets of date-times; all columns are asked for.
    """
    restricting = structure(unsigned16(class_id), octets(column), signed8(_VALUE), unsigned16(0))
    return b"\x01" + structure(restricting, octets(start), octets(end), array())


def by_entry(first: int, last: int) -> bytes:
    """Return the selector for rows ``first`` to ``last``, from 1; ``last`` 0 is the newest row."""
    return b"\x02" + structure(unsigned32(first), unsigned32(last), unsigned16(1), unsigned16(0))
