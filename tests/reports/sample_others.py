"""The two other sample jobs, made from the clean one: a failed one and a prepayment one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal

from app.reports.model import (
    Check,
    Communication,
    Customer,
    Event,
    Meter,
    OldMeter,
    Photo,
    Prepayment,
    Record,
    Register,
    Setting,
    Signature,
    Token,
    Verdict,
    Waiver,
)
from tests.reports.sample_checks import between, phases, q, words
from tests.reports.sample_records import (
    CUSTOMER,
    DECLARATION,
    JOB,
    PLACE,
    at,
    clean,
    daily,
    phase,
    report,
    scribble,
)

D = Decimal
PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL
NOT_RUN, NA = Verdict.NOT_RUN, Verdict.NOT_APPLICABLE


def reversed_ct(photos: tuple[Photo, ...]) -> Record:
    """The job with the CT on L2 reversed, poor signal waived, and a gap in the profile."""
    base = clean(photos)
    boss = "D. Chief", "field supervisor"
    changed: Mapping[str, Check] = {
        "12": Check(
            "12",
            "Polarity and pairing",
            words("best of 48 wirings, margin 20°"),
            FAIL,
            seen="CT on L2 reversed",
            remark="Current I2 points away from U2. Short the test block, "
            "swap S1 and S2 on L2, then repeat checks 12, 13, 16 and 17.",
        ),
        "13": Check(
            "13",
            "Power factor",
            between("0.50", "1.00", "", ""),
            FAIL,
            phases("0.94 -0.93 0.95", "", "0.01"),
            "",
            "meter, class 0.5S",
            remark="L2 is negative and no generation is declared.",
        ),
        "14": Check(
            "14",
            "Current unbalance",
            between("", "20.0", "%", ""),
            WARN,
            (q("19.8", "%", "0.4"),),
            remark="Inside the limit by less than the uncertainty.",
        ),
        "16": Check(
            "16",
            "Load test, error",
            between("-1.5", "1.5", "%", "meter 0.5S and reference 0.2"),
            NOT_RUN,
            seen="not judged while check 12 fails",
        ),
        "17": Check(
            "17",
            "Register advance",
            words("equals the pulses ±1 digit"),
            FAIL,
            (q("0.431", "kWh", "0.001"),),
            remark="Reference 1.284 kWh: one third is registered.",
        ),
        "22": Check(
            "22",
            "Communication",
            words("≥ −89 dBm; WARN to −99 dBm"),
            FAIL,
            (q("-101", "dBm", "2"),),
            remark="Poor signal in the switch room; no session with the head end.",
            waiver=Waiver(
                *boss,
                "External antenna ordered (WO-2026-01107), to be fitted by 2026-06-05.",
                at(47),
            ),
        ),
    }
    checks = tuple(changed.get(check.number, check) for check in base.checks)
    profile = daily(
        49,
        61.0,
        range(62, 84),
        {
            **{n: ("reverse current L2",) for n in range(1, 197) if n not in range(62, 84)},
            61: ("reverse current L2", "power down"),
            84: ("reverse current L2", "power down", "clock invalid"),
            85: ("reverse current L2", "clock invalid"),
        },
    )
    assert base.phasors is not None
    first, _, third = base.phasors.phases
    phasors = dataclasses.replace(
        base.phasors,
        phases=(
            first,
            phase(2, "230.9", "119.8", "2.31", "321.4", "-0.496", FAIL, "I2 points away from U2"),
            third,
        ),
        diagnosis="The CT on L2 is reversed (P1/P2 or S1/S2).",
        advice="Swap S1 and S2 of L2 and repeat.",
    )
    return dataclasses.replace(
        base,
        report=report("CR-2026-004712", "Commissioning report", 58),
        job=dataclasses.replace(
            JOB, order="WO-2026-01044", kind="Exchange, three-phase CT, second visit", witness=""
        ),
        customer=dataclasses.replace(CUSTOMER, present=False),
        communication=Communication(
            "LTE-M",
            "LM-4 00918280",
            "8988211000000123458",
            "",
            "−101 dBm, poor",
            "",
            "no session: no network",
        ),
        old_meter=OldMeter(
            "11198765437", "end of certification", "good, covers unbroken", "NB 398 001, NB 398 002"
        ),
        declaration=DECLARATION.replace(
            "The customer or the customer's representative was told the readings and the result.",
            "The customer was absent.",
        ),
        checks=checks,
        phasors=phasors,
        profile=dataclasses.replace(
            profile,
            sentence="174 of 196 intervals are there. No data from 2026-05-16 23:15 "
            "to 2026-05-17 04:45: the power was off. Reverse current on L2 in all intervals.",
        ),
        registers=(
            Register(
                "1.8.0", "Active import, total", "kWh", "old", D("184302.11"), None, D("184302.11")
            ),
            *(
                dataclasses.replace(
                    r,
                    after=(r.before or D(0)) + D("0.431"),
                    handover=(r.before or D(0)) + D("5.028"),
                )
                if r.obis in ("1.8.0", "1.8.1")
                else r
                for r in base.registers
            ),
        ),
        events=(
            *base.events[1:],
            Event(at(-2870), "83", "Reverse current L2"),
            Event(at(-2027), "1", "Power down", at(-1697)),
        ),
        settings=(*base.settings[:3], Setting("Power limit", "150 kW", "120 kW", "150 kW")),
        signatures=(
            dataclasses.replace(base.signatures[0], time=at(57)),
            Signature("Customer", "", "", "absent", at(58)),
            Signature("Supervisor (waiver)", "D. Chief", "field supervisor", "typed", at(55)),
        ),
    )


def prepaid(photos: tuple[Photo, ...]) -> Record:
    """A single-phase prepayment meter with a key change."""
    base = clean(photos)
    keep = {"1", "2", "3", "4", "5", "6", "7", "17", "18", "21", "22", "23", "25", "26"}
    checks = [c for c in base.checks if c.number in keep]
    swap = {
        "6": Check(
            "6",
            "Voltage",
            between("207.0", "253.0", "V", "EN 50160; one reading is an indication"),
            PASS,
            (q("229.1", "V", "2.3", "L"),),
            "",
            "meter, ±1 %",
        ),
        "21": Check(
            "21", "Disconnector", words("opens and closes"), PASS, seen="open, read, closed, read"
        ),
        "17": Check(
            "17",
            "Register advance",
            words("equals the pulses ±1 digit"),
            PASS,
            (q("0.52", "kWh", "0.01"),),
        ),
        "22": Check(
            "22", "Communication", words("customer unit paired"), PASS, seen="paired, level 4"
        ),
        "1": Check(
            "1", "Identity", words("label = device = order"), PASS, seen="07000012349, all equal"
        ),
        "2": Check(
            "2",
            "Firmware and configuration",
            words("in the approved list"),
            PASS,
            seen="1.9.0, PP-1P",
        ),
    }
    extra = (
        Check(
            "24.1",
            "Prepayment identity",
            words("equals the vending record"),
            PASS,
            seen="number, SGC, TI, KRN",
        ),
        Check(
            "24.2",
            "Key change tokens",
            words("both accepted, in order"),
            PASS,
            seen="2 of 2 accepted",
        ),
        Check("24.3", "Test credit", words("accepted"), PASS, (q("5.0", "kWh"),)),
        Check(
            "24.4",
            "Tamper cleared",
            words("after the covers are on"),
            PASS,
            seen="accepted, status clear",
        ),
        Check(
            "24.6",
            "Low-credit warning",
            words("shown to the customer"),
            PASS,
            seen="confirmed by the customer",
        ),
        Check("12", "Polarity and pairing", words("–"), NA, seen="single phase", mandatory=False),
    )
    order = [*(swap.get(c.number, c) for c in checks), *extra]
    order.sort(key=lambda c: [int(part) for part in c.number.split(".")])
    return dataclasses.replace(
        base,
        report=report("CR-2026-004713", "Commissioning report, prepayment", 34),
        job=dataclasses.replace(
            JOB, order="WO-2026-02210", kind="New, single-phase prepayment", witness=""
        ),
        place=dataclasses.replace(
            PLACE,
            service_point="SP 40 0719 5008",
            address=("Mill Road 3", "Northfield 4712"),
            supply="TN-S, 1 phase, fuse 60 A",
            enclosure="Wall box, outside",
        ),
        customer=Customer("E. Tenant", "PP-1", "60 A", present=True),
        meter=Meter(
            "Examplemeter",
            "EM-110 PP",
            "EXM0011000842",
            "07000012349",
            2026,
            "1",
            "230 V, 5(60) A, 50 Hz",
            "1 000 imp/kWh",
            "2 wires, direct",
            "EM-110 1.9.0",
            "11D0 7A42",
            "PP-1P",
            "PP-2026 (0110)",
        ),
        communication=Communication(
            "radio to customer unit", "", "", "", "level 4 of 4", "", "paired at first try"
        ),
        transformers=(),
        checks=tuple(order),
        phasors=None,
        no_phasors="Single-phase, directly connected: no phasor reading is needed.",
        profile=None,
        registers=(
            Register(
                "1.8.0", "Active import, total", "kWh", "new", D("0.00"), D("0.52"), D("0.74")
            ),
        ),
        prepayment=Prepayment(
            "07000012349",
            "600001 / 1 / 01",
            "600412 / 2 / 07",
            "2014",
            D("4.3"),
            "kWh",
            "10.0 kWh",
            "CIU 5541 0098, paired",
            (
                Token("Key change, 1 of 2", "4417", "accepted", at(11)),
                Token("Key change, 2 of 2", "0925", "accepted", at(12)),
                Token("Test credit 5.0 kWh", "7308", "accepted", at(14)),
                Token("Clear tamper", "6114", "accepted", at(25)),
            ),
        ),
        settings=(
            Setting("Clock", "+31 s", "0 s", "0 s"),
            Setting("Power limit", "factory", "13.8 kW", "13.8 kW"),
        ),
        events=(
            Event(at(11), "60", "Key change accepted"),
            Event(at(14), "61", "Credit token accepted"),
            Event(at(9), "41", "Terminal cover open", at(22)),
            Event(at(25), "44", "Tamper cleared"),
            Event(at(17), "20", "Disconnector open", at(18)),
        ),
        signatures=(
            Signature(
                "Installer",
                "A. Sample",
                "Northfield Metering Ltd, licence EL-20881",
                "drawn",
                at(33),
                scribble(1),
            ),
            Signature(
                "Customer",
                "E. Tenant",
                "told about tokens and low credit",
                "drawn",
                at(34),
                scribble(4),
            ),
        ),
    )
