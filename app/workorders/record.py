"""Builds the record of a visit, from which the report is made, out of the database.

The same database content gives the same record: what may change later (settings, program
version, zone of the laptop) is frozen in the last step's result and taken from there.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models.database import Database
from app.models.order import Attachment, CheckResult, MeterCommand, Seal, WorkOrder
from app.models.place import Customer, Device, Site, UsagePoint
from app.reports import model
from app.services.clock import KIND as CLOCK
from app.services.clock import NOT_WRITTEN
from app.workorders.checks import check_from
from app.workorders.limits import LimitPack, load_pack
from app.workorders.procedure import load_procedure
from app.workorders.record_measured import record_events, record_profile, record_registers
from app.workorders.record_prepayment import record_prepayment
from app.workorders.results import step_value
from app.workorders.visit import WorkContext

TEMPLATE = "MW-C 1.0"
COMPLETE = "complete"


def build_record(
    db: Database, order_id: str, context: WorkContext
) -> tuple[model.Record, dict[str, bytes]]:
    """Return the record of an order and the bytes of its photos by their hash.

    Raises:
        NotFound: There is no such order, or the file of a photo is gone.
    """
    with db.read() as session:
        order = session.get(WorkOrder, order_id)
        if order is None:
            raise NotFound(f"there is no work order {order_id}")
        known = step_value(session, order_id, COMPLETE)
        at = order.ended or order.updated
        record = build(session, order_id, known or frozen(context, load_pack(order.limit_pack), at))
        kept = _photo_rows(session, order_id)
    photos = {}
    for item in kept:
        path = db.folder / item.path
        try:
            photos[item.sha256] = path.read_bytes()
        except OSError as error:
            raise NotFound(f"the photo {item.caption!r} is gone: {path}") from error
    return record, photos


def frozen(context: WorkContext, pack: LimitPack, at: datetime) -> dict[str, Any]:
    """Return what a report says beside the measured: who, with what, in which zone, until when."""
    offset = at.astimezone().utcoffset()
    return {
        "ended": at.isoformat(),
        "offset_min": round(offset.total_seconds() / 60) if offset else 0,
        "installer": context.who,
        "licence": context.licence,
        "utility": context.utility,
        "contractor": context.contractor,
        "laptop": context.laptop,
        "tool": context.tool,
        "language": context.language,
        "template": TEMPLATE,
        "pack": pack.name,
        "pack_version": pack.version,
    }


def build(session: Session, order_id: str, end: dict[str, Any]) -> model.Record:
    """Return the record of an order from its rows and from what was `frozen` at its end."""
    order = session.get_one(WorkOrder, order_id)
    procedure = load_procedure(order.procedure)
    who = step_value(session, order_id, "identify")
    talked = who.get("ratings", {}).get("phases", 1)
    return model.Record(
        report=_report(order, procedure.report_title, end),
        job=model.Job(
            order=order.number,
            kind=procedure.title,
            utility=end["utility"],
            contractor=end["contractor"],
            installer=end["installer"],
            licence=end["licence"],
        ),
        place=_place(session, order),
        customer=_customer(session, order, step_value(session, order_id, "signature")),
        meter=_meter(session, order, who),
        declaration=procedure.declaration,
        checks=_checks(session, order_id),
        no_phasors="Single-phase meter: no phasor reading is needed."
        if talked == 1
        else "No phasor reading was taken.",
        profile=record_profile(session, step_value(session, order_id, "profile")),
        registers=record_registers(session, order_id),
        events=record_events(session, order_id),
        settings=_settings(session, order_id),
        seals=_seals(session, order_id),
        photos=_photos(session, order_id),
        signatures=_signatures(step_value(session, order_id, "signature")),
    )


def _report(order: WorkOrder, title: str, end: dict[str, Any]) -> model.Report:
    ended = datetime.fromisoformat(end["ended"])
    return model.Report(
        number=f"MW-{order.number}",
        revision=order.revision,
        title=title,
        language=end["language"],
        template=end["template"],
        pack=end["pack"],
        pack_version=end["pack_version"],
        tool=end["tool"],
        laptop=end["laptop"],
        started=order.started or ended,
        ended=ended,
        offset_min=end["offset_min"],
    )


def _place(session: Session, order: WorkOrder) -> model.Place:
    site = session.get(Site, order.site_id or "") or Site()
    point = session.get(UsagePoint, order.usage_point_id or "")
    town = " ".join(item for item in (site.postcode, site.town) if item)
    supply = ""
    if point is not None:
        phases = "1 phase" if point.phases == 1 else f"{point.phases} phases"
        supply = f"{phases}, fuse {point.fuse}" if point.fuse else phases
    return model.Place(
        service_point=point.external_id if point else "",
        address=tuple(item for item in (site.street, town) if item),
        supply=supply,
        enclosure=site.containment,
        latitude=site.latitude,
        longitude=site.longitude,
    )


def _customer(session: Session, order: WorkOrder, signed: dict[str, Any]) -> model.Customer:
    who = session.get(Customer, order.customer_id or "") or Customer()
    present = any(
        item["role"] == "Customer" and item["state"] != "absent"
        for item in signed.get("signatures", ())
    )
    contract = ", ".join(item for item in (who.contract, who.tariff) if item)
    return model.Customer(who.name, contract, who.agreed, present)


def _meter(session: Session, order: WorkOrder, who: dict[str, Any]) -> model.Meter:
    told, ratings = who.get("identity", {}), who.get("ratings", {})
    device = session.scalars(
        select(Device)
        .where(Device.serial == who.get("serial", ""), Device.kind == "meter")
        .order_by(Device.device_id)
    ).first()
    rating = ", ".join(item for item in (ratings.get("voltage"), ratings.get("current")) if item)
    return model.Meter(
        maker=told.get("manufacturer") or who.get("maker", ""),
        model=told.get("model") or who.get("title", ""),
        maker_serial=who.get("serial") or order.meter_serial,
        utility_serial=who.get("utility_serial") or order.utility_serial,
        year=(device.year if device else None) or 0,
        accuracy=ratings.get("accuracy", ""),
        rating=rating,
        constant=ratings.get("constant", ""),
        wires=ratings.get("wires", ""),
        firmware=told.get("firmware", ""),
        firmware_signature="",
        configuration="",
        parameters="",
    )


def _checks(session: Session, order_id: str) -> tuple[model.Check, ...]:
    rows = session.scalars(
        select(CheckResult).where(CheckResult.order_id == order_id).order_by(CheckResult.position)
    )
    found = [check_from(row.body) for row in rows]
    return tuple(
        model.Check(
            number=item.number,
            title=item.title,
            limit=item.limit,
            verdict=item.verdict,
            measured=item.measured,
            seen=item.seen,
            instrument=item.instrument,
            mandatory=item.mandatory,
            remark=item.remark,
        )
        for item in found
    )


def _settings(session: Session, order_id: str) -> tuple[model.Setting, ...]:
    """Return the last write of each kind: what stood there, was written, and reads back."""
    rows = session.scalars(
        select(MeterCommand)
        .where(MeterCommand.order_id == order_id)
        .order_by(MeterCommand.intended, MeterCommand.command_id)
    )
    # what never reached the meter is told only where nothing came after it
    tried = sorted(rows, key=lambda row: row.outcome != NOT_WRITTEN)
    last = {row.kind: row for row in tried}
    limit = step_value(session, order_id, "clock").get("limit_s", "0")
    clocks = tuple(
        model.Setting(
            name="Clock",
            before=row.before,
            written=row.wanted,
            read_back=_read_back(row, Decimal(limit)),
        )
        for kind, row in sorted(last.items())
        if kind == CLOCK
    )
    return clocks + record_prepayment(session, order_id)


def _read_back(row: MeterCommand, limit: Decimal) -> str:
    """Return what reads back; a clock inside the limit is what was wanted, whatever its tenths."""
    if not row.read_back:
        return row.outcome or "unknown"
    offset = Decimal(row.read_back.removesuffix(" s"))
    return row.wanted if abs(offset) <= limit else row.read_back


def _seals(session: Session, order_id: str) -> tuple[model.Seal, ...]:
    rows = session.scalars(
        select(Seal)
        .where(Seal.order_id == order_id, Seal.removed.is_(False))
        .order_by(Seal.at, Seal.position, Seal.number)
    )
    return tuple(model.Seal(row.position, row.kind, row.number) for row in rows)


def _photo_rows(session: Session, order_id: str) -> list[Attachment]:
    return list(
        session.scalars(
            select(Attachment)
            .where(Attachment.order_id == order_id, Attachment.kind == "photo")
            .order_by(Attachment.attachment_id)
        )
    )


def _photos(session: Session, order_id: str) -> tuple[model.Photo, ...]:
    return tuple(
        model.Photo(number, row.caption, row.at, row.sha256)
        for number, row in enumerate(_photo_rows(session, order_id), 1)
    )


def _signatures(signed: dict[str, Any]) -> tuple[model.Signature, ...]:
    return tuple(
        model.Signature(
            role=item["role"],
            name=item["name"],
            detail=item["detail"],
            state=item["state"],
            time=datetime.fromisoformat(item["time"]),
        )
        for item in signed.get("signatures", ())
    )
