"""The record of one commissioning and its verdict; `app.reports.record_json` writes it down.

Screen, PDF and JSON are renderings of this record. Numbers are `Decimal`, because the digits that
were read are the evidence; times are aware UTC; photos are named by the hash of their bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Verdict(StrEnum):
    """Verdict of one check."""

    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    NOT_RUN = "NOT RUN"
    NOT_APPLICABLE = "NOT APPLICABLE"


class Outcome(StrEnum):
    """Verdict of the whole job."""

    PASS = "PASS"
    REMARKS = "PASS WITH REMARKS"
    FAIL = "FAIL"
    INCOMPLETE = "INCOMPLETE"


@dataclass(frozen=True, slots=True)
class Report:
    """What identifies this report. `offset_min` is local time minus UTC, in minutes."""

    number: str
    revision: int
    title: str
    language: str
    template: str
    pack: str
    pack_version: str
    tool: str
    laptop: str
    started: datetime
    ended: datetime
    offset_min: int
    address: str = ""  # where a reader may look the report up; may stay empty


@dataclass(frozen=True, slots=True)
class Job:
    """The work order and the people sent to do it."""

    order: str
    kind: str
    utility: str
    contractor: str
    installer: str
    licence: str
    witness: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the meter hangs. Latitude and longitude in degrees, accuracy in metres."""

    service_point: str
    address: tuple[str, ...]
    supply: str
    enclosure: str = ""
    transformer: str = ""
    feeder: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    accuracy_m: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is supplied."""

    name: str
    contract: str
    agreed: str
    present: bool


@dataclass(frozen=True, slots=True)
class Meter:
    """The meter as its label and its registers name it."""

    maker: str
    model: str
    maker_serial: str
    utility_serial: str
    year: int
    accuracy: str
    rating: str
    constant: str
    wires: str
    firmware: str
    firmware_signature: str
    configuration: str
    parameters: str


@dataclass(frozen=True, slots=True)
class OldMeter:
    """The meter taken away in an exchange."""

    serial: str
    reason: str
    condition: str
    seals_removed: str = ""


@dataclass(frozen=True, slots=True)
class Transformer:
    """One current or voltage transformer."""

    position: str
    kind: str
    plate: str
    programmed: str
    accuracy: str
    burden: str
    serial: str
    certificate: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Communication:
    """How the meter talks to its head end. Only here a SIM number may stand."""

    medium: str
    module: str = ""
    sim: str = ""
    address: str = ""
    signal: str = ""
    concentrator: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """One token entered. Only the last four digits are ever in the record."""

    purpose: str
    last_four: str
    result: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Prepayment:
    """The prepayment identity of the meter and the tokens entered."""

    drn: str
    before: str  # SGC, KRN, TI as words: "600001 / 1 / 02"
    after: str
    base_date: str
    balance: Decimal | None
    unit: str
    emergency: str
    customer_unit: str
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as numbers, or in words where it is an equality or a state."""

    source: str
    low: Decimal | None = None
    high: Decimal | None = None
    unit: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number with its unit, its uncertainty and its label (a phase, say)."""

    value: Decimal
    unit: str
    uncertainty: Decimal | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A supervisor's permission to leave a check as it is."""

    by: str
    role: str
    reason: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was wanted, what was found, what follows."""

    number: str
    title: str
    limit: Limit
    verdict: Verdict
    measured: tuple[Quantity, ...] = ()
    seen: str = ""  # the finding in words, where it is no number
    instrument: str = ""  # what measured it, and how well
    mandatory: bool = True
    remark: str = ""
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the phasor reading; angles in degrees, clockwise from U1."""

    name: str
    voltage: Decimal
    voltage_angle: Decimal
    current: Decimal
    current_angle: Decimal
    power: Decimal
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Phasors:
    """The averaged phasor reading and what it says about the wiring."""

    time: datetime
    samples: int
    phases: tuple[Phase, ...]
    diagnosis: str
    advice: str
    residual: Decimal
    margin: Decimal
    range_low: Decimal
    range_high: Decimal
    side: str  # "secondary" or "primary"


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One interval, named by its end. No value means a gap."""

    time: datetime
    value: Decimal | None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """A load profile of one channel."""

    channel: str
    unit: str
    period_min: int
    rows: tuple[ProfileRow, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Register:
    """One register before, after and at hand-over."""

    obis: str
    name: str
    unit: str
    meter: str
    before: Decimal | None
    after: Decimal | None
    handover: Decimal | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event in words. `until` closes a pair of start and stop."""

    time: datetime
    code: str
    words: str
    until: datetime | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting written: what stood there, what was written, what was read back."""

    name: str
    before: str
    written: str
    read_back: str


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal put on."""

    position: str
    kind: str
    number: str
    photo: int | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo, named by the SHA-256 of its JPEG bytes."""

    number: int
    caption: str
    time: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature: drawn strokes (0 to 1000 wide, 0 to 300 high), a typed name, or none yet."""

    role: str
    name: str
    detail: str
    state: str  # "drawn", "typed", "absent" or "ink"
    time: datetime | None = None
    strokes: tuple[tuple[int, ...], ...] = ()  # each x0, y0, x1, y1 ...


@dataclass(frozen=True, slots=True)
class Record:
    """One commissioning. Everything on paper comes from here."""

    report: Report
    job: Job
    place: Place
    customer: Customer
    meter: Meter
    declaration: str
    communication: Communication | None = None
    old_meter: OldMeter | None = None
    transformers: tuple[Transformer, ...] = ()
    checks: tuple[Check, ...] = ()
    phasors: Phasors | None = None
    no_phasors: str = ""  # why there is no phasor reading
    profile: Profile | None = None
    registers: tuple[Register, ...] = ()
    events: tuple[Event, ...] = ()
    prepayment: Prepayment | None = None
    settings: tuple[Setting, ...] = ()
    seals: tuple[Seal, ...] = ()
    photos: tuple[Photo, ...] = ()
    signatures: tuple[Signature, ...] = ()


def outcome(record: Record) -> Outcome:
    """The verdict of the whole. A record without checks proves nothing: incomplete."""
    checks = record.checks
    open_ones = [check for check in checks if check.waiver is None]
    if any(check.verdict is Verdict.FAIL for check in open_ones) or not_kept(record):
        return Outcome.FAIL
    if not checks or any(c.mandatory and c.verdict is Verdict.NOT_RUN for c in open_ones):
        return Outcome.INCOMPLETE
    if any(check.waiver or check.verdict is Verdict.WARN for check in checks):
        return Outcome.REMARKS
    return Outcome.PASS


def not_kept(record: Record) -> tuple[Setting, ...]:
    """The settings that read back differently from what was written."""
    return tuple(item for item in record.settings if item.read_back != item.written)
