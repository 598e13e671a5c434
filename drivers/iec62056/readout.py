"""A saved IEC 62056-21 readout, programming answer, push telegram or exchange, decoded.

The same reader serves the live session: `DataReader` takes lines as they arrive.  `decode_readout`
finds out by itself what the bytes are and never fails on damage: what cannot be read is counted
and named in the remarks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from drivers.errors import GarbledReply
from drivers.iec62056 import frames
from drivers.iec62056.dataset import (
    DataSet,
    Interpreter,
    clock_of,
    finished,
    is_heat,
)
from drivers.iec62056.exchange import is_exchange, read_exchange
from drivers.iec62056.frames import Identification, Message
from drivers.iec62056.lines import RawLine, RawSet, cut_line
from drivers.iec62056.log import is_log, parse_record
from drivers.iec62056.profile import ProfileData, ProfileReader, is_profile
from drivers.iec62056.times import MeterZone
from drivers.metertype import Iec62056
from drivers.values import MeterEvent

_BREAKS = re.compile(r"[\r\n]+")
_ECHO = re.compile(rb"/\?[^!\r\n(]{0,32}![\r\n]*")
_IDENTIFIED = re.compile(rb"/[A-Za-z]{3}[^\r\n\x02(][^\r\n\x02(]{0,60}(?=[\r\n\x02]|\Z)")
_SELECT_ECHO = re.compile(rb"[\r\n]*(\x06[0-9][0-9A-Za-z:][0-9]\r*\n)")
_LEAD_ACK = re.compile(rb"[\r\n]*\x06[\r\n]*")
_OPENED = re.compile(rb"[^(]*?[\x01\x02]")  # later ones are noise in a value
_TELEGRAM_END = re.compile(rb"!([0-9A-Fa-f]{4})(?=[\r\n]|\Z)")
_SHOWN = 40  # characters of a damaged line in a remark
_MOST_REMARKS = 50
_ZONE_REMARK = "the data do not name their time zone: read as UTC+01:00, summer time as flagged"
_BODY_LIMIT = 64_000_000


@dataclass(frozen=True, slots=True)
class LogData:
    """The records of one log in the meter's order."""

    obis: str
    rows: tuple[MeterEvent, ...]


@dataclass(frozen=True, slots=True)
class Readout:
    """What the bytes said.

    ``check`` is "xor", "sum", "crc16", "absent" or "bad"; ``damaged`` counts lines that could not
    be read whole; times are in the meter's zone as given to the decoder.
    """

    identification: str = ""
    manufacturer: str = ""
    model: str = ""
    check: str = "absent"
    values: tuple[DataSet, ...] = ()
    profile: ProfileData | None = None
    log: LogData | None = None
    clock: datetime | None = None
    remarks: tuple[str, ...] = ()
    damaged: int = 0


@dataclass(slots=True)
class DataReader:
    """Turns data lines into values, profile rows and log records as they arrive.

    ``own`` is what the meter's type says of profiles and logs.
    """

    zone: MeterZone = field(default_factory=MeterZone)
    heat: bool = False
    values: list[DataSet] = field(default_factory=list)
    events: list[MeterEvent] = field(default_factory=list)
    profile: ProfileReader | None = None
    log: str = ""
    remarks: list[str] = field(default_factory=list)
    damaged: int = 0
    own: Iec62056 = field(default_factory=Iec62056)
    _interpreter: Interpreter | None = None
    _in_profile: bool = False

    def take(self, line: str) -> list[DataSet]:
        """Read one line and return the values in it."""
        return self.take_cut(cut_line(line))

    def take_cut(self, cut: RawLine) -> list[DataSet]:
        """Read one line that is already cut into data sets."""
        if cut.damaged:
            self.damaged += 1
            self.remark(f"damaged: {shown(cut.damaged)}")
        arrived = [item for raw in cut.sets if (item := self._set(raw)) is not None]
        self.values += arrived
        return arrived

    def remark(self, text: str) -> None:
        """Note something the reader of the values should know, once."""
        if text not in self.remarks and len(self.remarks) < _MOST_REMARKS:
            self.remarks.append(text)

    def _set(self, raw: RawSet) -> DataSet | None:
        if not raw.code and self._in_profile and self.profile is not None:
            self.profile.row(raw.groups)
            return None
        self._in_profile = False
        if is_profile(raw.code) and self._profile_header(raw):
            return None
        if is_log(raw.code):
            event = parse_record(raw.code, raw.groups, self.zone, self.own.status_bits)
            if event is not None:
                self.log = self.log or event.log
                self.events.append(event)
                return None
        if self._interpreter is None:
            self._interpreter = Interpreter(self.zone, heat=self.heat)
        item = self._interpreter.read(raw)
        if item.error:
            self.remark(f"{item.code} answered with the error {shown(item.text or '')}")
        return item

    def _profile_header(self, raw: RawSet) -> bool:
        if self.profile is None:
            self.profile = ProfileReader(
                raw.code, self.zone, bits=self.own.status_bits, columns=self.own.profile_columns
            )
        if not self.profile.header(raw.groups):
            if self.profile.timed_row(raw.groups):
                return True
            if not self.profile.headers and not self.profile.rows:
                self.profile = None
            return False
        self._in_profile = True
        return True


