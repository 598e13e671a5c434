"""The clock in programming mode: read, set to the second, and read back.

A meter takes a new time when the last character of the command is in, so the command is sent to
end on a whole second.  Our own time is taken from the link's clock, which nothing sets back.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from drivers.errors import GarbledReply, NoReply, NotSupported, ValueRefused
from drivers.iec62056.access import Programming
from drivers.iec62056.lines import cut_line
from drivers.iec62056.times import MeterZone, joined
from drivers.link import Link
from drivers.values import ClockReading

TIME, DATE = "0.9.1", "0.9.2"
RESOLUTION_S = Decimal("0.5")  # half of the whole seconds that meters print
ALLOWED_S = Decimal(2)  # how far a clock may be off right after it was set
_LEAD_S = 0.3  # s between now and the earliest moment for which a command can be made
_MIDNIGHT = timedelta(seconds=10)  # no date is written so shortly before the next
_PASSED = timedelta(minutes=2)  # after midnight the date is read again


class Clock:
    """Our time by the link's clock, and the meter's through programming mode."""

    def __init__(self, link: Link, programming: Programming, zone: MeterZone) -> None:
        self._link = link
        self._programming = programming
        self._zone = zone
        self._base = datetime.now(UTC) - timedelta(seconds=link.now())

    def at(self, moment: float) -> datetime:
        """Return our time at a moment of the link's clock."""
        return self._base + timedelta(seconds=moment)

    def now(self) -> datetime:
        """Return our time."""
        return self.at(self._link.now())

    def read(self) -> ClockReading:
        """Return the meter's clock.

        Raises:
            NotSupported: The meter does not tell it.
        """
        day = self._value(DATE)
        clock = self._value(TIME)
        session = self._programming.enter()
        asked, answered = session.sent_end, session.answered_at
        moment = joined(day, clock, self._zone)
        if moment is not None and moment < moment.replace(hour=0, minute=0, second=0) + _PASSED:
            moment = joined(self._value(DATE), clock, self._zone)
        if moment is None:
            raise GarbledReply(f"the meter's clock reads {day} {clock}")
        return reading(moment, self.at(asked), self.at(answered))

    def _value(self, code: str) -> str:
        body = self._programming.read(code).body.decode("latin-1")
        sets = cut_line(body.strip()).sets
        if not sets or not sets[0].groups:
            raise NotSupported(f"the meter answers {code} with {body!r}")
        return sets[0].groups[0]

    def set(self, to: datetime | None) -> ClockReading:
        """Set the clock (to our time when ``to`` is None) and return what reads back.

        Raises:
            ValueRefused: The meter refused it, or another time reads back.
        """
        lead = to - self.now() if to is not None else timedelta()
        before = self.read()
        self._past_midnight(lead)
        for _ in range(self._programming.type.timing.retries + 1):
            moment, end_at = self._next_second(lead)
            local = moment.astimezone(self._zone.zone(None))
            shown = before.meter_time.astimezone(self._zone.zone(None))
            if local.date() != shown.date() and not self._write(DATE, self._date(local)):
                continue
            moment, end_at = self._next_second(lead)
            local = moment.astimezone(self._zone.zone(None))
            if self._write(TIME, self._time(local), end_at):
                break
        else:
            raise GarbledReply("the meter does not hear the command to set its clock")
        return self._proved(before, lead)

    def _proved(self, before: ClockReading, lead: timedelta) -> ClockReading:
        after = self.read()
        off = after.offset - seconds(lead)
        if abs(off) > after.uncertainty + ALLOWED_S:
            raise ValueRefused(
                f"the clock was {before.offset} s off and is {after.offset} s off after it was set"
            )
        return after

    def _write(self, code: str, value: str, end_at: float = 0.0) -> bool:
        """Write once; whether an unanswered write was taken is found out by reading back."""
        try:
            return self._programming.write(code, value, end_at=end_at)
        except NoReply:
            return True

    def _next_second(self, lead: timedelta) -> tuple[datetime, float]:
        """Return the next whole second of the time to set for which a command can be sent."""
        session = self._programming.enter()
        longest = 40 * session.line.character_s + _LEAD_S + self._programming.type.timing.reaction_s
        earliest = self._link.now() + longest
        moment = self.at(earliest) + lead
        whole = moment.replace(microsecond=0) + timedelta(seconds=1)
        return whole, earliest + (whole - moment).total_seconds()

    def _past_midnight(self, lead: timedelta) -> None:
        local = (self.now() + lead).astimezone(self._zone.zone(None))
        later = local + _MIDNIGHT
        if later.date() != local.date():
            self._link.wait(_MIDNIGHT.total_seconds())

    def _date(self, local: datetime) -> str:
        if self._form == "split":
            return f"{local:%y-%m-%d}"
        return f"{self._season(local)}{local:%y%m%d}"

    def _time(self, local: datetime) -> str:
        if self._form == "split":
            return f"{local:%H:%M:%S}"
        return f"{self._season(local)}{local:%H%M%S}"

    def _season(self, local: datetime) -> str:
        return ("1" if local.dst() else "0") if self._form == "season" else ""

    @property
    def _form(self) -> str:
        return self._programming.type.iec62056.clock_form


def reading(meter_time: datetime, asked: datetime, answered: datetime) -> ClockReading:
    """Return the meter's clock beside ours; it took its time between question and answer."""
    span = max(timedelta(), answered - asked)
    read_at = asked + span / 2
    moment = meter_time.astimezone(UTC)
    # A clock that shows whole seconds is up to one further than it says, half a one on average.
    offset = seconds(moment - read_at) + RESOLUTION_S
    return ClockReading(moment, read_at, offset, seconds(span / 2) + RESOLUTION_S)


def seconds(span: timedelta) -> Decimal:
    """Return a span in seconds with three decimals."""
    return Decimal(f"{span.total_seconds():.3f}")
