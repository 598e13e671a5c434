"""An RFC 2217 port with virtual meters behind it: speed, size and parity are taken seriously."""

from collections.abc import Iterator
from typing import Any, cast

from serial import rfc2217

from drivers.simulator.device import WireFormat
from drivers.simulator.serve_tcp import TcpTransport
from drivers.simulator.wire import PortMedium

_FIRST = WireFormat(9600, 8, "N")


class RemotePort:
    """What stands in for the serial port that pySerial's port manager wants to set."""

    def __init__(self) -> None:
        self.baudrate, self.bytesize, self.parity, self.stopbits = 9600, 8, "N", 1
        self.rts = self.dtr = self.cts = self.dsr = self.cd = True
        self.ri = self.rtscts = self.xonxoff = self.break_condition = False

    @property
    def format(self) -> WireFormat:
        """What the port is set to."""
        return WireFormat(self.baudrate, self.bytesize, self.parity)

    def reset_input_buffer(self) -> None:
        """Do nothing: nothing is kept."""

    def reset_output_buffer(self) -> None:
        """Do nothing: nothing is kept."""


class Rfc2217Transport(TcpTransport):
    """A listening socket whose connections speak RFC 2217."""

    scheme = "rfc2217"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, PortMedium(_FIRST))
        self._port = RemotePort()
        self._manager: Any = None

    def write(self, data: bytes) -> None:
        """Queue bytes of the protocol itself (the port manager calls this)."""
        super().send(data)

    def send(self, data: bytes) -> None:
        """Hand a meter's characters to the program, if it has agreed on the protocol."""
        if self._manager is not None:
            super().send(b"".join(self._manager.escape(data)))

    def _greet(self) -> None:
        self._port = RemotePort()
        self._manager = rfc2217.PortManager(
            cast("rfc2217.Serial", self._port), cast("rfc2217.Serial", self)
        )

    def _understood(self, data: bytes) -> Iterator[bytes | WireFormat | None]:
        """Yield characters and changes of the setting in the order they were sent."""
        before = self._port.format
        yield before
        characters = bytearray()
        for number in range(len(data)):
            characters += b"".join(self._manager.filter(data[number : number + 1]))
            if self._port.format != before:
                yield bytes(characters)
                characters.clear()
                before = self._port.format
                yield before
        yield bytes(characters)
