"""A meter type: everything that differs between makes, as data (`resources/meters/*.toml`).

A new meter that speaks a known protocol needs a file here and no Python.  The command line and the
connection wizard override single fields with `dataclasses.replace`.
"""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from drivers.obis import name_of as standard_name
from drivers.obis import parse
from resources import resource


class BadMeterType(ValueError):
    """A meter type file cannot be read; the text names the file and the place in it."""


@dataclass(frozen=True, slots=True)
class Matching:
    """How the type is recognised: regular expressions, tried with `re.search`."""

    identification: tuple[str, ...] = ()
    logical_device_name: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineType:
    """The line as this meter wants it."""

    speed: int = 9600  # first speed; 300 for sign-on protocols
    format: str = "8N1"
    echo: str = "auto"  # auto, on, off
    rts: bool = True
    dtr: bool = False
    settle_s: float = 0.0  # after RTS/DTR, for powered probes
    max_speed: int = 0  # cap on the speed the sign-on may switch to; 0: what the meter announces


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait, and how often to try again."""

    reply_s: float = 2.0  # longest wait for the first character of an answer
    gap_s: float = 1.5  # longest gap between two characters of an answer
    retries: int = 3
    pause_s: float = 0.0  # before the sign-on and after the speed switch
    reaction_s: float = 0.2  # the meter's shortest reaction time, obeyed by us as well


@dataclass(frozen=True, slots=True)
class StatusBit:
    """What a status word reports when all bits of ``mask`` are set."""

    mask: int
    text: str


@dataclass(frozen=True, slots=True)
class Suffix:
    """What one history suffix of this make stands for: ``96`` is "the last day"."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CapturedValue:
    """One value of a profile whose rows carry no header."""

    code: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Iec62056:
    """IEC 62056-21: sign-on, readout and programming mode."""

    address: str = ""
    wake_up: bool = False  # battery meters: NUL characters before the sign-on
    v: str = "0"  # protocol character of the option select
    z: str = ""  # speed character; "" takes the announced one
    y: str = "0"  # 0 readout, 1 programming
    check: str = "auto"  # auto, xor, sum, none
    mode: str = "auto"  # auto, A, B, C, D
    read_command: str = "R5"
    profile: str = ""  # name of the load profile, "P.01"
    log: str = ""  # name of the event log, "P.98"
    utc_offset_min: int = 60  # zone of the meter's clock in standard time
    timezone: str = ""  # IANA zone name; wins over utc_offset_min
    objects_direct: bool = False  # single objects by the read command instead of the list
    block_command: str = ""  # reads a profile in partial blocks, "R6": taken on a bad line
    write_command: str = "W5"
    password_level: str = "P1"  # or P2  # noqa: S105 (names of commands)
    password_method: str = ""  # "": as it is; "a1700": computed from the meter's operand
    password_in_value: bool = False  # W commands carry it in a second group; none at entry
    clock_direct: bool = False  # clock by the read command instead of from the list
    sets_clock: bool = False
    clock_form: str = "digits"  # season: sYYMMDD shhmmss; digits: without s; split: yy-mm-dd
    range_form: str = "season"  # of profiles and logs; the same forms, with hours and minutes
    suffix: str = ""  # what history suffixes count: "", reset, month
    suffixes: tuple[Suffix, ...] = ()  # single ones that mean something else
    status_bits: tuple[StatusBit, ...] = ()  # of profiles and logs
    profile_columns: tuple[CapturedValue, ...] = ()  # where rows carry their own time, no header


@dataclass(frozen=True, slots=True)
class ShortName:
    """An object whose base name is known beforehand."""

    code: str
    base: int
    class_id: int = 1


@dataclass(frozen=True, slots=True)
class MethodPlace:
    """How far behind its base name an object of a class has its first method."""

    class_id: int
    offset: int


