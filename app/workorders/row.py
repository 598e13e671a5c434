"""One order as a row of the queue: what it says, in words."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from app.models.base import utc_now
from app.models.order import OrderState, WorkOrder
from app.models.place import Customer, Site
from app.workorders.kinds import kind_words

OPEN_STATES = frozenset(
    state.value
    for state in (
        OrderState.ASSIGNED,
        OrderState.DOWNLOADED,
        OrderState.ACCEPTED,
        OrderState.STARTED,
        OrderState.PAUSED,
        OrderState.REJECTED,
    )
)
DONE_STATES = frozenset(
    state.value
    for state in (
        OrderState.DONE,
        OrderState.SUBMITTED,
        OrderState.IN_REVIEW,
        OrderState.APPROVED,
        OrderState.EXPORTED,
        OrderState.CLOSED,
        OrderState.PARTLY_DONE,
        OrderState.CANNOT_COMPLETE,
        OrderState.TRIAGE,
    )
)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One order as its row in the queue says it; words are ready to be shown."""

    rowid: int
    order_id: str
    number: str
    kind: str
    kind_words: str
    title: str
    place: str  # the address, or the title where no address is known
    town: str
    customer: str
    due: date | None
    window_from: datetime | None
    window_to: datetime | None
    when: str  # hours, "Tomorrow", "2 days late", "Done 07:58"
    late: bool
    priority: int
    state: str
    steps_done: int
    steps_total: int
    step: str
    verdict: str
    meter_serial: str
    utility_serial: str
    meter_type: str
    queue: str
    area: str
    ended: datetime | None


def queue_row(
    rowid: int,
    order: WorkOrder,
    site: Site | None,
    customer: Customer | None,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> QueueRow:
    """Return an order as a row of the queue."""
    moment = now or utc_now()
    today = moment.astimezone(zone).date()
    return QueueRow(
        rowid=rowid,
        order_id=order.order_id,
        number=order.number,
        kind=order.kind,
        kind_words=kind_words(order.kind),
        title=order.title,
        place=(site.street if site else "") or order.title,
        town=site.town if site else "",
        customer=customer.name if customer else "",
        due=order.due,
        window_from=order.window_from,
        window_to=order.window_to,
        when=when_words(order, today, zone),
        late=order.due is not None and order.due < today and order.state in OPEN_STATES,
        priority=order.priority,
        state=order.state,
        steps_done=order.steps_done,
        steps_total=order.steps_total,
        step=order.step,
        verdict=order.verdict,
        meter_serial=order.meter_serial,
        utility_serial=order.utility_serial,
        meter_type=order.meter_type,
        queue=order.queue,
        area=order.area,
        ended=order.ended,
    )


def when_words(order: WorkOrder, today: date, zone: tzinfo | None = None) -> str:
    """Return when an order is due, or when it ended, as people say it."""
    if order.ended is not None and order.state in DONE_STATES:
        ended = order.ended.astimezone(zone)
        if ended.date() != today:
            return day_words(ended.date(), today)
        return f"{'Done' if order.verdict else 'Ended'} {ended:%H:%M}"
    return "Rework" if order.state == OrderState.REJECTED else _due_words(order, today, zone)


def _due_words(order: WorkOrder, today: date, zone: tzinfo | None) -> str:
    hours = _hours(order.window_from, order.window_to, zone)
    due = order.due
    if due is None and order.window_from is not None:
        due = order.window_from.astimezone(zone).date()
    if due is None:
        return "Any day"
    if due == today and hours:
        return hours
    if due < today and order.state in OPEN_STATES:
        days = (today - due).days
        return "1 day late" if days == 1 else f"{days} days late"
    return f"{day_words(due, today)} {hours}".strip()


def day_words(day: date, today: date) -> str:
    """Return a day as people say it: Today, Tomorrow, 25 Nov, 3 Mar 2031."""
    near = {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}.get((day - today).days)
    if near:
        return near
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def _hours(first: datetime | None, last: datetime | None, zone: tzinfo | None) -> str:
    if first is not None and last is not None:
        return f"{first.astimezone(zone):%H:%M}–{last.astimezone(zone):%H:%M}"  # noqa: RUF001
    if first is not None:
        return f"from {first.astimezone(zone):%H:%M}"
    return f"until {last.astimezone(zone):%H:%M}" if last is not None else ""
