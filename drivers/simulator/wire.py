"""The line between a program and the virtual meters on it: characters in time, no I/O, no clock.

Theory of operation.  Time is an argument, so the same wire runs in virtual time (`DeviceLink`) and
in real time (`serve`).  The program's characters go out one after another; each is heard by every
device when its last stop bit has passed, at the format the device has *then*.  What a device sends
is a flight: its characters arrive one after another, are heard by the program at the format the
port has then, and by the other devices on the line.  Two flights at once spoil each other.

A medium says what a character looks like at either end: a serial port with its own speed and
format (`PortMedium`), the raw wire of a pseudo-terminal (`RawMedium`), or plain text through a
converter (`PlainMedium`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.simulator.device import Device, WireFormat

_EVEN = bytes((c & 0x7F) | ((c & 0x7F).bit_count() & 1) << 7 for c in range(256))
_ODD = bytes(c ^ 0x80 for c in _EVEN)
_SEVEN = bytes(c & 0x7F for c in range(256))
_MOST_PER_CHARACTER = 3  # noise characters that one slow character looks like at a high speed
_TINY = 1e-9  # s, rounding
_AGAIN = 0.001  # s until a device is asked again that woke up and had nothing to send


def bits(form: WireFormat) -> int:
    """Return how many bits one character takes, start and stop bit included."""
    return 2 + form.data_bits + (form.parity != "N")


def character_s(form: WireFormat) -> float:
    """Return how many seconds one character takes."""
    return bits(form) / form.speed


def fits(one: WireFormat, other: WireFormat) -> bool:
    """Tell whether characters sent with ``one`` are seen as characters with ``other``."""
    return one.speed == other.speed and bits(one) == bits(other)


def noise(data: bytes, sent: int, heard: int) -> bytes:
    """Return what ``data`` sent at one speed looks like at another; no chance is involved."""
    ratio = min(heard / sent, _MOST_PER_CHARACTER) if sent else 1
    count = max(1, round(len(data) * ratio)) if data else 0
    return bytes((data[n % len(data)] * 167 + 29 * n + 0x80) & 0xFF for n in range(count))


class Medium(Protocol):
    """What carries characters between the program and the devices."""

    def character_s(self, device: WireFormat) -> float:
        """Seconds that one character of the program takes while a device listens so."""

    def to_device(self, data: bytes, device: WireFormat) -> bytes | None:
        """Return the program's characters as the device hears them; None when they are garbled."""

    def to_program(self, data: bytes, device: WireFormat) -> bytes:
        """Return a device's characters as the program gets them."""


class PortMedium:
    """A serial port with its own speed and format, as a UART behaves."""

    def __init__(self, line: WireFormat) -> None:
        self.line = line
        self.parity_errors = 0

    def character_s(self, device: WireFormat) -> float:  # noqa: ARG002 (the port decides)
        """Seconds of a character at the port's own setting."""
        return character_s(self.line)

    def to_device(self, data: bytes, device: WireFormat) -> bytes | None:
        """Add the port's parity; garbled unless speed and length of a character fit."""
        if not fits(self.line, device):
            return None
        if self.line.data_bits == 7:  # noqa: PLR2004 (seven data bits)
            return data.translate(_ODD if self.line.parity == "O" else _EVEN)
        return data

    def to_program(self, data: bytes, device: WireFormat) -> bytes:
        """Strip and count the port's parity; noise unless speed and length fit."""
        if not fits(self.line, device):
            return noise(data, device.speed, self.line.speed)
        if self.line.data_bits == 7:  # noqa: PLR2004 (seven data bits)
            self.parity_errors += sum(c.bit_count() & 1 for c in data)
            return data.translate(_SEVEN)
        return data


class RawMedium:
    """A wire that shows all eight bits, at the speed that ``speed`` tells at the moment."""

    def __init__(self, speed: Callable[[], int]) -> None:
        self._speed = speed

    def character_s(self, device: WireFormat) -> float:
        """Seconds of a character at the program's speed; its length is the device's."""
        return bits(device) / (self._speed() or device.speed)

    def to_device(self, data: bytes, device: WireFormat) -> bytes | None:
        """Pass everything on, or nothing at another speed."""
        return data if self._speed() == device.speed else None

    def to_program(self, data: bytes, device: WireFormat) -> bytes:
        """Pass everything on, or noise at another speed."""
        speed = self._speed()
        return data if speed == device.speed else noise(data, device.speed, speed)


class PlainMedium:
    """A converter that follows the meter's speed and carries text without its parity bits.

    A program that sends parity bits itself (software 7E1) gets them back as well.
    """

    def __init__(self) -> None:
        self._with_parity = False

    def character_s(self, device: WireFormat) -> float:
        """Seconds of a character as the device has it: the converter follows."""
        return character_s(device)

    def to_device(self, data: bytes, device: WireFormat) -> bytes | None:
        """Add parity for a 7-bit device, unless the program does so itself."""
        if device.data_bits != 7:  # noqa: PLR2004 (seven data bits)
            return data
        high, odd = any(c & 0x80 for c in data), any(c.bit_count() & 1 for c in data)
        if high or odd:
            self._with_parity = high
        return data if self._with_parity else data.translate(_EVEN)

    def to_program(self, data: bytes, device: WireFormat) -> bytes:
        """Strip the parity of a 7-bit device, unless the program sends parity itself."""
        if device.data_bits != 7 or self._with_parity:  # noqa: PLR2004 (seven data bits)
            return data
        return data.translate(_SEVEN)


