"""OBIS codes: every accepted spelling to ``A-B:C.D.E.F``, to six bytes, and to words.

The spelling of a meter (`1.8.0`, `31.7`, `C.7.1`, `1-0:1.8.0*255`, `100700FF`) stays the meter's;
what stands here is a view on it.  Codes without the medium are read as electricity, or as abstract
where the group is a service one.  Names come from the meanings of the groups, so that a code that
nobody listed has a name too.
"""

import re

_FULL = re.compile(
    r"(?:(\d{1,3})-(\d{1,3}):)?([0-9]{1,3}|[CFLP])\.(\d{1,3}|F)"
    r"(?:\.(\d{1,3}))?(?:([*&.])(\d{1,3}))?",
    re.ASCII,
)
_SIX = re.compile(r"\.".join([r"(\d{1,3})"] * 6), re.ASCII)
_HEX = re.compile(r"[0-9A-F]{8}")
_LETTERS = {"C": 96, "F": 97, "L": 98, "P": 99}
_OCTET = 255
_GROUPS = 6
_SERVICE = range(94, 98)  # without a medium these groups are abstract: 0-0:96.1.0
_PROFILES = 99
_LOGS = range(97, 100)  # 99.97 power failures, 99.98 events


def parse(code: str) -> str:
    """Return ``code`` as ``A-B:C.D.E.F``, or "" when it has no such form."""
    short = code.strip()
    groups = _six_groups(short) or _short_groups(short) or _hex_groups(short)
    if not groups or max(groups) > _OCTET:
        return ""
    return _written(groups)


def to_bytes(code: str) -> bytes:
    """Return the six bytes of a code in any accepted spelling.

    Raises:
        ValueError: The text is no OBIS code.
    """
    written = parse(code)
    if not written:
        raise ValueError(f"{code!r} is no OBIS code; write it like 1-0:1.8.0.255")
    return bytes(int(group) for group in re.split(r"[-:.]", written))


def from_bytes(data: bytes) -> str:
    """Return ``A-B:C.D.E.F`` for six bytes.

    Raises:
        ValueError: There are not six of them.
    """
    if len(data) != _GROUPS:
        raise ValueError(f"an OBIS code has 6 bytes, not {len(data)}")
    return _written(tuple(data))


def _written(groups: tuple[int, ...]) -> str:
    a, b, c, d, e, f = groups
    return f"{a}-{b}:{c}.{d}.{e}.{f}"


def _six_groups(code: str) -> tuple[int, ...] | None:
    match = _SIX.fullmatch(code)
    return tuple(int(group) for group in match.groups()) if match else None


def _short_groups(code: str) -> tuple[int, ...] | None:
    match = _FULL.fullmatch(code)
    if not match:
        return None
    a, b, c, d, e, sign, f = match.groups()
    if sign == "." and (e is None or (a is None and len(f) != len("01"))):
        return None  # `0.5.1.2` is a maker's own code; `2.35.0.01` is a stored value
    groups = (
        _LETTERS[c] if c in _LETTERS else int(c),
        _LETTERS["F"] if d == "F" else int(d),
        int(e or 0),
        _OCTET if f is None else int(f),
    )
    medium = _medium(groups[0], groups[1]) if a is None else (int(a), int(b))
    return (*medium, *groups)


def _hex_groups(code: str) -> tuple[int, ...] | None:
    if not _HEX.fullmatch(code):
        return None
    groups = tuple(bytes.fromhex(code))
    return (*_medium(groups[0], groups[1]), *groups)


def _medium(c: int, d: int) -> tuple[int, int]:
    """Return A and B of a code that was written without them."""
    abstract = c in _SERVICE or (c == _PROFILES and d in _LOGS) or c == _LETTERS["L"]
    return (0, 0) if abstract else (1, 0)


# --- names -----------------------------------------------------------------------------------

