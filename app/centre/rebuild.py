"""Folding the log anew, and judging again what an older centre did not know."""

from collections.abc import Iterable

from app.centre.acts import ACCEPT
from app.centre.contract import CENTRE_DEVICE, SCHEMA_MAX, Act, Centre, Envelope, Rebuilt, Verdict
from app.centre.fold import FIELD_KINDS, SETTLED, computed_hash, fold, judge, parsed
from app.centre.order import CentreOrder
from app.errors import BadInput

_SHOWN_DIFFERENCES = 20


class FoldedLog:
    """The orders that folding a log gives; the log comes in the order in which it arrived."""

    def __init__(self, log: Iterable[tuple[str, int, str, Envelope]]) -> None:
        self.orders: dict[str, CentreOrder] = {}
        self.events = 0
        self._last: dict[tuple[str, int], int] = {}
        self._differences: list[str] = []
        for device_id, incarnation, verdict, envelope in log:
            self._take(device_id, incarnation, verdict, envelope)

    def compared(self, kept: Iterable[CentreOrder]) -> Rebuilt:
        """Return what differs from the orders the store has."""
        there = {order.order_id: order for order in kept}
        for order_id in sorted(self.orders.keys() | there.keys()):
            if self.orders.get(order_id) != there.get(order_id):
                self._differences.append(
                    f"order {order_id}: log says {_words(self.orders.get(order_id))},"
                    f" store says {_words(there.get(order_id))}"
                )
        shown = tuple(self._differences[:_SHOWN_DIFFERENCES])
        return Rebuilt(self.events, len(self.orders), shown)

    def _take(self, device_id: str, incarnation: int, verdict: str, envelope: Envelope) -> None:
        self.events += 1
        key = (device_id, incarnation)
        if envelope.seq != self._last.get(key, 0) + 1:
            self._differences.append(
                f"laptop {device_id}: a gap before {incarnation}/{envelope.seq}"
            )
        self._last[key] = envelope.seq
        if computed_hash(envelope) != envelope.sha256:
            self._differences.append(f"event {envelope.event_id} does not fit its hash")
        body = parsed(envelope.body)
        if verdict == Verdict.APPLIED and body is not None:
            order = fold(self.orders.get(envelope.order_id), device_id, envelope, body)
            if order is not None:
                self.orders[order.order_id] = order


def rejudge(centre: Centre) -> int:
    """Apply what an older centre could not judge and this one can; return how many events.

    Each is settled by an act of the centre itself, so that folding the log anew gives the same.
    What is judged otherwise now stays in review.
    """
    applied = 0
    for item in centre.reviews():
        if item.verdict != Verdict.UNKNOWN_KIND or item.kind not in FIELD_KINDS:
            continue
        found = [e for _, _, e in centre.history(item.order_id) if e.event_id == item.event_id]
        orders = centre.orders([item.order_id]) if item.order_id else ()
        if not found or found[0].schema_v > SCHEMA_MAX or not orders:
            continue
        verdict = judge(orders[0], item.device_id, found[0], parsed(found[0].body))
        if verdict is Verdict.APPLIED:
            act = Act(
                SETTLED,
                who=CENTRE_DEVICE,
                role="system",
                item=item.item,
                decision=ACCEPT,
                reason="judged again after an upgrade of the centre",
            )
            centre.act(act)
            applied += 1
    return applied


def check_device_name(device_id: str) -> None:
    """Refuse what cannot be the name of a laptop.

    Raises:
        BadInput: It is empty, or the centre's own.
    """
    if not device_id.strip() or device_id == CENTRE_DEVICE:
        raise BadInput(f"{device_id!r} cannot be the name of a laptop")


def _words(order: CentreOrder | None) -> str:
    if order is None:
        return "nothing"
    return f"{order.state}, epoch {order.epoch}, {order.assignee}, revision {order.revision}"
