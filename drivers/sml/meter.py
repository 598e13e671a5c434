"""A meter that pushes SML telegrams, as the program sees every meter: it is only listened to."""

from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from drivers import obis
from drivers.errors import GarbledReply, NoReply, NotSupported
from drivers.link import Line, Link
from drivers.metertype import MeterType
from drivers.sml.frames import Frame, FrameReader
from drivers.sml.telegram import Telegram, decode_file, identity_of
from drivers.values import (
    ClockReading,
    Identity,
    MeterEvent,
    ProfileBlock,
    ProfileInfo,
    Reading,
    RelayReading,
    Span,
)

_LISTEN_ONLY = "this meter only sends telegrams by itself: it cannot be asked for that"


class SmlMeter:
    """One meter on ``link``; see `drivers.meter.Meter` for what can be asked."""

    def __init__(self, link: Link, meter_type: MeterType) -> None:
        self.meter_type = meter_type
        self.statistics = link.statistics
        self._link = link
        self._telegram: Telegram | None = None

    def __enter__(self) -> Self:
        """Set up the line and the probe's supply."""
        own = self.meter_type.line
        self._link.set_lines(rts=own.rts, dtr=own.dtr)
        self._link.configure(Line.named(own.speed, own.format))
        if own.settle_s:
            self._link.wait(own.settle_s)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: nobody was signed on."""

    def telegram(self) -> Telegram:
        """Return one proved telegram, heard at the first call.

        Raises:
            NoReply: Nothing was sent.
            GarbledReply: What was sent is no SML, or its check never fits.
        """
        if self._telegram is None:
            self._telegram = self._heard()
        return self._telegram

    def _heard(self) -> Telegram:
        timing = self.meter_type.timing
        reader, received, bad = FrameReader(), 0, 0
        until = self._link.now() + timing.reply_s * (timing.retries + 1)
        while (left := until - self._link.now()) > 0:
            data = self._link.read(left if received else min(left, timing.reply_s))
            received += len(data)
            for frame in reader.feed(data):
                found = self._judged(frame)
                if found.check == "ok" and found.readings:
                    self.statistics.discarded += reader.discarded
                    return found
                bad += 1
            if not received:
                break
        self.statistics.discarded += reader.discarded
        if not received:
            raise NoReply(timing.reply_s)
        if bad:
            text = f"{bad} telegrams arrived and none was whole: turn the probe"
            raise GarbledReply(text, "noise")
        raise GarbledReply("there are characters on the line, but no SML telegram", "noise")

    def _judged(self, frame: Frame) -> Telegram:
        found = decode_file(frame.data, proved=frame.rule != "bad")
        for remark in found.remarks:
            if remark not in self.statistics.remarks:
                self.statistics.remarks.append(remark)
        self.statistics.resends += found.check == "bad"
        return found

    def identity(self) -> Identity:
        """Who the meter is, by its server id."""
        return identity_of(self.telegram())

    def registers(self) -> Iterator[Reading]:
        """The values of one telegram: those the type lists, all when it lists none."""
        found = self.telegram().readings
        wanted = [obis.parse(known.code) for known in self.meter_type.registers]
        yield from (item for item in found if not wanted or item.obis in wanted)

    def object(self, code: str, class_id: int = 0, attribute: int = 2) -> Reading:  # noqa: ARG002
        """One value of the telegram by its code in any spelling."""
        wanted = obis.parse(code)
        for item in self.telegram().readings:
            if wanted and item.obis == wanted:
                return item
        raise NotSupported(f"the meter's telegram has no {code}")

    def profile_info(self, code: str = "") -> ProfileInfo:  # noqa: ARG002
        """Refuse: telegrams hold no profile."""
        raise NotSupported(_LISTEN_ONLY)

    def profile(self, info: ProfileInfo, span: Span) -> Iterator[ProfileBlock]:  # noqa: ARG002
        """Refuse: telegrams hold no profile."""
        raise NotSupported(_LISTEN_ONLY)

    def events(
        self,
        code: str = "",  # noqa: ARG002
        span: Span | None = None,  # noqa: ARG002
    ) -> Iterator[MeterEvent]:
        """Refuse: telegrams hold no log."""
        raise NotSupported(_LISTEN_ONLY)

    def clock(self) -> ClockReading:
        """Refuse: telegrams count seconds, they tell no time."""
        raise NotSupported(_LISTEN_ONLY)

    def set_clock(self, to: datetime | None = None) -> ClockReading:  # noqa: ARG002
        """Refuse: nothing can be written."""
        raise NotSupported(_LISTEN_ONLY)

    def relay(self) -> RelayReading:
        """Refuse: telegrams tell nothing of a supply switch."""
        raise NotSupported(_LISTEN_ONLY)
