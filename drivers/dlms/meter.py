"""A meter that speaks DLMS/COSEM, as `drivers.meter.Meter` describes it."""

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

from drivers.account import AccountReading
from drivers.calendar import Calendar, CalendarReading, SpecialDay
from drivers.dlms.account import Accounts
from drivers.dlms.apdu import Attribute
from drivers.dlms.calendar import CalendarAccess
from drivers.dlms.catalog import Catalog
from drivers.dlms.ciphering import CounterStore
from drivers.dlms.clock import MeterZone
from drivers.dlms.data import CosemTime, as_text, as_time, octets
from drivers.dlms.firmware import ImageTransfer
from drivers.dlms.log import LogReader
from drivers.dlms.objects import CLOCK, ObjectReader, named
from drivers.dlms.prepayment import PrepaymentAccess
from drivers.dlms.profile import ProfileReader
from drivers.dlms.push import Notification
from drivers.dlms.relay import SupplySwitch
from drivers.dlms.session import Session
from drivers.dlms.shortnames import NameStore
from drivers.dlms.slaves import Slaves
from drivers.dlms.supervision import Supervision
from drivers.errors import AccessDenied, GarbledReply, NotSupported, ValueRefused
from drivers.eventwords import status_words
from drivers.firmware import LoadProgress
from drivers.link import Link
from drivers.metertype import MeterType
from drivers.obis import parse, to_bytes
from drivers.objectmodel import AttributeReading, ObjectEntry
from drivers.prepayment import PrepaymentReading, TokenAnswer
from drivers.secrets import Secret, Secrets
from drivers.slaves import SlaveMeter
from drivers.supervision import AlarmRegister, Limiter, RegisterMonitor
from drivers.switching import Switching
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileBlock,
    ProfileInfo,
    Pushed,
    Reading,
    RelayReading,
    Span,
)

_KEPT_WITHIN_S = 3  # a clock that was set must read back within this
_VALUE = 2  # attribute of most classes
_MAKER = 3  # letters that begin a logical device name


def utc_now() -> datetime:
    """Return the time of this computer."""
    return datetime.now(UTC)


