"""What every central store offers, whatever it is made of.

`CentreSession` is what one laptop may call; `Centre` is what the dispatcher and the administrator
call.  The rules are in the documentation under ``sync``: events go up numbered without gaps, mail
comes down numbered without gaps, every fact is stored with a verdict and none is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self

from app.centre.order import CentreOrder
from app.centre.readings import DayRun
from app.errors import CentreRefused

MAX_EVENTS = 500
MAX_BYTES = 4_000_000
CHUNK = 256 * 1024
SCHEMA_MIN = 1
SCHEMA_MAX = 1
CENTRE_DEVICE = "centre"  # the name under which the centre's own acts stand in the log


class Verdict(StrEnum):
    """What the centre made of an event; anything but applied goes to review."""

    APPLIED = "applied"
    LATE = "late"
    CONFLICT = "conflict"
    DUPLICATE_RESULT = "duplicate_result"
    ORPHAN = "orphan"
    UNKNOWN_KIND = "unknown_kind"
    INVALID = "invalid"


class SeqReused(CentreRefused):
    """The centre holds other content under this number: a cloned laptop, or an old image."""

    def __init__(self, at_seq: int) -> None:
        super().__init__(f"number {at_seq} is already used with other content")
        self.at_seq = at_seq


class Gap(CentreRefused):
    """The centre expects a smaller number than the one it got."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"the centre expects number {expected}")
        self.expected = expected


class Oversize(CentreRefused):
    """The batch is larger than the centre takes."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event on the wire; ``sha256`` is what the laptop computed over its content."""

    seq: int
    event_id: str
    order_id: str
    epoch: int
    kind: str
    schema_v: int
    body: str
    sha256: str
    wall: datetime
    mono_ns: int = 0
    boot_id: str = ""
    hlc: int = 0
    offset_s: float | None = None


@dataclass(frozen=True)
class Hello:
    """The centre's answer to a greeting; ``last_seqs`` has every incarnation of this laptop."""

    centre_id: str
    generation: int
    last_seqs: Mapping[int, int]
    mail_head: int
    server_time: datetime
    schema_min: int
    schema_max: int


@dataclass(frozen=True, slots=True)
class Mail:
    """One letter from the centre; ``body`` is JSON text."""

    seq: int
    kind: str
    order_id: str
    body: str


@dataclass(frozen=True, slots=True)
class BlobFact:
    """A file that the laptop holds and wants to send."""

    sha256: str
    size: int
    mime: str


@dataclass(frozen=True)
class Enrolment:
    """How a laptop gets in: its address of the centre and, where it needs one, its password.

    The password exists nowhere else; it goes into the laptop's keyring.
    """

    device_id: str
    url: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Act:
    """Something the office does to an order: one of the centre's own kinds of event.

    ``steps`` are those to do again after a rejection; ``item`` and ``decision`` ("accept",
    "dismiss") settle a review item, whose order counts then.
    """

    kind: str
    order_id: str = ""
    who: str = ""
    role: str = "dispatcher"
    device: str = ""
    reason: str = ""
    steps: tuple[str, ...] = ()
    item: int | None = None
    decision: str = ""


@dataclass(frozen=True)
class ReviewItem:
    """An event that was not applied; ``item`` is its number in the review queue."""

    item: int
    event_id: str
    order_id: str
    order_number: str
    device_id: str
    kind: str
    verdict: str
    opened: datetime
    body: str
    closed_by: str = ""
    decision: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Count:
    """How many orders of one area, crew and day are in one state; ``day`` is "" while open."""

    area: str
    crew: str
    day: str
    state: str
    number: int


@dataclass(frozen=True)
class Maintained:
    """What looking after the store has done; ``alarms`` are sentences for the administrator."""

    partitions: int = 0
    readings: int = 0
    rejudged: int = 0
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rebuilt:
    """What folding the log anew has shown; in order when ``differences`` is empty."""

    events: int
    orders: int
    differences: tuple[str, ...]


