"""Ciphered services of a virtual meter: security suite 0, AES-GCM-128.  IEC 62056-5-3, clause 9.2.

    tag | length | security control | counter 4 | text | tag 12

Strict: a wrong tag, a counter that does not rise, another suite, a broadcast key or compression are
refused.  The counters live in `MeterKeys`, so that they outlive an association as in a real meter.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Taker
from drivers.simulator.dlms.faults import Faults

AUTHENTICATE, ENCRYPT = 0x10, 0x20
_TAG = 12
CIPHERED = {  # requests
    0x21: 0x01, 0xC8: 0xC0, 0xC9: 0xC1, 0xCB: 0xC3, 0x25: 0x05, 0x26: 0x06, 0x36: 0x16,
}  # fmt: skip
_ANSWERS = {0x08: 0x28, 0xC4: 0xCC, 0xC5: 0xCD, 0xC7: 0xCF, 0x0C: 0x2C, 0x0D: 0x2D, 0x0F: 0xDB}
_GENERAL = 0xDB
DECIPHERING, COUNTER = 5, 6  # service errors of an exception response


class Untrusted(Exception):
    """A ciphered request is refused; ``reason`` is the service error."""

    def __init__(self, reason: int) -> None:
        super().__init__(f"service error {reason}")
        self.reason = reason


@dataclass
class MeterKeys:
    """Keys of one meter for one client, and the counters that go with them.

    ``accepted`` is the client's highest counter so far, ``sent`` the meter's own.
    """

    encryption: bytes
    authentication: bytes
    title: bytes  # system title of the meter
    accepted: int = 0
    sent: int = 0


class Secured:
    """The ciphering of one association."""

    def __init__(self, keys: MeterKeys, client_title: bytes, faults: Faults) -> None:
        self._keys = keys
        self._client = client_title
        self._faults = faults
        self._control = AUTHENTICATE | ENCRYPT  # as the client protects, the meter does
        self._general = False  # and in the same form: general or per service
        self._before = keys.accepted  # what was accepted before the latest request

    def opened(self, apdu: bytes) -> bytes:
        """Return the request in a ciphered one.

        Raises:
            Untrusted: Tag, counter or control octet are not in order.
            BadData: It is malformed.
        """
        taker = Taker(apdu)
        tag = taker.octet()
        general, service = tag == _GENERAL, CIPHERED.get(tag)
        if service is None and not general:
            raise Untrusted(DECIPHERING)
        if general and taker.octets(taker.length()) != self._client:
            raise Untrusted(DECIPHERING)
        if taker.length() != taker.left:
            raise BadData("the length does not fit")
        control, counter = taker.octet(), taker.octets(4)
        text = taker.octets(taker.left)
        if control not in {AUTHENTICATE, ENCRYPT, AUTHENTICATE | ENCRYPT}:
            raise Untrusted(DECIPHERING)
        clear = self._deciphered(control, self._client + counter, text)
        self._rise(counter)
        if service is not None and clear[:1] != bytes([service]):
            raise BadData("another service inside")
        self._control, self._general = control, general
        return clear

    def closed(self, apdu: bytes) -> bytes:
        """Return an answer ciphered; exceptions go out in clear."""
        if not apdu or apdu[0] not in _ANSWERS:
            return apdu
        if not self._faults.happens("old-counter", 3):
            self._keys.sent += 1
        body = self._ciphered(self._control, self._keys.sent, apdu)
        if self._faults.happens("forged-tag", 3):
            body = body[:-1] + bytes([body[-1] ^ 1])
        tag, title = _GENERAL if self._general else _ANSWERS[apdu[0]], b""
        if tag == _GENERAL:
            title = axdr.length(len(self._keys.title)) + self._keys.title
        return bytes([tag]) + title + axdr.length(len(body)) + body

    def proof(self, challenge: bytes) -> bytes:
        """Return what proves the keys to the client: control, counter, tag."""
        self._keys.sent += 1
        body = self._ciphered(AUTHENTICATE, self._keys.sent, challenge)
        return body[:5] + body[-_TAG:]

    def proves(self, proof: bytes, challenge: bytes) -> bool:
        """Tell whether the client's answer to ``challenge`` is right."""
        if len(proof) != 5 + _TAG or proof[0] != AUTHENTICATE:
            return False
        counter = int.from_bytes(proof[1:5], "big")
        if not self._before < counter <= self._keys.accepted:
            return False  # made before or with the request that carries it, not earlier
        try:
            self._deciphered(AUTHENTICATE, self._client + proof[1:5], challenge + proof[5:])
        except Untrusted:
            return False
        return True

    def _rise(self, counter: bytes) -> None:
        number = int.from_bytes(counter, "big")
        if number <= self._keys.accepted:
            raise Untrusted(COUNTER)
        self._before, self._keys.accepted = self._keys.accepted, number

    def _deciphered(self, control: int, nonce: bytes, text: bytes) -> bytes:
        key, associated = self._keys.encryption, bytes([control]) + self._keys.authentication
        if control == ENCRYPT:
            stream = Cipher(algorithms.AES(key), modes.CTR(nonce + bytes((0, 0, 0, 2))))
            return stream.decryptor().update(text)
        clear, tag = text[:-_TAG], text[-_TAG:]
        if len(tag) != _TAG:
            raise Untrusted(DECIPHERING)
        plain = control == AUTHENTICATE
        mode = modes.GCM(nonce, tag, min_tag_length=_TAG)
        decryptor = Cipher(algorithms.AES(key), mode).decryptor()
        decryptor.authenticate_additional_data(associated + clear if plain else associated)
        found = clear if plain else decryptor.update(clear)
        try:
            decryptor.finalize()
        except InvalidTag as error:
            raise Untrusted(DECIPHERING) from error
        return found

    def _ciphered(self, control: int, counter: int, clear: bytes) -> bytes:
        head = bytes([control]) + counter.to_bytes(4, "big")
        nonce = self._keys.title + head[1:]
        associated = head[:1] + self._keys.authentication
        sealer = AESGCM(self._keys.encryption)
        if control == AUTHENTICATE:
            return head + clear + sealer.encrypt(nonce, b"", associated + clear)[:_TAG]
        sealed = sealer.encrypt(nonce, clear, associated if control & AUTHENTICATE else None)
        text, tag = sealed[: len(clear)], sealed[len(clear) :][:_TAG]
        return head + text + (tag if control & AUTHENTICATE else b"")
