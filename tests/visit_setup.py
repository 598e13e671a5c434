"""An order, a database and a context for tests that work an order against the fake meter."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from PIL import Image

from app.models.database import Database
from app.models.order import OrderState, WorkOrder
from app.models.place import Customer, Site, UsagePoint
from app.workorders.visit import WorkContext
from tests.fake_meter import NOW, Behaviour, Memory, opener

ANSWERS = {
    "identify.serial": "00018438",
    "clock.set": "Set",
    "clock.again": "Write again",
    "evidence.photo": "",
    "evidence.seal": "NB 402 119",
    "evidence.note": "All in order.",
    "signature.installer": "A. Sample",
    "signature.customer": "absent",
}


class Ticking:
    """A clock that moves by a second each time it is read."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


def add_order(db: Database, order_id: str = "order-1", **values: object) -> str:
    """Put one accepted order with its place into the database."""
    with db.write() as session:
        session.add(
            Site(site_id=f"site-{order_id}", street="Oak Street 14", postcode="4711", town="North")
        )
        session.add(Customer(customer_id=f"customer-{order_id}", name="Oak Street Bakery"))
        session.flush()
        session.add(
            UsagePoint(
                usage_point_id=f"point-{order_id}",
                site_id=f"site-{order_id}",
                external_id="SP 40 0719",
                phases=3,
            )
        )
        session.flush()
        given = {
            "number": "1043",
            "title": "Commission a meter",
            "state": OrderState.ACCEPTED,
            "meter_serial": "00018438",
            **values,
        }
        session.add(
            WorkOrder(
                order_id=order_id,
                site_id=f"site-{order_id}",
                usage_point_id=f"point-{order_id}",
                customer_id=f"customer-{order_id}",
                **given,
            )
        )
    return order_id


def context_for(
    db: Database,
    memory: Memory | None = None,
    behaviour: Behaviour | None = None,
    render: Callable[[str], bytes] | None = None,
) -> WorkContext:
    """Return a context with the fake meter on the probe."""
    opened = opener(memory or Memory(db.folder / "meter.json"), behaviour or Behaviour())
    return WorkContext(
        db=db,
        open_meter=opened,
        who="A. Sample",
        laptop="FIELD-07",
        tool="Meterwright test",
        utility="Example Grid",
        contractor="Northfield Metering",
        licence="EL-20881",
        clock=Ticking(),
        render_report=render,
    )


def camera_photo(folder: Path) -> Path:
    """Return a JPEG with metadata before, inside and behind the picture, as a camera makes it."""
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08" + b"2026:11:20 10:05:09\x00" + b"GPS secret"
    made = io.BytesIO()
    Image.new("RGB", (64, 48), (92, 97, 99)).save(
        made, "JPEG", exif=exif, comment=b"secret owner", xmp=b"<x>secret place</x>"
    )
    path = folder / "photo.jpg"
    path.write_bytes(made.getvalue() + b"trailing secret")
    return path
