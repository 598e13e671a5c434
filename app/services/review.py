"""Review at the centre: look at visits and disputed events, approve, send back, settle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.centre.contract import Act, Centre, Envelope, ReviewItem
from app.centre.fold import APPROVED, REJECTED, SETTLED
from app.centre.order import CentreOrder
from app.errors import BadInput
from app.models.order import OrderState
from app.services.dispatch import Person, found


@dataclass(frozen=True)
class Desk:
    """What waits for a person: visits to approve, and events that were not applied."""

    visits: tuple[CentreOrder, ...]
    disputes: tuple[ReviewItem, ...]


@dataclass(frozen=True)
class Dossier:
    """Everything the centre has about an order: device, verdict and event, as they arrived."""

    order: CentreOrder
    history: tuple[tuple[str, str, Envelope], ...]
    disputes: tuple[ReviewItem, ...]


def waiting(centre: Centre) -> Desk:
    """Return what waits for a person, oldest first."""
    visits = centre.orders(state=OrderState.IN_REVIEW.value)
    return Desk(tuple(sorted(visits, key=lambda o: (o.ended, o.number))), tuple(centre.reviews()))


def dossier(centre: Centre, wanted: str) -> Dossier:
    """Return everything about an order (by number or id)."""
    (order,) = found(centre, [wanted])
    disputes = [item for item in centre.reviews() if item.order_id == order.order_id]
    return Dossier(order, tuple(centre.history(order.order_id)), tuple(disputes))


def approve(centre: Centre, wanted: str, who: Person) -> CentreOrder:
    """Approve a visit; some types need a second person to do the same.

    Raises:
        NotPermitted: Not a verifier, or the one who did the work or approved before.
        BadInput: It is not in review, or files are missing.
    """
    return _reviewed(centre, wanted, Act(APPROVED, "", who.name, who.role))


def reject(
    centre: Centre, wanted: str, who: Person, *, reason: str, steps: Sequence[str] = ()
) -> CentreOrder:
    """Send a visit back: only ``steps`` are open again at the laptop, all of them without any."""
    act = Act(REJECTED, "", who.name, who.role, reason=reason, steps=tuple(steps))
    return _reviewed(centre, wanted, act)


def settle(centre: Centre, item: int, decision: str, who: Person, *, reason: str) -> ReviewItem:
    """Decide on an event that was not applied: "accept" applies it now, "dismiss" leaves it."""
    act = Act(SETTLED, "", who.name, who.role, reason=reason, item=item, decision=decision)
    centre.act(act)
    (closed,) = centre.reviews(item=item)
    return closed


def _reviewed(centre: Centre, wanted: str, act: Act) -> CentreOrder:
    (order,) = found(centre, [wanted])
    known = {envelope.body for _, _, envelope in centre.history(order.order_id)}
    missing = [step for step in act.steps if not any(f'"{step}"' in body for body in known)]
    if missing:
        raise BadInput(f"order {wanted} has no step {', '.join(missing)}")
    centre.act(replace(act, order_id=order.order_id))
    (after,) = centre.orders([order.order_id])
    return after
