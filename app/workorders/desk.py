"""Everything behind the window and the commands: data, ports, meters, centre, reports.

Put together once, in `app.main`; passed on, never looked up.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlalchemy import Select, select

from app.centre.contract import MAX_EVENTS, Centre
from app.centre.opening import open_centre
from app.errors import BadInput, NotFound, NotPermitted, VaultLocked
from app.models.database import Database
from app.models.files import write_atomically
from app.models.journal import Laptop
from app.models.measured import ProfileSegment
from app.models.order import Attachment, CheckResult, WorkOrder
from app.paths import reports_folder
from app.reports.commissioning_pdf import render
from app.services.approving import by_second_person
from app.services.centre_login import centre_password
from app.services.centre_standing import Standing, standing
from app.services.connection import Overrides, Target, connect, open_port, secrets_in_entry
from app.services.events import stored_events
from app.services.profile import stored_capture
from app.services.readout import stored_readings
from app.services.seat import demand
from app.services.token_box import TokenBox
from app.services.vault import Vault
from app.settings import Settings
from app.sync.chip import pending
from app.sync.session import SyncResult, synchronise
from app.tasks import Found, Task
from app.workorders.bench import Bench
from app.workorders.checks import Check, check_from
from app.workorders.purging import clear_up
from app.workorders.record import build_record
from app.workorders.results import StepView, clock_in, step_value, steps_view
from app.workorders.runner import Outcome, work
from app.workorders.shared import SharedLaptop
from app.workorders.tokens import TokenView, token_views
from app.workorders.visit import WorkContext
from drivers.link import Line, Link
from drivers.meter import Meter
from drivers.metertype import load_meter_type, meter_type_names
from drivers.ports import list_ports
from drivers.secrets import Secrets
from drivers.trace_link import Trace
from drivers.values import ClockReading, MeterEvent, ProfileInfo, ProfileRow, Reading

MOMENTS = ("before", "after", "handover", "now")

SecretsOf = Callable[[str, str], Secrets]  # meter type, serial


@dataclass(frozen=True, slots=True)
class PortChoice:
    """One place a meter can be reached at; ``meters`` are the numbers of virtual ones there."""

    target: str
    title: str
    detail: str = ""
    meters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything an order has found so far."""

    readings: tuple[tuple[str, Reading], ...] = ()
    profiles: tuple[tuple[ProfileInfo, tuple[ProfileRow, ...]], ...] = ()
    events: tuple[MeterEvent, ...] = ()
    clock: ClockReading | None = None
    checks: tuple[Check, ...] = ()
    tokens: tuple[TokenView, ...] = ()
    report: Path | None = None


def no_secrets(meter_type: str, serial: str) -> Secrets:
    """Know no password of any meter."""
    del meter_type, serial
    return Secrets()


