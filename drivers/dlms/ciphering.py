"""Ciphered APDUs of security suite 0: AES-128-GCM, tags of 12 octets, counters that only rise.

    tag | length | security control | counter (4) | text or ciphertext | tag (12, authenticated)

The nonce is the sender's system title and the counter: no counter is ever used twice with a key.
Every answer's tag is verified before anything of it is looked at, and its counter must rise.
Source: IEC 62056-5-3, clause 9.2; NIST SP 800-38D.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drivers.dlms.data import Incomplete, length_at
from drivers.errors import GarbledReply, KeysDoNotFit, NotSupported
from drivers.secrets import Secret

AUTHENTICATED, ENCRYPTED = 0x10, 0x20
_PROTECTED = AUTHENTICATED | ENCRYPTED
PROTECTIONS = {
    "authenticated": AUTHENTICATED,
    "encrypted": ENCRYPTED,
    "both": _PROTECTED,
}
_TAG = 12
_HEAD = 5  # security control and counter
_TITLE = 8
_KEY = 16
_SUITE, _BROADCAST, _COMPRESSED = 0x0F, 0x40, 0x80
_LAST_COUNTER = 0xFFFFFFFF
_GENERAL = 0xDB
_CLEAR = frozenset({0xD8, 0x0E})  # exception and service error come as they are
_GLOBAL = {  # service -> its ciphered form
    0x01: 0x21, 0x08: 0x28, 0x05: 0x25, 0x06: 0x26, 0x0C: 0x2C, 0x0D: 0x2D, 0x16: 0x36,
    0x18: 0x38, 0xC0: 0xC8, 0xC1: 0xC9, 0xC2: 0xCA, 0xC3: 0xCB, 0xC4: 0xCC, 0xC5: 0xCD,
    0xC7: 0xCF,
}  # fmt: skip
_SERVICES = {ciphered: service for service, ciphered in _GLOBAL.items()}


class CounterStore(Protocol):
    """Keeps the highest counter ever used with a key, beyond the end of the program."""

    def latest(self, meter: str, key: str) -> int:
        """Return the highest counter kept for a key, -1 where none is."""

    def keep(self, meter: str, key: str, counter: int) -> None:
        """Keep ``counter``, durably, before this returns; a lower one changes nothing."""


class RememberedCounters:
    """Counters that are kept as long as the program runs: for tests and for public meters."""

    def __init__(self) -> None:
        self._kept: dict[str, int] = {}

    def latest(self, meter: str, key: str) -> int:  # noqa: ARG002 (a key is never used twice)
        """Return the highest counter kept for a key, -1 where none is."""
        return self._kept.get(key, -1)

    def keep(self, meter: str, key: str, counter: int) -> None:  # noqa: ARG002 (see `latest`)
        """Keep ``counter``."""
        self._kept[key] = max(counter, self._kept.get(key, -1))


class Counter:
    """The counter of what we send with one key.

    Numbers are reserved in the store in advance, so that not every request is a write to disk and a
    crash skips some numbers and never repeats one.
    """

    _RESERVED = 256

    def __init__(self, store: CounterStore, meter: str, key: Secret) -> None:
        self._store = store
        self._meter = meter
        self._key = fingerprint(key)
        self._next = store.latest(meter, self._key) + 1
        self._reserved = self._next

    def rise_to(self, accepted: int) -> None:
        """Go on behind a counter that the meter has accepted."""
        self._next = max(self._next, accepted + 1)

    def take(self) -> int:
        """Return the next counter, which nobody has used.

        Raises:
            KeysDoNotFit: The key is used up.
        """
        number = self._next
        if number > _LAST_COUNTER:
            raise KeysDoNotFit("the invocation counter has reached its end: a new key is needed")
        if number >= self._reserved:
            self._reserved = min(number + self._RESERVED, _LAST_COUNTER + 1)
            self._store.keep(self._meter, self._key, self._reserved - 1)
        self._next = number + 1
        return number


def fingerprint(key: Secret) -> str:
    """Return what names a key without telling it."""
    return hashlib.sha256(b"meterwright counter\x00" + key.reveal()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Keys:
    """The block (encryption) key and the authentication key of one meter."""

    encryption: Secret
    authentication: Secret
    gcm: AESGCM = field(init=False, repr=False, compare=False)  # made once, used for each text

    def __post_init__(self) -> None:
        for key in (self.encryption, self.authentication):
            if len(key.reveal()) != _KEY:
                raise KeysDoNotFit("a key of security suite 0 has 16 octets")
        object.__setattr__(self, "gcm", AESGCM(self.encryption.reveal()))


class Ciphering:
    """Ciphers what is sent and deciphers what comes, for one association."""

    def __init__(self, keys: Keys, title: bytes, protection: int, counter: Counter) -> None:
        """Prepare an association.

        Args:
            keys: Of the meter.
            title: Our system title.
            protection: `AUTHENTICATED`, `ENCRYPTED` or both.
            counter: Of what we send with the block key.
        """
        if len(title) != _TITLE:
            raise NotSupported("a system title has 8 octets")
        self._keys = keys
        self.title = title
        self._protection = protection
        self._counter = counter
        self._seen = -1  # the latest counter of the meter
        self.peer = b""  # system title of the meter, from its AARE

    # --- APDUs ------------------------------------------------------------------------------

    def protect(self, apdu: bytes) -> bytes:
        """Return ``apdu`` ciphered, under a counter of its own."""
        tag = _GLOBAL.get(apdu[0])
        if tag is None:
            raise NotSupported(f"service {apdu[0]:02X} has no ciphered form")
        body = sealed(self._keys, self.title, self._counter.take(), self._protection, apdu)
        return bytes((tag,)) + length_octets(len(body)) + body

    def opened(self, apdu: bytes) -> bytes:
        """Return what stands in a ciphered answer; error answers come in clear.

        Raises:
            KeysDoNotFit: Its tag is wrong, its counter does not rise, it is protected less than
                agreed, or not at all.
            GarbledReply: It is cut short.
        """
        if not apdu:
            raise GarbledReply("an empty answer")
        if apdu[0] in _CLEAR:
            return apdu
        at, title = 1, self.peer
        if apdu[0] == _GENERAL:
            title, at = _string(apdu, 1)
        elif apdu[0] not in _SERVICES:
            raise KeysDoNotFit("the meter answers in clear what must be ciphered")
        if title != self.peer:
            raise KeysDoNotFit("the answer is ciphered by another meter")
        body, end = _string(apdu, at)
        if end != len(apdu):
            raise GarbledReply(f"{len(apdu) - end} octets follow the ciphered answer")
        clear = self._clear(body)
        if apdu[0] != _GENERAL and clear[:1] != bytes((_SERVICES[apdu[0]],)):
            raise GarbledReply("a ciphered answer holds another service than it says")
        return clear

    def _clear(self, body: bytes) -> bytes:
        if len(body) <= _HEAD:
            raise GarbledReply("a ciphered answer is cut short")
        control, counter = body[0], int.from_bytes(body[1:_HEAD], "big")
        if control & _COMPRESSED:
            raise NotSupported("the meter compresses its answers")
        if control & (_BROADCAST | _SUITE) or control & self._protection != self._protection:
            raise KeysDoNotFit("the answer is protected in another way than agreed")
        clear = unsealed(self._keys, self.peer, body)
        if counter <= self._seen:
            raise KeysDoNotFit("the counter of the meter's answer does not rise")
        self._seen = counter
        return clear

    # --- proof of the keys (HLS 5) ----------------------------------------------------------

    def proof(self, challenge: bytes) -> bytes:
        """Return what answers the meter's challenge: control, counter and tag."""
        counter = self._counter.take()
        return _mac(self._keys, self.title, counter, challenge)

    def check_proof(self, proof: bytes, challenge: bytes) -> None:
        """Check the meter's answer to our challenge.

        Raises:
            KeysDoNotFit: It is not the answer of a meter that has the keys.
        """
        counter = int.from_bytes(proof[1:_HEAD], "big")
        wanted = _mac(self._keys, self.peer, counter, challenge)
        if len(proof) != len(wanted) or not hmac.compare_digest(proof, wanted):
            raise KeysDoNotFit("the meter cannot prove that it has the keys")

    def knows(self, title: bytes) -> None:
        """Take the system title of the meter.

        Raises:
            GarbledReply: It is none.
        """
        if len(title) != _TITLE:
            raise GarbledReply("the meter's system title has not 8 octets")
        self.peer = title


