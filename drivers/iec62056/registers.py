"""Data sets of a readout as the program's readings: names, common units, UTC, and their proof."""

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal

from drivers import obis
from drivers.iec62056.dataset import DataSet
from drivers.iec62056.readout import Readout
from drivers.metertype import Iec62056, MeterType, RegisterType
from drivers.values import Identity, Reading

_CHECKS = {"xor": "ok", "sum": "ok", "crc16": "ok"}
_UNITS = {  # in lower case -> the program's unit and the power of ten that leads there
    "w": ("kW", -3),
    "kw": ("kW", 0),
    "mw": ("kW", 3),
    "var": ("kvar", -3),
    "kvar": ("kvar", 0),
    "mvar": ("kvar", 3),
    "va": ("kVA", -3),
    "kva": ("kVA", 0),
    "mva": ("kVA", 3),
    "wh": ("kWh", -3),
    "kwh": ("kWh", 0),
    "mwh": ("kWh", 3),
    "varh": ("kvarh", -3),
    "kvarh": ("kvarh", 0),
    "mvarh": ("kvarh", 3),
    "vah": ("kVAh", -3),
    "kvah": ("kVAh", 0),
    "mvah": ("kVAh", 3),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_SERIALS = (  # where the type's own code is empty
    "0-0:96.1.0.255",
    "1-0:0.0.0.255",
    "0-0:96.1.255.255",
    "0-0:96.1.1.255",
    "1-0:0.0.1.255",
    "0.0",
    "9.21",
)


def in_common_unit(value: Decimal | None, unit: str) -> tuple[Decimal | None, str]:
    """Return energy and power in the program's units (kWh, kW and so on), all else unchanged."""
    if unit.lower() not in _UNITS:
        return value, unit
    common, power = _UNITS[unit.lower()]
    if value is None or not power:
        return value, common
    return Decimal(f"{value.scaleb(power):f}"), common


def history_words(history: str | None, own: Iec62056) -> str:
    """Return what a history suffix stands for at this make, "" where that is not known."""
    if history is None:
        return ""
    for suffix in own.suffixes:
        if suffix.code == history:
            return suffix.name
    number = int(history) if history.isdecimal() else 0
    if own.suffix == "month" and 1 <= number <= len(_MONTHS):
        return f"end of {_MONTHS[number - 1]}"
    return f"reset {number}" if own.suffix == "reset" and number else ""


def reading_of(
    item: DataSet, check: str, known: RegisterType | None = None, own: Iec62056 | None = None
) -> Reading:
    """Return one data set as a reading; ``check`` is the readout's, ``known`` the type's entry."""
    value, unit = in_common_unit(item.value, item.unit or (known.unit if known else ""))
    proved = "bad" if item.damaged else _CHECKS.get(check, check)
    name = (known.name if known else "") or obis.name_of(item.obis) or item.code
    if own is not None and (words := history_words(item.history, own)):
        current = obis.name_of(item.obis.rpartition(".")[0] + ".255") if item.obis else ""
        name = f"{(known.name if known else '') or current or item.base}, {words}"
    if item.history is not None and "&" in item.code:
        name += " (manual reset)"
    time = item.time.astimezone(UTC) if item.time is not None else None
    text = item.text or ""
    raw = "".join(f"({group})" for group in item.groups)
    return Reading(
        item.code, item.obis, name, value, unit, text, item.history, time, proved, raw=raw
    )


def readings(readout: Readout, meter_type: MeterType) -> Iterator[Reading]:
    """Yield the values the type lists, in its order; all of the readout where it lists none."""
    if not meter_type.registers:
        for item in readout.values:
            yield reading_of(item, readout.check, own=meter_type.iec62056)
        return
    for known in meter_type.registers:
        for item in matching(readout, known.code):
            yield reading_of(item, readout.check, known, meter_type.iec62056)


def all_readings(readout: Readout, meter_type: MeterType) -> Iterator[Reading]:
    """Yield every value of the readout, with the type's names for those that it lists."""
    named = {one.code: one for one in meter_type.registers}
    named |= {obis.parse(one.code): one for one in meter_type.registers if obis.parse(one.code)}
    for item in readout.values:
        known = named.get(item.code) or (named.get(item.obis) if item.obis else None)
        yield reading_of(item, readout.check, known, meter_type.iec62056)


def matching(readout: Readout, code: str) -> list[DataSet]:
    """Return the data sets of a code: by the meter's own text, else by OBIS."""
    exact = [item for item in readout.values if item.code == code]
    written = obis.parse(code)
    return exact or [item for item in readout.values if written and item.obis == written]


def identity_of(readout: Readout, meter_type: MeterType) -> Identity:
    """Return who the meter is, by its identification line and the codes its type names."""
    codes = meter_type.identity
    return Identity(
        serial=_first(readout, (codes.serial, *_SERIALS)),
        utility_serial=_first(readout, (codes.utility_serial,)),
        manufacturer=readout.manufacturer,
        model=readout.model,
        firmware=_first(readout, (codes.firmware,)),
        identification=readout.identification,
    )


def _first(readout: Readout, codes: tuple[str, ...]) -> str:
    """Return the first of ``codes`` that says something; zeros only when nothing else does."""
    zeros = ""
    for code in codes:
        for item in matching(readout, code) if code else []:
            text = item.groups[0].strip(" \x00") if item.groups and not item.error else ""
            if text and text.strip("0"):
                return text
            zeros = zeros or text
    return zeros