class Desk(SharedLaptop):
    """What people do with orders and meters, whatever shows it to them.

    Args:
        db: The open local database.
        settings: The settings of this laptop.
        trace: Where every byte on a line is recorded.
        secrets_of: Gives what a meter of this type and serial asks for.
        extra_ports: Places beside the real ports: the virtual meters of the demo.
        tokens: Opens the token lists of prepayment orders.
        vault: The keyring, for secrets that are chosen or entered by name.
        keypad: Types on a virtual meter (serial, keys); returns what its display says.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        *,
        trace: Trace | None = None,
        secrets_of: SecretsOf = no_secrets,
        extra_ports: Sequence[PortChoice] = (),
        tokens: TokenBox | None = None,
        vault: Vault | None = None,
        keypad: Callable[[str, str], str] | None = None,
    ) -> None:
        super().__init__(db)
        self.settings, self.trace = settings, trace or Trace()
        self._secrets_of = secrets_of
        self._extra_ports = tuple(extra_ports)
        self._vault = vault
        self.bench = Bench(
            db.folder,
            self.trace,
            lambda at: self._opened(
                at.target, at.meter_type, at.serial, at.overrides, secret=at.secret
            ),
            may=self.may,
            record=self._keep_record,
            approve=by_second_person(db),
        )
        self.tokens, self.keypad = tokens, keypad

    @property
    def who(self) -> str:
        """Who works with the program."""
        return super().who or self.settings.text("installer.name") or "Installer"

    @property
    def role(self) -> str:
        """Their role, in lower case."""
        if self.db.actor is not None:
            return self.db.actor.role
        return self.settings.text("installer.role").lower() or "installer"

    def centre_standing(self) -> Standing:
        """What the centre holds, for the one page that shows it."""
        demand(self.db, "centre.look")
        with self._centre("") as centre:
            return standing(centre, self.db.actor)

    def secret_names(self) -> list[str]:
        """The names of the secrets in the keyring; never a value."""
        return self._vault.list() if self._vault is not None else []

    def keep_secret(self, name: str, value: str) -> None:
        """Keep a secret in the keyring under ``name``, and make sure that it is there.

        Raises:
            NotPermitted: Not in this role.
            VaultLocked: The keyring is locked, absent, or does not give it back.
        """
        if not self.may("vault.change"):
            raise NotPermitted("secrets are entered by a supervisor or an administrator")
        if self._vault is None:
            raise VaultLocked("this desk has no password store")
        self._vault.set(name, value)
        self._keep_record("vault.changed", name, {})

    def ports(self) -> list[PortChoice]:
        """The virtual meters of a demo, then real ports with what is plugged in."""
        real = [PortChoice(p.name, p.name, p.description or "serial port") for p in list_ports()]
        return [*self._extra_ports, *real]

    def title_of(self, target: str) -> str:
        """What people call a port; its address where it has no other name."""
        return next((port.title for port in self._extra_ports if port.target == target), target)

    def port_of(self, serial: str) -> str:
        """Return where the virtual meter of this number hangs, "" where it is none."""
        return next((port.target for port in self._extra_ports if serial in port.meters), "")

    def meter_types(self) -> list[tuple[str, str]]:
        """Name and title of every meter type."""
        return [(name, load_meter_type(name).title) for name in meter_type_names()]

    def work(
        self,
        order_id: str,
        target: str,
        *,
        stop_after: str = "",
        skips: Mapping[str, str] | None = None,
        overrides: Overrides | None = None,
        secrets: Secrets | None = None,
        meter_type: str = "",
    ) -> Task[Outcome]:
        """Work the order from where it stopped, with the meter at ``target`` ("" for none).

        ``meter_type`` counts for an order that names none, as one out of a list of meters.
        """
        demand(self.db, "orders.work")
        with self.db.read() as session:
            order = session.get(WorkOrder, order_id)
        if order is None:
            raise NotFound(f"there is no work order {order_id}")
        opened = None
        known = self.bench.place_of(order.meter_serial)
        kind = order.meter_type or meter_type or (known.meter_type if known is not None else "")
        if known is not None and overrides is None and target in {"", known.link}:
            target = known.link
            overrides = known.overrides if known.meter_type == kind else None
        if target:
            opened = self._opened(
                target, kind, order.meter_serial, overrides, secrets,
                secret=known.secret if known is not None and overrides is not None else "",
            )  # fmt: skip
            self.settings.set("connection.port", target)
        outcome = yield from self.bench.watched(
            work(self.context(opened), order_id, stop_after=stop_after, skips=skips)
        )
        if outcome.verdict:
            yield Found("report", self.render_report(order_id))
        return outcome

    def context(
        self, opened: Callable[[str], AbstractContextManager[Meter]] | None = None
    ) -> WorkContext:
        """Return what the runner needs from this desk."""
        context = WorkContext(
            db=self.db,
            open_meter=opened,
            who=self.who,
            role=self.settings.text("installer.role"),
            laptop=self.laptop(),
            tool=f"Meterwright {program_version()}",
            utility=self.settings.text("installer.utility"),
            contractor=self.settings.text("installer.contractor"),
            licence=self.settings.text("installer.licence"),
            language=self.settings.text("report.language"),
            paper=self.settings.text("report.paper"),
            tokens=self.tokens,
        )
        return replace(context, render_report=lambda order_id: self._drawn(order_id, context))

    def laptop(self) -> str:
        """Return the name of this laptop in the journal."""
        with self.db.read() as session:
            return session.execute(select(Laptop.device_id)).scalar_one()

    def steps(self, order_id: str) -> tuple[StepView, ...]:
        """The steps of the order's procedure and where each stands."""
        return steps_view(self.db, order_id)

    def stored(self, order_id: str) -> Stored:
        """Everything the order has found so far."""
        with self.db.read() as session:
            readings = tuple(
                (moment, reading)
                for moment in MOMENTS
                for reading in stored_readings(session, order_id, moment)
            )
            captures = session.execute(
                select(ProfileSegment.capture_id)
                .where(ProfileSegment.order_id == order_id)
                .order_by(ProfileSegment.read_at)
            ).scalars()
            kept = [stored_capture(session, name) for name in dict.fromkeys(captures)]
            checks = session.execute(
                select(CheckResult)
                .where(CheckResult.order_id == order_id)
                .order_by(CheckResult.position)
            ).scalars()
            rows = tuple(check_from(check.body) for check in checks)
            report = _newest_report(session.execute(_reports_of(order_id)).scalars().first())
            events = stored_events(session, order_id)
            clock = clock_in(step_value(session, order_id, "clock"))
        return Stored(
            readings=readings,
            profiles=tuple((one.info, one.rows) for one in kept if one is not None),
            events=events,
            clock=clock,
            checks=rows,
            tokens=token_views(self.db, order_id),
            report=self.db.folder / report if report else None,
        )

    def synchronise(self, url: str = "", *, batch: int = MAX_EVENTS) -> Task[SyncResult]:
        """Send the journal to the centre, ``batch`` events at once, and take the mail."""
        with self._centre(url) as centre:
            result = yield from synchronise(self.db, centre, batch=batch)
        if left := self.clear_up():
            yield Found("notice", left)
        return result

    def clear_up(self) -> str:
        """Remove tokens and decoder keys of orders that are over; say what could not be removed."""
        return str(clear_up(self.db, self.tokens))

    def _centre(self, url: str) -> Centre:
        address = url or self.settings.text("centre.url")
        if not address:
            raise BadInput("no centre is set; give its address in the settings")
        return open_centre(address, partial(centre_password, self.db.folder))

    def pending(self) -> int:
        """How many events the centre has not acknowledged."""
        return pending(self.db).events

    def render_report(self, order_id: str) -> Path:
        """Write the report of an order that has ended to the reports folder; return its path."""
        with self.db.read() as session:
            order = session.get(WorkOrder, order_id)
            kept = session.execute(_reports_of(order_id)).scalars().first()
        if order is None:
            raise NotFound(f"there is no work order {order_id}")
        if not order.verdict:
            raise BadInput(f"order {order.number} has not run to its end; there is no report yet")
        data = (
            (self.db.folder / kept.path).read_bytes()
            if kept is not None
            else self._drawn(order_id, self.context())
        )
        path = reports_folder(self.db.folder) / f"{safe_name(order.number)}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.exists() and path.read_bytes() == data):
            write_atomically(path, data)
        return path

    def _port(self, target: str, line: Line, trace: Trace | None) -> Link:
        link = open_port(target, line, trace)
        self.bench.line_opened(link.statistics)
        return link

    def _drawn(self, order_id: str, context: WorkContext) -> bytes:
        record, photos = build_record(self.db, order_id, context)
        return render(record, photos, context.paper)

    def _opened(
        self,
        target: str,
        meter_type: str,
        serial: str = "",
        overrides: Overrides | None = None,
        secrets: Secrets | None = None,
        *,
        secret: str = "",
    ) -> Callable[[str], AbstractContextManager[Meter]]:
        settings = overrides or Overrides()
        reply = self.settings.number("connection.reply_time")
        if reply > Decimal(0) and settings.reply_time is None:
            settings = replace(settings, reply_time=float(reply))

        @contextmanager
        def opened(name: str) -> Iterator[Meter]:
            demand(self.db, "meter.read")
            chosen = name or meter_type
            known = secrets or self._secrets(chosen, serial, secret)
            place = Target(target, chosen, serial, settings, known, self.db.folder)
            with connect(place, self.trace, self._port) as meter:
                yield meter

        return opened

    def _secrets(self, meter_type: str, serial: str, name: str) -> Secrets:
        if name and self._vault is not None:
            return secrets_in_entry(self._vault.get(name))
        return self._secrets_of(meter_type, serial)


def program_version() -> str:
    """Return the version of the program."""
    try:
        return version("meterwright")
    except PackageNotFoundError:  # run from a checkout
        return "0.1.0"


def safe_name(text: str) -> str:
    """Return ``text`` as a file name that every system takes."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in text).strip(".") or "order"


def _reports_of(order_id: str) -> Select[Attachment]:
    return (
        select(Attachment)
        .where(Attachment.order_id == order_id, Attachment.kind == "report")
        .order_by(Attachment.at.desc())
    )


def _newest_report(row: Attachment | None) -> str:
    return row.path if row is not None else ""
