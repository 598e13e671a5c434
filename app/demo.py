"""The demo: sample orders, virtual meters on virtual lines, a central store in a file.

Everything in it is real but the meters: the ports are pseudo-terminals with the speed of a real
line, the orders are imported from a file, the centre is the SQLite store.
"""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from app.centre.opening import open_centre
from app.demo_prepayment import demo_vault, prepare_prepayment
from app.errors import BadInput
from app.models.database import Database
from app.models.files import write_atomically
from app.paths import settings_file
from app.services.token_box import TokenBox
from app.settings import Settings
from app.workorders.desk import Desk, PortChoice
from app.workorders.exchange.import_orders import import_orders
from drivers.errors import DriverError
from drivers.iec62056.readout import decode_readout
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell, zmf100
from resources import resource

COMMISSION, READ_OUT = "1043", "1044"
ZMF100 = "50284117"
HEXCELL = "46000755036"
ON_BUS = tuple(str(int(HEXCELL) + place) for place in range(5))
FIXTURE_SERIAL = "33112077"  # in the readout that comes with the program
LISTENING = "listening on "  # what `simulate` says when it is ready
DISPLAY = "display: "  # and what it says when somebody types on a meter
REAL_READOUT = "iec62056-21/03_landisgyr_E350_ZMF100AC_M26.txt"

WHO = {
    "installer.name": "Ada Marlow",
    "installer.licence": "DEMO-117",
    "installer.contractor": "Marlow Metering",
    "installer.utility": "Northfield Power (demo)",
}


@dataclass(frozen=True)
class Demo:
    """A running demo: the desk, and where its centre and ports are."""

    desk: Desk
    centre: str
    optical: str  # the virtual ZMF100
    replay: str  # the meter that plays a saved readout
    bus: str  # RS-485 with five Hexcell meters
    readout_name: str
    keypad: "Keypad"  # of the meters on the bus


