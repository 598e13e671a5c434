"""A work order at the centre: what folding the log gives."""

from dataclasses import dataclass

from app.models.order import OrderState


@dataclass(frozen=True)
class CentreOrder:
    """A work order as the centre sees it; ``body`` is the text of the event that brought it.

    ``worker`` is who did it and ``ended`` the day; ``approved_by`` has a line for each verifier.
    """

    order_id: str
    number: str = ""
    source: str = ""
    external_ref: str | None = None
    kind: str = ""
    title: str = ""
    state: str = OrderState.ACCEPTED.value
    queue: str = ""
    area: str = ""
    assignee: str = ""
    epoch: int = 1
    revision: int = 1
    priority: int = 3
    due: str = ""
    completed: bool = False
    verdict: str = ""
    report_sha256: str = ""
    worker: str = ""
    ended: str = ""
    approved_by: str = ""
    body: str = ""