@dataclass(frozen=True, slots=True)
class Dlms:
    """DLMS/COSEM addressing, association and sizes."""

    client: int = 16
    server: int = 1  # logical device (upper HDLC address; destination wrapper port)
    physical: int = 0  # lower HDLC address; 0: one-part addresses
    address_size: int = 0  # 1, 2, 4; 0: the smallest that fits
    auth: str = "none"  # none, low, high, gmac
    security: str = ""  # "", authenticated, encrypted, both: protection of APDUs; gmac: both
    suite: int = 0  # security suite of the meter; 1 and 2 are refused
    system_title: str = ""  # ours, 8 octets in hex; "" takes the program's
    counter: str = "0-0:43.1.0.255"  # where the meter shows the counter it accepted last; "": no
    public_client: int = 16  # reads the counter, without a password
    gmac_client: int = 0  # client to use with auth "gmac"; 0: same
    password_client: int = 0  # client to use, with auth "low", when a password is known; 0: same
    max_info: int = 128  # HDLC information field proposed, octets
    window: int = 1
    pdu: int = 1024  # largest APDU proposed, octets
    snrm_parameters: bool = True
    referencing: str = "logical"  # how objects are named: logical, short
    short_names: tuple[ShortName, ...] = ()  # readable without the object list
    method_places: tuple[MethodPlace, ...] = ()  # where the standard's are not known or not kept
    range_deviation: bool = True  # send the clock deviation in range selectors
    range_seconds: bool = True
    deviation_sign: int = 1  # +1: local time = UTC - deviation as the blue book says; -1: reversed
    physical_from_serial: str = ""  # formula, "SN % 10000 + 1000"
    general_blocks: bool = False  # offer general block transfer
    block_window: int = 6  # general blocks taken in a row
    gateway_network: int = -1  # network id behind a gateway; -1: no gateway
    gateway_address: str = ""  # physical address behind it, in hex
    keep_alive_s: float = 0.0  # the meter ends a silent link so soon; 0: unknown


@dataclass(frozen=True, slots=True)
class IdentityCodes:
    """Which objects tell who the meter is; "" where the meter has none."""

    serial: str = "0-0:96.1.0.255"
    utility_serial: str = ""
    logical_device_name: str = "0-0:42.0.0.255"
    firmware: str = "1-0:0.2.0.255"
    configuration: str = ""
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class RegisterType:
    """One value to read: its code, and a name where the standard names do not say enough."""

    code: str
    name: str = ""
    unit: str = ""  # IEC 62056-21 rows that print no unit


@dataclass(frozen=True, slots=True)
class ProfileType:
    """One profile of the meter."""

    code: str
    name: str = ""
    period_s: int = 0  # expected; what the meter says wins
    capacity: int = 0
    selector: str = "range"  # range, entry, none: what the meter accepts
    selector_column: str = ""  # clock whose times ranges are compared with; "": the captured one
    status: str = ""  # table in resources/events for the status column, "idis"
    null_is_previous: bool = True


@dataclass(frozen=True, slots=True)
class LogType:
    """One event log of the meter and the table that puts its codes into words."""

    code: str
    name: str = ""
    events: str = ""  # file in resources/events, "idis"
    capacity: int = 0


@dataclass(frozen=True, slots=True)
class Ratings:
    """What the label says, for checks and reports."""

    phases: int = 1
    wires: str = ""
    voltage: str = "230 V"
    current: str = ""
    accuracy: str = ""
    constant: str = ""  # "1000 imp/kWh"
    prepayment: bool = False
    relay: bool = False


@dataclass(frozen=True, slots=True)
class PrepaymentType:
    """Where the prepayment of this make is found, and how a token is handed to it.

    Without ``token_encoding`` or ``token_register`` no token is sent over the wire: the keypad is
    the way.  A wrong encoding counts as a wrong entry, so no other one is ever tried.
    """

    token_encoding: str = ""  # in the gateway's method: ascii20, bcd10
    gateway: str = "0-0:19.40.0.255"  # class 115
    attributes: str = "0-0:19.60.0.255"  # class 116
    detail: str = ""  # bits beside the gateway's status: code8 holds the result's number
    balance: str = ""  # register of the credit left
    base_date: str = ""  # object that holds 1993, 2014 or 2035
    token_register: str = ""  # IEC 62056-21: what a token is written to
    keypad: str = ""  # file in resources/keypads


@dataclass(frozen=True, slots=True)
class CalendarType:
    """Where the switching table stands and how much it holds; 0: unknown."""

    code: str = "0-0:13.0.0.255"
    special: str = "0-0:11.0.0.255"
    script: str = "0-0:10.0.100.255"  # the tariff scripts that switching points run
    seasons: int = 0
    weeks: int = 0
    days: int = 0
    points: int = 0  # switching points in a day
    special_days: int = 0
    name: int = 0  # characters of a name


