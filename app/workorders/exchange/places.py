"""Sites, customers and points of supply that the rows of one file share.

Rows that name the same place share one row of the table.  Where they contradict each other the
first one counts and the others are remarked on, so that a second import finds nothing to change.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models.order import WorkOrder
from app.models.place import Customer, Site, UsagePoint
from app.workorders.exchange.order_rows import OrderPlan

P = TypeVar("P", Site, Customer, UsagePoint)
Key = tuple[str, ...]
Linked = tuple[Site | None, Customer | None, UsagePoint | None]
_ADDRESS = ("street", "town", "postcode")


def among(column: InstrumentedAttribute[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of any number of values: one table scan."""
    listed = func.json_each(json.dumps(sorted(set(values)))).table_valued("value")
    return column.in_(select(listed.c.value))


def differs(row: object, values: Mapping[str, Any]) -> bool:
    """Tell whether ``values`` would change ``row``."""
    return any(getattr(row, name) != value for name, value in values.items())


def take_over(row: object, values: Mapping[str, Any]) -> bool:
    """Set ``values`` on ``row`` and tell whether anything changed."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


class _Shared(Generic[P]):
    """The rows of one table by their key: those known, those of this file, those now changed."""

    def __init__(self, what: str) -> None:
        self.rows: dict[Key, P] = {}
        self.new: list[P] = []
        self.moved: set[Key] = set()
        self.remarks: list[str] = []
        self._what = what
        self._said: dict[Key, dict[str, Any]] = {}

    def merge(self, key: Key, values: Mapping[str, Any], number: int) -> None:
        """Take what one row says; what an earlier row said stands."""
        said = self._said.setdefault(key, {})
        for name, value in values.items():
            if said.setdefault(name, value) != value:
                self.remarks.append(
                    f"row {number}: {name.replace('_', ' ')} {value!s} of the {self._what}"
                    f" contradicts {said[name]!s} in an earlier row, which counts"
                )

    def said(self, key: Key) -> Mapping[str, Any]:
        return self._said.get(key, {})

    def take(self, key: Key, make: type[P], **links: Any) -> P:
        """Return the row of this key, brought up to what the file says or made."""
        row = self.rows.get(key)
        if row is None:
            row = make(**{**self.said(key), **links})
            self.rows[key] = row
            self.new.append(row)
        elif take_over(row, {**self.said(key), **links}):
            self.moved.add(key)
        return row


class Places:
    """Finds or makes the places of each order of one file."""

    def __init__(
        self, session: Session, plans: list[OrderPlan], orders: Iterable[WorkOrder]
    ) -> None:
        self._session = session
        self._sites = _Shared[Site]("site")
        self._customers = _Shared[Customer]("customer")
        self._points = _Shared[UsagePoint]("point of supply")
        self._by_id: dict[str, Site | Customer | UsagePoint] = {}
        self._load(plans, list(orders))
        for plan in plans:
            if plan.cancel:
                continue
            number = plan.row.number
            self._sites.merge(_site_key(plan.site), plan.site, number)
            self._customers.merge(_customer_key(plan.customer), plan.customer, number)
            self._points.merge(_point_key(plan), plan.point, number)

    @property
    def remarks(self) -> list[str]:
        """What the rows of the file contradict each other in."""
        return [*self._sites.remarks, *self._customers.remarks, *self._points.remarks]

    def of(self, plan: OrderPlan, order: WorkOrder | None) -> tuple[dict[str, Any], bool]:
        """Return the links of the order to its places, and whether one of them changed.

        What the file does not name stays as it is.
        """
        links: dict[str, Any] = {}
        site_key = _site_key(plan.site)
        site = self._sites.take(site_key, Site)
        links["site_id"] = site.site_id
        self._by_id[site.site_id] = site
        moved = site_key in self._sites.moved
        if plan.customer:
            customer_key = _customer_key(plan.customer)
            customer = self._customers.take(customer_key, Customer)
            links["customer_id"] = customer.customer_id
            self._by_id[customer.customer_id] = customer
            moved |= customer_key in self._customers.moved
        if plan.point:
            point_key = _point_key(plan)
            point = self._points.take(point_key, UsagePoint, site_id=site.site_id)
            links["usage_point_id"] = point.usage_point_id
            moved |= point_key in self._points.moved
            self._by_id[point.usage_point_id] = point
        return links, moved and order is not None

    def write(self) -> None:
        """Write what was made or changed; orders may refer to it from here on."""
        self._session.add_all(self._sites.new)
        self._session.add_all(self._customers.new)
        self._session.flush()
        self._session.add_all(self._points.new)
        self._session.flush()

    def differ(self, plan: OrderPlan, order: WorkOrder) -> bool:
        """Tell whether the file says something else about the places of an order."""
        parts = zip(self.linked(order), (plan.site, plan.customer, plan.point), strict=True)
        return any(values and (row is None or differs(row, values)) for row, values in parts)

    def linked(self, order: WorkOrder) -> Linked:
        """Return the places an order refers to."""
        site = self._by_id.get(order.site_id or "")
        customer = self._by_id.get(order.customer_id or "")
        point = self._by_id.get(order.usage_point_id or "")
        return (
            site if isinstance(site, Site) else None,
            customer if isinstance(customer, Customer) else None,
            point if isinstance(point, UsagePoint) else None,
        )

    def _load(self, plans: list[OrderPlan], orders: list[WorkOrder]) -> None:
        """Find what is known already of the places in the file, each table in one query."""
        sites = self._session.scalars(
            select(Site).where(
                or_(
                    among(Site.site_id, _ids(orders, "site_id")),
                    among(Site.external_id, _given(plans, "site", "external_id")),
                    among(Site.street, _given(plans, "site", "street")),
                )
            )
        ).all()
        customers = self._session.scalars(
            select(Customer).where(
                or_(
                    among(Customer.customer_id, _ids(orders, "customer_id")),
                    among(Customer.contract, _given(plans, "customer", "contract")),
                    among(Customer.name, _given(plans, "customer", "name")),
                )
            )
        ).all()
        points = self._session.scalars(
            select(UsagePoint).where(
                or_(
                    among(UsagePoint.usage_point_id, _ids(orders, "usage_point_id")),
                    among(UsagePoint.external_id, _given(plans, "point", "external_id")),
                    among(UsagePoint.site_id, [site.site_id for site in sites]),
                )
            )
        ).all()
        by_site = {site.site_id: site for site in sites}
        for site in sites:
            self._sites.rows.setdefault(_site_key(_filled(site)), site)
        for customer in customers:
            self._customers.rows.setdefault(_customer_key(_filled(customer)), customer)
        for point in points:
            key = _known_point_key(point, by_site.get(point.site_id))
            self._points.rows.setdefault(key, point)
        self._by_id |= {site.site_id: site for site in sites}
        self._by_id |= {customer.customer_id: customer for customer in customers}
        self._by_id |= {point.usage_point_id: point for point in points}


def _site_key(values: Mapping[str, Any]) -> Key:
    if values.get("external_id"):
        return ("id", values["external_id"])
    return ("address", *(values.get(name, "") for name in _ADDRESS))


def _customer_key(values: Mapping[str, Any]) -> Key:
    if values.get("contract"):
        return ("contract", values["contract"])
    return ("name", values.get("name", ""), values.get("phone", ""))


def _point_key(plan: OrderPlan) -> Key:
    if plan.point.get("external_id"):
        return ("id", plan.point["external_id"])
    return ("site", *_site_key(plan.site))


def _known_point_key(point: UsagePoint, site: Site | None) -> Key:
    if point.external_id:
        return ("id", point.external_id)
    return ("site", *(_site_key(_filled(site)) if site else (point.site_id,)))


def _filled(row: Site | Customer) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _given(plans: list[OrderPlan], part: str, name: str) -> set[str]:
    return {getattr(plan, part)[name] for plan in plans if getattr(plan, part).get(name)}


def _ids(orders: list[WorkOrder], name: str) -> set[str]:
    return {getattr(order, name) for order in orders if getattr(order, name)}
