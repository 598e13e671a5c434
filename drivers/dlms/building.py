"""Builds the link to a meter: line, probe power, mode E sign-on, HDLC or the TCP wrapper."""

from contextlib import suppress
from dataclasses import replace

from drivers.dlms.addressing import client_address, server_address
from drivers.dlms.negotiation import FRAME_MAX, HdlcSettings
from drivers.dlms.transport import HdlcTransport, Transport, WrapperTransport
from drivers.errors import GarbledReply, NoReply
from drivers.iec62056.signon import sign_on_mode_e
from drivers.link import Line, Link
from drivers.metertype import MeterType

_BREAK = b"\x01B0\x03q"
_BREAK_SPEEDS = (300, 9600)
_USUAL_SPEED = 9600  # of an optical port after its speed switch
_OLD_LINK_S = 0.5
_METER_GIVES_UP_S = 1.7  # without an option select
_LONGEST_LIST_S = 60.0


class LinkBuilder:
    """Builds one link as the meter type says, as often as it is lost."""

    def __init__(self, link: Link, meter_type: MeterType) -> None:
        self._link = link
        self._type = meter_type
        self.transport: Transport | None = None
        self.identification = ""

    def bring_to_rest(self) -> None:
        """Bring an optical port that may stand anywhere back to rest."""
        for speed in _BREAK_SPEEDS:
            line = Line.named(speed, self._type.line.format)
            self._link.configure(line)
            self._link.write(_BREAK)
            self._link.wait(len(_BREAK) * line.character_s)

    def build(self) -> Transport:
        """Return the transport with its link built; `transport` is there as soon as it may talk.

        Raises:
            NoReply, GarbledReply, MeterBusy, NotSupported: There is no link.
        """
        link, kind = self._link, self._type
        if kind.framing == "wrapper":
            return WrapperTransport(link, kind.dlms.client, kind.dlms.server, kind.timing)
        if kind.framing != "mode-e":
            return self._hdlc_at(self._direct_line())
        try:
            return self._hdlc_at(self._optical_line())
        except (NoReply, GarbledReply):
            if not self.identification:
                raise  # nobody answered the sign-on, which has its own repeats
            # The meter may have missed the option select, and sends its list at the first speed.
            self._link.statistics.remarks.append("the sign-on was repeated")
            if link.sets_line:
                self.bring_to_rest()
            self._wait_for_quiet()
        try:
            return self._hdlc_at(self._optical_line())
        except NoReply as error:  # the first sign-on was answered, HDLC behind it never
            raise NoReply(error.waited, error.hint or "late-dlms") from error

    def _hdlc_at(self, speed: int) -> HdlcTransport:
        """Build the HDLC link at the speed that was agreed."""
        character_s = Line.named(speed, "8N1").character_s if self._link.sets_line else 0.0
        transport = HdlcTransport(self._link, self._hdlc_settings(character_s))
        self.transport = transport  # from here on the way out has a DISC
        transport.connect()
        return transport

    def _wait_for_quiet(self) -> None:
        """Let the meter finish what it sends, until it must have given up waiting as well."""
        end = self._link.now() + _LONGEST_LIST_S
        while self._link.now() < end and self._link.read(_METER_GIVES_UP_S):
            pass

    def _optical_line(self) -> int:
        """Sign on over the optical port; return the speed both sides have switched to."""
        self.identification = ""
        self._power_probe()
        timing = replace(self._type.timing, retries=min(self._type.timing.retries, 1))
        try:
            found = sign_on_mode_e(self._link, replace(self._type, timing=timing))
        except (NoReply, GarbledReply):
            self._end_old_link()
            found = sign_on_mode_e(self._link, self._type)
        self.identification = found.line
        if self._type.timing.pause_s:
            self._link.wait(self._type.timing.pause_s)
        cap = self._type.line.max_speed
        return min(found.speed, cap) if cap else found.speed

    def _end_old_link(self) -> None:
        """Take down an HDLC link that a program left open when it was killed or its probe pulled.

        Until its own time-out such a meter listens at the switched speed and hears no sign-on.
        """
        self._link.configure(Line.named(_USUAL_SPEED, "8N1"))
        settings = replace(self._hdlc_settings(0.0), reply_s=_OLD_LINK_S, retries=0)
        with suppress(NoReply, GarbledReply):  # the sign-on that follows says what is wrong
            if HdlcTransport(self._link, settings).disconnect():
                self._link.statistics.remarks.append(
                    "an old connection was still open and was ended"
                )

    def _direct_line(self) -> int:
        line = self._type.line
        self._link.configure(Line.named(line.speed, line.format))
        self._power_probe()
        return line.speed

    def _power_probe(self) -> None:
        line = self._type.line
        self._link.set_lines(rts=line.rts, dtr=line.dtr)
        if line.settle_s:
            self._link.wait(line.settle_s)

    def _hdlc_settings(self, character_s: float) -> HdlcSettings:
        dlms, timing = self._type.dlms, self._type.timing
        return HdlcSettings(
            client=client_address(dlms),
            server=server_address(dlms),
            max_info=min(dlms.max_info, FRAME_MAX),
            window=min(max(dlms.window, 1), 7),
            parameters=dlms.snrm_parameters,
            clear_first=self._type.framing != "mode-e",
            reply_s=timing.reply_s,
            gap_s=timing.gap_s,
            retries=timing.retries,
            character_s=character_s,
        )