def shown(text: str) -> str:
    """Return ``text`` fit for a remark: short, control characters as dots."""
    clean = "".join(c if c.isprintable() else "·" for c in text)
    return clean if len(clean) <= _SHOWN else clean[:_SHOWN] + "…"


def decode_readout(
    data: bytes, zone: MeterZone | None = None, own: Iec62056 | None = None
) -> Readout:
    """Return what saved bytes say; times without a zone of their own are read in ``zone``.

    ``own`` is what the meter's type adds, where it is known.

    Raises:
        GarbledReply: There is nothing in the bytes that an IEC 62056-21 meter sends.
    """
    try:
        reader = DataReader(zone or MeterZone(), own=own or Iec62056())
        decoded = _decode(data[:_BODY_LIMIT], reader)
    except (ArithmeticError, OverflowError) as error:  # numbers no meter prints
        raise GarbledReply(f"not a readout: {error}") from error
    found = decoded.values or decoded.profile or decoded.log or decoded.identification
    if not found and (decoded.damaged or not decoded.remarks):
        raise GarbledReply("there is no IEC 62056-21 data in these bytes")
    if zone is None and _has_times(decoded):
        return replace(decoded, remarks=(*decoded.remarks, _ZONE_REMARK))
    return decoded


def _has_times(readout: Readout) -> bool:
    timed = readout.clock or readout.profile or readout.log
    return bool(timed) or any(item.time for item in readout.values)


def decode_message(
    identification: Identification,
    message: Message,
    zone: MeterZone | None = None,
    own: Iec62056 | None = None,
) -> Readout:
    """Return what one message of a live dialogue says; ``own`` is what the type adds."""
    reader = DataReader(zone or MeterZone(), own=own or Iec62056())
    return _result(identification, _take_messages([message], reader), reader)


def _decode(data: bytes, reader: DataReader) -> Readout:
    if is_exchange(data):
        return _decode_exchange(data, reader)
    if frames.looks_like_parity(data):
        data, errors = frames.without_parity(data)
        reader.remark("parity bits removed in software")
        if errors:
            reader.remark(f"{errors} characters with wrong parity")
    identification, data = _identified(data, reader)
    check = _take_body(identification, data, reader)
    return _result(identification, check, reader)


def _identified(data: bytes, reader: DataReader) -> tuple[Identification, bytes]:
    """Return the identification (empty when there is none) and what follows it."""
    first = data.find(b"(")
    head = data[: first if first >= 0 else len(data)]
    if echo := _ECHO.search(head):
        reader.remark("echo of the request skipped")
        return _identified_after(data, head, echo.end())
    return _identified_after(data, head, 0)


def _identified_after(data: bytes, head: bytes, start: int) -> tuple[Identification, bytes]:
    match = _IDENTIFIED.search(head, start)
    found = frames.parse_identification(match[0].decode("latin-1")) if match else None
    if match is None or found is None:
        return Identification(), data[start:]
    return found, data[match.start() :]


def _take_body(identification: Identification, data: bytes, reader: DataReader) -> str:
    """Read everything after the identification; return the check's result."""
    rest = data[len(identification.line) :] if identification.line else data
    if echo := _SELECT_ECHO.match(rest):
        reader.remark("echo of the option select skipped")
        rest = rest[echo.end() :]
    elif ack := _LEAD_ACK.match(rest):
        reader.remark("an ACK before the data skipped")
        rest = rest[ack.end() :]
    if _OPENED.match(rest):
        messages, _ = frames.split_messages(rest)
        return _take_messages(messages, reader)
    telegram = _TELEGRAM_END.search(rest)
    closing = re.search(rb"[\x03\x04]", rest)
    if telegram and not (closing and closing.start() < telegram.start()):
        _feed(rest[: telegram.end()], reader)
        covered = data[: len(data) - len(rest) + telegram.start() + 1]
        return _telegram_check(covered, telegram[1], reader)
    if closing:
        reader.remark("the start character is missing")
        body = rest.lstrip(b"\r\n\x00\x7f")
        end = closing.start() - (len(rest) - len(body))
        bcc = body[end + 1] if end + 1 < len(body) else None
        return _take_messages([frames.message_of(None, body[:end], body[end], bcc)], reader)
    _feed(rest, reader)
    return "absent"


def _telegram_check(covered: bytes, printed: bytes, reader: DataReader) -> str:
    if int(printed, 16) == frames.crc16(covered):
        return "crc16"
    if printed == b"0000":
        reader.remark("the telegram's check value is 0000: this meter computes none")
        return "absent"
    reader.remark(f"the check value is {frames.crc16(covered):04X}, {printed.decode()} was sent")
    return "bad"


