"""Everything about one order that the detail pane and the head of its page show."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models.database import Database
from app.models.order import (
    Attachment,
    CheckResult,
    Incident,
    OrderState,
    Seal,
    StepResult,
    WorkOrder,
)
from app.models.place import Customer, Device, Site, UsagePoint
from app.services.seat import seen
from app.workorders.incidents import incident_code
from app.workorders.lifecycle import INSTALLER, allowed
from app.workorders.row import QueueRow, queue_row


@dataclass(frozen=True, slots=True)
class SiteDetail:
    """Where the meter hangs; coordinates in degrees WGS 84."""

    external_id: str
    street: str
    town: str
    postcode: str
    area: str
    access: str
    hazards: str
    containment: str
    latitude: Decimal | None
    longitude: Decimal | None


@dataclass(frozen=True, slots=True)
class CustomerDetail:
    """Whom it supplies."""

    name: str
    phone: str
    contract: str
    tariff: str
    agreed: str


@dataclass(frozen=True, slots=True)
class UsagePointDetail:
    """The point of supply; ``transformers`` is "200/5 A", or "" for a direct meter."""

    external_id: str
    phases: int
    fuse: str
    transformers: str
    multiplier: Decimal


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """The meter as the laptop knows it."""

    serial: str
    utility_serial: str
    logical_device_name: str
    manufacturer: str
    model: str
    meter_type: str
    firmware: str


@dataclass(frozen=True, slots=True)
class StepDetail:
    """One step that was begun, and what it found in words."""

    step: str
    state: str
    verdict: str
    summary: str
    skip_reason: str
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """One check: its verdict, and what was seen."""

    check_id: str
    verdict: str
    title: str
    seen: str


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """Why the visit could not be completed."""

    code: str
    title: str
    note: str
    step: str
    next_words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AttachmentDetail:
    """A file of the order; ``path`` is below the data folder."""

    kind: str
    caption: str
    path: str
    mime: str
    size: int
    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SealDetail:
    """A seal put on or taken off."""

    position: str
    number: str
    removed: bool


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """One order with everything around it; lists are in the order in which things happened."""

    row: QueueRow
    source: str
    external_ref: str
    assignee: str
    epoch: int
    revision: int
    procedure: str
    procedure_version: int
    limit_pack: str
    note: str
    lease_until: datetime | None
    started: datetime | None
    report_sha256: str
    site: SiteDetail | None
    customer: CustomerDetail | None
    usage_point: UsagePointDetail | None
    device: DeviceDetail | None
    steps: tuple[StepDetail, ...]
    checks: tuple[CheckDetail, ...]
    attachments: tuple[AttachmentDetail, ...]
    seals: tuple[SealDetail, ...]
    incidents: tuple[IncidentDetail, ...]
    moves: tuple[OrderState, ...]  # where the installer may move it; see `lifecycle`

    @property
    def order_id(self) -> str:
        """Return the order's id."""
        return self.row.order_id

    @property
    def number(self) -> str:
        """Return what people call the order."""
        return self.row.number

    @property
    def check_counts(self) -> dict[str, int]:
        """Return how many checks have each verdict."""
        counts: dict[str, int] = {}
        for check in self.checks:
            counts[check.verdict] = counts.get(check.verdict, 0) + 1
        return counts


def order_detail(
    db: Database,
    order_id: str,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
    role: str = INSTALLER,
) -> OrderDetail:
    """Return everything about one order.

    Raises:
        NotFound: There is no such order, or not in the areas of who has signed in.
    """
    with db.read() as session:
        found = session.execute(
            select(_ROWID, WorkOrder, Site, Customer, UsagePoint)
            .outerjoin(Site, Site.site_id == WorkOrder.site_id)
            .outerjoin(Customer, Customer.customer_id == WorkOrder.customer_id)
            .outerjoin(UsagePoint, UsagePoint.usage_point_id == WorkOrder.usage_point_id)
            .where(WorkOrder.order_id == order_id)
        ).one_or_none()
        if found is None or not seen(db, found[1].area):
            raise NotFound(f"there is no work order {order_id}")
        rowid, order, site, customer, point = found
        return OrderDetail(
            row=queue_row(rowid, order, site, customer, now=now, zone=zone),
            source=order.source,
            external_ref=order.external_ref,
            assignee=order.assignee,
            epoch=order.epoch,
            revision=order.revision,
            procedure=order.procedure,
            procedure_version=order.procedure_version,
            limit_pack=order.limit_pack,
            note=order.note,
            lease_until=order.lease_until,
            started=order.started,
            report_sha256=order.report_sha256,
            site=_site(site),
            customer=_customer(customer),
            usage_point=_usage_point(point),
            device=_device(session, order),
            steps=_steps(session, order_id),
            checks=_checks(session, order_id),
            attachments=_attachments(session, order_id),
            seals=_seals(session, order_id),
            incidents=_incidents(session, order_id),
            moves=allowed(order.state, role),
        )


