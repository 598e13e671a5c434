"""Prepayment state: the nameplate where no line is needed, keys and credit against the record."""

from dataclasses import asdict, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from app.errors import BadInput
from app.reports.model import Verdict
from app.services.token import (
    compared,
    differences,
    key_words,
    read_prepayment,
    reading_data,
)
from app.tasks import AnswerKind, Found, Task
from app.workorders.entering import keypad_for
from app.workorders.proof import proved
from app.workorders.serials import any_same
from app.workorders.steps.identify import identify
from app.workorders.tokens import vending_record
from app.workorders.visit import StepEnd, Visit
from drivers.errors import WrongMeter
from drivers.metertype import Ratings
from drivers.prepayment import PrepaymentReading
from drivers.sts.identifiers import BadNumber, checked_drn
from drivers.values import Identity

_SHOWN = ("sgc", "ti", "krn", "balance")


def nameplate(visit: Visit) -> Task[StepEnd]:
    """Identify the meter: over the line where one was chosen, else by its nameplate alone."""
    if visit.context.open_meter is not None:
        return (yield from identify(visit))
    scanned = yield from visit.ask(
        "serial",
        "Scan or type the serial number of the meter",
        kind=AnswerKind.SERIAL,
        detail="No line to the meter is used: it is known by its nameplate alone.",
    )
    expected = [s for s in (visit.order.meter_serial, visit.order.utility_serial) if s.strip()]
    if expected and not any_same((scanned,), tuple(expected)):
        visit.forget("serial")
        raise WrongMeter(
            f"the label says {scanned}, the order says {' or '.join(expected)}",
            expected=expected[0],
            found=scanned,
        )
    visit.meter_serial = visit.order.meter_serial or scanned
    value = {
        "scanned": scanned,
        "serial": visit.meter_serial,
        "utility_serial": visit.order.utility_serial,
        "identity": asdict(Identity()),
        "meter_type": visit.order.meter_type,
        "title": "",
        "maker": "",
        "ratings": asdict(Ratings(prepayment=True, relay=True)),
        "period_s": 0,
    }
    verdict = Verdict.PASS if expected else Verdict.WARN
    return StepEnd(verdict, f"{scanned}, by the nameplate", value)


def prepayment(visit: Visit) -> Task[StepEnd]:
    """Compare meter number, SGC, TI and KRN with the vending record, in that order."""
    with visit.db.read() as session:
        record = vending_record(session, visit.order.order_id)
    after = visit.step.options.moment != "before"
    expected = {"drn": record.drn, **((record.new or record.old) if after else record.old)}
    reading = yield from state(visit)
    found = differences(expected, reading)
    same = compared(expected, reading)
    verdict = Verdict.FAIL if found else Verdict.PASS if same else Verdict.NOT_RUN
    if found and not after and not differences({"drn": record.drn, **record.new}, reading):
        verdict = Verdict.WARN  # the key change was entered before
    summary = "; ".join(map(str, found)) or key_words(reading)
    if not expected.get("sgc") and not found:
        verdict, summary = Verdict.NOT_RUN, f"No vending record; {key_words(reading)}"
    value: dict[str, Any] = {
        "reading": reading_data(reading),
        "expected": expected,
        "differences": [str(item) for item in found],
        "compared": list(same),
    }
    end = StepEnd(verdict, summary, value)
    return (yield from proved(visit, end, "equal to the record", mandatory=bool(found)))


def state(visit: Visit) -> Task[PrepaymentReading]:
    """Return keys and credit: from the meter where it tells, else from its display."""
    if visit.context.open_meter is not None:
        meter = yield from visit.meter()
        reading = yield from read_prepayment(meter)
        if reading != PrepaymentReading():
            return reading
    return (yield from _from_display(visit))


def _from_display(visit: Visit) -> Task[PrepaymentReading]:
    """Ask for what the display shows; what it does not show is left empty."""
    pad = keypad_for(visit)
    reading = PrepaymentReading(unit="kWh")
    drn = yield from visit.ask(
        "drn",
        "The meter number (DRN) on nameplate or display",
        kind=AnswerKind.TEXT,
        detail=pad.hint("drn") or "11 or 13 digits; the last is a check digit.",
        optional=True,
    )
    if drn:
        try:
            reading = replace(reading, drn=checked_drn(drn))
        except BadNumber as error:
            visit.forget("drn")
            raise BadInput(str(error)) from error
    texts = {
        "sgc": "The supply group code (SGC) that the display shows",
        "ti": "The tariff index (TI) that the display shows",
        "krn": "The key revision number (KRN) that the display shows",
        "balance": "The credit that the display shows, in kWh",
    }
    for name in _SHOWN:
        answer = yield from visit.ask(
            name,
            texts[name],
            kind=AnswerKind.NUMBER,
            detail=pad.hint(name, "key_data") or "Leave it empty where the meter does not show it.",
            optional=True,
        )
        if answer:
            reading = _with(visit, reading, name, answer)
    yield Found("prepayment", reading)
    return reading


def _with(visit: Visit, reading: PrepaymentReading, name: str, text: str) -> PrepaymentReading:
    """Return the reading with what the display showed under ``name``."""
    try:
        if name == "balance":
            return replace(reading, balance=Decimal(text.replace(",", ".")))
        number = int(text)
    except (ValueError, InvalidOperation) as error:
        visit.forget(name)
        raise BadInput(f"{text!r} is no number") from error
    if name == "krn":
        return replace(reading, krn=number)
    return (
        replace(reading, sgc=f"{number:06}")
        if name == "sgc"
        else replace(reading, ti=f"{number:02}")
    )
