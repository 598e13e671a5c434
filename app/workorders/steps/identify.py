"""Identify: the label, the order and the meter must name the same device."""

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.place import Device
from app.reports.model import Verdict
from app.tasks import AnswerKind, Found, Task
from app.workorders.incidents import report_incident
from app.workorders.serials import any_same, same_serial
from app.workorders.visit import StepEnd, Visit, meter_serials
from drivers.errors import WrongMeter
from drivers.metertype import MeterType
from drivers.values import Identity

REPEAT, REPORT = "Repeat", "Report wrong meter"
ATTEMPTS = 3  # then the error itself is shown: an answer file must not go round for ever
INCIDENT = "METER.wrong_meter"


def identify(visit: Visit) -> Task[StepEnd]:
    """Compare the scanned serial with the order and with what the meter says.

    Nothing is written to any meter here.

    Raises:
        WrongMeter: The three do not agree, and the operator chose neither to repeat nor to report.
    """
    attempt = 1
    while True:
        scanned = yield from visit.ask(
            "serial",
            "Scan or type the serial number of the meter",
            kind=AnswerKind.SERIAL,
            detail=_expected(visit),
        )
        problem = _against_order(visit, scanned)
        # a label that fits the order is kept: then only the probe is in the wrong place
        rescan = problem is not None or not _order_serials(visit)
        if problem is None:
            found = yield from _read(visit)
            problem = _against_meter(visit, scanned, found[0])
        if problem is None:
            return _end(visit, scanned, *found)
        answer = yield from visit.ask(
            "wrong",
            f"This is not the meter of the order. {problem}. Nothing was written.",
            (REPEAT, REPORT),
            detail="Put the probe on the right meter and repeat, or report the wrong meter.",
            optional=True,
        )
        if answer == REPORT:
            report_incident(
                visit.db,
                visit.order.order_id,
                INCIDENT,
                str(problem),
                who=visit.context.who,
                step=visit.step.key,
                role=visit.context.acting_role,
            )
            return StepEnd(stop=True, summary=str(problem))
        visit.forget("wrong", *(["serial"] if rescan else []))
        if answer != REPEAT or attempt == ATTEMPTS:
            raise problem
        attempt += 1


def _expected(visit: Visit) -> str:
    known = visit.order.utility_serial or visit.order.meter_serial
    return f"The order names {known}." if known else "The order names no meter."


def _order_serials(visit: Visit) -> tuple[str, ...]:
    return tuple(
        item for item in (visit.order.meter_serial, visit.order.utility_serial) if item.strip()
    )


def _against_order(visit: Visit, scanned: str) -> WrongMeter | None:
    expected = _order_serials(visit)
    if not expected or any_same((scanned,), expected):
        return None
    return WrongMeter(
        f"The label says {scanned}, the order says {' or '.join(expected)}", expected[0], scanned
    )


def _read(visit: Visit) -> Task[tuple[Identity, MeterType]]:
    visit.session.expected = ()  # whoever answers is to be told from the label now
    meter = yield from visit.meter()
    identity = meter.identity()
    yield Found("identity", identity)
    return identity, meter.meter_type


def _against_meter(visit: Visit, scanned: str, identity: Identity) -> WrongMeter | None:
    told = meter_serials(identity)
    if not told or any_same(told, (scanned, *_order_serials(visit))):
        return None
    return WrongMeter(f"The label says {scanned}, the meter says {told[0]}", scanned, told[0])


def _end(visit: Visit, scanned: str, identity: Identity, kind: MeterType) -> StepEnd:
    told = meter_serials(identity)
    verdict = Verdict.PASS if told else Verdict.WARN
    seen = f"{scanned}, all equal" if told else f"{scanned}; the meter tells no serial number"
    if told and not _order_serials(visit):
        verdict, seen = Verdict.WARN, f"{scanned}; the order names no meter"
    serial = identity.serial or visit.order.meter_serial or scanned
    ratings = asdict(kind.ratings)
    value = {
        "scanned": scanned,
        "serial": serial,
        "utility_serial": identity.utility_serial or _utility_serial(visit, scanned, serial),
        "identity": asdict(identity),
        "meter_type": kind.name,
        "title": kind.title,
        "maker": kind.maker,
        "ratings": ratings,
        "period_s": kind.profiles[0].period_s if kind.profiles else 0,
    }
    device = Device(
        serial=serial,
        utility_serial=str(value["utility_serial"]),
        logical_device_name=identity.logical_device_name,
        manufacturer=identity.manufacturer or kind.maker,
        model=identity.model or kind.title,
        meter_type=kind.name,
        firmware=identity.firmware,
        usage_point_id=visit.order.usage_point_id,
    )
    visit.meter_serial = serial
    visit.session.expected = told
    return StepEnd(verdict, seen, value, also=lambda session: _keep(session, device))


def _utility_serial(visit: Visit, scanned: str, serial: str) -> str:
    """Return the utility's number for a meter that does not tell it: the order's or the label's."""
    known = visit.order.utility_serial
    return known or ("" if same_serial(scanned, serial) else scanned)


def _keep(session: Session, device: Device) -> None:
    """Add the device, or bring the one that is known up to date."""
    known = session.scalars(
        select(Device).where(
            Device.serial == device.serial, Device.usage_point_id == device.usage_point_id
        )
    ).first()
    if known is None:
        session.add(device)
        return
    for name in ("utility_serial", "logical_device_name", "manufacturer", "model", "firmware"):
        setattr(known, name, getattr(device, name) or getattr(known, name))
    known.meter_type = device.meter_type