class CentreSession(Protocol):
    """The calls of one laptop.

    Every call raises `CentreUnreachable` when there is no answer (whether it took effect is then
    unknown, and repeating it is safe), and `CentreRefused` for a laptop that is not enrolled.
    """

    def hello(
        self, client_build: str, schema_v: int, incarnation: int, local_max_seq: int
    ) -> Hello:
        """Greet; learn how far the centre is."""

    def push(self, incarnation: int, batch: Sequence[Envelope]) -> int:
        """Store a batch in one transaction and return the last number stored.

        Raises:
            SeqReused: Other content stands under one of the numbers.
            Gap: The first new number is not the next one.
            Oversize: Too many events or bytes at once.
        """

    def pull(self, after_mail: int, count: int) -> Sequence[Mail]:
        """Return up to ``count`` letters after number ``after_mail``."""

    def ack(self, mail_seq: int) -> None:
        """Say that all mail up to this number is applied."""

    def new_incarnation(self) -> int:
        """Return the next incarnation number of this laptop and raise the alarm at the centre."""

    def own_events(
        self, incarnation: int, after_seq: int, count: int
    ) -> Sequence[tuple[Envelope, str]]:
        """Return what this laptop has sent, with verdicts; for a disk that was put back."""

    def blob_missing(self, wanted: Sequence[BlobFact]) -> Mapping[str, int]:
        """Return, for each file that is not complete at the centre, where to go on sending."""

    def blob_put(self, sha256: str, offset: int, data: bytes) -> int:
        """Store one chunk; return how many bytes the centre holds now.

        The last chunk makes the centre hash the whole file.  0 means that the hash did not fit
        and the file must be sent again from the start.
        """

    def close(self) -> None:
        """Let go of connections."""


class Centre(Protocol):
    """The central store as the administrator and the dispatcher see it."""

    @property
    def url(self) -> str:
        """Its address, without credentials."""

    def init(self) -> str:
        """Make the store if there is none; return the centre's id."""

    def enrol(self, device_id: str, name: str = "") -> Enrolment:
        """Let a laptop in; once more does no harm, takes a revocation back, gives a new password.

        Raises:
            BadInput: No laptop can have this name.
        """

    def revoke(self, device_id: str) -> None:
        """Shut a laptop out; what it has sent stays."""

    def act(self, act: Act) -> None:
        """Do what the office wants: log, fold and mail it in one transaction.

        Raises:
            NotPermitted: Not for this role or person.
            NotFound: No such order or item.
            BadInput: The order does not allow it, or something is missing.
            CentreRefused: The laptop it is meant for is not enrolled.
        """

    def assign(self, order_ids: Sequence[str], device_id: str) -> None:
        """Give orders to a laptop: epoch + 1, a recall to the one before, mail to the new one."""

    def orders(self, wanted: Sequence[str] = (), state: str = "") -> Sequence[CentreOrder]:
        """Return orders by number or id, or all in a state."""

    def reviews(self, *, item: int | None = None, closed: bool = False) -> Sequence[ReviewItem]:
        """Return the open review items, oldest first; with ``item`` that one alone."""

    def history(self, order_id: str) -> Sequence[tuple[str, str, Envelope]]:
        """Return device, verdict and event of everything about an order, as it arrived."""

    def counts(self) -> Sequence[Count]:
        """Return how many orders of each area, crew and day are in each state."""

    def readings(self, meter: str, obis: str) -> Sequence[DayRun]:
        """Return the day segments of a meter's channel, by day."""

    def maintain(self) -> Maintained:
        """Do what time and upgrades ask for: partitions, readings, events judged again."""

    def status(self) -> dict[str, Any]:
        """Return the counters in the shape of ``centre status --json``."""

    def rebuild(self, *, check: bool) -> Rebuilt:
        """Fold the log anew; with ``check`` only compare, else also put the state right."""

    def after_restore(self) -> int:
        """Start a new generation; to be called first after a backup was put back."""

    def session(self, device_id: str) -> CentreSession:
        """Return the calls of one laptop."""

    def close(self) -> None:
        """Let go of connections."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