@dataclass(slots=True)
class Flight:
    """What one device is sending; ``arrived`` characters of it have reached the program."""

    place: int  # which device
    data: bytes
    form: WireFormat
    start: float
    step: float  # s per character; 0 on a wire without its own time
    arrived: int = 0
    clashing: bool = False
    cut: bool = False  # the program changed its format while the next character was under way

    def at(self, count: int) -> float:
        """When the last stop bit of the first ``count`` characters has passed."""
        return self.start + count * self.step

    def next_count(self, latency: float) -> int:
        """How many characters will have arrived with the next piece."""
        more = max(1, int(latency / self.step)) if self.step else len(self.data)
        return min(len(self.data), self.arrived + more)


class Wire:
    """Devices on one line and the program at its end.

    Args:
        devices: All meters on the line; each hears everything.
        medium: What carries the characters.
        paced: Whether characters take their true time.  Where not, only the program's 7-bit
            characters do, because sign-on protocols count on it; a meter's come at once.
        latency: Characters reach the program in pieces of this many seconds at most, as adapters
            hand them over.
        out_latency: The same for the program's characters on their way to the devices.
        start: When the clock begins.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        medium: Medium,
        *,
        paced: bool = True,
        latency: float = 0.001,
        out_latency: float = 0.0,
        start: float = 0.0,
    ) -> None:
        self._devices = list(devices)
        self._medium = medium
        self._paced = paced
        self._latency, self._out_latency = latency, out_latency
        self._clock = start
        self._flights: list[Flight] = []
        self._not_before = [start] * len(self._devices)
        self._out = bytearray()
        self._out_count = 0  # characters of ``_out`` that are under way together
        self._out_due = start
        self._out_cut = False
        self._heard = bytearray()

    # -- the program's end -------------------------------------------------------------------

    def put(self, now: float, data: bytes) -> None:
        """Queue the program's characters for sending."""
        self.run(now)
        idle = not self._out
        self._out += data
        if idle and data:
            self._start_out(now)

    def take(self) -> bytes:
        """Return the characters that have arrived at the program and were not taken yet."""
        data = bytes(self._heard)
        self._heard.clear()
        return data

    def before_change(self, now: float) -> None:
        """Finish what came until ``now``; characters cut by a change of format are spoilt."""
        self.run(now)
        for flight in self._flights:
            if flight.step:
                done = min(len(flight.data), int((now - flight.start) / flight.step + 1e-6))
                self._arrive(flight, max(done, flight.arrived))
                flight.cut = flight.at(done) < now - _TINY
        self._out_cut = bool(self._out)

    def drop(self) -> None:
        """Forget what was on its way to a program that has gone; what it sent still goes out."""
        self._heard.clear()

    # -- time --------------------------------------------------------------------------------

    def next_at(self) -> float | None:
        """When something will happen next; None when all is quiet."""
        times = [flight.at(flight.next_count(self._latency)) for flight in self._flights]
        if self._out:
            times.append(self._out_due)
        sending = {flight.place for flight in self._flights}
        for place, device in enumerate(self._devices):
            if place not in sending and (wake := device.wake_at()) is not None:
                times.append(max(wake, self._not_before[place]))
        return max(min(times), self._clock) if times else None

    def run(self, now: float) -> None:
        """Let everything happen that is due until ``now``, in its order."""
        while (due := self.next_at()) is not None and due <= now + _TINY:
            self._clock = due
            if self._out and self._out_due <= due:
                self._deliver(due)
            for flight in list(self._flights):
                if flight.at(count := flight.next_count(self._latency)) <= due + _TINY:
                    self._arrive(flight, count)
                    if count == len(flight.data):
                        self._land(flight)
            self._wake(due)
        self._clock = max(self._clock, now)

    # -- from the program to the devices -----------------------------------------------------

    def _start_out(self, now: float) -> None:
        forms = [device.format for device in self._devices]
        sevens = [form for form in forms if form.data_bits == 7]  # noqa: PLR2004
        if not self._paced and not sevens:
            self._out_count, self._out_due = len(self._out), now
            return
        step = self._medium.character_s((sevens or forms)[0])
        self._out_count = min(len(self._out), max(1, int(self._out_latency / step)))
        self._out_due = now + self._out_count * step

    def _deliver(self, now: float) -> None:
        data = bytes(self._out[: self._out_count])
        del self._out[: self._out_count]
        for device in self._devices:
            heard = None if self._out_cut else self._medium.to_device(data, device.format)
            if heard is None:
                device.garbled(now, len(data))
            else:
                device.receive(now, heard)
        self._out_cut = False
        if self._out:
            self._start_out(now)

    # -- from the devices to the program -----------------------------------------------------

    def _wake(self, now: float) -> None:
        sending = {flight.place for flight in self._flights}
        for place, device in enumerate(self._devices):
            wake = device.wake_at()
            if place in sending or wake is None or max(wake, self._not_before[place]) > now:
                continue
            data = device.transmit(now)
            self._not_before[place] = now if data else now + _AGAIN
            if data:
                form = device.format
                step = character_s(form) if self._paced else 0.0
                flight = Flight(place, data, form, now, step, clashing=bool(self._flights))
                for other in self._flights:
                    other.clashing = True
                self._flights.append(flight)

    def _arrive(self, flight: Flight, count: int) -> None:
        data = flight.data[flight.arrived : count]
        if not data:
            return
        flight.arrived = count
        if flight.clashing:
            self._heard += noise(data, 1, 1)
            return
        if flight.cut:
            self._heard += noise(data[:1], 1, 1)
            data, flight.cut = data[1:], False
        self._heard += self._medium.to_program(data, flight.form)

    def _land(self, flight: Flight) -> None:
        self._flights.remove(flight)
        end = self._clock
        self._devices[flight.place].sent(end)
        for place, device in enumerate(self._devices):
            if place == flight.place:
                continue
            if flight.clashing or not fits(flight.form, device.format):
                device.garbled(end, len(flight.data))
            else:
                device.receive(end, flight.data)