def _take_messages(messages: list[Message], reader: DataReader) -> str:
    for message in messages:
        _feed(message.body, reader, command=message.command)
        if not message.closed:
            reader.remark("the end character is missing")
    return _check_of(messages, reader)


def _check_of(messages: list[Message], reader: DataReader) -> str:
    rules = [message.rule for message in messages if message.body or message.rule != "absent"]
    if "bad" in rules:
        reader.remark("the check character does not fit: values may be wrong")
        return "bad"
    if not rules or "absent" in rules:
        return "absent"
    if "vendor" in rules:
        reader.remark("the check starts at 0C, as one maker's meters do it")
    if len(set(rules)) > 1:
        reader.remark("check rules differ between messages: " + ", ".join(sorted(set(rules))))
    return "sum" if rules[0] == "sum" else "xor"


def body_lines(body: bytes) -> Iterator[str]:
    """Yield the data lines of a message body, whatever its line ends are."""
    for line in _BREAKS.split(body.decode("latin-1")):
        if line.strip():
            yield line


def _feed(body: bytes, reader: DataReader, command: str = "") -> None:
    """Read all lines of ``body``; what follows the end mark is left out."""
    cuts: list[RawLine] = []
    ended = False
    for line in body_lines(body):
        if ended:
            reader.remark("characters after the end of the data skipped")
            break
        cuts.append(cut_line(line))
        ended = cuts[-1].end
    if not reader.values:
        reader.heat = is_heat([raw for cut in cuts for raw in cut.sets])
    for cut in cuts:
        if command and cut.sets and not cut.sets[0].code:  # `P0` and its operand
            first, *others = cut.sets
            cut = replace(cut, sets=(replace(first, code=command), *others))  # noqa: PLW2901
        reader.take_cut(cut)


def _result(identification: Identification, check: str, reader: DataReader) -> Readout:
    values = finished(reader.values, reader.zone)
    remarks = list(reader.remarks)
    damaged = reader.damaged
    profile = None
    if reader.profile is not None:
        damaged += reader.profile.damaged
        remarks += reader.profile.remarks[:_MOST_REMARKS]
        profile = reader.profile.data(complete=check != "bad" and not reader.damaged)
    log = LogData(reader.log, tuple(reader.events)) if reader.events else None
    return Readout(
        identification.line,
        identification.manufacturer,
        identification.model,
        check,
        tuple(values),
        profile,
        log,
        clock_of(values, reader.zone),
        tuple(remarks),
        damaged,
    )


# --- exchanges ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Exchange:
    """What was asked and answered so far; passwords are never shown."""

    reader: DataReader
    identification: Identification = field(default_factory=Identification)
    asked: str = ""  # name of the last command
    code: str = ""  # what it asked for
    messages: list[Message] = field(default_factory=list)

    def sent(self, data: bytes) -> None:
        messages, _ = frames.split_messages(data)
        self.asked = messages[0].command if messages else ""
        body = messages[0].body.decode("latin-1") if messages else ""
        self.code = body.partition("(")[0]

    def heard(self, data: bytes) -> None:
        found = _IDENTIFIED.search(data)
        if found and not self.asked and data[:1] not in {b"\x02", b"\x01"}:
            parsed = frames.parse_identification(found[0].decode("latin-1"))
            self.identification = parsed or self.identification
            return
        if data[:1] == bytes([frames.ACK]):
            self.reader.remark(f"{self._command()} answered with ACK")
            return
        messages, outside = frames.split_messages(data)
        if outside.strip():
            self.reader.damaged += 1
            self.reader.remark(f"damaged: {shown(outside.decode('latin-1'))}")
        for message in messages:
            self.messages.append(message)
            self._answer(message)

    def _command(self) -> str:
        return f"{self.asked} {self.code}".strip() or "the option select"

    def _answer(self, message: Message) -> None:
        if message.command:
            _feed(message.body, self.reader, command=message.command)
            return
        lines = list(body_lines(message.body))
        cut = cut_line(lines[0]) if len(lines) == 1 else RawLine()
        if self.code and len(cut.sets) == 1 and not cut.sets[0].code:
            group = cut.sets[0].groups[0]
            if re.fullmatch(r"0[1-9]", group):  # NEVA refuses with a bare two-digit number
                self.reader.values.append(
                    DataSet(self.code, "", text=f"({group})", groups=cut.sets[0].groups, error=True)
                )
                self.reader.remark(f"{self.code} answered with the error ({group})")
                return
            _feed(self.code.encode("latin-1") + message.body, self.reader)
            return
        _feed(message.body, self.reader)


def _decode_exchange(data: bytes, reader: DataReader) -> Readout:
    exchange = _Exchange(reader)
    for direction, part in read_exchange(data):
        if direction == "TX":
            exchange.sent(part)
        elif direction == "RX":
            exchange.heard(part)
        else:
            exchange.reader.damaged += 1
            exchange.reader.remark(f"damaged: {shown(part.decode('latin-1'))}")
    check = _check_of(exchange.messages, exchange.reader)
    return _result(exchange.identification, check, exchange.reader)
