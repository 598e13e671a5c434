"""What must hold when a simulation has come to rest, beyond what holds for one laptop alone.

Where each promise of the documentation on sync is kept to:

| No. | Promise | Held by |
|---|---|---|
| I1 | every event is at the centre exactly once | `check_exactly_once`, `check_laptop` |
| I2 | numbers 1 to n without a gap, same bytes | `check_laptop` |
| I3 | state is the fold of the log | `check_centre` |
| I4 | nothing applied from a stale epoch | `check_epochs` |
| I5 | what was not applied is in a review | `check_centre`, `check_verdicts` |
| I6 | the sign is green when counters agree and files are whole | `check_signs`, `check_files` |
| I7 | nothing is deleted before acknowledgement and check | `check_forgotten` |
| I8 | a replay changes nothing | `replay_pushes`, `replay_mail`, `state_of` |
| I9 | no laptop reads or changes another's rows | `tests.protocol.test_centre_hostile` |
| I10 | mail applied is 1 to head without a gap | `check_centre`; the sessions until quiet |
| I11 | old client, new centre, and the reverse | `tests.protocol.test_centre_conformance` \
(too new, judged again), `tests.protocol.test_sync` (mail that cannot be read) |
| I12 | no clock changes a verdict | `test_simulation` (years off); every run has such clocks |
| I13 | a draft survives a kill at any statement | `test_kill_in_every_step` |
| I14 | a file hashes to its name | `check_files` |
| I15 | no command is sent twice without a read-back | `test_kill_in_every_step`, \
`test_kill_while_entering_tokens` |
| I16 | a restored centre is healed, a clone is detected | `check_exactly_once`, `check_alarms` |
| I17 | the queue empties within some sessions | `Simulation.finish` |
"""

import hashlib
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.centre.contract import CENTRE_DEVICE, Envelope, Verdict
from app.centre.fold import DONE, IMPORTED, fold, parsed
from app.models.base import new_id, utc_now
from app.models.blob import Blob
from app.models.journal import JournalEvent, Laptop
from app.models.order import Attachment, WorkOrder
from app.sync.chip import ChipState, chips
from app.sync.mailbox import apply_mail
from app.sync.retention import KEEP, purge
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


def check_forgotten(world: World, field: Field) -> set[str]:
    """I7: let a laptop forget; all that goes is acknowledged, whole and at the centre.

    Returns the ids of the events that are gone.
    """
    before = {event.event_id: event for event in field.events()}
    files = _files(field)
    with field.db.write() as session:
        laptop = session.execute(select(Laptop)).scalar_one()
        told = laptop.last_server_time
        laptop.last_server_time = (told or utc_now()) + KEEP + timedelta(days=1)
        purge(session, field.folder)
        laptop.last_server_time = told
    gone = before.keys() - {event.event_id for event in field.events()}
    for event_id in gone:
        assert before[event_id].acked_at is not None, f"I7: {event_id} was never acknowledged"
        there = world.rows("SELECT count(*) FROM event WHERE event_id = ?", event_id)
        assert there[0][0], f"I7: {event_id} is gone everywhere"
    for sha256 in files - _files(field):
        assert world.rows("SELECT complete FROM blob WHERE sha256 = ?", sha256) in (
            [(1,)], [(True,)],
        ), f"I7: the file {sha256} is gone everywhere"  # fmt: skip
    return gone


def _files(field: Field) -> set[str]:
    with field.db.read() as session:
        rows = session.execute(select(Attachment.sha256, Attachment.path)).all()
    return {sha256 for sha256, path in rows if (field.folder / path).exists()}


_LOG = ("SELECT device_id, incarnation, seq, event_id, order_id, epoch, kind, schema_v, body,"
        " sha256, verdict FROM event ORDER BY position")  # fmt: skip


def state_of(world: World, fields: Sequence[Field]) -> list[Any]:
    """Return what a replay must leave as it is, at the centre and on the laptops."""
    told: list[Any] = [
        world.rows(statement)
        for statement in (
            _LOG,
            "SELECT order_id, state, assignee, epoch, revision FROM work_order ORDER BY order_id",
            "SELECT count(*) FROM review",
            "SELECT device_id, mail_head, mail_acked FROM device ORDER BY device_id",
            "SELECT sha256, complete FROM blob ORDER BY sha256",
        )
    ]
    for field in fields:
        with field.db.read() as session:
            orders = session.execute(
                select(WorkOrder.order_id, WorkOrder.state, WorkOrder.epoch).order_by(
                    WorkOrder.order_id
                )
            )
            told.append([tuple(row) for row in orders])
        told.append([(e.incarnation, e.seq, e.event_id, e.verdict) for e in field.events()])
    return told


def replay_pushes(world: World, chance: random.Random) -> None:
    """Send a beginning, an end and a middle of each journal once more, in any order."""
    numbers = world.rows("SELECT device_id, incarnation, last_seq FROM incarnation"
                         " WHERE device_id <> ? AND last_seq > 0", CENTRE_DEVICE)  # fmt: skip
    device_id, incarnation, last = chance.choice(sorted(numbers))
    calls = world.centre.session(device_id)
    sent = [one for one, _ in calls.own_events(incarnation, 0, 500)]
    cuts = sorted(chance.randint(0, len(sent)) for _ in range(2))
    parts = [sent[: cuts[0]], sent[cuts[0] :], sent[cuts[0] : cuts[1]]]
    chance.shuffle(parts)
    for part in filter(None, parts):
        assert calls.push(incarnation, part) == last, "I8: a replay has moved the counter"


def replay_mail(world: World, field: Field, chance: random.Random) -> None:
    """Let a laptop apply the letters from some number on once more."""
    letters = world.centre.session(field.device_id).pull(0, 1000)
    again = letters[chance.randint(0, len(letters)) :]
    with field.db.write() as session:
        for letter in again:
            apply_mail(session, letter)
