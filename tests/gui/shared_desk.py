"""A desk where people sign in, and a centre in a file that some laptops have worked with."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.centre.opening import open_centre
from app.services import users
from app.services.users import SignedIn
from app.sync.session import synchronise
from app.tasks import collect
from tests.gui.fake_desk import FakeDesk
from tests.protocol.sync_world import World

PASSWORD = "correct horse"
PEOPLE = [("ada", "administrator", "Ada Marlow"), ("dora", "dispatcher", "Dora Lind"),
          ("vera", "verifier", "Vera Holm"), ("ana", "installer", "Ana Berg"),
          ("carl", "agent", "Carl Ott")]  # fmt: skip


def people(desk: FakeDesk) -> None:
    """Enter one person of each kind; the desk is opened anew by the caller."""
    ada: SignedIn | None = None
    for name, role, full in PEOPLE:
        users.add(desk.db, name, role, PASSWORD, by=ada, full_name=full)
        ada = ada or SignedIn(name, role)


def busy_centre(folder: Path) -> str:
    """Make a centre with crews, orders in several areas, a dispute; return its address."""
    folder.mkdir(parents=True)
    world = World(folder)
    crews = {name: world.laptop(name) for name in ("crew north", "crew south", "crew west")}
    for place, (name, field) in enumerate(crews.items()):
        for number, order_id in enumerate(field.take_orders(4 + place, source=name)):
            body = {"number": str(number), "source": name, "external_ref": str(number),
                    "area": ("North/Feeder 4", "South", "West/Harbour")[place]}  # fmt: skip
            field.record(order_id, "order.imported", body)
            if number < 2:
                field.complete(order_id)
        field.record("nobody's", "reading.taken", {"n": 1})
        world.sync(field)
    old = datetime.now(UTC) - timedelta(days=5)
    world.change("UPDATE device SET last_seen = ? WHERE name = 'crew west'",
                 old.strftime("%Y-%m-%d %H:%M:%S.%f"))  # fmt: skip
    world.centre.enrol("laptop-17", "crew east")
    world.centre.enrol("laptop-9", "lost laptop")
    world.centre.revoke("laptop-9")
    world.close()
    return f"sqlite:///{world.path}"


def enrolled(desk: FakeDesk, url: str) -> None:
    """Let the desk's own laptop in and sync once."""
    with open_centre(url) as centre:
        centre.enrol(desk.laptop(), "this laptop")
        collect(synchronise(desk.db, centre))
