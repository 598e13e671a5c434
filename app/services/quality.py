"""What tells of the quality of the supply: voltages, currents, factors, failures."""

from drivers.errors import AccessDenied, NotSupported
from drivers.meter import Meter
from drivers.obis import parse
from drivers.values import Reading

_PHASES = (20, 40, 60)
_WANTED = (
    *(f"{{}}:{base + 12}.7.0.255" for base in _PHASES),  # voltages
    *(f"{{}}:{base + 11}.7.0.255" for base in _PHASES),  # currents
    *(f"{{}}:{base + 13}.7.0.255" for base in _PHASES),  # power factors
    "{}:13.7.0.255",
    "{}:14.7.0.255",
)
_CHANNELS = ("1-0", "1-1")
_FAILURES = ("0-0:96.7.0.255", "0-0:96.7.5.255", "0-0:96.7.21.255", "0-0:96.7.9.255")


def quality_codes(meter: Meter) -> list[tuple[str, ...]]:
    """Return the codes to ask for, those of one value together: the first that answers counts."""
    known = {parse(one.code) or one.code for one in meter.meter_type.registers}
    asked = []
    for pattern in _WANTED:
        codes = tuple(pattern.format(channel) for channel in _CHANNELS)
        listed = tuple(code for code in codes if code in known)
        asked.append(listed or codes)
    return [*asked, *((code,) for code in _FAILURES)]


def quality_reading(meter: Meter, codes: tuple[str, ...]) -> Reading | None:
    """Return the first of ``codes`` that the meter has; None when it has none of them."""
    for code in codes:
        try:
            return meter.object(code)
        except (NotSupported, AccessDenied):
            continue
    return None
