"""The real desk on a real temporary database, with a fake meter at the end of every line."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.models.database import Database
from app.models.order import OrderState, WorkOrder
from app.models.place import Customer, Site, UsagePoint
from app.settings import Settings
from app.workorders.desk import Desk, PortChoice
from drivers.meter import Meter
from tests.gui.fake_meter import SERIAL, FakeMeter

PORTS = [
    PortChoice("fake:optical", "Virtual optical port", "Training, ZMF100"),
    PortChoice("fake:bus", "Virtual RS-485 bus", "Training, five meters"),
]
PLACES = [
    ("14 Oak Street, cellar", "Oak Street Bakery", "Dog in the yard. Ring first."),
    ("16 Oak Street, ground floor", "R. Hartmann", ""),
    ("Quay 7, shed B", "Harbour Board", "Wet floor, no light in the pit."),
    ("3 Mill Road", "Mill Road Laundry", ""),
    ("2 Substation Lane", "Northfield Power", ""),
]
KINDS = ["commission", "commission", "read_out", "exchange", "inspect"]


class FakeDesk(Desk):
    """A desk whose every port leads to ``meter``."""

    def __init__(self, folder: Path, meter: FakeMeter | None = None) -> None:
        db = Database.open(folder)
        super().__init__(db, Settings(folder / "settings.toml"), extra_ports=PORTS)
        self.meter = meter or FakeMeter()

    def ports(self) -> list[PortChoice]:
        return list(PORTS)

    def _opened(self, *_: Any, **__: Any) -> Callable[[str], AbstractContextManager[Meter]]:
        return lambda _name: self.meter


def fill(db: Database, count: int = 12, serials: Sequence[str] = (SERIAL,)) -> list[str]:
    """Put ``count`` orders at five sites into the database; return their ids."""
    today = datetime.now().astimezone().date()
    ids = []
    with db.write() as session:
        sites, customers, points = [], [], []
        for street, name, hazards in PLACES:
            sites.append(site := Site(street=street, town="Northfield", hazards=hazards))
            customers.append(customer := Customer(name=name))
            session.add_all([site, customer])
        session.flush()
        points += [UsagePoint(site_id=site.site_id, phases=3) for site in sites]
        session.add_all(points)
        session.flush()
        for index in range(count):
            place = index % len(PLACES)
            begin = datetime.now(UTC).replace(hour=8 + index % 8, minute=0)
            order = WorkOrder(
                number=str(1043 + index),
                kind=KINDS[place],
                title=("New, 3-phase CT", "Exchange, direct", "Read out, profile")[index % 3],
                state=OrderState.ACCEPTED,
                due=today + timedelta(days=index // 6),
                window_from=begin,
                window_to=begin + timedelta(minutes=90),
                site_id=sites[place].site_id,
                customer_id=customers[place].customer_id,
                usage_point_id=points[place].usage_point_id,
                meter_serial=serials[index % len(serials)]
                if index < len(serials)
                else f"5028{index:04d}",
                meter_type="landisgyr-zmf100",
                search=f"{1043 + index} {PLACES[place][0].lower()} {PLACES[place][1].lower()}",
            )
            session.add(order)
            ids.append(order.order_id)
    return ids
