"""What a correct reader must find in a virtual meter, in the JSON shape of ``read --json``."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from drivers.simulator.dlms.axdr import U8, value_of
from drivers.simulator.dlms.profile import Rows
from drivers.simulator.loadprofile import STATUS_WORDS
from drivers.simulator.meterclock import MeterClock
from drivers.simulator.model import EVENTS, STATE_WORDS, Disconnector, EventLog
from drivers.simulator.prepayment import Prepayment
from drivers.simulator.quantities import Quantity

Shape = dict[str, object]
_CELLS_BEFORE = 2  # clock and status


def time_text(moment: datetime) -> str:
    """Return a moment in ISO 8601, UTC, with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def registers(
    wanted: Iterable[str], quantities: Mapping[str, Quantity], moment: datetime
) -> list[Shape]:
    """Return the registers that are both wanted and there, in the order wanted."""
    return [
        {
            "obis": code,
            "value": quantities[code].text(moment),
            "unit": quantities[code].unit_text(),
            "time": None,
        }
        for code in wanted
        if code in quantities
    ]


def profile(code: str, period_s: int, quantities: Sequence[Quantity], rows: Rows) -> Shape:
    """Return a whole profile with its gaps."""
    listed = []
    for place in range(len(rows)):
        row = rows.row(place)
        raw = value_of(row.cells[1]).number(U8)
        listed.append(
            {
                "time": time_text(row.time),
                "status_raw": raw,
                "status": [word for bit, word in sorted(STATUS_WORDS.items()) if raw & bit],
                "values": [quantity.text(row.time) for quantity in quantities],
            }
        )
    return {
        "obis": code,
        "period_s": period_s,
        "complete": True,
        "columns": [
            {"obis": quantity.code, "attribute": 2, "unit": quantity.unit_text()}
            for quantity in quantities
        ],
        "rows": listed,
        "gaps": _gaps(rows, period_s),
    }


def _gaps(rows: Rows, period_s: int) -> list[Shape]:
    if not period_s:
        return []
    times = (rows.time(place) for place in range(len(rows)))
    found: list[Shape] = []
    for before, after in pairwise(times):
        missing = round((after - before).total_seconds() / period_s) - 1
        if missing > 0:
            found.append({"from": time_text(before), "to": time_text(after), "intervals": missing})
    return found


def events(code: str, log: EventLog) -> Shape:
    """Return a log in words."""
    rows = [
        {"time": time_text(event.time), "code": event.code, "text": EVENTS[event.code]}
        for event in log.events()
    ]
    return {"obis": code, "rows": rows}


def clock(meter: MeterClock) -> Shape:
    """Return the clock's offset, as exact as it is known here."""
    status = ["daylight saving active"] if meter.zone.summer(meter.born) else []
    return {"offset_s": f"{meter.error.total_seconds():.1f}", "status": status}


def relay(switch: Disconnector) -> Shape:
    """Return the state of the supply switch."""
    return {
        "output": switch.output,
        "state": STATE_WORDS[switch.state],
        "mode": int(switch.mode),
    }


def prepayment(account: Prepayment) -> Shape:
    """Return which key the meter is on, and its credit."""
    name = account.sts.name
    return {
        "drn": account.drn,
        "sgc": name.sgc,
        "ti": name.ti,
        "krn": name.krn,
        "key_type": int(name.key_type),
        "ken": account.sts.ken,
        "ea": name.ea,
        "base_date": name.base,
        "balance": str(account.kwh),
        "unit": "kWh",
    }
