"""Photo, seal and note: what proves on paper how the place was left."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.errors import BadInput
from app.models.files import keep_file
from app.models.order import Attachment, CheckResult, Seal
from app.tasks import AnswerKind, Found, Task
from app.workorders.checks import check_data
from app.workorders.conditions import seals as seals_check
from app.workorders.photos import load_picture
from app.workorders.steps.checks import SEALS
from app.workorders.visit import StepEnd, Visit


@dataclass(frozen=True, slots=True)
class _Kept:
    """A photo whose bytes lie in the data folder."""

    caption: str
    sha256: str
    size: int
    mime: str
    path: str
    at: datetime


def evidence(visit: Visit) -> Task[StepEnd]:
    """Ask for photos, seal numbers and a note; each is kept the moment it is given."""
    options = visit.step.options
    photos = []
    for place, caption in enumerate(options.photos, 1):
        kept = yield from _photo(visit, _numbered("photo", place), caption)
        photos += [kept] if kept else []
    seals: list[tuple[str, str]] = []
    for place, position in enumerate(options.seals, 1):
        number = yield from visit.ask(
            _numbered("seal", place),
            f"Scan or type the number of the seal: {position}",
            kind=AnswerKind.SEAL,
            optional="seal" not in options.required,
        )
        seals += [(position, number)] if number else []
    note = yield from visit.ask(
        "note",
        "A note for the report",
        kind=AnswerKind.TEXT,
        optional="note" not in options.required,
    )
    check = seals_check(
        visit.pack,
        wanted=len(options.seals),
        given=len(seals),
        photos_wanted=len(options.photos),
        photos=len(photos),
    )
    yield Found("check", check)
    value = {"seals": seals, "photos": [photo.sha256 for photo in photos], "note": note}
    at, order_id = visit.context.clock(), visit.order.order_id

    def keep(session: Session) -> None:
        session.add_all(_attachment(order_id, photo) for photo in photos)
        session.add_all(
            Seal(order_id=order_id, position=position, number=number, at=at)
            for position, number in seals
        )
        session.add(
            CheckResult(
                order_id=order_id,
                check_id=check.check_id,
                position=SEALS,
                verdict=check.verdict,
                body=check_data(check),
                at=at,
            )
        )

    return StepEnd(check.verdict, check.seen, value, {"checks": [check_data(check)]}, keep)


def _photo(visit: Visit, question: str, caption: str) -> Task[_Kept | None]:
    path = yield from visit.ask(
        question,
        f"Photo: {caption}",
        kind=AnswerKind.FILE,
        detail="A JPEG or PNG file. Position and owner are taken out of it.",
        optional="photo" not in visit.step.options.required,
    )
    if not path:
        return None
    try:
        picture = load_picture(Path(path))
    except BadInput:
        visit.forget(question)  # a repeat asks for another file
        raise
    at = picture.taken.astimezone() if picture.taken else visit.context.clock()
    sha256, relative = keep_file(visit.context.folder, picture.data, picture.suffix)
    return _Kept(caption, sha256, len(picture.data), picture.mime, relative, at)


def _attachment(order_id: str, photo: _Kept) -> Attachment:
    body: dict[str, Any] = {"caption": photo.caption}
    return Attachment(
        order_id=order_id,
        kind="photo",
        sha256=photo.sha256,
        size=photo.size,
        mime=photo.mime,
        path=photo.path,
        caption=photo.caption,
        body=body,
        at=photo.at,
    )


def _numbered(name: str, place: int) -> str:
    """Return the question's name: photo, photo2, photo3 ..."""
    return name if place == 1 else f"{name}{place}"
