"""The checks on what the meter measures: voltage, frequency, phases, power factor, currents.

A reading taken once is an indication; the pack's sources say so.  Magnitudes never decide about
wiring: the ampere reading stays positive when a current transformer is reversed.
"""

import cmath
import math
import re
from decimal import Decimal

from app.reports.model import Limit, Quantity, Verdict
from app.workorders.checks import Check, Evidence, Writer, number, worst
from app.workorders.limits import LimitPack

PHASES = 3
VOLTAGE, CURRENT, FACTOR, ANGLE = (32, 52, 72), (31, 51, 71), (33, 53, 73), 81
_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")
_NOMINAL = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/|V)")


def voltages(facts: Evidence) -> list[Decimal | None]:
    """Return the voltage of each phase the meter has."""
    return [number(facts.after, c, 7) for c in VOLTAGE[: phases(facts)]]


def currents(facts: Evidence) -> list[Decimal | None]:
    """Return the current of each phase; a single-phase meter may give only the total."""
    found = [number(facts.after, c, 7) for c in CURRENT[: phases(facts)]]
    if phases(facts) == 1 and found == [None]:
        return [number(facts.after, 11, 7)]
    return found


def phases(facts: Evidence) -> int:
    """Return how many phases the meter measures, by its type and by what it gave."""
    seen = sum(number(facts.after, c, 7) is not None for c in VOLTAGE)
    return max(facts.ratings.phases, seen, 1)


def nominal(facts: Evidence, pack: LimitPack) -> Decimal:
    """Return the nominal voltage: the one on the label, or the pack's."""
    label = _NOMINAL.search(facts.ratings.voltage)
    return Decimal(label.group(1)) if label else pack.nominal_voltage


def angle(facts: Evidence, *codes: int) -> Decimal | None:
    """Return the first angle given among 81.7.E; makers number the pairs in both directions."""
    return next(
        (found for e in codes if (found := number(facts.after, ANGLE, 7, e)) is not None), None
    )


def voltage(facts: Evidence, pack: LimitPack) -> Check:
    """Check 6: the voltage of each phase."""
    write = Writer(pack, "voltage", "6", "Voltage")
    measured = voltages(facts)
    present = [value for value in measured if value is not None]
    if not present:
        return write.not_applicable("the meter gives no voltage")
    nominal_v = nominal(facts, pack)
    parts = write.rule.unit == "Un"
    limit = write.limit(nominal_v, "V") if parts else write.limit()
    doubt = _part(nominal_v, pack.accuracy.voltage_percent)
    quantities = _labelled(measured, "V", doubt)
    verdict, remark = write.judged(quantities, limit)
    if len(present) < phases(facts):
        verdict, remark = worst((verdict, Verdict.WARN)), "Not every phase gives a voltage."
    return write.made(
        verdict,
        measured=quantities,
        instrument=f"meter, ±{pack.accuracy.voltage_percent:f} %",
        remark=remark,
        limit=limit,
    )


def frequency(facts: Evidence, pack: LimitPack) -> Check:
    """Check 7: the frequency of the supply."""
    write = Writer(pack, "frequency", "7", "Frequency")
    found = number(facts.after, 14, 7)
    if found is None:
        return write.not_applicable("the meter gives no frequency")
    quantity = Quantity(found, "Hz", pack.accuracy.frequency_hz)
    verdict, remark = write.judged((quantity,))
    return write.made(verdict, measured=(quantity,), instrument="meter", remark=remark)


def voltage_unbalance(facts: Evidence, pack: LimitPack) -> Check:
    """Check 8: negative over positive sequence, with true angles or those of a right system."""
    write = Writer(pack, "voltage_unbalance", "8", "Voltage unbalance")
    if phases(facts) < PHASES:
        return write.not_applicable("single phase")
    values = [value for value in voltages(facts) if value is not None]
    if len(values) < PHASES or not all(values):
        return write.not_run("not all three voltages were read")
    second, third = angle(facts, 10, 1), angle(facts, 20, 2)
    turns = [0.0, float(second or 120), float(third or 240)]
    if turns[1] > turns[2]:
        turns = [0.0, turns[2], turns[1]]  # a swapped pair is another check's finding
    vectors = [
        cmath.rect(float(value), -math.radians(turn))
        for value, turn in zip(values, turns, strict=True)
    ]
    a = cmath.rect(1, math.radians(120))
    positive = abs(vectors[0] + a * vectors[1] + a * a * vectors[2])
    negative = abs(vectors[0] + a * a * vectors[1] + a * vectors[2])
    share = Decimal(str(100 * negative / positive)).quantize(_TENTH)
    doubt = (pack.accuracy.voltage_percent * Decimal("0.6")).quantize(_TENTH)
    quantity = Quantity(share, "%", doubt)
    verdict, remark = write.judged((quantity,))
    seen = "" if second is not None else "from magnitudes; the meter gives no angles"
    return write.made(verdict, measured=(quantity,), seen=seen, remark=remark)


def neutral(facts: Evidence, pack: LimitPack) -> Check:
    """Check 10: the phase voltages are plausible together, and no event speaks of the neutral."""
    write = Writer(pack, "neutral", "10", "Neutral present")
    if phases(facts) < PHASES:
        return write.not_applicable("single phase")
    values = [value for value in voltages(facts) if value is not None]
    if len(values) < PHASES:
        return write.not_run("not all three voltages were read")
    mean = sum(values, Decimal(0)) / PHASES
    if not mean:
        return write.not_run("no voltage on any phase")
    far = max(abs(value - mean) for value in values) * 100 / mean
    quantity = Quantity(far.quantize(_TENTH), "%", pack.accuracy.voltage_percent)
    verdict, remark = write.judged((quantity,))
    told = [item for item in facts.events or () if "neutral" in item.text.lower()]
    if told:
        verdict = worst((verdict, Verdict.WARN))
        remark = f"The event log speaks of the neutral: {told[-1].text}. {remark}".strip()
    return write.made(verdict, measured=(quantity,), remark=remark)


