"""The clean sample job. No person, place, serial or number in here exists."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.reports.model import (
    Communication,
    Customer,
    Event,
    Job,
    Meter,
    Phase,
    Phasors,
    Photo,
    Place,
    Profile,
    ProfileRow,
    Record,
    Register,
    Report,
    Seal,
    Setting,
    Signature,
    Transformer,
    Verdict,
)
from tests.reports.sample_checks import ct_checks

D = Decimal
PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL
NOT_RUN, NA = Verdict.NOT_RUN, Verdict.NOT_APPLICABLE
START = datetime(2026, 5, 18, 7, 2, tzinfo=UTC)
PACK = "pack EX-LV"


def at(minutes: float) -> datetime:
    """A time on the day of the job."""
    return START + timedelta(minutes=minutes)


def scribble(seed: int) -> tuple[tuple[int, ...], ...]:
    """Strokes that look like a signature."""
    found = []
    for part in range(2):
        points = []
        for step in range(46):
            t = step / 45
            x = 40 + part * 430 + 420 * t
            y = 130 + 85 * math.sin(11 * t + seed + part) * (1 - 0.6 * t)
            points += [round(x + 38 * math.cos(23 * t + seed)), round(y + 25 * math.cos(17 * t))]
        found.append(tuple(points))
    return (*found, (60, 40, 460, 62, 930, 48))


def daily(hours: int, peak: float, gap: range, flags: dict[int, tuple[str, ...]]) -> Profile:
    """A quarter-hour profile with a gap and status words; 15 minutes a row."""
    first = datetime(2026, 5, 18, 7, 0, tzinfo=UTC) - timedelta(hours=hours)
    rows = []
    for n in range(1, hours * 4 + 1):
        hour = (n / 4 + 8 - hours) % 24
        base = (
            0.28
            + 0.5 * math.exp(-(((hour - 13) / 4.2) ** 2))
            + 0.22 * math.exp(-(((hour - 8) / 1.3) ** 2))
        )
        wave = 0.045 * math.sin(n * 1.7) + 0.03 * math.sin(n * 0.61)
        value = None if n in gap else D(f"{peak * (base + wave):.2f}")
        if n not in gap or n == gap[0]:
            rows.append(ProfileRow(first + timedelta(minutes=15 * n), value, flags.get(n, ())))
    return Profile("P import", "kW, 15 min", 15, tuple(rows), "")


def report(number: str, title: str, minutes: int) -> Report:
    """The report block with everything that the three samples share."""
    return Report(
        number,
        1,
        title,
        "en",
        "MW-C 1.0",
        PACK.removeprefix("pack "),
        "2026.2",
        "Meterwright 0.1",
        "FIELD-07",
        START,
        at(minutes),
        120,
    )


METER = Meter(
    "Examplemeter",
    "EM-340 CT",
    "EXM0070012345",
    "12345678903",
    2025,
    "0.5S active, 2 reactive",
    "3 × 230/400 V, 5(6) A, 50 Hz",
    "10 000 imp/kWh",
    "4 wires, CT connected",
    "EM-340 2.4.1",
    "8C1F 02A7 55D0 9E3B",
    "CT-4W-2026",
    "T2-2026 (04B1)",
)
JOB = Job(
    "WO-2026-01043",
    "New, three-phase CT, second day",
    "Example Grid Company",
    "Northfield Metering Ltd",
    "A. Sample",
    "EL-20881",
    "B. Witness, Example Grid Company",
)
PLACE = Place(
    "SP 40 0719 3321",
    ("Oak Street 14", "Northfield 4711"),
    "TN-C-S, 3 phases, fuse 200 A",
    "Steel cabinet, switch room",
    "TS 118, 400 kVA",
    "F3",
    D("51.47312"),
    D("-0.00124"),
    D("4"),
)
CUSTOMER = Customer("Oak Street Bakery", "T2, two rates", "120 kW", present=True)
DECLARATION = (
    "I have installed and tested this metering as recorded above, with the tools and limits named "
    "in this report. The covers and seals were in place when I left. The customer or the "
    "customer's representative was told the readings and the result."
)


def transformers(third: str = "200/5 A") -> tuple[Transformer, ...]:
    """Three current transformers."""
    return tuple(
        Transformer(
            f"L{n}",
            "CT",
            "200/5 A",
            "200/5 A" if n < 3 else third,
            "0.5S",
            "2.5 VA",
            f"CT-88 410{n}",
            f"CC-2025-771{n}",
            "Example Grid",
        )
        for n in (1, 2, 3)
    )


def phase(n: int, u: str, ua: str, i: str, ia: str, p: str, verdict: Verdict, text: str) -> Phase:
    """One phase of the reading."""
    return Phase(f"L{n}", D(u), D(ua), D(i), D(ia), D(p), verdict, text)


def clean(photos: tuple[Photo, ...]) -> Record:
    """A three-phase CT job where everything is right."""
    profile = daily(25, 68.0, range(0), {4: ("clock set",), 99: ("clock set",)})
    return Record(
        report("CR-2026-004711", "Commissioning report", 52),
        JOB,
        PLACE,
        CUSTOMER,
        METER,
        DECLARATION,
        Communication(
            "LTE-M",
            "LM-4 00918273",
            "8988211000000123458",
            "10.20.7.41",
            "−71 dBm, good",
            "",
            "session 38 s, 0 retries",
        ),
        None,
        transformers(),
        ct_checks(),
        Phasors(
            at(21),
            5,
            (
                phase(1, "231.4", "0.0", "3.12", "20.1", "0.678", PASS, "in the load range"),
                phase(2, "230.9", "119.8", "2.94", "141.4", "0.631", PASS, "in the load range"),
                phase(3, "232.2", "240.1", "3.25", "258.3", "0.717", PASS, "in the load range"),
            ),
            "Sequence, pairing and polarity are right.",
            "",
            D("2.4"),
            D("57.6"),
            D("-30"),
            D("60"),
            "secondary",
        ),
        "",
        dataclasses.replace(
            profile,
            sentence="The last 25 hours are complete: 100 of 100 intervals. "
            "The clock was set twice by less than 2 s.",
        ),
        (
            Register(
                "1.8.0",
                "Active import, total",
                "kWh",
                "new",
                D("812.440"),
                D("813.724"),
                D("827.342"),
            ),
            Register(
                "1.8.1",
                "Active import, rate 1",
                "kWh",
                "new",
                D("610.102"),
                D("611.386"),
                D("625.004"),
            ),
            Register(
                "1.8.2",
                "Active import, rate 2",
                "kWh",
                "new",
                D("202.338"),
                D("202.338"),
                D("202.338"),
            ),
            Register(
                "2.8.0", "Active export, total", "kWh", "new", D("0.000"), D("0.000"), D("0.000")
            ),
            Register(
                "5.8.0",
                "Reactive, quadrant I",
                "kvarh",
                "new",
                D("301.577"),
                D("302.043"),
                D("306.987"),
            ),
        ),
        (
            Event(at(-1510), "2", "Power up"),
            Event(at(12), "5", "Clock adjusted by +1.4 s"),
            Event(at(14), "48", "Key changed by installer"),
            Event(at(30), "41", "Terminal cover open", at(43)),
            Event(at(9), "9", "Parameters changed", None, 4),
        ),
        None,
        (
            Setting("Clock", "−1.4 s", "0.0 s", "0.0 s"),
            Setting("Calendar", "factory", "T2-2026", "T2-2026"),
            Setting("CT ratio", "5/5 A", "200/5 A", "200/5 A"),
            Setting("Profile period", "30 min", "15 min", "15 min"),
        ),
        (
            Seal("Main cover", "blue, wire", "NB 402 118", 2),
            Seal("Terminal cover", "blue, wire", "NB 402 119", 3),
            Seal("CT test block", "red, snap", "R 77 0213", 3),
            Seal("Cabinet door", "blue, wire", "NB 402 120"),
        ),
        photos,
        (
            Signature(
                "Installer",
                "A. Sample",
                "Northfield Metering Ltd, licence EL-20881",
                "drawn",
                at(51),
                scribble(1),
            ),
            Signature(
                "Customer", "C. Baker", "for Oak Street Bakery", "drawn", at(52), scribble(4)
            ),
            Signature("Witness (transformers)", "B. Witness", "Example Grid Company", "ink"),
        ),
    )
