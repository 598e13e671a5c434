"""Key-change campaigns: a list of meters with issued sets becomes orders, followed one by one.

The list is read twice: as work orders, and as their token lists.  What was accepted and verified
goes back to the vending office, which must issue on the new key from then on.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import BadInput, NotFound
from app.models.base import utc_now
from app.models.database import Database
from app.models.engine import translated
from app.models.files import write_atomically
from app.models.journal import append
from app.models.order import Incident, WorkOrder
from app.models.place import Site
from app.models.token import OrderToken, TokenStep, VendingRecord
from app.services import audit
from app.services.seat import demand, seen
from app.services.tables import safe_cell
from app.services.token_box import TokenBox
from app.workorders.exchange.import_orders import import_orders
from app.workorders.exchange.mapping import MappingProfile
from app.workorders.exchange.order_rows import RowError
from app.workorders.exchange.tablefile import read_table
from app.workorders.tokens import KEY_CHANGE, import_tokens

KIND = "key_change"
_NO_ACCESS = "ACCESS."
_HEAD = (
    "drn", "serial", "order", "old_sgc", "old_ti", "old_krn", "new_sgc", "new_ti", "new_krn",
    "new_ken", "accepted_at", "verified_at",
)  # fmt: skip


class MeterStatus(StrEnum):
    """How far the key change of one meter is."""

    WAITING = "waiting"
    BEGUN = "first entered"
    COMPLETE = "complete"
    VERIFIED = "verified"
    REFUSED = "refused"
    NO_ACCESS = "no access"


@dataclass(frozen=True, slots=True)
class CampaignImport:
    """What a campaign list became."""

    created: int
    tokens: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class CampaignMeter:
    """One meter of a campaign."""

    order_id: str
    number: str
    area: str
    drn: str
    serial: str
    place: str
    status: MeterStatus
    changed: datetime | None  # when its last token was accepted
    exported: datetime | None
    tokens: int  # of its set, as they were issued


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """A campaign: how many meters are how far, and each of them."""

    name: str
    counts: dict[str, int]
    meters: tuple[CampaignMeter, ...]


def import_campaign(
    db: Database, path: Path, name: str, box: TokenBox, *, who: str = ""
) -> CampaignImport:
    """Make a key-change order of each row, with its set and its vending record.

    Raises:
        BadInput: The file or the name cannot be used.
        VaultLocked: The keyring does not give out the key of the lists; nothing went in.
    """
    demand(db, "tokens.import")  # before any order is made
    if not name.strip():
        raise BadInput("a campaign needs a name")
    box.fingerprint("")  # a locked keyring stops here, before any order is made
    columns = read_table(path).columns
    made = import_orders(db, path, mapping=campaign_profile(name), who=who)
    tokens = import_tokens(db, path, box, who=who)
    failed = {error.row for error in made.errors}
    errors = [*made.errors, *(error for error in tokens.errors if error.row not in failed)]
    references = _references(path, columns)
    with db.write() as session:
        for order_id in _orders(session, references):
            record = session.get(VendingRecord, order_id)
            if record is None:
                record = VendingRecord(order_id=order_id)
                session.add(record)
            record.campaign = name
        body = {"campaign": name, "orders": made.created, "tokens": tokens.tokens, "who": who}
        append(session, "campaign.imported", body)
    return CampaignImport(made.created, tokens.tokens, tuple(errors))


def campaign_profile(name: str) -> MappingProfile:
    """Return what the rows of a campaign list are, where they do not say it."""
    return MappingProfile(defaults={"kind": KIND, "procedure": KIND, "queue": name})


def _references(path: Path, columns: tuple[str, ...]) -> list[str]:
    names = [column.casefold().replace(" ", "_") for column in columns]
    place = next((names.index(n) for n in ("external_ref", "reference", "ref") if n in names), None)
    if place is None:
        raise BadInput("a campaign list needs a column reference")
    return [row.cells[place].strip() for row in read_table(path).rows if not row.problem]


def _orders(session: Session, references: Iterable[str]) -> list[str]:
    found: list[str] = []
    for reference in references:
        found += session.scalars(
            select(WorkOrder.order_id).where(
                WorkOrder.external_ref == reference, WorkOrder.kind == KIND
            )
        ).all()
    return found


def campaign_names(db: Database) -> list[str]:
    """Return the names of all campaigns, sorted; of those in the areas of who has signed in."""
    question = select(VendingRecord.campaign, WorkOrder.area).distinct()
    joined = question.join(WorkOrder, WorkOrder.order_id == VendingRecord.order_id)
    with db.read() as session:
        return sorted({name for name, area in session.execute(joined) if name and seen(db, area)})


def has_campaigns(db: Database) -> bool:
    """Tell whether there is any campaign on this laptop that who has signed in may see."""
    if db.actor is not None and db.actor.areas:
        return bool(campaign_names(db))
    with db.read() as session:
        first = select(VendingRecord.order_id).where(VendingRecord.campaign != "").limit(1)
        return session.scalar(first) is not None


def campaign_status(db: Database, name: str) -> CampaignStatus:
    """Return how far a campaign is, in the areas of who has signed in.

    Raises:
        NotFound: There is no such campaign.
    """
    with db.read() as session:
        meters = [meter for meter in _meters(session, name) if seen(db, meter.area)]
    if not meters:
        raise NotFound(f"there is no campaign {name!r}")
    counts = Counter(meter.status.value for meter in meters)
    return CampaignStatus(
        name, {status.value: counts.get(status.value, 0) for status in MeterStatus}, tuple(meters)
    )


def export_accepted(db: Database, name: str, path: Path, *, who: str = "") -> tuple[int, str]:
    """Write the verified key changes of a campaign as CSV; return their number and the hash.

    Raises:
        NotFound: There is no such campaign.
        NoRoom: The disk is full.
    """
    demand(db, "campaign.export")
    status = campaign_status(db, name)
    accepted = [meter for meter in status.meters if meter.status is MeterStatus.VERIFIED]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEAD)
    at = utc_now()
    with db.write() as session:
        for meter in accepted:
            record = session.get_one(VendingRecord, meter.order_id)
            writer.writerow([safe_cell(cell) for cell in _export_row(meter, record)])
            record.exported = at
        data = ("\ufeff" + text.getvalue()).encode()
        sha256 = hashlib.sha256(data).hexdigest()
        body = {"campaign": name, "accepted": len(accepted), "sha256": sha256}
        audit.append(session, who, "campaign.exported", name, body)
        with translated(str(path)):
            write_atomically(path, data)
    return len(accepted), sha256


def _export_row(meter: CampaignMeter, record: VendingRecord) -> list[str]:
    def key(which: dict[str, Any], *names: str) -> list[str]:
        return [str(which.get(name, "")) for name in names]

    times = [
        moment.isoformat().replace("+00:00", "Z") if moment else ""
        for moment in (meter.changed, record.verified)
    ]
    return [
        meter.drn,
        meter.serial,
        meter.number,
        *key(record.old, "sgc", "ti", "krn"),
        *key(record.new, "sgc", "ti", "krn", "ken"),
        *times,
    ]


def _meters(session: Session, name: str) -> list[CampaignMeter]:
    rows = session.execute(
        select(VendingRecord, WorkOrder, Site.street)
        .join(WorkOrder, WorkOrder.order_id == VendingRecord.order_id)
        .outerjoin(Site, Site.site_id == WorkOrder.site_id)
        .where(VendingRecord.campaign == name)
        .order_by(WorkOrder.number, WorkOrder.order_id)
    ).all()
    sets: dict[str, list[OrderToken]] = {}

    for token in session.scalars(
        select(OrderToken)
        .join(VendingRecord, VendingRecord.order_id == OrderToken.order_id)
        .where(VendingRecord.campaign == name, OrderToken.purpose == KEY_CHANGE)
    ):
        sets.setdefault(token.order_id, []).append(token)
    kept_out = set(
        session.scalars(
            select(Incident.order_id)
            .join(VendingRecord, VendingRecord.order_id == Incident.order_id)
            .where(VendingRecord.campaign == name, Incident.code.startswith(_NO_ACCESS))
        )
    )

    return [
        CampaignMeter(
            order_id=order.order_id,
            number=order.number,
            area=order.area,
            drn=record.drn,
            serial=order.meter_serial,
            place=street or order.title,
            status=_status(record, sets.get(order.order_id, []), order.order_id in kept_out),
            changed=max(
                (t.entered for t in sets.get(order.order_id, []) if t.entered), default=None
            ),
            exported=record.exported,
            tokens=len(sets.get(order.order_id, [])),
        )
        for record, order, street in rows
    ]


def _status(record: VendingRecord, tokens: list[OrderToken], kept_out: bool) -> MeterStatus:
    states = {token.state for token in tokens}
    taken = {TokenStep.PART, TokenStep.ACCEPTED}
    if record.verified is not None:
        return MeterStatus.VERIFIED
    if states & {TokenStep.REFUSED, TokenStep.LEFT_OUT}:
        return MeterStatus.REFUSED
    if states and states <= taken:
        return MeterStatus.COMPLETE
    if states & {*taken, TokenStep.INTENDED}:
        return MeterStatus.BEGUN
    return MeterStatus.NO_ACCESS if kept_out else MeterStatus.WAITING
