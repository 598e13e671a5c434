"""A hand on the line of a virtual meter: octets in, octets out, time moved by hand."""

from drivers.simulator.device import Device

AARQ = "60 1D A1 09 06 07 60 85 74 05 08 01 01 BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 00 7E 1F {}"


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def x25(data: bytes) -> bytes:
    """The check of HDLC, bit by bit as ISO/IEC 13239 writes it."""
    rest = 0xFFFF
    for octet in data:
        for bit in range(8):
            mixed = (rest ^ octet >> bit) & 1
            rest = rest >> 1 ^ (0x8408 if mixed else 0)
    return (rest ^ 0xFFFF).to_bytes(2, "little")


def framed(addresses: str, control: int, information: bytes = b"", more: int = 0) -> bytes:
    """A frame by hand; ``more`` sets the segmentation bit."""
    head = hexed(addresses) + bytes([control])
    size = 2 + len(head) + 2 + (2 + len(information) if information else 0)
    body = (0xA000 | more << 11 | size).to_bytes(2, "big") + head
    if information:
        body += x25(body) + information
    return b"\x7e" + body + x25(body) + b"\x7e"


class Hand:
    """Sends to a device and collects what comes back until it is quiet."""

    def __init__(self, device: Device, now: float = 1000.0) -> None:
        self.device = device
        self.now = now

    def say(self, data: bytes | str, within: float = 100.0) -> bytes:
        self.device.receive(self.now, hexed(data) if isinstance(data, str) else data)
        heard, until = b"", self.now + within
        while (wake := self.device.wake_at()) is not None and wake < until:
            self.now = max(self.now, wake)
            heard += self.device.transmit(self.now)
            self.device.sent(self.now)
        return heard


class Association:
    """An association over the wrapper: requests and answers without any framing to look at."""

    def __init__(self, device: Device, client: int, aarq: bytes | str, port: int = 1) -> None:
        self.hand = Hand(device)
        self._ports = client.to_bytes(2, "big") + port.to_bytes(2, "big")
        self.aare = self.ask(aarq)

    def ask(self, apdu: bytes | str) -> bytes:
        apdu = hexed(apdu) if isinstance(apdu, str) else apdu
        head = b"\x00\x01" + self._ports + len(apdu).to_bytes(2, "big")
        answer = self.hand.say(head + apdu)
        if not answer:
            return b""
        assert answer[:2] == b"\x00\x01"
        assert answer[2:6] == self._ports[2:] + self._ports[:2]
        assert int.from_bytes(answer[6:8], "big") == len(answer) - 8
        return answer[8:]


def aarq_low(password: bytes, pdu: str = "04 00") -> bytes:
    """An AARQ with low-level security, as the standard's example has it."""
    fields = hexed("A1 09 06 07 60 85 74 05 08 01 01 8A 02 07 80 8B 07 60 85 74 05 08 02 01")
    fields += bytes((0xAC, len(password) + 2, 0x80, len(password))) + password
    fields += hexed("BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 00 7E 1F" + pdu)
    return bytes((0x60, len(fields))) + fields
