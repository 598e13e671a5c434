"""Image transfer (class 18) of a virtual meter.

An image is good when its last four octets are the CRC-32 of the rest, and its identifier begins
with the make.  Verifying takes some seconds, in which the meter answers temporary failure.
"""

from collections.abc import Callable
from zlib import crc32

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.objects import (
    OTHER_REASON,
    TEMPORARY_FAILURE,
    Attribute,
    CosemObject,
    Refused,
)

IMAGE = "0-0:44.0.0.255"
BLOCK = 200
VERIFY_S = 5.0
NOT_BEGUN, BEGUN, VERIFYING, VERIFIED, VERIFY_FAILED, _, ACTIVATED = range(7)
_LARGEST = 1 << 20


def signed(image: bytes) -> bytes:
    """Return an image with the check this meter wants."""
    return image + crc32(image).to_bytes(4, "big")


class Images:
    """The image of one meter; ``activated`` learns the identifier of a new firmware."""

    def __init__(self, make: bytes, activated: Callable[[float, bytes], None]) -> None:
        self._make = make
        self._activated = activated
        self._identifier = b""
        self._image = bytearray()
        self._have: list[bool] = []
        self._status = NOT_BEGUN
        self._ready_at = 0.0

    def cosem(self) -> CosemObject:
        """Return the object."""
        return CosemObject(
            18,
            IMAGE,
            {
                2: Attribute(axdr.integer(axdr.U32, BLOCK)),
                3: Attribute(self._bitmap),
                4: Attribute(lambda _: axdr.integer(axdr.U32, self._missing())),
                5: Attribute(axdr.boolean(True)),
                6: Attribute(self._state),
                7: Attribute(self._known),
            },
            {1: self._initiate, 2: self._transfer, 3: self._verify, 4: self._activate},
        )

    def _bitmap(self, now: float) -> bytes:
        del now
        text = "".join("1" if has else "0" for has in self._have)
        return axdr.bits(len(text), int(text, 2)) if text else axdr.bits(0, 0)

    def _missing(self) -> int:
        return self._have.index(False) if False in self._have else len(self._have)

    def _state(self, now: float) -> bytes:
        self._settle(now)
        return axdr.integer(axdr.ENUM, self._status)

    def _known(self, now: float) -> bytes:
        del now
        if self._status == NOT_BEGUN:
            return axdr.array([])
        size = axdr.integer(axdr.U32, len(self._image))
        own = axdr.octets(bytes(self._image[-4:]))
        return axdr.array([axdr.structure(size, axdr.octets(self._identifier), own)])

    def _initiate(self, now: float, parameter: Value | None) -> bytes:
        del now
        name, size = (parameter or Value(axdr.NULL, None)).members(2)
        count = size.number(axdr.U32)
        if not name.octets().startswith(self._make) or not 4 < count <= _LARGEST:  # noqa: PLR2004
            raise Refused(OTHER_REASON)
        self._identifier, self._image = name.octets(), bytearray(count)
        self._have = [False] * -(-count // BLOCK)
        self._status = BEGUN
        return b""

    def _transfer(self, now: float, parameter: Value | None) -> bytes:
        del now
        if self._status != BEGUN:
            raise Refused(OTHER_REASON)
        number, block = (parameter or Value(axdr.NULL, None)).members(2)
        place, data = number.number(axdr.U32), block.octets()
        if place >= len(self._have):
            raise Refused(OTHER_REASON)
        begin = place * BLOCK
        if len(data) != min(BLOCK, len(self._image) - begin):
            raise BadData("a block of another size")
        self._image[begin : begin + len(data)] = data
        self._have[place] = True
        return b""

    def _verify(self, now: float, parameter: Value | None) -> bytes:
        del parameter
        self._settle(now)
        if self._status == BEGUN and all(self._have):
            self._status, self._ready_at = VERIFYING, now + VERIFY_S
        if self._status == VERIFYING:
            raise Refused(TEMPORARY_FAILURE)
        if self._status != VERIFIED:
            raise Refused(OTHER_REASON)
        return b""

    def _activate(self, now: float, parameter: Value | None) -> bytes:
        del parameter
        self._settle(now)
        if self._status != VERIFIED:
            raise Refused(OTHER_REASON)
        self._status = ACTIVATED
        self._activated(now, self._identifier)
        return b""

    def _settle(self, now: float) -> None:
        if self._status == VERIFYING and now >= self._ready_at:
            good = signed(bytes(self._image[:-4])) == bytes(self._image)
            self._status = VERIFIED if good else VERIFY_FAILED
