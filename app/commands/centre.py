"""``sync`` and ``centre``: this laptop's session with the central store, and the store itself."""

import time
from pathlib import Path
from typing import Any, NoReturn

import click

from app.centre.contract import MAX_EVENTS
from app.centre.opening import open_centre
from app.commands.options import common_options, database
from app.commands.terminal import Terminal, duration, reported, text_table
from app.errors import BadInput, CentreUnreachable
from app.messages import explain
from app.models.database import Database
from app.paths import data_folder, settings_file
from app.settings import Settings
from app.sync.backoff import Backoff
from app.sync.session import SyncResult, synchronise


@click.command()
@click.option("--centre", "url", default="", help="URL of the central store")
@click.option("--once", is_flag=True, help="one session (the default)")
@click.option("--every", type=float, help="one session every S seconds, until stopped")
@common_options
def sync(url: str, once: bool, every: float | None, data: Path | None, as_json: bool) -> None:
    """Send what was recorded to the centre and fetch what it has for this laptop."""
    with reported(as_json):
        if once and every:
            raise BadInput("use --once or --every")
        terminal = Terminal(as_json)
        with database(data) as db:
            address = url or centre_url(data)
            if every:
                _for_ever(terminal, db, address, every)
            result = _one_session(terminal, db, address)
            terminal.result(_shape(result), _words(result))


def _one_session(
    terminal: Terminal, db: Database, address: str, batch: int = MAX_EVENTS
) -> SyncResult:
    with open_centre(address) as store:
        return terminal.run(synchronise(db, store, batch=batch))


def _for_ever(terminal: Terminal, db: Database, address: str, every: float) -> NoReturn:
    """Sync again and again; a centre out of reach is tried later, ever less often."""
    backoff = Backoff()
    while True:
        try:
            result = _one_session(terminal, db, address, backoff.batch)
        except CentreUnreachable as error:
            backoff.failed()
            terminal.say(f"{explain(error).title}; next try in {duration(backoff.delay())}")
            time.sleep(backoff.delay())
            continue
        backoff.succeeded()
        terminal.result(_shape(result), _words(result))
        time.sleep(every)


def centre_url(data: Path | None) -> str:
    """Return the centre's URL from the settings.

    Raises:
        BadInput: None is set.
    """
    address = Settings(settings_file(data_folder(data))).text("centre.url")
    if not address:
        raise BadInput("no centre is set; use --centre URL, or set it in the settings")
    return address


def _shape(result: SyncResult) -> dict[str, Any]:
    return {
        "sent": result.sent,
        "received": result.received,
        "files": result.blobs,
        "submitted": result.submitted,
        "in_step": result.in_step,
        "pending_events": result.pending.events,
        "pending_files": result.pending.blobs,
        "warnings": list(result.warnings),
    }


def _words(result: SyncResult) -> str:
    said = (
        f"Sent {result.sent} events and {result.blobs} files, received {result.received} letters;"
        f" {result.pending.events} events and {result.pending.blobs} files are only here"
    )
    return "\n".join([said, *result.warnings])


@click.group()
def centre() -> None:
    """Make and look after a central store."""


@centre.command()
@click.argument("url")
@common_options
def init(url: str, data: Path | None, as_json: bool) -> None:
    """Make the central store at URL; one that exists is left as it is."""
    del data
    with reported(as_json), open_centre(url) as store:
        centre_id = store.init()
        Terminal(as_json).result({"centre_id": centre_id}, f"Centre {centre_id} is ready at {url}")


@centre.command()
@click.argument("url")
@click.argument("device")
@common_options
def enrol(url: str, device: str, data: Path | None, as_json: bool) -> None:
    """Let the laptop DEVICE use the store."""
    del data
    with reported(as_json), open_centre(url) as store:
        store.enrol(device)
        Terminal(as_json).result({"enrolled": device}, f"Enrolled {device}")


@centre.command()
@click.argument("url")
@click.argument("device")
@common_options
def revoke(url: str, device: str, data: Path | None, as_json: bool) -> None:
    """Refuse the laptop DEVICE from now on."""
    del data
    with reported(as_json), open_centre(url) as store:
        store.revoke(device)
        Terminal(as_json).result({"revoked": device}, f"Revoked {device}")


@centre.command()
@click.argument("url")
@common_options
def status(url: str, data: Path | None, as_json: bool) -> None:
    """Show what the store holds: laptops, events by verdict, orders by state, open reviews."""
    del data
    with reported(as_json), open_centre(url) as store:
        found = store.status()
        Terminal(as_json).result(found, lambda: _status_words(found))


@centre.command()
@click.argument("url")
@click.option("--check", is_flag=True, help="compare only; change nothing")
@common_options
def rebuild(url: str, check: bool, data: Path | None, as_json: bool) -> None:
    """Fold the log anew into the state of the orders, and compare."""
    del data
    with reported(as_json), open_centre(url) as store:
        found = store.rebuild(check=check)
        differences = list(found.differences)
        shape = {"events": found.events, "orders": found.orders, "differences": differences}
        said = "The state is what the log says" if not differences else "\n".join(differences)
        Terminal(as_json).result(shape, said)
        if differences and check:
            raise SystemExit(23)


def _status_words(found: dict[str, Any]) -> str:
    laptops = [[d["device"], str(d["last_seq"]), str(d["mail_head"])] for d in found["devices"]]
    counts = [
        [what.replace("_", " "), name, str(number)]
        for what in ("events", "work_orders")
        for name, number in found[what].items()
    ]
    head = (
        f"Centre {found['centre_id']}, generation {found['generation']},"
        f" {found['review_open']} open reviews"
    )
    laptop_table = text_table(["Laptop", "Events", "Letters"], laptops)
    return "\n\n".join([head, laptop_table, text_table(["What", "State", "Count"], counts)])