class Keypad:
    """Types on a virtual meter of a demo, as somebody standing before it would."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def press(self, serial: str, keys: str) -> str:
        """Return what the display of the meter ``serial`` says after these keys."""
        told, said = self._process.stdin, self._process.stdout
        if told is None or said is None:
            return ""
        try:
            told.write(f"{serial}:{keys}\n")
            told.flush()
        except OSError:  # the meter has ended
            return ""
        return said.readline().removeprefix(DISPLAY).strip()


@contextmanager
def running_demo(
    folder: Path, *, real_time: bool = True, today: date | None = None
) -> Iterator[Demo]:
    """Set everything up in ``folder`` (again, if it was used before) and take it down at the end.

    Args:
        folder: Where the demo keeps everything.
        real_time: Whether the lines to the meters are as slow as real ones.
        today: The day of the demo, which the sample orders are due around; None for this day.

    Raises:
        DatabaseInUse: A demo runs there already.
        BadInput: The folder cannot be used.
    """
    folder = folder.absolute()
    with ExitStack() as stack:
        db = stack.enter_context(Database.open(folder))
        ports = folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir()
        readout, name = saved_readout()
        played = folder / "demo-readout.txt"
        write_atomically(played, readout)
        pace = ["--real-time-line"] if real_time else []
        meters = _played(
            stack,
            ["landisgyr-zmf100", "--serial", ZMF100, *_on_port(ports / "optical-zmf100"), *pace],
            [f"replay:{played}", *_on_port(ports / "optical-replay"), *pace],
            ["hexcell-ddsy1088*5", "--serial", HEXCELL, "--listen", "rfc2217:0"],
        )
        (optical, _), (replayed, _), (bus, meter) = meters
        settings = Settings(settings_file(folder))
        centre = f"sqlite:///{folder / 'centre.sqlite'}"
        orders = sample_orders(today or datetime.now().astimezone().date(), readout)
        _prepare(db, settings, centre, orders)
        vault, played_as = demo_vault(folder), readout_serial(readout)
        box, keypad = TokenBox(vault), Keypad(meter)
        prepare_prepayment(db, box)
        desk = Desk(
            db,
            settings,
            secrets_of=demo_secrets,
            extra_ports=[
                PortChoice(
                    optical, "Virtual optical port, ZMF100", f"demo, meter {ZMF100}", (ZMF100,)
                ),
                PortChoice(
                    replayed, "Virtual optical port, replay", f"demo, plays {name}", (played_as,)
                ),
                PortChoice(bus, "Virtual RS-485 bus", f"demo, five meters from {HEXCELL}", ON_BUS),
            ],
            tokens=box,
            vault=vault,
            keypad=keypad.press,
        )
        if settings.text("connection.port") not in {optical, replayed, bus}:
            settings.set("connection.port", "")  # a virtual port of an earlier demo
        yield Demo(desk, centre, optical, replayed, bus, name, keypad)


def demo_secrets(meter_type: str, serial: str) -> Secrets:
    """Return the documented test password of the virtual meters."""
    del serial
    known = {"hexcell-ddsy1088": hexcell.PASSWORD, "landisgyr-zmf100": zmf100.PASSWORD}
    return Secrets(password=Secret(known[meter_type])) if meter_type in known else Secrets()


def saved_readout() -> tuple[bytes, str]:
    """Return the readout that the replay meter plays, and its name.

    A real one from the shared library where that is at hand, else the one that comes along.
    """
    shared = Path(os.environ.get("METERWRIGHT_SHARED", "../shared")) / "data" / REAL_READOUT
    if shared.is_file():
        return shared.read_bytes(), shared.name
    return resource("demo", "readout.txt").read_bytes(), "readout.txt"


def readout_serial(readout: bytes) -> str:
    """Return the number of the meter that a readout is of.

    Raises:
        BadInput: It does not tell.
    """
    try:
        values = decode_readout(readout).values
    except DriverError as error:
        raise BadInput(f"the saved readout cannot be used: {error}") from error
    for code in ("0.0", "0.0.0", "C.1.0", "96.1.0"):
        for item in values:
            if item.code == code and (text := (item.groups[0] if item.groups else "").strip()):
                return text
    raise BadInput("the saved readout does not tell the number of its meter")


def _on_port(place: Path) -> list[str]:
    """Return where a virtual optical port listens; only POSIX has pseudo-terminals."""
    return ["--listen", f"pty:{place}" if os.name == "posix" else "rfc2217:0"]


def _played(stack: ExitStack, *meters: list[str]) -> list[tuple[str, subprocess.Popen[str]]]:
    """Start the virtual meters and return what to open for each, and its process.

    Each has a process of its own: a real meter does not wait while this program is busy either.
    """
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    running = [
        stack.enter_context(
            subprocess.Popen(  # noqa: S603 (our own program)
                [*program, "simulate", *arguments, "--until-eof"],
                stdin=subprocess.PIPE,  # closed when we end, however that happens
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C is for us; the meter still hears the sign-off
            )
        )
        for arguments in meters
    ]
    links = []
    for process in running:
        stack.callback(process.terminate)
        said = process.stdout.readline() if process.stdout is not None else ""
        if not said.startswith(LISTENING):
            raise BadInput(f"a virtual meter could not be started: {said or 'it ended'}")
        links.append((said.removeprefix(LISTENING).strip(), process))
    return links


def sample_orders(today: date, readout: bytes) -> str:
    """Return the file of sample orders, each as far from ``today`` as it stands from `COMMISSION`.

    An order that nobody has begun moves on when the demo is opened on a later day.
    """
    sample = resource("demo", "orders.csv").read_text(encoding="utf-8")
    rows = list(
        csv.DictReader(sample.replace(FIXTURE_SERIAL, readout_serial(readout)).splitlines())
    )
    first = next(date.fromisoformat(row["due"]) for row in rows if row["number"] == COMMISSION)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    for row in rows:
        moved = today + (date.fromisoformat(row["due"]) - first)
        writer.writerow(row | {"due": moved.isoformat()})
    return text.getvalue()


def _prepare(db: Database, settings: Settings, centre: str, orders: str) -> None:
    """Import the sample orders and make the centre; what is there already stays."""
    for key, value in WHO.items():
        if not settings.text(key):
            settings.set(key, value)
    settings.set("centre.url", centre)
    file = db.folder / "demo-orders.csv"
    write_atomically(file, orders.encode())
    result = import_orders(db, file, who=settings.text("installer.name"))
    worked = [e for e in result.errors if "started" not in e.problem and "done" not in e.problem]
    if worked and result.created:
        raise BadInput(f"the sample orders cannot be imported: {worked[0].problem}")
    with open_centre(centre) as store:
        store.init()
        store.enrol(Desk(db, settings).laptop())