_ROWID: Any = literal_column("work_order.rowid")


def _site(site: Site | None) -> SiteDetail | None:
    if site is None:
        return None
    return SiteDetail(
        external_id=site.external_id,
        street=site.street,
        town=site.town,
        postcode=site.postcode,
        area=site.area,
        access=site.access,
        hazards=site.hazards,
        containment=site.containment,
        latitude=site.latitude,
        longitude=site.longitude,
    )


def _customer(customer: Customer | None) -> CustomerDetail | None:
    if customer is None:
        return None
    return CustomerDetail(
        customer.name, customer.phone, customer.contract, customer.tariff, customer.agreed
    )


def _usage_point(point: UsagePoint | None) -> UsagePointDetail | None:
    if point is None:
        return None
    parts = []
    if point.ct_primary != point.ct_secondary:
        parts.append(f"{point.ct_primary:f}/{point.ct_secondary:f} A")
    if point.vt_primary != point.vt_secondary:
        parts.append(f"{point.vt_primary:f}/{point.vt_secondary:f} V")
    product = point.ct_primary * point.vt_primary / (point.ct_secondary * point.vt_secondary)
    whole = product == product.to_integral_value()
    multiplier = product.to_integral_value() if whole else product.normalize()
    return UsagePointDetail(
        point.external_id, point.phases, point.fuse, ", ".join(parts), multiplier
    )


def _device(session: Session, order: WorkOrder) -> DeviceDetail | None:
    """Return the meter of the order: by its serial, else the newest at the point of supply."""
    wanted = (
        Device.serial == order.meter_serial
        if order.meter_serial
        else Device.usage_point_id == order.usage_point_id
    )
    if not order.meter_serial and order.usage_point_id is None:
        return None
    device = session.scalars(
        select(Device).where(wanted).order_by(Device.device_id.desc()).limit(1)
    ).first()
    if device is None:
        return None
    return DeviceDetail(
        serial=device.serial,
        utility_serial=device.utility_serial,
        logical_device_name=device.logical_device_name,
        manufacturer=device.manufacturer,
        model=device.model,
        meter_type=device.meter_type,
        firmware=device.firmware,
    )


def _steps(session: Session, order_id: str) -> tuple[StepDetail, ...]:
    found = session.scalars(
        select(StepResult)
        .where(StepResult.order_id == order_id)
        .order_by(StepResult.started, StepResult.step_result_id)
    )
    return tuple(
        StepDetail(
            step.step,
            step.state,
            step.verdict,
            str((step.value or {}).get("summary", "")),
            step.skip_reason,
            step.ended,
        )
        for step in found
    )


def _checks(session: Session, order_id: str) -> tuple[CheckDetail, ...]:
    found = session.scalars(
        select(CheckResult)
        .where(CheckResult.order_id == order_id)
        .order_by(CheckResult.position, CheckResult.check_result_id)
    )
    return tuple(
        CheckDetail(
            check.check_id,
            check.verdict,
            str(check.body.get("title", check.check_id)),
            str(check.body.get("seen", "")),
        )
        for check in found
    )


def _attachments(session: Session, order_id: str) -> tuple[AttachmentDetail, ...]:
    found = session.scalars(
        select(Attachment)
        .where(Attachment.order_id == order_id)
        .order_by(Attachment.at, Attachment.attachment_id)
    )
    return tuple(
        AttachmentDetail(
            item.kind, item.caption, item.path, item.mime, item.size, item.sha256, item.at
        )
        for item in found
    )


def _seals(session: Session, order_id: str) -> tuple[SealDetail, ...]:
    found = session.scalars(select(Seal).where(Seal.order_id == order_id).order_by(Seal.seal_id))
    return tuple(SealDetail(seal.position, seal.number, seal.removed) for seal in found)


def _incidents(session: Session, order_id: str) -> tuple[IncidentDetail, ...]:
    found = session.scalars(
        select(Incident).where(Incident.order_id == order_id).order_by(Incident.at)
    )
    details = []
    for item in found:
        code = incident_code(item.code)
        details.append(
            IncidentDetail(item.code, code.title, item.note, item.step, code.next_words, item.at)
        )
    return tuple(details)
