"""``sync`` and ``centre``: this laptop's session with the central store, and the store itself."""

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

from app.centre.contract import MAX_EVENTS, Enrolment
from app.commands.office import centre_url, note, opened
from app.commands.options import common_options, database
from app.commands.review import review, user
from app.commands.terminal import Terminal, duration, reported, text_table
from app.errors import BadInput, CentreUnreachable
from app.messages import explain
from app.models.database import Database
from app.services.dispatch import progress as grouped
from app.sync.backoff import Backoff
from app.sync.journal import laptop_of
from app.sync.retention import purge
from app.sync.session import SyncResult, synchronise

SYSTEM = "system"


@click.command()
@click.option("--centre", "url", default="", help="URL of the central store")
@click.option("--once", is_flag=True, help="one session (the default)")
@click.option("--every", type=float, help="one session every S seconds, until stopped")
@click.option("--adopt", is_flag=True, help="go over to another centre; it gets everything")
@common_options
def sync(
    *, url: str, once: bool, every: float | None, adopt: bool, data: Path | None, as_json: bool
) -> None:
    """Send what was recorded to the centre and fetch what it has for this laptop."""
    with reported(as_json):
        if once and every:
            raise BadInput("use --once or --every")
        terminal = Terminal(as_json)
        with database(data) as db:
            address = url or centre_url(data)
            if every:
                _for_ever(terminal, db, address, every)
            result = _one_session(terminal, db, address, adopt=adopt)
            with db.write() as session:
                purge(session, db.folder)
            terminal.result(_shape(result), _words(result))


def _one_session(
    terminal: Terminal,
    db: Database,
    address: str,
    batch: int = MAX_EVENTS,
    *,
    adopt: bool = False,
) -> SyncResult:
    with opened(address, db.folder) as store:
        return terminal.run(synchronise(db, store, batch=batch, adopt=adopt))


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
    with reported(as_json), opened(url, data) as store:
        centre_id = store.init()
        Terminal(as_json).result({"centre_id": centre_id}, f"Centre {centre_id} is ready at {url}")


@centre.command()
@click.argument("url")
@click.argument("device")
@click.option("--name", default="", help="what people call this laptop or crew")
@click.option(
    "--credentials",
    type=click.Path(path_type=Path, dir_okay=False),
    help="new file for the laptop's address and password; needed on PostgreSQL",
)
@common_options
def enrol(
    *,
    url: str,
    device: str,
    name: str,
    credentials: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Let the laptop DEVICE use the store."""
    with reported(as_json), opened(url, data) as store:
        if "://" in store.url and not store.url.startswith("sqlite") and credentials is None:
            raise BadInput("a laptop needs a password here; say where with --credentials FILE")
        enrolment = store.enrol(device, name)
        if credentials is not None:
            write_credentials(credentials, enrolment)
        note(data, SYSTEM, "centre.enrolled", device, {"url": store.url})
        shape = {"enrolled": device, "url": enrolment.url}
        Terminal(as_json).result(shape, f"Enrolled {device}; its address is {enrolment.url}")


def write_credentials(file: Path, enrolment: Enrolment) -> None:
    """Write what a laptop needs into a file only its owner can read; an old one is not touched.

    On the laptop: ``vault set centre < FILE``, then delete the file.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(f"URL={enrolment.url}\nPASSWORD={enrolment.password}\n")


@centre.command()
@click.argument("url")
@click.argument("device")
@common_options
def revoke(url: str, device: str, data: Path | None, as_json: bool) -> None:
    """Refuse the laptop DEVICE from now on."""
    with reported(as_json), opened(url, data) as store:
        store.revoke(device)
        note(data, SYSTEM, "centre.revoked", device, {"url": store.url})
        Terminal(as_json).result({"revoked": device}, f"Revoked {device}")


@centre.command()
@click.argument("url")
@common_options
def status(url: str, data: Path | None, as_json: bool) -> None:
    """Show what the store holds: laptops, events by verdict, orders by state, open reviews."""
    with reported(as_json), opened(url, data) as store:
        found = store.status()
        Terminal(as_json).result(found, lambda: _status_words(found))


@centre.command()
@click.argument("url")
@click.option("--check", is_flag=True, help="compare only; change nothing")
@common_options
def rebuild(url: str, check: bool, data: Path | None, as_json: bool) -> None:
    """Fold the log anew into the state of the orders, and compare."""
    with reported(as_json), opened(url, data) as store:
        found = store.rebuild(check=check)
        differences = list(found.differences)
        shape = {"events": found.events, "orders": found.orders, "differences": differences}
        said = "The state is what the log says" if not differences else "\n".join(differences)
        Terminal(as_json).result(shape, said)
        if differences and check:
            raise SystemExit(23)


@centre.command()
@click.argument("url")
@common_options
def maintain(url: str, data: Path | None, as_json: bool) -> None:
    """Do what time and upgrades ask for: partitions, readings, events judged again.

    Run it once a day, and after every upgrade.
    """
    with reported(as_json), opened(url, data) as store:
        done = store.maintain()
        said = (
            f"{done.partitions} partitions made, {done.readings} rows of readings written,"
            f" {done.rejudged} events judged again"
        )
        Terminal(as_json).result(asdict(done), "\n".join([said, *done.alarms]))


@centre.command()
@click.argument("url")
@common_options
def restored(url: str, data: Path | None, as_json: bool) -> None:
    """Tell the store that a backup was put back: the laptops send again what it lost."""
    with reported(as_json), opened(url, data) as store:
        generation = store.after_restore()
        Terminal(as_json).result({"generation": generation}, f"Generation {generation} has begun")


@centre.command()
@click.argument("url")
@click.option("--by", type=click.Choice(["area", "crew", "day"]), default="area")
@common_options
def progress(url: str, by: str, data: Path | None, as_json: bool) -> None:
    """Show how many orders are planned, under way, done, approved and returned."""
    with reported(as_json), opened(url, data) as store:
        groups = grouped(store.counts(), by)
        head = [by.capitalize(), "Planned", "Under way", "Done", "Approved", "Returned"]
        table = [[str(value) for value in asdict(group).values()] for group in groups]
        Terminal(as_json).result(
            {"by": by, "groups": [asdict(group) for group in groups]},
            lambda: text_table(head, table),
        )


@centre.command()
@common_options
def laptop(data: Path | None, as_json: bool) -> None:
    """Show the number of this laptop, which ``centre enrol`` asks for."""
    with reported(as_json), database(data) as db, db.read() as session:
        number = laptop_of(session).device_id
        Terminal(as_json).result({"device": number}, number)


@centre.command()
@common_options
def audit(data: Path | None, as_json: bool) -> None:
    """Check the chained record of security-relevant acts of this data folder."""
    from app.services.audit import check

    with reported(as_json), database(data, read_only=True) as db:
        with db.read() as session:
            troubles = check(session)
        Terminal(as_json).result(
            {"troubles": troubles}, "\n".join(troubles) or "The record is whole"
        )
        if troubles:
            raise SystemExit(23)


centre.add_command(review)
centre.add_command(user)


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
