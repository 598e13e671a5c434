"""The checks of a clean three-phase CT job, with invented values."""

from __future__ import annotations

from decimal import Decimal

from app.reports.model import Check, Limit, Quantity, Verdict

D = Decimal
PASS, NA = Verdict.PASS, Verdict.NOT_APPLICABLE


def q(value: str, unit: str, uncertainty: str = "", label: str = "") -> Quantity:
    """A quantity from strings."""
    return Quantity(D(value), unit, D(uncertainty) if uncertainty else None, label)


def phases(values: str, unit: str, uncertainty: str) -> tuple[Quantity, ...]:
    """Three quantities labelled by phase."""
    return tuple(q(v, unit, uncertainty, f"L{n}") for n, v in enumerate(values.split(), 1))


def between(low: str, high: str, unit: str, source: str) -> Limit:
    """A limit from two strings, either of which may be empty."""
    return Limit(source, D(low) if low else None, D(high) if high else None, unit)


def words(text: str, source: str = "") -> Limit:
    """A limit in words."""
    return Limit(source, words=text)


def ct_checks() -> tuple[Check, ...]:
    """The checks of a clean three-phase CT job."""
    meter_u, meter_i = "meter, ±0.5 %", "meter, class 0.5S"
    lim_ct = between("-3.5", "3.5", "%", "class 0.5 and clamp 3 %")
    return (
        Check(
            "1", "Identity", words("label = device = order"), PASS, seen="12345678903, all equal"
        ),
        Check(
            "2",
            "Firmware and configuration",
            words("in the approved list"),
            PASS,
            seen="2.4.1, CT-4W-2026",
        ),
        Check("3", "Errors and alarms", words("no critical bit"), PASS, seen="0000 0000"),
        Check(
            "4",
            "Clock offset",
            between("-20", "20", "s", ""),
            PASS,
            (q("1.4", "s", "0.3"),),
            "",
            "laptop, synchronised 06:40",
        ),
        Check("5", "Battery", between("10", "", "%", ""), PASS, (q("97", "%"),)),
        Check(
            "6",
            "Voltage",
            between("207.0", "253.0", "V", "EN 50160; one reading is an indication"),
            PASS,
            phases("231.4 230.9 232.2", "V", "1.2"),
            "",
            meter_u,
        ),
        Check(
            "7",
            "Frequency",
            between("49.50", "50.50", "Hz", "EN 50160"),
            PASS,
            (q("49.98", "Hz", "0.01"),),
        ),
        Check("8", "Voltage unbalance", between("", "2.0", "%", ""), PASS, (q("0.3", "%", "0.2"),)),
        Check("10", "Neutral present", words("phase voltages plausible"), PASS, seen="no event"),
        Check("11", "Phase sequence", words("0 / 120 / 240° ±10°"), PASS, seen="1-2-3"),
        Check(
            "12",
            "Polarity and pairing",
            words("best of 48 wirings, margin 20°"),
            PASS,
            seen="right, margin 55°",
        ),
        Check(
            "13",
            "Power factor",
            between("0.50", "1.00", "", ""),
            PASS,
            phases("0.94 0.93 0.95", "", "0.01"),
            "",
            meter_i,
        ),
        Check(
            "14", "Current unbalance", between("", "20.0", "%", ""), PASS, (q("6.1", "%", "0.4"),)
        ),
        Check(
            "15",
            "CT ratio, error",
            lim_ct,
            PASS,
            phases("0.6 -0.4 1.1", "%", "0.8"),
            "",
            "clamp, class 1",
        ),
        Check(
            "16",
            "Load test, error",
            between("-1.5", "1.5", "%", "meter 0.5S and reference 0.2"),
            PASS,
            (q("-0.21", "%", "0.30"),),
            "",
            "reference meter RM-2 (due 2027-01)",
        ),
        Check(
            "17",
            "Register advance",
            words("equals the pulses ±1 digit"),
            PASS,
            (q("1.284", "kWh", "0.001"),),
        ),
        Check("18", "Display", words("all segments"), PASS, seen="confirmed by the installer"),
        Check("19", "Tariff", words("T2-2026"), PASS, seen="rate 1 now, next switch 22:00"),
        Check(
            "20",
            "Load profile",
            words("15 min, on the boundary"),
            PASS,
            seen="first row 07:15, valid",
        ),
        Check(
            "21",
            "Disconnector",
            words("opens and closes"),
            NA,
            seen="CT meter: none",
            mandatory=False,
        ),
        Check("22", "Communication", words("read from the head end"), PASS, seen="−71 dBm, good"),
        Check("23", "Tamper", words("covers closed, magnet clear"), PASS, seen="clear, counter 0"),
        Check("24", "Prepayment", words("–"), NA, seen="credit meter", mandatory=False),
        Check("25", "Seals, photos, position", words("4 seals, 3 photos"), PASS, seen="4 and 3"),
        Check("26", "Security", words("default keys replaced"), PASS, seen="key change in the log"),
    )