class DlmsMeter:
    """A DLMS/COSEM meter on an open link, over HDLC, mode E or the TCP wrapper."""

    def __init__(
        self,
        link: Link,
        meter_type: MeterType,
        secrets: Secrets,
        *,
        wall: Callable[[], datetime] = utc_now,
        counters: CounterStore | None = None,
        names: NameStore | None = None,
    ) -> None:
        """Prepare a session; entering it signs on.

        Args:
            link: An open link; it stays open.
            meter_type: Addressing, association and what the meter has.
            secrets: Its password, where it wants one.
            wall: The time the meter's clock is compared with.
            counters: Keeps the counters of ciphered messages; without it, while the program runs.
            names: Keeps the object lists of meters with short names; without it, for this session.
        """
        self.meter_type = meter_type
        self.statistics = link.statistics
        self._link = link
        self._wall = wall
        self._session = Session(link, meter_type, secrets, counters, names)
        self._zone = MeterZone(meter_type)
        self._objects = ObjectReader(self._session, self._zone, meter_type.name_of)
        self._profiles = ProfileReader(
            self._session,
            self._objects,
            self._zone,
            meter_type=meter_type,
            statistics=link.statistics,
            meter_now=self._meter_now,
        )
        self._logs = LogReader(self._profiles, meter_type)
        self._prepayment = PrepaymentAccess(
            self._session, self._objects, link, meter_type.prepayment
        )
        self._switch = SupplySwitch(self._session, self._objects, link, meter_type.relay)
        self._calendar = CalendarAccess(
            self._session,
            self._objects,
            self._zone,
            meter_type.calendar,
            meter_type.identity.parameters,
        )
        self._images = ImageTransfer(self._session, self._objects, link)
        self._catalog = Catalog(self._session, self._objects)
        self._supervision = Supervision(self._objects, meter_type.alarms, meter_type.errors_like)
        self._slaves = Slaves(self._objects, meter_type.first_slave)
        self._accounts = Accounts(self._objects, meter_type.prepayment)
        self._offset: timedelta | None = None

    def __enter__(self) -> Self:
        self._session.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._session.close(error)

    # --- who and what -----------------------------------------------------------------------

    def identity(self) -> Identity:
        """Return who the meter says it is; "" for what it does not tell or show."""
        codes = self.meter_type.identity
        name = self._objects.text(codes.logical_device_name)
        serial = self._objects.text(codes.serial)
        if not serial and name[:_MAKER].isalpha() and name[_MAKER:].isdecimal():
            serial = name[_MAKER:]  # makers that give the number in the name only
        identification = self._session.identification
        return Identity(
            serial=serial,
            utility_serial=self._objects.text(codes.utility_serial),
            logical_device_name=name,
            manufacturer=(name[:_MAKER] if name[:_MAKER].isalpha() else "")
            or identification[1 : 1 + _MAKER].upper(),
            model=_model(identification),
            firmware=self._objects.text(codes.firmware),
            identification=identification,
        )

    def registers(self) -> Iterator[Reading]:
        """Yield the registers of the type; one the meter lacks or denies becomes a remark."""
        for wanted in self.meter_type.registers:
            try:
                yield self._objects.register(wanted.code, wanted.name)
            except (NotSupported, AccessDenied) as error:
                self.statistics.remarks.append(f"{wanted.code} left out: {error}")

    def object(self, code: str, class_id: int = 0, attribute: int = 2) -> Reading:
        """Return one attribute of one object; ``class_id`` 0 tries the likely classes."""
        if not parse(code):
            raise NotSupported(f"{code!r} is no OBIS code")
        name = self.meter_type.register(code).name if attribute == _VALUE else ""
        return self._objects.attribute(code, class_id, attribute, name)

    # --- profiles and logs ------------------------------------------------------------------

    def profile_info(self, code: str = "") -> ProfileInfo:
        """Return what the profile captures; "" takes the type's first profile."""
        if not code and not self.meter_type.profiles:
            raise NotSupported("this meter type names no load profile")
        wanted = code or self.meter_type.profiles[0].code
        if not parse(wanted):
            raise NotSupported(f"{wanted!r} is no OBIS code")
        return self._profiles.info(parse(wanted))

    def profile(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:
        """Yield the rows of ``span`` as the meter's blocks arrive."""
        self._learn_zone()
        return self._profiles.rows(info, span)

    def events(self, code: str = "", span: Span | None = None) -> Iterator[MeterEvent]:
        """Yield the rows of a log in words; "" takes the type's first log."""
        if not code and not self.meter_type.logs:
            raise NotSupported("this meter type names no event log")
        wanted = parse(code or self.meter_type.logs[0].code)
        if not wanted:
            raise NotSupported(f"{code!r} is no OBIS code")
        self._learn_zone()
        return self._logs.events(wanted, span or Span())

    # --- clock ------------------------------------------------------------------------------

    def clock(self) -> ClockReading:
        """Return the meter's clock against ours.

        The meter read its clock between our question and its answer, and shows whole seconds (or
        hundredths): the offset is taken at the middle of both.
        """
        moment, before, spent = self._read_clock()
        shown = self._zone.utc(moment)
        if shown is None:
            raise GarbledReply("the meter's clock shows no time")
        resolution = Decimal("0.01") if 0 < moment.raw[8] <= 99 else Decimal(1)  # noqa: PLR2004
        middle = before + timedelta(seconds=spent / 2)
        offset = Decimal(str((shown - middle).total_seconds())) + resolution / 2
        self._offset = shown - middle
        return ClockReading(
            meter_time=shown,
            read_at=middle,
            offset=_rounded(offset),
            uncertainty=_rounded(Decimal(str(spent)) / 2 + resolution / 2),
            status=status_words("clock", moment.status),
        )

    def set_clock(self, to: datetime | None = None) -> ClockReading:
        """Set the clock (to now, when None) and return what reads back."""
        moment, _, spent = self._read_clock()
        written_at = self._wall()
        # the value arrives half a round trip later, and the meter counts whole seconds
        target = to or written_at + timedelta(seconds=spent / 2 + 0.5)
        value = self._zone.octets(target, deviation=moment.deviation is not None)
        code = to_bytes(self.meter_type.clock)
        self._session.set(Attribute(CLOCK, code, 2), octets(value), self.meter_type.clock)
        after = self.clock()
        expected = target + (after.read_at - written_at)
        wrong = abs((after.meter_time - expected).total_seconds())
        if wrong > _KEPT_WITHIN_S + spent:
            raise ValueRefused(f"the clock was set but reads back {wrong:.0f} s off")
        return after

    def _read_clock(self) -> tuple[CosemTime, datetime, float]:
        """Return the meter's time, ours before asking, and how long the answer took.

        Where more than one question went out (a list of names, a new link), it is asked once more.
        """
        code = to_bytes(self.meter_type.clock)
        for _ in range(2):
            asked = self.statistics.round_trips, self.statistics.resends
            before, began = self._wall(), self._link.now()
            value = self._objects.value(CLOCK, code)
            spent = self._link.now() - began
            if (self.statistics.round_trips - 1, self.statistics.resends) == asked:
                break
        moment = as_time(value)
        if moment is None:
            raise GarbledReply("the meter's clock gives no date and time")
        if moment.deviation is not None:
            self._zone.learned = moment.deviation
        return moment, before, spent

    def _learn_zone(self) -> None:
        """Read the clock once, so that times without a deviation can be placed."""
        if self._zone.learned is None and self._offset is None:
            try:
                self.clock()
            except (NotSupported, AccessDenied, GarbledReply) as error:
                self._offset = timedelta(0)
                self.statistics.remarks.append(f"the meter's zone is taken from its type: {error}")

    def _meter_now(self) -> datetime:
        return self._wall() + (self._offset or timedelta(0))

    # --- relay ------------------------------------------------------------------------------

    def relay(self) -> RelayReading:
        """Return the state of the supply switch."""
        return self._switch.reading()

    def switch(self, action: Switching) -> RelayReading:
        """Operate the supply switch, once, and return what reads back."""
        return self._switch.switch(action)

    # --- object model -----------------------------------------------------------------------

    def objects(self) -> tuple[ObjectEntry, ...]:
        """Return the object list of this association."""
        return self._catalog.entries()

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Read the object list; yield how many octets have come, and return it."""
        return self._catalog.listing()

    def read_objects(self, wanted: Sequence[tuple[str, int, int]]) -> list[AttributeReading]:
        """Return attributes (code, class, number); one denied or absent has its reason."""
        return self._catalog.read(wanted)

    def raw(self, code: str, class_id: int, attribute: int) -> bytes:
        """Return an attribute as the meter encodes it."""
        return self._catalog.raw(code, class_id, attribute)

    def write_raw(self, code: str, class_id: int, attribute: int, value: bytes) -> bytes:
        """Write an encoded attribute and return what reads back."""
        return self._catalog.write(code, class_id, attribute, value)

    def notifications(self) -> list[Notification]:
        """Return what the meter has said unasked since the last call."""
        return self._session.notifications()

    def pushed(self) -> tuple[Pushed, ...]:
        """Return the same as plain values."""
        found = []
        for one in self.notifications():
            time = self._zone.utc(one.time) if one.time else None
            _, code, attribute = one.source or (0, b"", 0)
            found.append(Pushed(time, named(code), attribute, as_text(one.value)))
        return tuple(found)

    def keep_alive(self) -> bool:
        """Keep the session alive while the operator thinks; return whether the meter was asked."""
        return self._session.keep_alive()

    # --- supervision and slaves -------------------------------------------------------------

    def limiters(self, entries: Sequence[ObjectEntry] = ()) -> tuple[Limiter, ...]:
        """Return the limiters with thresholds in the unit of what they watch."""
        self._learn_zone()
        return self._supervision.limiters(entries)

    def monitors(self, entries: Sequence[ObjectEntry] = ()) -> tuple[RegisterMonitor, ...]:
        """Return the register monitors."""
        return self._supervision.monitors(entries)

    def alarms(self, entries: Sequence[ObjectEntry] = ()) -> tuple[AlarmRegister, ...]:
        """Return the alarm and error registers in words of the type's companion profile."""
        return self._supervision.alarms(entries)

    def slaves(self, entries: Sequence[ObjectEntry] = ()) -> tuple[SlaveMeter, ...]:
        """Return the slave meters on the M-Bus, with their values."""
        self._learn_zone()
        return self._slaves.all(entries)

    # --- switching table and firmware -------------------------------------------------------

    def calendar(self) -> CalendarReading:
        """Return both switching tables and the special days."""
        self._learn_zone()
        return self._calendar.reading()

    def write_calendar(
        self,
        calendar: Calendar,
        special_days: tuple[SpecialDay, ...] | None,
        activation: datetime | None,
    ) -> CalendarReading:
        """Write the passive switching table and bring it into force; return what reads back."""
        self._learn_zone()
        return self._calendar.write(calendar, special_days, activation)

    def load_firmware(
        self, identifier: bytes, image: bytes, *, activate: bool = True
    ) -> Iterator[LoadProgress]:
        """Send what the meter lacks of an image, have it verified, and activate it."""
        return self._images.load(identifier, image, activate=activate)

    # --- prepayment -------------------------------------------------------------------------

    def prepayment(self) -> PrepaymentReading:
        """Return which decoder key the meter is on, and its credit."""
        return self._prepayment.reading()

    def account(self, entries: Sequence[ObjectEntry] = ()) -> AccountReading:
        """Return account, credits, charges, token gateway and STS attributes, complete."""
        self._learn_zone()
        return self._accounts.reading(entries)

    def enter_token(self, token: Secret) -> TokenAnswer:
        """Hand a token to the gateway, once, and return what became of it."""
        return self._prepayment.enter(token)

    def token_answer(self) -> TokenAnswer:
        """Return what the gateway says of the last token it took."""
        return self._prepayment.answer()


def _model(identification: str) -> str:
    """Return the part of an identification line that names the model."""
    text = identification[5:]  # after /, maker and speed
    while text.startswith("\\"):
        text = text[2:]
    return text.partition(".")[0]


def _rounded(seconds: Decimal) -> Decimal:
    return seconds.quantize(Decimal("0.01"))
