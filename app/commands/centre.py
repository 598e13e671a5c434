"""``sync`` and ``centre``: this laptop's session with the central store, and the store itself."""

import time
from pathlib import Path
from typing import Any

import click

from app.centre.opening import open_centre
from app.commands.options import common_options, database
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput
from app.models.database import Database
from app.paths import data_folder, settings_file
from app.settings import Settings
from app.sync.session import SyncResult, pending, synchronise


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
            while True:
                with open_centre(address) as centre:
                    result = terminal.run(synchronise(db, centre))
                terminal.result(_shape(db, result), _words(db, result))
                if not every:
                    return
                time.sleep(every)


def centre_url(data: Path | None) -> str:
    """Return the centre's URL from the settings.

    Raises:
        BadInput: None is set.
    """
    address: str = Settings.load(settings_file(data_folder(data))).get("centre_url")
    if not address:
        raise BadInput("no centre is set; use --centre URL, or set it in the settings")
    return address


def _shape(db: Database, result: SyncResult) -> dict[str, Any]:
    waiting = pending(db)
    return {
        "sent": result.sent,
        "received": result.received,
        "blobs": result.blobs,
        "pending_events": waiting.events,
        "pending_blobs": waiting.blobs,
    }


def _words(db: Database, result: SyncResult) -> str:
    waiting = pending(db)
    return (
        f"Sent {result.sent} events and {result.blobs} files, received {result.received} letters;"
        f" {waiting.events} events and {waiting.blobs} files still only here"
    )


@click.group()
def centre() -> None:
    """Make and look after a central store."""


@centre.command()
@click.argument("url")
@common_options
def init(url: str, data: Path | None, as_json: bool) -> None:
    """Make the central store at URL; one that exists is left as it is."""
    del data
    with reported(as_json), open_centre(url, create=True) as store:
        status = store.status()
        Terminal(as_json).result(status, f"Centre {status['centre_id']} is ready at {url}")


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
        differences = store.rebuild(check=check)
        shape = {"checked": check, "differences": differences}
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