_POWERS = {
    1: "Active {} import",
    2: "Active {} export",
    3: "Reactive {} import",
    4: "Reactive {} export",
    5: "Reactive {} quadrant I",
    6: "Reactive {} quadrant II",
    7: "Reactive {} quadrant III",
    8: "Reactive {} quadrant IV",
    9: "Apparent {} import",
    10: "Apparent {} export",
    15: "Active {} import plus export",
    16: "Active {} import minus export",
    17: "Active {} quadrant I",
    18: "Active {} quadrant II",
    19: "Active {} quadrant III",
    20: "Active {} quadrant IV",
}
_AMOUNTS = {11: "Current", 12: "Voltage", 13: "Power factor", 14: "Frequency"}
_PHASE_GROUPS = 20  # C = 21..40 is L1, 41..60 L2, 61..80 L3
_LAST_PHASE_GROUP = 80
_OTHER_AMOUNTS = {
    83: "Losses",
    84: "Power factor export",
    88: "Ampere-squared hours",
    89: "Volt-squared hours",
    90: "Current, sum of phases",
    91: "Current neutral",
    92: "Voltage neutral",
}
_ANGLES = 81
_PULSES = 82
_VECTORS = ("U L1", "U L2", "U L3", "", "I L1", "I L2", "I L3", "I N")
_KINDS = {
    0: "{power}",
    1: "Cumulative minimum of {power}",
    2: "Cumulative maximum of {power}",
    3: "Minimum of {power}",
    4: "{power}, average of the running period",
    5: "{power}, average of the last period",
    6: "Maximum of {power}",
    7: "{power}",
    8: "{energy}",
    9: "{energy} since the last reset",
    10: "{energy}, third integral",
    12: "Cumulative maximum of {power}, second period",
    13: "Minimum of {power}, second period",
    14: "{power}, average of the running second period",
    15: "{power}, average of the last second period",
    16: "Maximum of {power}, second period",
    23: "Minimum of {power}, third period",
    24: "{power}, average of the running third period",
    25: "{power}, average of the last third period",
    26: "Maximum of {power}, third period",
    27: "{power}, average of the running fifth period",
    28: "{power}, average of the running sixth period",
    29: "{energy} of the interval",
    30: "{energy} of the second interval",
    31: "Low limit of {power}",
    32: "Count of low {power}",
    33: "Duration of low {power}",
    34: "Depth of low {power}",
    35: "High limit of {power}",
    36: "Count of high {power}",
    37: "Duration of high {power}",
    38: "Height of high {power}",
    39: "Limit of missing {power}",
    40: "Count of missing {power}",
    41: "Duration of missing {power}",
    42: "Depth of missing {power}",
}
_VOLTAGE_KINDS = {32: "Voltage sags {place}", 36: "Voltage swells {place}"}
_TARIFFED = frozenset({1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 16, 25, 26, 29, 30})
_INSTANTANEOUS = 7
_TARIFFS = range(1, 64)
_DISTORTION = 124
_ABSTRACT = {  # A = 0, by C and D; {e} counts from 0, {n} from 1
    (1, 0): "Clock",
    (0, 1): "Billing resets",
    (13, 0): "Activity calendar",
    (17, 0): "Limiter threshold",
    (19, 10): "Payment account",
    (25, 6): "Network address",
    (40, 0): "Current association",
    (41, 0): "Logical devices",
    (42, 0): "Logical device name",
    (43, 0): "Security setup",
    (43, 1): "Invocation counter",
    (44, 0): "Firmware transfer",
    (94, 7): "National value {e}",
    (94, 49): "National value {e}",
    (96, 1): "Identifier {n}",
    (96, 2): "Parameter changes, value {e}",
    (96, 3): "Input and output states {e}",
    (96, 4): "Internal states {e}",
    (96, 5): "Status word {e}",
    (96, 6): "Battery, value {e}",
    (96, 7): "Power failures, value {e}",
    (96, 8): "Operating time, value {e}",
    (96, 9): "Ambient temperature",
    (96, 10): "Profile status {e}",
    (96, 11): "Event code {e}",
    (96, 12): "Signal strength, value {e}",
    (96, 13): "Consumer message {e}",
    (96, 14): "Active tariff",
    (96, 15): "Event counter {e}",
    (96, 20): "Tamper record {e}",
    (96, 77): "Power failure record {e}",
    (96, 90): "Maker identifier {e}",
    (97, 97): "Error register",
    (97, 98): "Alarm register {n}",
    (98, 1): "Billing values",
    (98, 2): "Daily values",
    (99, 97): "Power failure log",
    (99, 98): "Event log {e}",
    (99, 99): "Operator log",
}
_EXACT = {
    "0-0:96.3.10": "Supply switch",
    "0-0:96.6.0": "Battery hours used",
    "0-0:96.6.1": "Battery state",
    "0-0:96.6.3": "Battery voltage",
    "0-0:96.6.6": "Battery time left",
    "0-0:96.7.0": "Power failures, all phases",
    "0-0:96.7.1": "Power failures L1",
    "0-0:96.7.2": "Power failures L2",
    "0-0:96.7.3": "Power failures L3",
    "0-0:96.7.9": "Long power failures",
    "0-0:96.7.21": "Power failures, any phase",
    "0-0:96.2.0": "Parameter changes",
    "0-0:96.2.1": "Time of the last parameter change",
    "1-0:0.1.0": "Billing resets",
    "1-0:0.1.2": "Time of the billing reset",
    "1-0:0.2.0": "Firmware version",
    "1-0:0.2.1": "Parameter set",
    "1-0:0.2.2": "Tariff program",
    "1-0:0.9.1": "Time",
    "1-0:0.9.2": "Date",
    "1-0:0.9.5": "Day of the week",
    "1-0:0.0.0": "Device number",
    "1-3:0.2.8": "Telegram version",
    "1-0:82.8.1": "Terminal cover openings",
    "1-0:82.8.2": "Meter cover openings",
    "1-0:99.1.0": "Load profile",
    "1-0:99.2.0": "Load profile 2",
    "0-0:99.98.0": "Event log",
    "0-0:97.97.0": "Error register",
}
_GENERAL = {  # A = 1, C = 0, by D
    0: "Device number {n}",
    1: "Billing reset, value {e}",
    2: "Program version {e}",
    3: "Pulse constant {e}",
    4: "Transformer ratio {e}",
    6: "Nominal value {e}",
    7: "Input pulse value {e}",
    8: "Measurement period {e}",
    9: "Clock value {e}",
    10: "Coefficient {e}",
    11: "Measurement method {e}",
}
_MBUS = {1: "device type", 2: "reading", 3: "hourly reading", 4: "valve", 0: "setup"}
_MBUS_GROUP = 24


