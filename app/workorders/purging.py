"""What an order leaves behind when it is over: nothing that opens or pays for anything.

The digits of its tokens go in the transaction that ends the order, so that no kill in between can
leave them.  Decoder keys lie in the keyring, which knows no transactions: they go right afterwards.
What a kill or a locked keyring has left goes at the next start, sync or end of a job.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import VaultLocked
from app.models.base import utc_now
from app.models.database import Database
from app.models.order import WorkOrder
from app.models.token import OVER, OrderToken, VendingRecord, purge
from app.services import audit
from app.services.token_box import TokenBox

_LOG = logging.getLogger(__name__)
LEFT_BY_A_STOP = "system"


def leave_nothing(session: Session, order: WorkOrder, *, who: str, at: datetime) -> int:
    """Remove the digits that an order which is over still has; return how many tokens had some."""
    if order.state not in OVER:
        return 0
    count = purge(session, order.order_id, at)
    if count:
        body = {"order": order.order_id, "state": str(order.state), "tokens": count}
        audit.append(session, who, "tokens.purged", order.meter_serial, body)
    return count


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many things are gone, and how many decoder keys a locked keyring still has."""

    removed: int = 0
    kept: int = 0

    def __str__(self) -> str:
        """Say what is left and what to do; "" when nothing is."""
        if not self.kept:
            return ""
        meters = "a meter" if self.kept == 1 else f"{self.kept} meters"
        return (
            f"The decoder key of {meters} is still in the system's password store, which is"
            " locked. Unlock it: the key goes with the next sync or at the next start."
        )


def clear_up(db: Database, box: TokenBox | None, *, who: str = LEFT_BY_A_STOP) -> Cleared:
    """Remove what orders that are over have left: digits and decoder keys.

    A keyring that is locked keeps its keys until the next time.
    """
    with db.read() as session:
        left = session.scalars(
            select(WorkOrder.order_id)
            .join(OrderToken, OrderToken.order_id == WorkOrder.order_id)
            .where(OrderToken.sealed != "", WorkOrder.state.in_(OVER))
            .distinct()
        ).all()
        numbers = set(_numbers(session, over=True)) - set(_numbers(session, over=False))
    count = 0
    for order_id in left:
        with db.write() as session:
            order = session.get_one(WorkOrder, order_id)
            count += leave_nothing(session, order, who=who, at=utc_now())
    if box is None:
        return Cleared(count)
    dropped, kept = _dropped(box, sorted(numbers))
    if dropped:
        with db.write() as session:
            for drn in dropped:
                audit.append(session, who, "decoder_key.removed", drn)
    return Cleared(count + len(dropped), kept)


def _dropped(box: TokenBox, numbers: list[str]) -> tuple[list[str], int]:
    """Remove decoder keys; return whose are gone, and how many the keyring did not give up."""
    dropped, kept = [], 0
    for drn in numbers:
        try:
            if box.drop_decoder_key(drn):
                dropped.append(drn)
        except VaultLocked as error:
            kept += 1
            _LOG.warning("the decoder key of an order that is over is still there: %s", error)
    return dropped, kept


def _numbers(session: Session, *, over: bool) -> list[str]:
    """Return the meter numbers of orders that are over, or of those that are not."""
    state = WorkOrder.state.in_(OVER)
    rows = session.scalars(
        select(VendingRecord.drn)
        .join(WorkOrder, WorkOrder.order_id == VendingRecord.order_id)
        .where(VendingRecord.drn != "", state if over else ~state)
        .distinct()
    )
    return list(rows)
