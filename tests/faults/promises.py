"""What must hold when a simulation has come to rest, beyond what holds for one laptop alone.

`check_exactly_once` is I1, `check_epochs` I4, `check_signs` and `check_verdicts` I6,
`check_files` I14, `check_alarms` I16; I2, I3, I5 and I10 are in `tests.protocol.sync_world`.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.centre.contract import CENTRE_DEVICE, Envelope, Verdict
from app.centre.fold import DONE, IMPORTED, fold, parsed
from app.models.base import new_id, utc_now
from app.models.blob import Blob
from app.models.journal import JournalEvent
from app.sync.chip import ChipState, chips
from tests.protocol.sync_world import Field, World


def check_exactly_once(world: World, fields: Sequence[Field]) -> None:
    """I1: every event on a living laptop is at the centre, and counts at most once."""
    there: dict[str, list[str]] = {}
    for event_id, verdict in world.rows("SELECT event_id, verdict FROM event"):
        there.setdefault(event_id, []).append(verdict)
    for field in fields:
        for event in field.events():
            verdicts = there.get(event.event_id, [])
            assert verdicts, f"I1: {event.kind} {event.seq} is not at the centre"
            applied = verdicts.count(Verdict.APPLIED)
            assert applied <= 1, f"I1: {event.kind} {event.seq} counts {applied} times"


def check_epochs(world: World) -> None:
    """I4: nothing was applied from another laptop, an older epoch, or after the order was done."""
    orders: dict[str, Any] = {}
    rows = world.rows("SELECT device_id, order_id, epoch, kind, body, verdict FROM event"
                      " ORDER BY position")  # fmt: skip
    for device_id, order_id, epoch, kind, body, verdict in rows:
        if verdict != Verdict.APPLIED or not order_id:
            continue
        order = orders.get(order_id)
        if device_id != CENTRE_DEVICE and not (kind == IMPORTED and order is None):
            assert order is not None, "I4: an event of an unknown order was applied"
            now = (order.assignee, order.epoch)
            assert now == (device_id, epoch), f"I4: {kind} of a stale epoch was applied"
            assert not (kind == DONE and order.completed), "I4: an order was done twice"
        envelope = Envelope(0, new_id(), order_id, epoch, kind, 1, body, "", utc_now())
        orders[order_id] = fold(order, device_id, envelope, parsed(body) or {})


def check_signs(world: World, field: Field) -> None:
    """I6: no sign says local or sent when everything is at the centre."""
    with field.db.read() as session:
        ids = session.scalars(select(JournalEvent.order_id).distinct()).all()
        signs = chips(session, [order_id for order_id in ids if order_id])
    unsure = {ChipState.LOCAL, ChipState.SENT, ChipState.MEDIA_PENDING}
    wrong = {order_id: sign for order_id, sign in signs.items() if sign.state in unsure}
    assert not wrong, f"I6: {wrong}"


def check_verdicts(world: World, field: Field) -> None:
    """I5, I6, I10: what the laptop shows of each event is what the centre made of it."""
    there = {
        event_id: (verdict, closed is not None)
        for event_id, verdict, closed in world.rows(
            "SELECT event.event_id, event.verdict, review.closed FROM event"
            " LEFT JOIN review ON review.event_position = event.position"
            " WHERE event.device_id = ?", field.device_id,
        )
    }  # fmt: skip
    for event in field.events():
        verdict, settled = there[event.event_id]
        shown = event.verdict or Verdict.APPLIED.value
        assert settled or shown == verdict, f"I6: {event.kind} shows {shown}, it is {verdict}"


def check_files(world: World, fields: Sequence[Field]) -> None:
    """I6, I14: files the laptop calls complete are whole at the centre and hash to their names."""
    for field in fields:
        with field.db.read() as session:
            blobs = session.scalars(select(Blob).where(Blob.verified_at.is_not(None))).all()
        for blob in blobs:
            found = world.rows("SELECT complete FROM blob WHERE sha256 = ?", blob.sha256)
            assert [bool(row[0]) for row in found] == [True], "I6: a file is not at the centre"
    for sha256, complete in world.rows("SELECT sha256, complete FROM blob"):
        chunks = world.rows("SELECT data FROM blob_chunk WHERE sha256 = ? ORDER BY ix", sha256)
        whole = hashlib.sha256(b"".join(bytes(row[0]) for row in chunks)).hexdigest()
        assert not complete or whole == sha256, f"I14: {sha256} has another content"


def check_alarms(world: World) -> None:
    """I16: a laptop that had to take new numbers has raised the alarm at the centre."""
    silent = world.rows("SELECT device_id FROM incarnation WHERE incarnation > 1 AND alarm = ''"
                        " AND device_id <> ?", CENTRE_DEVICE)  # fmt: skip
    assert not silent, f"I16: nobody was told of {silent}"
