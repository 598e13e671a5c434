"""One batch of events on its way into the log: judged, folded, stored, all in one transaction."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, insert, select

from app.centre.contract import Envelope, Verdict
from app.centre.fold import IMPORTED, SEGMENT, fold, judge, parsed
from app.centre.order import CentreOrder
from app.centre.store import orders_of, post, save_orders
from app.centre.tables import EVENT, ORDER, READING_TODO, REVIEW, TENANT
from app.models.base import utc_now

# Written once: making a statement costs more than running it, and every push runs this.
_KNOWN = select(EVENT.c.event_id, EVENT.c.sha256).where(
    EVENT.c.event_id.in_(bindparam("ids", expanding=True))
)


class Ledger:
    """Takes the new events of one laptop in order; `close` writes what they caused."""

    def __init__(
        self, connection: Connection, device_id: str, incarnation: int, batch: Sequence[Envelope]
    ) -> None:
        self._connection = connection
        self._device_id = device_id
        self._incarnation = incarnation
        self._orders = orders_of(connection, (envelope.order_id for envelope in batch))
        self._known = self._stored_hashes(envelope.event_id for envelope in batch)
        self._changed: dict[str, CentreOrder] = {}
        self._rows: list[dict[str, object]] = []
        self._now = utc_now()

    def take(self, envelope: Envelope, sha256: str) -> None:
        """Judge and fold one event; ``sha256`` was computed here."""
        body = parsed(envelope.body) if sha256 == envelope.sha256 else None
        order = self._orders.get(envelope.order_id)
        verdict = judge(order, self._device_id, envelope, body)
        if envelope.event_id in self._known:
            # Renumbered and sent once more by an old disk image: the fact is in the log already.
            same = self._known[envelope.event_id] == sha256
            verdict = Verdict.DUPLICATE_RESULT if same else Verdict.INVALID
        self._known[envelope.event_id] = sha256
        if verdict is Verdict.APPLIED and body is not None:
            after = fold(order, self._device_id, envelope, body)
            if envelope.kind == IMPORTED and after is not None and self._taken(after):
                verdict = Verdict.CONFLICT
            elif after is not None and after != order:
                self._orders[after.order_id] = self._changed[after.order_id] = after
        self._rows.append(self._row(envelope, sha256, verdict))

    def close(self) -> None:
        """Write the log, the orders, the review queue and the mail about the verdicts."""
        if not self._rows:
            return
        save_orders(self._connection, self._changed.values())
        # One statement for the batch; the positions are needed for the review queue only.
        self._connection.execute(insert(EVENT), self._rows)
        self._note_readings()
        odd = [row for row in self._rows if row["verdict"] != Verdict.APPLIED]
        self._open_reviews(odd)
        post(
            self._connection,
            self._device_id,
            (
                (
                    "verdict",
                    str(row["order_id"]),
                    {"event_id": row["event_id"], "verdict": row["verdict"]},
                )
                for row in odd
            ),
        )

    def _note_readings(self) -> None:
        """Remember profile events, whatever their verdict: what a meter told is evidence."""
        numbers = [
            row["seq"]
            for row in self._rows
            if row["kind"] == SEGMENT and row["verdict"] != Verdict.INVALID
        ]
        if numbers:
            positions = select(EVENT.c.position).where(
                EVENT.c.device_id == self._device_id,
                EVENT.c.incarnation == self._incarnation,
                EVENT.c.seq.in_(numbers),
            )
            self._connection.execute(insert(READING_TODO).from_select(["position"], positions))

    def _open_reviews(self, odd: list[dict[str, object]]) -> None:
        if not odd:
            return
        positions = self._connection.execute(
            select(EVENT.c.position, EVENT.c.verdict).where(
                EVENT.c.device_id == self._device_id,
                EVENT.c.incarnation == self._incarnation,
                EVENT.c.seq.in_([row["seq"] for row in odd]),
            )
        )
        self._connection.execute(
            insert(REVIEW),
            [
                {"event_position": position, "verdict": verdict, "opened": self._now}
                for position, verdict in positions
            ],
        )

    def _taken(self, order: CentreOrder) -> bool:
        """Tell whether another order has the same reference of the same source."""
        if order.external_ref is None:
            return False
        key = (order.source, order.external_ref)
        if any(
            (other.source, other.external_ref) == key and other.order_id != order.order_id
            for other in self._changed.values()
        ):
            return True
        return (
            self._connection.execute(
                select(ORDER.c.order_id).where(
                    ORDER.c.tenant_id == TENANT,
                    ORDER.c.source == order.source,
                    ORDER.c.external_ref == order.external_ref,
                    ORDER.c.order_id != order.order_id,
                )
            ).first()
            is not None
        )

    def _stored_hashes(self, event_ids: Iterable[str]) -> dict[str, str]:
        rows = self._connection.execute(_KNOWN, {"ids": list(set(event_ids))})
        return dict(rows.all())

    def _row(self, envelope: Envelope, sha256: str, verdict: Verdict) -> dict[str, object]:
        return {
            "device_id": self._device_id,
            "incarnation": self._incarnation,
            "seq": envelope.seq,
            "event_id": envelope.event_id,
            "order_id": envelope.order_id,
            "epoch": envelope.epoch,
            "kind": envelope.kind,
            "schema_v": envelope.schema_v,
            "body": envelope.body,
            "sha256": sha256,
            "wall": envelope.wall,
            "mono_ns": envelope.mono_ns,
            "boot_id": envelope.boot_id,
            "hlc": envelope.hlc,
            "offset_s": envelope.offset_s,
            "verdict": verdict.value,
            "received_at": self._now,
        }