def name_of(code: str) -> str:
    """Return in words what the code (any spelling) stands for; "" when that is not known."""
    written = parse(code)
    if not written:
        return ""
    a, b, c, d, e, f = to_bytes(written)
    name = _EXACT.get(written.rpartition(".")[0]) or _generated(a, b, c, d, e)
    if not name:
        return ""
    return name if f == _OCTET else f"{name}, stored value {f}"


def _generated(a: int, b: int, c: int, d: int, e: int) -> str:
    if a == 0:
        return _abstract_name(b, c, d, e)
    if a != 1:
        return ""
    if c == 0:
        return _GENERAL.get(d, "").format(e=e, n=e + 1)
    if c in {98, 99}:
        return _ABSTRACT.get((c, d), "").format(e=e, n=e + 1) or (
            f"Load profile {d}" if c == _PROFILES else ""
        )
    name = _quantity(c, d, e)
    return f"{name}, channel {b}" if name and b else name


def _abstract_name(b: int, c: int, d: int, e: int) -> str:
    if c == _MBUS_GROUP and b:
        return f"Sub-meter {b} {_MBUS.get(d, '')}".strip()
    name = _ABSTRACT.get((c, d), "").format(e=e, n=e + 1)
    return f"{name}, sub-meter {b}" if name and b else name


def _quantity(c: int, d: int, e: int) -> str:
    if c == _ANGLES:
        return _angle(e) if d == _INSTANTANEOUS else ""
    if c == _PULSES:
        return f"Input {e} count"
    power, energy = _amount(c)
    kind = _KINDS.get(d, "") if power else ""
    if power.startswith("Voltage"):
        kind = _VOLTAGE_KINDS.get(d, kind)
    lowered = [text[:1].lower() + text[1:] for text in (power, energy)]
    name = kind.format(power=lowered[0], energy=lowered[1], place=power.partition(" ")[2])
    name = name[:1].upper() + name[1:].rstrip()
    if name and e:
        name += _part(d, e)
    return name


def _part(d: int, e: int) -> str:
    if d in _TARIFFED and e in _TARIFFS:
        return f", tariff {e}"
    if d == _INSTANTANEOUS and e == _DISTORTION:
        return ", total harmonic distortion"
    if d == _INSTANTANEOUS and e < _DISTORTION:
        return f", harmonic {e}"
    return "" if e == _OCTET else f", value {e}"


def _amount(c: int) -> tuple[str, str]:
    """Return the words for group C measured as power (or amount) and as energy."""
    if c in _OTHER_AMOUNTS:
        return _OTHER_AMOUNTS[c], _OTHER_AMOUNTS[c]
    if not 1 <= c <= _LAST_PHASE_GROUP:
        return "", ""
    phase, base = divmod(c - 1, _PHASE_GROUPS)
    base += 1
    suffix = f" L{phase}" if phase else ""
    if base in _AMOUNTS:
        return _AMOUNTS[base] + suffix, _AMOUNTS[base] + suffix + " integral"
    return _POWERS[base].format("power") + suffix, _POWERS[base].format("energy") + suffix


def _angle(e: int) -> str:
    reference, measured = divmod(e, 10)
    if max(reference, measured) >= len(_VECTORS):
        return ""
    return f"Angle of {_VECTORS[measured]} against {_VECTORS[reference]}"