def sealed(keys: Keys, title: bytes, counter: int, protection: int, apdu: bytes) -> bytes:
    """Return control, counter, text and tag."""
    head = bytes((protection,)) + counter.to_bytes(4, "big")
    return head + _under_gcm(keys, title + head[1:], protection, apdu)


def unsealed(keys: Keys, title: bytes, body: bytes) -> bytes:
    """Return the text in control, counter, text and tag.

    Raises:
        KeysDoNotFit: The tag is wrong.
        GarbledReply: It is cut short.
    """
    control, nonce = body[0], title + body[1:_HEAD]
    if control & _PROTECTED == ENCRYPTED:
        return _under_gcm(keys, nonce, control, body[_HEAD:])
    if len(body) <= _HEAD + _TAG:
        raise GarbledReply("a ciphered answer is cut short")
    text = body[_HEAD:-_TAG]
    if control & ENCRYPTED:  # the cipher is its own reverse
        text = _under_gcm(keys, nonce, ENCRYPTED, text)
    wanted = _under_gcm(keys, nonce, control, text)
    if not hmac.compare_digest(wanted[-_TAG:], body[-_TAG:]):
        raise KeysDoNotFit("the tag of the meter's answer is wrong")
    return text


def _under_gcm(keys: Keys, nonce: bytes, control: int, text: bytes) -> bytes:
    """Return a text as the security control says: ciphered or clear, with a tag or without.

    One call of the library a text: a cipher object for each part costs five times as much.
    """
    if control & _PROTECTED == ENCRYPTED:
        return keys.gcm.encrypt(nonce, text, None)[: len(text)]
    associated = bytes((control,)) + keys.authentication.reveal()
    if not control & ENCRYPTED:
        return text + keys.gcm.encrypt(nonce, b"", associated + text)[:_TAG]
    return keys.gcm.encrypt(nonce, text, associated)[: len(text) + _TAG]


def _mac(keys: Keys, title: bytes, counter: int, challenge: bytes) -> bytes:
    """Return control, counter and tag over a challenge."""
    whole = sealed(keys, title, counter, AUTHENTICATED, challenge)
    return whole[:_HEAD] + whole[-_TAG:]


def length_octets(length: int) -> bytes:
    """Return a length in its shortest form."""
    if length < 0x80:  # noqa: PLR2004 - the short form
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + length.to_bytes(size, "big")


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the octets behind a length at ``at``, and where they end."""
    try:
        length, begin = length_at(data, at)
    except Incomplete as error:
        raise GarbledReply("a ciphered answer is cut short") from error
    if begin + length > len(data):
        raise GarbledReply("a ciphered answer is cut short")
    return data[begin : begin + length], begin + length
