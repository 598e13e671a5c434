"""The checks on the meter's own condition: identity, errors, clock, battery, registers, profile."""

from collections.abc import Callable
from datetime import UTC
from decimal import Decimal

from app.reports.model import Quantity, Verdict
from app.workorders import electrical
from app.workorders.checks import Check, Evidence, Writer, group, number
from app.workorders.limits import LimitPack
from drivers.values import Reading, gaps

CRITICAL_BITS = {  # of the error register 97.97.0 as IDIS and DSMR number them
    0: "clock invalid",
    1: "replace battery",
    8: "program memory",
    9: "RAM",
    10: "non-volatile memory",
    11: "measuring system",
    12: "watchdog",
}
_BAD_ROWS = ("not valid", "invalid", "critical")
_REFRESH_S = 60  # many meters renew their registers once a minute

CheckMaker = Callable[[Evidence, LimitPack], Check]


def all_checks(facts: Evidence, pack: LimitPack, only: tuple[str, ...] = ()) -> tuple[Check, ...]:
    """Make the checks of a visit in the order of their numbers.

    Those that only the end of the visit can tell (seals, photos) are made there.
    """
    makers: tuple[tuple[str, CheckMaker], ...] = (
        ("identity", identity),
        ("firmware", firmware),
        ("errors", errors),
        ("clock", clock),
        ("battery", battery),
        ("voltage", electrical.voltage),
        ("frequency", electrical.frequency),
        ("voltage_unbalance", electrical.voltage_unbalance),
        ("neutral", electrical.neutral),
        ("sequence", electrical.sequence),
        ("power_factor", electrical.power_factor),
        ("current_unbalance", electrical.current_unbalance),
        ("advance", advance),
        ("profile", profile),
        ("disconnector", disconnector),
        ("communication", communication),
    )
    return tuple(make(facts, pack) for check_id, make in makers if not only or check_id in only)


def identity(facts: Evidence, pack: LimitPack) -> Check:
    """Check 1: label, device and order name the same meter."""
    write = Writer(pack, "identity", "1", "Identity")
    return write.made(facts.identity, seen=facts.identity_seen)


def firmware(facts: Evidence, pack: LimitPack) -> Check:
    """Check 2: the firmware is in the pack's list, where it has one."""
    write = Writer(pack, "firmware", "2", "Firmware")
    if not facts.firmware:
        return write.not_applicable("the meter tells no firmware")
    if not write.rule.accepted:
        return write.not_applicable(f"{facts.firmware}; the pack names no approved list")
    good = facts.firmware in write.rule.accepted
    remark = "" if good else f"Approved are {', '.join(write.rule.accepted)}."
    return write.made(Verdict.PASS if good else Verdict.FAIL, seen=facts.firmware, remark=remark)


def errors(facts: Evidence, pack: LimitPack) -> Check:
    """Check 3: no critical bit in the error register."""
    write = Writer(pack, "errors", "3", "Errors and alarms")
    found = group(facts.after, 0, 97, 97) or group(facts.after, 1, 97, 97)
    if not found:
        return write.not_applicable("the meter gives no error register")
    shown = [_shown(item) for item in found]
    raised = [item for item, text in zip(found, shown, strict=True) if text.strip("0 ")]
    if not raised:
        return write.made(Verdict.PASS, seen=", ".join(shown))
    bits = [text for item in raised for text in _critical(item)]
    seen = ", ".join(shown)
    if bits:
        return write.made(Verdict.FAIL, seen=seen, remark=f"Critical: {', '.join(bits)}.")
    remark = "Not zero. Look the bits up in the manual of this meter; no critical bit is known."
    return write.made(Verdict.WARN, seen=seen, remark=remark)


def clock(facts: Evidence, pack: LimitPack) -> Check:
    """Check 4: the clock's offset, as it was left."""
    write = Writer(pack, "clock", "4", "Clock offset")
    if facts.clock is None:
        return write.not_applicable(facts.clock_reason or "the meter gives no clock")
    quantity = Quantity(facts.clock.offset, "s", facts.clock.uncertainty)
    verdict, remark = write.judged((quantity,))
    high = write.rule.high
    if verdict is Verdict.PASS and high is not None and facts.clock.uncertainty > high / 4:
        verdict, remark = Verdict.WARN, "The round trip was too long for this limit."
    return write.made(verdict, measured=(quantity,), instrument="this laptop", remark=remark)


def battery(facts: Evidence, pack: LimitPack) -> Check:
    """Check 5: no event speaks of the battery, and its charge is above the limit."""
    write = Writer(pack, "battery", "5", "Battery")
    charge = next((item for item in group(facts.after, 0, 96, 6) if item.unit == "%"), None)
    told = [item for item in facts.events or () if "battery" in item.text.lower()]
    if charge is None and facts.events is None:
        return write.not_run(facts.events_reason or "no event log was read")
    if told:
        seen = f"{told[-1].text}, {told[-1].time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return write.made(Verdict.WARN, seen=seen, remark=f"The log says: {told[-1].text}.")
    if charge is not None and charge.value is not None:
        quantity = Quantity(charge.value, "%")
        verdict, remark = write.judged((quantity,))
        return write.made(verdict, measured=(quantity,), remark=remark)
    return write.made(Verdict.PASS, seen=f"no such event among {len(facts.events or ())}")


