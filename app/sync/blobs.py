"""Photos, reports and traces on their way to the centre, in chunks that can be resumed."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.centre.contract import CHUNK, BlobFact, CentreSession
from app.errors import CentreRefused
from app.models.base import utc_now
from app.models.blob import Blob
from app.models.database import Database
from app.models.order import Attachment
from app.tasks import Progress, Task

_ASKED_AT_ONCE = 200
_TRIES = 2
# Written once: making a statement costs more than running it, and every session runs this.
_WAITING = (
    select(Attachment)
    .outerjoin(Blob, Blob.sha256 == Attachment.sha256)
    .where(Blob.verified_at.is_(None))
    .order_by(Attachment.at.desc())
)


def waiting(session: Session) -> list[Blob]:
    """Return the files the centre has not confirmed, of the newest attachments first.

    Rows are made for attachments that no sync has looked at yet; needs a write transaction.
    """
    found: dict[str, Blob] = {}
    for attachment in session.scalars(_WAITING).all():
        if attachment.sha256 in found:
            continue
        blob = session.get(Blob, attachment.sha256)
        if blob is None:
            blob = Blob(
                sha256=attachment.sha256,
                size=attachment.size,
                mime=attachment.mime,
                path=attachment.path,
            )
            session.add(blob)
        found[attachment.sha256] = blob
    return list(found.values())


def forget_verification(session: Session) -> None:
    """Ask the centre about every file again: it was put back from a backup."""
    for blob in session.scalars(select(Blob).where(Blob.verified_at.is_not(None))):
        blob.verified_at = None
        blob.sent_upto = 0


def send_blobs(db: Database, calls: CentreSession) -> Task[int]:
    """Send what the centre misses; return how many files it has confirmed.

    A file that is missing or damaged on this disk is noted in its row and stays pending; it holds
    up nothing.
    """
    with db.write() as session:
        blobs = waiting(session)
    confirmed = 0
    for start in range(0, len(blobs), _ASKED_AT_ONCE):
        part = blobs[start : start + _ASKED_AT_ONCE]
        missing = calls.blob_missing([BlobFact(blob.sha256, blob.size, blob.mime) for blob in part])
        confirmed += _note_complete(db, part, missing)
        for blob in part:
            if blob.sha256 in missing:
                try:
                    confirmed += yield from _send(db, calls, blob, missing[blob.sha256])
                except CentreRefused as refused:
                    _note(db, blob.sha256, 0, str(refused))
    return confirmed


def _note_complete(db: Database, part: list[Blob], missing: Mapping[str, int]) -> int:
    complete = [blob.sha256 for blob in part if blob.sha256 not in missing]
    if complete:
        with db.write() as session:
            for blob in session.scalars(select(Blob).where(Blob.sha256.in_(complete))):
                _mark(blob, blob.size)
    return len(complete)


def _send(db: Database, calls: CentreSession, blob: Blob, offset: int) -> Task[int]:
    """Send one file from ``offset`` on; return 1 when the centre has hashed it to its name."""
    path = db.folder / blob.path
    problem = _problem(path, blob)
    if problem:
        _note(db, blob.sha256, 0, problem)
        return 0
    tries = 0
    while tries < _TRIES:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(CHUNK)
        held = calls.blob_put(blob.sha256, offset, data)
        if held == blob.size and (held or not blob.size):
            _note(db, blob.sha256, held, "", complete=True)
            return 1
        tries += held <= offset  # damaged on the way, or another session is at it
        offset = held
        _note(db, blob.sha256, held, "")
        yield Progress(f"Sending {path.name[:12]}", held, blob.size, "bytes")
    _note(db, blob.sha256, 0, "the centre did not get it undamaged")
    return 0


def _problem(path: Path, blob: Blob) -> str:
    """Return why the file cannot be sent, "" when it is what its name says."""
    whole = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while block := file.read(CHUNK):
                whole.update(block)
                size += len(block)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    whole_fits = whole.hexdigest() == blob.sha256 and size == blob.size
    return "" if whole_fits else "damaged on this disk"


def _note(db: Database, sha256: str, held: int, problem: str, *, complete: bool = False) -> None:
    with db.write() as session:
        blob = session.get_one(Blob, sha256)
        blob.problem = problem
        if complete:
            _mark(blob, held)
        else:
            blob.sent_upto = held


def _mark(blob: Blob, held: int) -> None:
    blob.sent_upto = held
    blob.verified_at = utc_now()
    blob.problem = ""
