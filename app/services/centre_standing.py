"""What the centre holds, on one page: laptops and how far behind, open reviews, orders by group."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from app.centre.contract import Centre
from app.models.base import utc_now
from app.models.people import Actor
from app.services.dispatch import Progress, progress
from app.services.tables import Table

GROUPS = ("area", "crew", "day")
LAPTOP_HEAD = ["Laptop", "Name", "Events", "Letters waiting", "Last seen (UTC)", "Revoked"]
GROUP_HEAD = ["Planned", "Under way", "Done", "Approved", "Returned"]
SILENT_AFTER = timedelta(days=2)


@dataclass(frozen=True)
class Laptop:
    """One laptop as the centre sees it; ``letters`` wait in its mailbox, not yet applied."""

    device: str
    name: str
    events: int
    letters: int
    last_seen: datetime | None
    revoked: bool
    incarnation: int

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.device

    def quiet(self, now: datetime) -> bool:
        """Tell whether it was not heard of for long, or never."""
        return self.last_seen is None or now - self.last_seen > SILENT_AFTER


@dataclass(frozen=True)
class Standing:
    """Everything on the page, of one moment."""

    centre_id: str
    url: str
    generation: int
    at: datetime
    laptops: tuple[Laptop, ...]
    reviews_open: int
    visits_in_review: int
    events: int
    not_applied: int
    groups: dict[str, tuple[Progress, ...]]


def standing(centre: Centre, actor: Actor | None = None) -> Standing:
    """Return what the centre holds now, those laptops first that were not heard of the longest.

    Orders and reviews are those in the areas of ``actor``; laptops and events are everybody's.
    """
    found = centre.status()
    counts, reviews_open = centre.counts(), found["review_open"]
    if actor is not None and actor.areas:
        counts = [count for count in counts if actor.sees(count.area)]
        reviews_open = _reviews_of(centre, actor)
    events: dict[str, int] = found["events"]
    return Standing(
        centre_id=found["centre_id"],
        url=centre.url,
        generation=found["generation"],
        at=utc_now(),
        laptops=tuple(sorted(map(_laptop, found["devices"]), key=_oldest_first)),
        reviews_open=reviews_open,
        visits_in_review=sum(one.number for one in counts if one.state == "in_review"),
        events=sum(events.values()),
        not_applied=sum(number for verdict, number in events.items() if verdict != "applied"),
        groups={by: tuple(progress(counts, by)) for by in GROUPS},
    )


def tables(found: Standing) -> dict[str, Table]:
    """Return everything on the page as tables for a file."""
    made: dict[str, Table] = {"laptops": (LAPTOP_HEAD, [_cells(item) for item in found.laptops])}
    for by, groups in found.groups.items():
        rows = [[str(value) for value in asdict(group).values()] for group in groups]
        made[by] = ([by.capitalize(), *GROUP_HEAD], rows)
    return made


def shape(found: Standing) -> dict[str, Any]:
    """Return everything on the page as plain data."""
    data = asdict(found)
    data["at"] = found.at.isoformat()
    for row, item in zip(data["laptops"], found.laptops, strict=True):
        row["last_seen"] = item.last_seen.isoformat() if item.last_seen else None
    return data


def _reviews_of(centre: Centre, actor: Actor) -> int:
    """Return how many open reviews are of orders in a person's areas."""
    items = centre.reviews()
    wanted = {item.order_id for item in items if item.order_id}
    seen = {
        order.order_id
        for order in (centre.orders(sorted(wanted)) if wanted else ())
        if actor.sees(order.area)
    }
    return sum(item.order_id in seen for item in items)


def _cells(item: Laptop) -> list[str]:
    seen = item.last_seen.strftime("%Y-%m-%d %H:%M:%S") if item.last_seen else ""
    revoked = "yes" if item.revoked else "no"
    return [item.device, item.name, str(item.events), str(item.letters), seen, revoked]


def _laptop(row: dict[str, object]) -> Laptop:
    seen = row["last_seen"]
    moment = datetime.fromisoformat(str(seen)) if seen else None
    return Laptop(
        device=str(row["device"]),
        name=str(row["name"]),
        events=_whole(row["last_seq"]),
        letters=max(0, _whole(row["mail_head"]) - _whole(row["mail_acked"])),
        last_seen=moment,
        revoked=bool(row["revoked"]),
        incarnation=_whole(row["incarnation"]),
    )


def _whole(value: object) -> int:
    return int(str(value))


def _oldest_first(item: Laptop) -> tuple[bool, float, str]:
    seen = item.last_seen.timestamp() if item.last_seen else 0.0
    return item.revoked, seen, item.title