@dataclass(frozen=True, slots=True)
class MeterType:
    """One make and model."""

    name: str
    title: str
    maker: str = ""  # flag id, three letters
    protocol: str = "dlms"  # dlms, iec62056, sml
    framing: str = "hdlc"  # hdlc, mode-e, wrapper; "" for the others
    match: Matching = field(default_factory=Matching)
    line: LineType = field(default_factory=LineType)
    timing: Timing = field(default_factory=Timing)
    iec62056: Iec62056 = field(default_factory=Iec62056)
    dlms: Dlms = field(default_factory=Dlms)
    identity: IdentityCodes = field(default_factory=IdentityCodes)
    ratings: Ratings = field(default_factory=Ratings)
    prepayment: PrepaymentType = field(default_factory=PrepaymentType)
    calendar: CalendarType = field(default_factory=CalendarType)
    registers: tuple[RegisterType, ...] = ()
    profiles: tuple[ProfileType, ...] = ()
    logs: tuple[LogType, ...] = ()
    clock: str = "0-0:1.0.0.255"
    relay: str = "0-0:96.3.10.255"
    first_slave: int = 1  # group B of the first channel in codes of a medium: 7-1:3.0.0, or 7-0
    alarms: str = ""  # table that puts the bits of alarm registers into words: idis, dsmr, smr
    errors_like: int = 0  # alarm register whose bits the error register has too; 0: its own
    note: str = ""  # shown to the installer before connecting

    def register(self, code: str) -> RegisterType:
        """Return how this make lists the register with a code; by its code alone if it does not."""
        wanted = parse(code) or code
        listed = (one for one in self.registers if wanted in {one.code, parse(one.code)})
        return next(listed, RegisterType(code))

    def name_of(self, code: str) -> str:
        """Return what this make calls the object with a code, else what all do; "" is unknown."""
        wanted = parse(code) or code
        listed: tuple[RegisterType | ProfileType | LogType, ...]
        listed = (*self.registers, *self.profiles, *self.logs)
        own = (one.name for one in listed if wanted in {one.code, parse(one.code)})
        return next(own, "") or standard_name(code)


_CHOICES = {
    "protocol": ("dlms", "iec62056", "sml"),
    "framing": ("hdlc", "mode-e", "wrapper", ""),
    "echo": ("auto", "on", "off"),
    "auth": ("none", "low", "high", "gmac"),
    "security": ("", "authenticated", "encrypted", "both"),
    "referencing": ("logical", "short"),
    "selector": ("range", "entry", "none"),
    "check": ("auto", "xor", "sum", "none"),
    "mode": ("auto", "A", "B", "C", "D"),
    "password_level": ("P1", "P2"),
    "password_method": ("", "a1700"),
    "clock_form": ("season", "digits", "split"),
    "range_form": ("season", "digits", "split"),
    "suffix": ("", "reset", "month"),
    "token_encoding": ("", "ascii20", "bcd10"),
    "detail": ("", "code8"),
    "alarms": ("", "idis", "dsmr", "smr"),
}


def _built(kind: type[Any], data: object, place: str) -> Any:
    """Return ``kind`` built from a TOML table; refuse unknown keys and wrong types by name."""
    if not isinstance(data, dict):
        raise BadMeterType(f"{place} must be a table")
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind)}
    values = {}
    for key, value in data.items():
        where = f"{place}.{key}" if place else key
        if key not in known:
            raise BadMeterType(f"{where} is not a field; known here: {', '.join(sorted(known))}")
        values[key] = _value(hints[key], value, where, key)
    try:
        return kind(**values)
    except TypeError as error:
        raise BadMeterType(f"{place or 'the file'}: {error}") from error


def _value(hint: Any, value: object, where: str, key: str) -> object:
    inner = getattr(hint, "__args__", None)
    if inner and hint.__origin__ is tuple:
        if not isinstance(value, list):
            raise BadMeterType(f"{where} must be a list")
        if inner[0] is str:
            return tuple(str(item) for item in value)
        return tuple(
            _built(inner[0], item if isinstance(item, dict) else {"code": item}, f"{where}[{n}]")
            for n, item in enumerate(value)
        )
    if hasattr(hint, "__dataclass_fields__"):
        return _built(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise BadMeterType(f"{where} must be {hint.__name__}, not {value!r}")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise BadMeterType(f"{where} must be one of {', '.join(_CHOICES[key])}, not {value!r}")
    return value


def load_meter_type(name: str) -> MeterType:
    """Return the meter type called ``name``, or the one in the file at that path.

    Raises:
        BadMeterType: There is no such type, or its file is wrong; the text says where.
    """
    path = Path(name)
    source = path if path.suffix == ".toml" else resource("meters", f"{name}.toml")
    try:
        data = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(meter_type_names())
        raise BadMeterType(f"there is no meter type {name!r}; known: {known}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadMeterType(f"{name}: {error}") from error
    try:
        loaded: MeterType = _built(MeterType, data, "")
    except BadMeterType as error:
        raise BadMeterType(f"{name}: {error}") from error
    return loaded


def meter_type_names() -> list[str]:
    """Return the names of all meter types that come with the program, sorted."""
    return sorted(
        item.name.removesuffix(".toml")
        for item in resource("meters").iterdir()
        if item.name.endswith(".toml")
    )