def sequence(facts: Evidence, pack: LimitPack) -> Check:
    """Check 11: U2 follows U1 by 120°, U3 by 240°."""
    write = Writer(pack, "sequence", "11", "Phase sequence")
    if phases(facts) < PHASES:
        return write.not_applicable("single phase")
    second, third = angle(facts, 10, 1), angle(facts, 20, 2)
    if second is None or third is None:
        return write.not_applicable("the meter gives no voltage angles")
    measured = (
        Quantity(Decimal(0), "°", None, "U1"),
        Quantity(second % 360, "°", pack.accuracy.angle_deg, "U2"),
        Quantity(third % 360, "°", pack.accuracy.angle_deg, "U3"),
    )
    right = _near(write, (second - 120, third - 240), pack)
    if right is not Verdict.FAIL:
        return write.made(right, measured=measured, seen="1-2-3")
    if _near(write, (second - 240, third - 120), pack) is not Verdict.FAIL:
        remark = "Two phases are swapped at the meter. Confirm with a rotation indicator."
        return write.made(Verdict.FAIL, measured=measured, seen="1-3-2", remark=remark)
    remark = "The voltages do not stand 120° apart: look for a reversed or missing phase."
    return write.made(Verdict.FAIL, measured=measured, seen="neither order", remark=remark)


def power_factor(facts: Evidence, pack: LimitPack) -> Check:
    """Check 13: the power factor is plausible, where the load lets it be judged."""
    write = Writer(pack, "power_factor", "13", "Power factor")
    each = [number(facts.after, c, 7) for c in FACTOR[: phases(facts)]]
    total = number(facts.after, 13, 7)
    values = each if any(value is not None for value in each) else [total]
    if too_small(facts, pack):
        return write.not_run("not enough load")
    if all(value is None for value in values):
        return write.not_applicable("the meter gives no power factor")
    quantities = tuple(
        Quantity(item.value.copy_abs(), item.unit, item.uncertainty, item.label)
        for item in _labelled(values, "", pack.accuracy.power_factor)
    )
    limit = Limit(write.rule.source, write.rule.low, None, "", write.rule.words)
    verdict, remark = write.judged(quantities, limit)
    signs = {value > 0 for value in values if value}
    if len(signs) > 1:
        verdict, remark = Verdict.FAIL, "The phases have different signs: look at the wiring."
        quantities = _labelled(values, "", pack.accuracy.power_factor)
    return write.made(verdict, measured=quantities, instrument="meter", remark=remark)


def current_unbalance(facts: Evidence, pack: LimitPack) -> Check:
    """Check 14: the largest distance of a phase current from the mean."""
    write = Writer(pack, "current_unbalance", "14", "Current unbalance")
    if phases(facts) < PHASES:
        return write.not_applicable("single phase")
    values = [value for value in currents(facts) if value is not None]
    if len(values) < PHASES:
        return write.not_applicable("the meter gives no currents")
    if too_small(facts, pack):
        return write.not_run("not enough load")
    mean = sum((abs(value) for value in values), Decimal(0)) / PHASES
    far = max(abs(abs(value) - mean) for value in values) * 100 / mean
    quantity = Quantity(far.quantize(_TENTH), "%", pack.accuracy.current_percent)
    verdict, remark = write.judged((quantity,))
    return write.made(verdict, measured=(quantity,), remark=remark)


def too_small(facts: Evidence, pack: LimitPack) -> bool:
    """Tell whether the load is too small to judge power factor, balance or wiring."""
    limits = pack.thresholds
    start = limits.starting_current_direct_a if facts.direct else limits.starting_current_ct_a
    found = [abs(value) for value in currents(facts) if value is not None]
    if found and max(found) < start:
        return True
    power = load_w(facts)
    return facts.direct and power is not None and abs(power) < limits.load_w


def load_w(facts: Evidence) -> Decimal | None:
    """Return the active power now in W: the meter's total, or volts times amperes times factor."""
    for c in (16, 15, 1):
        found = number(facts.after, c, 7, watts=True)
        if found is not None:
            return found
    pairs = [
        volts * amperes
        for volts, amperes in zip(voltages(facts), currents(facts), strict=False)
        if volts is not None and amperes is not None
    ]
    return sum(pairs, Decimal(0)) if pairs else None


def _near(write: Writer, offsets: tuple[Decimal, ...], pack: LimitPack) -> Verdict:
    quantities = tuple(
        Quantity((offset + 180) % 360 - 180, "°", pack.accuracy.angle_deg) for offset in offsets
    )
    limit = Limit("", write.rule.low, write.rule.high)
    return write.judged(quantities, limit)[0]


def _labelled(
    values: list[Decimal | None], unit: str, doubt: Decimal | None
) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(value, unit, doubt, f"L{n}" if len(values) > 1 else "")
        for n, value in enumerate(values, 1)
        if value is not None
    )


def _part(value: Decimal, percent: Decimal) -> Decimal:
    return (value * percent / 100).quantize(_TENTH)
