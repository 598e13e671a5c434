"""Image transfer (class 18): only what is missing is sent, and a busy meter is asked again."""

from collections.abc import Iterator
from contextlib import suppress

from drivers.dlms.apdu import Attribute
from drivers.dlms.ciphering import length_octets
from drivers.dlms.data import Bits, signed8, structure, unsigned32
from drivers.dlms.objects import ObjectReader
from drivers.dlms.session import Session
from drivers.errors import GarbledReply, MeterBusy, NotSupported, ValueRefused
from drivers.firmware import LoadProgress, LoadStage
from drivers.link import Link

IMAGE = 18
CODE = bytes((0, 0, 44, 0, 0, 255))
_BLOCK_SIZE, _BITMAP, _FIRST_MISSING, _ENABLED, _STATUS, _TO_ACTIVATE = 2, 3, 4, 5, 6, 7
_INITIATE, _TRANSFER, _VERIFY, _ACTIVATE = 1, 2, 3, 4
_INITIATED, _VERIFYING, _VERIFIED, _VERIFY_FAILED = 1, 2, 3, 4
_ACTIVATING, _ACTIVATED, _ACTIVATE_FAILED = 5, 6, 7
_LARGEST_BLOCK = 1 << 16
_PATIENCE_S = 300.0  # for verifying and for activating
_POLL_S = 2.0


class ImageTransfer:
    """Loads an image into one meter."""

    def __init__(self, session: Session, objects: ObjectReader, link: Link) -> None:
        self._session = session
        self._objects = objects
        self._link = link

    def load(self, identifier: bytes, image: bytes, *, activate: bool) -> Iterator[LoadProgress]:
        """Send, verify and activate; see `drivers.firmware.TakesFirmware`."""
        if not image:
            raise NotSupported("the image is empty")
        if not self._told(_ENABLED):
            raise NotSupported("image transfer is switched off in this meter")
        size = self._number(_BLOCK_SIZE)
        if not 0 < size <= _LARGEST_BLOCK:
            raise GarbledReply(f"impossible block size {size}")
        total = -(-len(image) // size)
        there = self._there(total) if self._begun(identifier, len(image)) else None
        if there is None:
            parameter = structure(_octets(identifier), unsigned32(len(image)))
            self._call(_INITIATE, parameter)
            there = [False] * total
        resumed = sum(there)
        yield LoadProgress(LoadStage.SENDING, resumed, total, resumed)
        yield from self._send(image, size, there, resumed)
        yield LoadProgress(LoadStage.VERIFYING, total, total, resumed)
        self._until(_VERIFY, _VERIFIED, _VERIFY_FAILED, "the image is damaged or not for it")
        yield LoadProgress(LoadStage.VERIFIED, total, total, resumed)
        if activate:
            yield LoadProgress(LoadStage.ACTIVATING, total, total, resumed)
            self._until(_ACTIVATE, _ACTIVATED, _ACTIVATE_FAILED, "the image could not be activated")
            yield LoadProgress(LoadStage.ACTIVATED, total, total, resumed)

    # --- blocks -----------------------------------------------------------------------------

    def _begun(self, identifier: bytes, length: int) -> bool:
        """Return whether a transfer of this very image was begun before."""
        if self._number(_STATUS) != _INITIATED:
            return False
        known = self._told(_TO_ACTIVATE)
        for item in known if isinstance(known, list) else ():
            if isinstance(item, tuple) and item[:2] == (length, identifier):
                return True
        return False

    def _there(self, total: int) -> list[bool] | None:
        """Return which blocks the meter has; None when its bitmap has another length."""
        bitmap = self._told(_BITMAP)
        if not isinstance(bitmap, Bits) or len(bitmap.text) != total:
            return None
        return [bit == "1" for bit in bitmap.text]

    def _send(
        self, image: bytes, size: int, there: list[bool], resumed: int
    ) -> Iterator[LoadProgress]:
        done, total = resumed, len(there)
        for number, has in enumerate(there):
            if has:
                continue
            block = image[number * size : (number + 1) * size]
            self._call(_TRANSFER, structure(unsigned32(number), _octets(block)))
            done += 1
            yield LoadProgress(LoadStage.SENDING, done, total, resumed)
        missing = self._number(_FIRST_MISSING)
        if missing < total:
            raise ValueRefused(f"the meter lacks block {missing} after all {total} were sent")

    # --- verifying and activating -----------------------------------------------------------

    def _until(self, method: int, good: int, bad: int, words: str) -> None:
        """Call a method that takes long, and ask until it has ended."""
        end = self._link.now() + _PATIENCE_S
        with suppress(MeterBusy):  # temporary failure means that it is at work
            self._call(method, signed8(0), patient=False)
        while (status := self._number(_STATUS)) != good:
            if status == bad:
                raise ValueRefused(words)
            if self._link.now() >= end:
                raise MeterBusy(f"the meter is still at it (status {status})")
            self._link.wait(_POLL_S)

    # --- asking -----------------------------------------------------------------------------

    def _call(self, method: int, parameter: bytes, *, patient: bool = True) -> None:
        def call() -> None:
            self._session.action(Attribute(IMAGE, CODE, method), "the image transfer", parameter)

        if patient:
            self._session.patiently(call)
        else:
            call()

    def _told(self, attribute: int) -> object:
        return self._objects.value(IMAGE, CODE, attribute)

    def _number(self, attribute: int) -> int:
        value = self._told(attribute)
        if not isinstance(value, int):
            raise GarbledReply("the image transfer gives no number where one must stand")
        return value


def _octets(data: bytes) -> bytes:
    return b"\x09" + length_octets(len(data)) + data
