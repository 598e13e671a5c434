"""Incidents: the coded reasons why an order cannot be completed, and how one is reported.

A code that needs a photo is refused without one; where none can be taken (a dark pit, a
customer who forbids it) the report must say why there is none, and that goes to the centre with
it.  Emergencies never need a photo: nobody shall stay for one.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import BadInput
from app.models.base import utc_now
from app.models.database import Database
from app.models.files import keep_file
from app.models.journal import append
from app.models.order import Attachment, Incident, OrderState, WorkOrder
from app.services.seat import demand
from app.workorders.lifecycle import INSTALLER, loaded, transition
from app.workorders.photos import load_picture
from resources import resource

PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class IncidentCode:
    """One coded reason.

    ``next_action`` is the key of what the office does, ``next_words`` the same in words.
    ``emergency`` is shown before the form; it is "" for all but the few that need it.
    """

    code: str  # "ACCESS.no_access"
    group: str
    group_title: str
    title: str
    needs_photo: bool
    next_action: str
    next_words: str
    billable: bool
    emergency: str = ""


@cache
def incident_codes() -> tuple[IncidentCode, ...]:
    """Return all codes in the order of the catalogue."""
    text = resource("incidents", "incidents.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return tuple(
        IncidentCode(
            code=f"{group}.{name}",
            group=group,
            group_title=group_title,
            title=entry["title"],
            needs_photo=entry.get("needs_photo", False),
            next_action=entry["next_action"],
            next_words=data["actions"][entry["next_action"]],
            billable=entry.get("billable", False),
            emergency=entry.get("emergency", ""),
        )
        for group, group_title in data["groups"].items()
        for name, entry in data[group].items()
    )


def incident_code(code: str) -> IncidentCode:
    """Return the code spelled "ACCESS.no_access" or, since names are unique, "no_access".

    Raises:
        BadInput: There is none; the text names those there are.
    """
    wanted = code.strip().casefold()
    for known in incident_codes():
        if wanted in {known.code.casefold(), known.code.partition(".")[2]}:
            return known
    names = ", ".join(known.code for known in incident_codes())
    raise BadInput(f"there is no incident code {code!r}; known: {names}")


def report_incident(
    db: Database,
    order_id: str,
    code: str,
    note: str,
    *,
    who: str = "",
    step: str = "",
    photos: Sequence[Path] = (),
    no_photo_reason: str = "",
    role: str = INSTALLER,
) -> str:
    """Report why an order cannot be completed, close the visit, and return the incident's id.

    The incident, its photos, the new state and the journal are one transaction.  An order that
    was not accepted yet is accepted on the way: the visit took place.

    Args:
        db: The local database.
        order_id: The order's id.
        code: See `incident_code`.
        note: What happened, in the installer's words.
        who: The installer.
        step: Key of the step at which it happened; "" takes the one the order is at.
        photos: JPEG or PNG files to keep with the order; those kept before count as well.
        no_photo_reason: Why a code that needs a photo has none.
        role: The role in which the person acts.

    Raises:
        BadInput: The code is unknown, a photo is missing or cannot be read.
        NotFound: There is no such order.
        NotPermitted: The order's state does not allow it: it is done, or not with this laptop.
    """
    demand(db, "orders.work")
    known = incident_code(code)
    at = utc_now()
    kept = [_kept(db.folder, path, order_id, at) for path in photos]
    with db.write() as session:
        order = loaded(session, order_id)
        hashes = [*_photo_hashes(session, order_id), *(photo.sha256 for photo in kept)]
        if known.needs_photo and not hashes and not no_photo_reason.strip():
            raise BadInput(f"{known.title}: a photo is needed; add one, or say why there is none")
        incident = Incident(
            order_id=order_id, code=known.code, note=note.strip(), step=step or order.step, at=at
        )
        session.add(incident)
        _add_photos(session, order, kept)
        body = {
            "incident_id": incident.incident_id,
            "code": known.code,
            "note": incident.note,
            "step": incident.step,
            "who": who,
            "at": at.isoformat(),
            "photos": hashes,
            "no_photo_reason": no_photo_reason.strip(),
            "next_action": known.next_action,
            "billable": known.billable,
        }
        append(session, "incident.reported", body, order_id=order_id, epoch=order.epoch)
        if order.state == OrderState.DOWNLOADED:
            transition(session, order, OrderState.ACCEPTED, who=who, role=role, at=at)
        transition(
            session, order, OrderState.CANNOT_COMPLETE, who=who, role=role, reason=known.code, at=at
        )
    return incident.incident_id


def _photo_hashes(session: Session, order_id: str) -> list[str]:
    return list(
        session.scalars(
            select(Attachment.sha256).where(
                Attachment.order_id == order_id, Attachment.kind == PHOTO
            )
        )
    )


def _kept(folder: Path, path: Path, order_id: str, at: datetime) -> Attachment:
    """Keep the picture's bytes; the row follows in the transaction."""
    picture = load_picture(path)
    sha256, relative = keep_file(folder, picture.data, picture.suffix)
    return Attachment(
        order_id=order_id,
        kind=PHOTO,
        sha256=sha256,
        size=len(picture.data),
        mime=picture.mime,
        path=relative,
        caption="Incident",
        at=picture.taken.astimezone() if picture.taken else at,
    )


def _add_photos(session: Session, order: WorkOrder, photos: list[Attachment]) -> None:
    for photo in photos:
        session.add(photo)
        body = {"kind": PHOTO, "sha256": photo.sha256, "size": photo.size, "caption": photo.caption}
        append(session, "attachment.added", body, order_id=order.order_id, epoch=order.epoch)
