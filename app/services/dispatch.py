"""Dispatch at the centre: give orders away, call them back, see how far everybody is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.centre.contract import Act, Centre, Count
from app.centre.fold import ASSIGNED, RECALLED
from app.centre.order import CentreOrder
from app.errors import BadInput, NotFound


@dataclass(frozen=True)
class Person:
    """Who acts, and in which role."""

    name: str
    role: str


def assign(centre: Centre, wanted: Sequence[str], device: str, who: Person) -> list[CentreOrder]:
    """Give orders (by number or id) to a laptop (by its id or name); return them as they are now.

    Those before the first refusal are given away; the error names the order that was refused.

    Raises:
        NotFound: No such order or laptop.
        NotPermitted: Not for this role.
        BadInput: An order is completed, or its number is not the only one.
    """
    device_id = laptop(centre, device)
    return [
        _acted(centre, Act(ASSIGNED, order.order_id, who.name, who.role, device=device_id))
        for order in found(centre, wanted)
    ]


def recall(centre: Centre, wanted: Sequence[str], reason: str, who: Person) -> list[CentreOrder]:
    """Call orders back from whoever has them; what they still send of them is late."""
    return [
        _acted(centre, Act(RECALLED, order.order_id, who.name, who.role, reason=reason))
        for order in found(centre, wanted)
    ]


def found(centre: Centre, wanted: Sequence[str]) -> list[CentreOrder]:
    """Return the orders of these numbers or ids, in this order.

    Raises:
        NotFound: The centre does not know one of them.
        BadInput: Several orders have this number.
    """
    known = centre.orders(wanted)
    return [_one(known, text) for text in dict.fromkeys(wanted)]


def laptop(centre: Centre, wanted: str) -> str:
    """Return the id of a laptop from its id or its name.

    Raises:
        NotFound: None is called so.
        BadInput: Several are.
    """
    devices = centre.status()["devices"]
    matches = [d["device"] for d in devices if wanted == d["device"]]
    matches = matches or [d["device"] for d in devices if wanted == d["name"]]
    if not matches:
        raise NotFound(f"no laptop {wanted} is enrolled at the centre")
    if len(matches) > 1:
        raise BadInput(f"{len(matches)} laptops are called {wanted}; use the id")
    return str(matches[0])


@dataclass(frozen=True)
class Progress:
    """How many orders of one group are planned, under way, done, approved and sent back."""

    group: str
    planned: int = 0
    under_way: int = 0
    done: int = 0
    approved: int = 0
    returned: int = 0


_UNDER_WAY = {"accepted", "started", "paused", "recall_requested"}
_DONE = {"done", "submitted", "in_review"}
_APPROVED = {"approved", "exported", "closed"}
_RETURNED = {"rejected", "declined", "cannot_complete", "triage", "returned_to_utility", "recalled"}


def progress(counts: Iterable[Count], by: str) -> list[Progress]:
    """Return the counts grouped by "area", "crew" or "day"."""
    groups: dict[str, dict[str, int]] = {}
    for count in counts:
        group = groups.setdefault(str(getattr(count, by)), {})
        column = _column(count.state)
        group[column] = group.get(column, 0) + count.number
    return [Progress(name, **columns) for name, columns in sorted(groups.items())]


def _column(state: str) -> str:
    for column, states in (
        ("under_way", _UNDER_WAY),
        ("done", _DONE),
        ("approved", _APPROVED),
        ("returned", _RETURNED),
    ):
        if state in states:
            return column
    return "planned"


def _one(known: Sequence[CentreOrder], text: str) -> CentreOrder:
    matches = [order for order in known if order.order_id == text]
    matches = matches or [order for order in known if order.number == text]
    if not matches:
        raise NotFound(f"the centre knows no order {text}")
    if len(matches) > 1:
        raise BadInput(f"{len(matches)} orders have the number {text}; use the id")
    return matches[0]


def _acted(centre: Centre, act: Act) -> CentreOrder:
    centre.act(act)
    (order,) = centre.orders([act.order_id])
    return order
