"""What the window asks of the program behind it: every call the views make, and nothing else.

`app.workorders.desk.Desk` fulfils `DeskLike`; tests put a fake in its place.  Plain methods are
called from a worker thread unless they say otherwise; a `Task` is driven in the meter's worker.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.tasks import Task
from drivers.trace_link import Trace
from drivers.values import ClockReading, MeterEvent, ProfileInfo, ProfileRow, Reading

if TYPE_CHECKING:
    from app.models.database import Database
    from app.services.centre_standing import Standing
    from app.services.token_box import TokenBox
    from app.settings import Settings
    from app.workorders.bench import Bench
    from app.workorders.checks import Check
    from app.workorders.tokens import TokenView


class PortLike(Protocol):
    """One place a meter can be reached at: a serial port, or a virtual meter of the demo."""

    @property
    def target(self) -> str:
        """What `open_link` takes: "COM4", "/dev/ttyUSB0", "tcp://127.0.0.1:4059"."""

    @property
    def title(self) -> str:
        """What people call it: "COM4", "Virtual ZMF100"."""

    @property
    def detail(self) -> str:
        """The quieter line: maker of the probe, "training, optical"."""


class StoredLike(Protocol):
    """Everything an order has found so far, as the laptop keeps it."""

    @property
    def readings(self) -> Sequence[tuple[str, Reading]]:
        """Register values, each with its moment: before, after, handover, now."""

    @property
    def profiles(self) -> Sequence[tuple[ProfileInfo, Sequence[ProfileRow]]]:
        """Profiles with their rows in order of time."""

    @property
    def events(self) -> Sequence[MeterEvent]:
        """Rows of the logs, oldest first."""

    @property
    def clock(self) -> ClockReading | None:
        """The last comparison of the clocks."""

    @property
    def checks(self) -> "Sequence[Check]":
        """Checks in the order of the procedure."""

    @property
    def tokens(self) -> "Sequence[TokenView]":
        """Tokens of the order, masked, in the order of their entry."""

    @property
    def report(self) -> Path | None:
        """The newest report, if there is one."""


class SyncLike(Protocol):
    """What one session with the centre has done."""

    @property
    def sent(self) -> int:
        """Events that the centre has acknowledged in this session."""

    @property
    def received(self) -> int:
        """Letters taken from the mailbox."""


class DeskLike(Protocol):
    """Everything behind the window: data, ports, meters, centre."""

    @property
    def db(self) -> "Database":
        """The local database."""

    @property
    def settings(self) -> "Settings":
        """The settings of this laptop."""

    @property
    def who(self) -> str:
        """Who works with the program."""

    @property
    def role(self) -> str:
        """Their role: installer, lead, dispatcher, verifier, agent, administrator."""

    def secret_names(self) -> Sequence[str]:
        """The names of the secrets in the keyring; never a value."""

    def keep_secret(self, name: str, value: str) -> None:
        """Keep a secret in the keyring under ``name``, and make sure that it is there."""

    @property
    def shared(self) -> bool:
        """Whether people are entered, so that a sign-in is needed; known at once."""

    @property
    def locked(self) -> bool:
        """Whether somebody must sign in before anything is shown; known at once."""

    def may(self, right: str) -> bool:
        """Whether who sits here has a right; known at once."""

    def sign_in(self, name: str, password: str) -> None:
        """Let a person in."""

    def sign_out(self, why: str = "") -> None:
        """Let nobody do anything until somebody signs in."""

    def check_audit(self) -> None:
        """Raise `AuditBroken` where the chained record of acts is not whole."""

    def centre_standing(self) -> "Standing":
        """What the centre holds, for the page that shows it."""

    @property
    def trace(self) -> Trace:
        """The record of what went over the line; listeners are called in the thread that talks."""

    @property
    def tokens(self) -> "TokenBox | None":
        """What seals the tokens of imported lists; None where there is no keyring."""

    @property
    def keypad(self) -> Callable[[str, str], str] | None:
        """Types keys on a virtual meter and returns its display; None for real meters."""

    def ports(self) -> Sequence[PortLike]:
        """The virtual meters of a demo first, then real ports."""

    def title_of(self, target: str) -> str:
        """What people call a port; its address where it has no other name."""

    def port_of(self, serial: str) -> str:
        """Where the virtual meter of this number hangs; "" for real ones."""

    def meter_types(self) -> Sequence[tuple[str, str]]:
        """Name and title of every meter type; ("", …) is not among them."""

    @property
    def bench(self) -> "Bench":
        """What is done at a meter without an order: connect, read, find, objects."""

    def work(self, order_id: str, target: str, *, meter_type: str = "") -> Task[Any]:
        """Work the order from where it stopped, with the meter at ``target``: `runner.work`.

        ``target`` "" means that no port was chosen; steps that need none still go on.
        """

    def stored(self, order_id: str) -> StoredLike:
        """Everything the order has found so far."""

    def synchronise(self, *, batch: int = ...) -> Task[Any]:
        """Send the journal to the centre, ``batch`` at once, and take the mail: `SyncLike`."""

    def pending(self) -> int:
        """How many events the centre has not acknowledged."""

    def clear_up(self) -> str:
        """Remove tokens and decoder keys of orders that are over; say what could not be removed."""

    def render_report(self, order_id: str) -> Path:
        """Write the report of an order that has ended and return where it is."""