def advance(facts: Evidence, pack: LimitPack) -> Check:
    """Check 17: import rises with the load, export never falls."""
    write = Writer(pack, "advance", "17", "Register advance")
    pair = _pair(facts, 1) or _pair(facts, 15)
    if pair is None or facts.before_at is None or facts.after_at is None:
        return write.not_run("the import register was not read twice")
    before, after = pair
    step = _resolution(before)
    moved = after - before
    quantity = Quantity(moved, "kWh", step)
    if moved < 0:
        remark = "The register ran backwards."
        return write.made(Verdict.FAIL, measured=(quantity,), remark=remark)
    if moved > 0:
        return write.made(Verdict.PASS, measured=(quantity,))
    load = electrical.load_w(facts)
    waited = Decimal(str((facts.after_at - facts.before_at).total_seconds()))
    due = abs(load or Decimal(0)) * waited / 3_600_000
    if due < 2 * step or waited < _REFRESH_S:
        return write.not_run("not enough load or time for one step of the register")
    remark = f"About {due:.3f} kWh should have been counted."
    return write.made(Verdict.FAIL, measured=(quantity,), remark=remark)


def profile(facts: Evidence, pack: LimitPack) -> Check:
    """Check 20: the period is right, rows stand on its boundary, none is missing or invalid."""
    write = Writer(pack, "profile", "20", "Load profile")
    if facts.profile is None:
        return write.not_applicable(facts.profile_reason or "the meter has no load profile")
    info, rows, expected = facts.profile.info, facts.profile.rows, facts.profile.expected_period_s
    if not rows:
        return write.not_run("the profile has no row yet")
    first = min(row.time for row in rows)
    wrong, doubtful = [], []
    if expected and info.period_s and info.period_s != expected:
        wrong.append(f"the period is {_period(info.period_s)}, not {_period(expected)}")
    if info.period_s and first.timestamp() % info.period_s:
        wrong.append(f"the first row, {first.astimezone(UTC):%H:%M:%S} UTC, is off the boundary")
    bad = [row for row in rows if any(_is_bad(word) for word in row.status)]
    if bad:
        wrong.append(f"{len(bad)} of {len(rows)} rows are marked: {bad[-1].status[0]}")
    missing = sum(g.intervals for g in gaps(sorted({row.time for row in rows}), info.period_s))
    if missing:
        doubtful.append(f"{missing} intervals are missing")
    verdict = Verdict.FAIL if wrong else Verdict.WARN if doubtful else Verdict.PASS
    remark = "; ".join((*wrong, *doubtful))
    seen = f"{_period(info.period_s)}, {len(rows)} rows"
    return write.made(verdict, seen=seen, remark=remark and f"{remark[0].upper()}{remark[1:]}.")


def disconnector(facts: Evidence, pack: LimitPack) -> Check:
    """Check 21: the state of the supply switch was read, and the supply is on."""
    write = Writer(pack, "disconnector", "21", "Disconnector")
    if facts.relay is None:
        return write.not_applicable("the meter has none, or does not tell its state")
    if facts.relay.output:
        return write.made(Verdict.PASS, seen=f"supply on, {facts.relay.state}")
    remark = "The supply is off. Nothing was switched."
    return write.made(Verdict.WARN, seen=f"supply off, {facts.relay.state}", remark=remark)


def communication(facts: Evidence, pack: LimitPack) -> Check:
    """Check 22: the signal level, where the meter tells it."""
    write = Writer(pack, "communication", "22", "Communication")
    level = next((item for item in facts.after if item.unit == "dBm"), None)
    if level is None or level.value is None:
        return write.not_applicable("the meter tells no signal level")
    quantity = Quantity(level.value, "dBm")
    verdict, remark = write.judged((quantity,))
    return write.made(verdict, measured=(quantity,), remark=remark)


def seals(pack: LimitPack, *, wanted: int, given: int, photos_wanted: int, photos: int) -> Check:
    """Check 25: every position is sealed and every photo taken."""
    write = Writer(pack, "seals", "25", "Seals, photos")
    seen = f"{given} of {wanted} seals, {photos} of {photos_wanted} photos"
    missing = [
        text
        for text, lacks in (("A seal", given < wanted), ("A photo", photos < photos_wanted))
        if lacks
    ]
    if not missing:
        return write.made(Verdict.PASS, seen=seen)
    verdict = Verdict.WARN if write.rule.soft else Verdict.FAIL
    return write.made(
        verdict, seen=seen, remark=f"{' and '.join(missing).capitalize()} is missing."
    )


def _shown(reading: Reading) -> str:
    return reading.text or ("" if reading.value is None else format(reading.value, "f"))


def _critical(reading: Reading) -> list[str]:
    """Return the critical bits in words; only a DLMS error object has a known numbering."""
    if reading.code.upper().startswith("F.F") or reading.value is None:
        return []
    bits = int(reading.value)
    return [name for bit, name in CRITICAL_BITS.items() if bits >> bit & 1]


def _pair(facts: Evidence, c: int) -> tuple[Decimal, Decimal] | None:
    before, after = number(facts.before, c, 8), number(facts.after, c, 8)
    return None if before is None or after is None else (before, after)


def _resolution(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def _is_bad(word: str) -> bool:
    return any(bad in word.lower() for bad in _BAD_ROWS)


def _period(seconds: int) -> str:
    if not seconds:
        return "no fixed period"
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
