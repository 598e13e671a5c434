"""Association requests and answers (AARQ, AARE, RLRQ, RLRE): BER taken apart and built.

Source: IEC 62056-5-3, clause 7; ISO/IEC 15955.
"""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Taker

AARQ, AARE, RLRQ, RLRE = 0x60, 0x61, 0x62, 0x63
LOGICAL_NAMES = bytes.fromhex("60857405080101")  # application context, no ciphering
CIPHERED_NAMES = bytes.fromhex("60857405080103")  # application context, ciphering
SHORT_NAMES = bytes.fromhex("60857405080102")
CIPHERED_SHORT_NAMES = bytes.fromhex("60857405080104")
CIPHERED = {CIPHERED_NAMES, CIPHERED_SHORT_NAMES}
SHORT = {SHORT_NAMES, CIPHERED_SHORT_NAMES}
LOW_SECURITY = bytes.fromhex("60857405080201")  # mechanisms
HIGH_SECURITY, GMAC = bytes.fromhex("60857405080202"), bytes.fromhex("60857405080205")
ACCEPTED, REJECTED, REJECTED_FOR_NOW = 0, 1, 2
# diagnostics of the service user
NO_DIAGNOSTIC, NO_REASON, WRONG_CONTEXT = 0, 1, 2
UNKNOWN_MECHANISM, MECHANISM_REQUIRED, WRONG_PASSWORD, PASSWORD_REQUIRED = 11, 12, 13, 14
# what initiateError says
VERSION_TOO_LOW, CONFORMANCE, PDU_TOO_SHORT = 1, 2, 3
_CONTEXT, _REQUIREMENTS, _MECHANISM, _PASSWORD, _USER = 0xA1, 0x8A, 0x8B, 0xAC, 0xBE
_TITLE = 0xA6
_INITIATE, _CONFORMANCE_TAG = 0x01, bytes.fromhex("5F1F0400")
# the VAA name with logical and with short name referencing
_LN_NAME, _SN_NAME = b"\x00\x07", b"\xfa\x00"
_RELEASED = bytes((RLRE, 3, 0x80, 1, 0))
_SHORT = 0x80


@dataclass(frozen=True, slots=True)
class AssociationRequest:
    """What an AARQ asks for."""

    context: bytes
    mechanism: bytes | None
    password: bytes | None
    conformance: int  # 24 bits
    version: int
    max_pdu: int  # largest APDU the client takes; 0: any
    title: bytes = b""  # system title of the client


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an association request is answered.

    ``initiate_error`` is 0 or why the xDLMS part was refused.
    """

    result: int
    diagnostic: int
    initiate_error: int = 0


def _length(taker: Taker) -> int:
    first = taker.octet()
    if first < _SHORT:
        return first
    if first & 0x7F not in {1, 2}:
        raise BadData("a length in no known form")
    return taker.number(first & 0x7F)


def _fields(apdu: bytes, tag: int) -> dict[int, bytes]:
    taker = Taker(apdu)
    if taker.octet() != tag or _length(taker) != taker.left:
        raise BadData("the length does not fit")
    found: dict[int, bytes] = {}
    while taker.left:
        name = taker.octet()
        if name in found:
            raise BadData(f"field {name:02X} twice")
        found[name] = taker.octets(_length(taker))
    return found


def _inner(field: bytes, tag: int) -> bytes:
    """Return what stands in ``field`` behind ``tag`` and its length."""
    taker = Taker(field)
    if taker.octet() != tag or _length(taker) != taker.left:
        raise BadData(f"no {tag:02X} where one must stand")
    return taker.octets(taker.left)


Opener = Callable[[bytes, bytes], bytes]  # deciphers user information of a client with a title


def parse_request(apdu: bytes, opened: Opener) -> AssociationRequest:
    """Return what an AARQ asks for; user information of a ciphered context is ``opened`` first.

    Raises:
        BadData: It is malformed, or leaves out what must be there.
    """
    fields = _fields(apdu, AARQ)
    if _CONTEXT not in fields or _USER not in fields:
        raise BadData("context or user information missing")
    password = None
    if _PASSWORD in fields:
        if fields.get(_REQUIREMENTS) != b"\x07\x80":
            raise BadData("a password without the authentication unit")
        password = _inner(fields[_PASSWORD], 0x80)
    title = _inner(fields[_TITLE], 0x04) if _TITLE in fields else b""
    context, user = _inner(fields[_CONTEXT], 0x06), _inner(fields[_USER], 0x04)
    taker = Taker(opened(title, user) if context in CIPHERED else user)
    if taker.octet() != _INITIATE:
        raise BadData("no initiate request")
    if taker.flag():  # dedicated key
        taker.octets(taker.length())
    if taker.flag():  # response allowed
        taker.octet()
    if taker.flag():  # quality of service
        taker.octet()
    version = taker.octet()
    if taker.octets(4) != _CONFORMANCE_TAG:
        raise BadData("no conformance block")
    conformance, max_pdu = taker.number(3), taker.number(2)
    taker.end()
    return AssociationRequest(
        context=context,
        mechanism=fields.get(_MECHANISM),
        password=password,
        conformance=conformance,
        version=version,
        max_pdu=max_pdu,
        title=title,
    )


@dataclass(frozen=True, slots=True)
class Shield:
    """What the answer to a ciphered or challenged request carries beside the usual."""

    context: bytes = LOGICAL_NAMES
    title: bytes = b""
    challenge: bytes = b""
    closed: Callable[[bytes], bytes] | None = None  # ciphers the user information


def answer(
    verdict: Verdict,
    *,
    conformance: int,
    max_pdu: int,
    mechanism: bytes | None = None,
    user_information: bool = True,
    shield: Shield | None = None,
) -> bytes:
    """Return the AARE; ``conformance`` and ``max_pdu`` are what the meter agrees to."""
    shield = shield or Shield()
    body = b"\xa1\x09\x06\x07" + shield.context
    body += b"\xa2\x03\x02\x01" + bytes([verdict.result])
    body += b"\xa3\x05\xa1\x03\x02\x01" + bytes([verdict.diagnostic])
    if shield.title:
        body += bytes((0xA4, len(shield.title) + 2, 0x04, len(shield.title))) + shield.title
    if mechanism is not None:
        body += b"\x88\x02\x07\x80\x89" + bytes([len(mechanism)]) + mechanism
    if shield.challenge:
        size = len(shield.challenge)
        body += bytes((0xAA, size + 2, 0x80, size)) + shield.challenge
    if verdict.initiate_error:
        user = bytes((0x0E, 0x01, 0x06, verdict.initiate_error))
    else:
        user = b"\x08\x00\x06" + _CONFORMANCE_TAG + conformance.to_bytes(3, "big")
        user += max_pdu.to_bytes(2, "big")
        user += _SN_NAME if shield.context in SHORT else _LN_NAME
    if shield.closed is not None:
        user = shield.closed(user)
    if user_information:
        body += bytes((_USER, len(user) + 2, 0x04, len(user))) + user
    return bytes([AARE]) + axdr.length(len(body)) + body


def release_answer(apdu: bytes) -> bytes:
    """Return the RLRE.

    Raises:
        BadData: The request is malformed.
    """
    _fields(apdu, RLRQ)
    return _RELEASED
