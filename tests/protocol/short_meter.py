"""A meter with short names for the client's tests: Read and Write behind a TCP wrapper.

It knows nothing of the driver's short names, nor of the virtual meters: bytes as the standard
prints them.
"""

from tests.protocol.dlms_meter import Value, WrapperMeterLink

AARE = "6129A109060760857405080102A203020100A305A103020100BE10040E0800065F1F0400{:06X}{:04X}FA00"
SHORT_CONTEXT, KEYED_CONTEXT = bytes.fromhex("60857405080102"), bytes.fromhex("60857405080104")
REFUSED = bytes.fromhex("6117A109060760857405080102A203020101A305A103020102")
READ, WRITE, UNCONFIRMED = 0x100000, 0x080000, 0x040000
BLOCKS, LISTS, SELECTORS = 0x001800, 0x000200, 0x000020
ALL = READ | WRITE | BLOCKS | LISTS | SELECTORS
FIRST_METHOD = {20: 0x50, 70: 0x20, 18: 0x40}
FIXED = {"0.0.40.0.0.255": 0xFA00, "0.0.42.0.0.255": 0xFD00, "1.1.0.2.0.255": 0xFF00}


class ShortMeterLink(WrapperMeterLink):
    """One meter; objects begin at 0x1000 and lie 0x100 apart, in the order in which they stand.

    ``written`` has what methods were called with, by short name.
    """

    def __init__(
        self,
        objects: dict[tuple[int, str, int], Value],
        *,
        block: int = 0,
        conformance: int = ALL,
        pdu: int = 512,
        start: int = 0x1000,
    ) -> None:
        super().__init__(objects, block=block)
        self.aare = bytes.fromhex(AARE.format(conformance, pdu))
        self.written: list[tuple[int, bytes]] = []
        self.bases = self.placed(start)
        self._read_blocks: list[bytes] = []
        self._write_blocks = b""

    def placed(self, at: int) -> dict[tuple[int, str], int]:
        bases: dict[tuple[int, str], int] = {(12, "0.0.40.0.0.255"): 0xFA00}
        for class_id, code, _ in self.objects:
            if (class_id, code) not in bases:
                bases[class_id, code] = FIXED.get(code, at)
                at += 0x100
        return bases

    def object_list(self) -> bytes:
        items = [
            b"\x02\x04\x10" + base.to_bytes(2, "big") + b"\x12" + class_id.to_bytes(2, "big")
            + b"\x11\x00\x09\x06" + bytes(map(int, code.split(".")))
            for (class_id, code), base in self.bases.items()
        ]  # fmt: skip
        return b"\x01" + bytes((len(items),)) + b"".join(items)

    def answer(self, apdu: bytes) -> bytes | None:
        if apdu[0] in self.special:
            return self.special[apdu[0]]
        if apdu[0] == 0x60:
            return self.aare if SHORT_CONTEXT in apdu or KEYED_CONTEXT in apdu else REFUSED
        if apdu[0] == 0x62:
            return b"\x63\x03\x80\x01\x00"
        if apdu[0] == 0x05:
            return self._reads(apdu)
        assert apdu[0] in {0x06, 0x16}
        results = self._writes(apdu[1:])
        return b"\x0d" + results if apdu[0] == 0x06 else None

    # --- Read -------------------------------------------------------------------------------

    def _reads(self, apdu: bytes) -> bytes:
        if apdu[2] == 5:
            return self._block(int.from_bytes(apdu[3:5], "big") + 1)
        results, at = b"", 2
        for _ in range(apdu[1]):
            name, selector, at = self._variable(apdu, at)
            value = self._called(name, selector) if selector[:1] == b"\0" else None
            value = self._found(name, selector) if value is None else value
            results += b"\x01" + bytes((value,)) if isinstance(value, int) else b"\x00" + value
        body = apdu[1:2] + results
        if not self.block or len(body) <= self.block:
            return b"\x0c" + body
        self._read_blocks = [body[n : n + self.block] for n in range(0, len(body), self.block)]
        return self._block(1)

    def _variable(self, apdu: bytes, at: int) -> tuple[int, bytes, int]:
        name = int.from_bytes(apdu[at + 1 : at + 3], "big")
        if apdu[at] == 2:
            return name, b"", at + 3
        assert apdu[at] == 4
        return name, apdu[at + 3 :], len(apdu)  # the tests ask for one at a time

    def _block(self, number: int) -> bytes:
        if not 1 <= number <= len(self._read_blocks):
            return b"\x0c\x01\x01\x13"
        raw = self._read_blocks[number - 1]
        last = bytes((number == len(self._read_blocks),))
        head = b"\x0c\x01\x02" + last + number.to_bytes(2, "big")
        return head + b"\x82" + len(raw).to_bytes(2, "big") + raw

    def _found(self, name: int, selector: bytes) -> bytes | int:
        if name == 0xFA08:
            return self.object_list()
        for (class_id, code), base in self.bases.items():
            if base == name:
                return b"\x09\x06" + bytes(map(int, code.split(".")))
            if base < name < base + 0x100 and (name - base) % 8 == 0:
                value = self.objects.get((class_id, code, (name - base) // 8 + 1), 4)
                return value(selector) if callable(value) else value
        return 4

    def _called(self, name: int, selector: bytes) -> bytes | None:
        self.written.append((name, selector[1:]))
        return b"\x09\x02ok"

    # --- Write ------------------------------------------------------------------------------

    def _writes(self, body: bytes) -> bytes:
        if body[1] == 7:
            last, number = body[2], body[3:5]
            assert body[5:7] == b"\x01\x09"
            self._write_blocks += body[8:]
            assert len(body[8:]) == body[7]
            if not last:
                return b"\x01\x02" + number
            body, self._write_blocks = self._write_blocks, b""
        name, _, at = self._variable(body, 1)
        assert body[:1] == body[at : at + 1] == b"\x01"
        return b"\x01" + self._kept(name, body[at + 1 :])

    def _kept(self, name: int, data: bytes) -> bytes:
        for (class_id, code), base in self.bases.items():
            key = (class_id, code, (name - base) // 8 + 1)
            if base < name < base + 0x100 and key in self.objects:
                self.objects[key] = data
                return b"\x00"
            first = base + FIRST_METHOD.get(class_id, 0x100)
            if first <= name < base + 0x100:
                self.written.append((name, data))
                return b"\x00"
        return b"\x01\x04"
