"""Association requests and answers (AARQ, AARE, RLRQ): BER built and taken apart.  Pure.

The library builds plain associations with logical names (see `cosem`); everything with a challenge,
with ciphering or with short names is built here, because the library would cipher with its own
slow routine and accept what it must refuse.
Source: IEC 62056-5-3, clauses 7 and 9; ISO/IEC 15955.
"""

import hmac
import secrets as random
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drivers.dlms.ciphering import Ciphering, length_octets
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    KeysDoNotFit,
    MeterBusy,
    NotSupported,
)
from drivers.metertype import Dlms
from drivers.secrets import Secret

_AARQ, _AARE = 0x60, 0x61
_CONTEXT, _RESULT, _DIAGNOSTIC, _TITLE = 0xA1, 0xA2, 0xA3, 0xA4
_CHALLENGE, _USER = 0xAA, 0xBE
_OBJECT = bytes.fromhex("6085740508")  # the names of contexts (01) and mechanisms (02) begin so
_MECHANISMS = {"none": 0, "low": 1, "high": 2, "gmac": 5}
_INITIATE, _INITIATE_ANSWER, _SERVICE_ERROR = 0x01, 0x08, 0x0E
_VERSION = 6
_LOGICAL_VAA, _SHORT_VAA = 0x0007, 0xFA00
_CHALLENGE_OCTETS = 16
_BLOCK = 16

# conformance, bit 0 is the highest of 24
GENERAL_BLOCKS, BLOCK_GET, BLOCK_SET = 1 << 23 - 2, 1 << 23 - 11, 1 << 23 - 12
BLOCK_ACTION, LISTS, INFORMATION = 1 << 23 - 13, 1 << 23 - 14, 1 << 23 - 15
READ, WRITE, UNCONFIRMED_WRITE, PARAMETERISED = 1 << 23 - 3, 1 << 23 - 4, 1 << 23 - 5, 1 << 23 - 18
GET, SET, SELECTIVE, EVENTS, ACTION = (1 << 23 - n for n in (19, 20, 21, 22, 23))
LOGICAL = BLOCK_GET | BLOCK_SET | BLOCK_ACTION | LISTS | GET | SET | SELECTIVE | EVENTS | ACTION
SHORT = (
    BLOCK_GET | BLOCK_SET | READ | WRITE | UNCONFIRMED_WRITE | LISTS | INFORMATION | PARAMETERISED
)

_USER_WORDS = {  # diagnostics of the service user
    1: "no reason given",
    2: "application context name not supported",
    3: "calling application title not recognised",
    4: "calling application invocation identifier not recognised",
    5: "calling application entity qualifier not recognised",
    6: "calling application entity invocation identifier not recognised",
    7: "called application title not recognised",
    8: "called application invocation identifier not recognised",
    9: "called application entity qualifier not recognised",
    10: "called application entity invocation identifier not recognised",
    11: "authentication mechanism not recognised",
    12: "authentication mechanism required",
    13: "authentication failure",
    14: "authentication required",
}
_PROVIDER_WORDS = {1: "no reason given", 2: "no common ACSE version"}
_REFUSED_ACCESS = frozenset({11, 12, 13, 14})
_TRANSIENT = 2


class StaleCounter(KeysDoNotFit):
    """The meter has already accepted a higher counter than ours."""


@dataclass(frozen=True, slots=True)
class Association:
    """What the meter agreed to."""

    max_pdu: int
    selective_access: bool
    block_transfer: bool
    set_service: bool
    action_service: bool
    lists: bool = False
    set_blocks: bool = False
    action_blocks: bool = False
    general_blocks: bool = False
    parameterised: bool = False
    unconfirmed: bool = False  # writes without an answer


def association_of(conformance: int, max_pdu: int) -> Association:
    """Return what a conformance block of 24 bits allows."""
    return Association(
        max_pdu=max_pdu,
        selective_access=bool(conformance & SELECTIVE),
        block_transfer=bool(conformance & BLOCK_GET),
        set_service=bool(conformance & (SET | WRITE)),
        action_service=bool(conformance & (ACTION | PARAMETERISED)),
        lists=bool(conformance & LISTS),
        set_blocks=bool(conformance & BLOCK_SET),
        action_blocks=bool(conformance & BLOCK_ACTION),
        general_blocks=bool(conformance & GENERAL_BLOCKS),
        parameterised=bool(conformance & PARAMETERISED),
        unconfirmed=bool(conformance & UNCONFIRMED_WRITE),
    )


class OwnAssociating:
    """Builds and reads the APDUs of one association: challenge, ciphering, short names."""

    def __init__(self, dlms: Dlms, password: Secret | None, ciphering: Ciphering | None) -> None:
        """Prepare an association as the meter type says.

        Raises:
            AccessDenied: It wants a password and there is none.
        """
        if dlms.auth in {"low", "high"} and not password:
            raise AccessDenied("this meter wants a password and none is given", "no-secret")
        self._dlms = dlms
        self._short = dlms.referencing == "short"
        self._password = password
        self._ciphering = ciphering
        self._asked = b""  # our challenge
        self._theirs = b""

    @property
    def secret(self) -> bool:
        """Whether the request carries a password."""
        return self._dlms.auth == "low"

    def request(self) -> bytes:
        """Return the AARQ, with a new challenge where one is wanted."""
        mechanism = _MECHANISMS[self._dlms.auth]
        context = (2 if self._short else 1) + (2 if self._ciphering else 0)
        body = _field(_CONTEXT, _field(0x06, _named(1, context)))
        if self._ciphering is not None:
            body += _field(0xA6, _field(0x04, self._ciphering.title))
        if mechanism:
            value = self._value()
            body += b"\x8a\x02\x07\x80" + _field(0x8B, _named(2, mechanism))
            body += _field(0xAC, _field(0x80, value))
        body += _field(_USER, _field(0x04, self._initiate()))
        return _field(_AARQ, body)

    def _value(self) -> bytes:
        if self._dlms.auth == "low":
            return self._password.reveal() if self._password else b""
        self._asked = random.token_bytes(_CHALLENGE_OCTETS)
        return self._asked

    def _initiate(self) -> bytes:
        conformance = SHORT if self._short else LOGICAL
        if self._dlms.general_blocks:
            conformance |= GENERAL_BLOCKS
        apdu = (
            bytes((_INITIATE, 0, 0, 0, _VERSION)) + b"\x5f\x1f\x04\x00"
            + conformance.to_bytes(3, "big") + min(self._dlms.pdu, 0xFFFF).to_bytes(2, "big")
        )  # fmt: skip
        return self._ciphering.protect(apdu) if self._ciphering else apdu

    def agreed(self, apdu: bytes) -> Association:
        """Return what an AARE agreed to.

        Raises:
            AccessDenied, NotSupported, MeterBusy: The meter refused; the text has its diagnostic.
            KeysDoNotFit: It refused the keys, or its answer is not ciphered with them.
            GarbledReply: It is no AARE.
        """
        refused = refusal(apdu, keys=self._dlms.auth == "gmac")
        if refused:
            raise refused
        fields = aare_fields(apdu)
        if self._ciphering is not None:
            self._ciphering.knows(_inner(fields.get(_TITLE, b""), 0x04))
        if self._dlms.auth in {"high", "gmac"}:
            self._theirs = _inner(fields.get(_CHALLENGE, b""), 0x80)
            if not self._theirs or self._theirs == self._asked:
                raise GarbledReply("the meter gives no challenge of its own")
        if _USER not in fields:
            if self._ciphering is not None:
                raise KeysDoNotFit("the meter's AARE is not ciphered")
            return association_of(SHORT if self._short else LOGICAL, self._dlms.pdu)
        user = _inner(fields[_USER], 0x04)
        clear = self._ciphering.opened(user) if self._ciphering else user
        return _initiate_answer(clear, _SHORT_VAA if self._short else _LOGICAL_VAA)

    def proof(self) -> bytes:
        """Return the answer to the meter's challenge, b"" where there is none."""
        if self._dlms.auth == "gmac" and self._ciphering:
            return self._ciphering.proof(self._theirs)
        if self._dlms.auth == "high" and self._password:
            return transformed(self._password, self._theirs)
        return b""

    def check(self, proof: object) -> None:
        """Check the meter's answer to our challenge.

        Raises:
            KeysDoNotFit: The meter cannot prove that it has the keys.
        """
        given = proof if isinstance(proof, bytes) else b""
        if self._dlms.auth == "gmac" and self._ciphering:
            self._ciphering.check_proof(given, self._asked)
        elif self._password:
            wanted = transformed(self._password, self._asked)
            if not hmac.compare_digest(given, wanted):
                raise KeysDoNotFit("the meter cannot prove that it knows the password")

    def release(self) -> bytes:
        """Return the RLRQ; of a ciphered association it is ciphered."""
        body = b"\x80\x01\x00"
        if self._ciphering is not None:
            body += _field(_USER, _field(0x04, self._initiate()))
        return _field(0x62, body)


def transformed(password: Secret, challenge: bytes) -> bytes:
    """Return the answer of HLS 2 to a challenge: AES-128 under the password, block by block.

    The standard leaves it to the maker; this is what makers of HLS 2 meters have in common.
    """
    key = password.reveal()[:_BLOCK].ljust(_BLOCK, b"\x00")
    text = challenge + bytes(-len(challenge) % _BLOCK)
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the mechanism's
    return cipher.update(text) + cipher.finalize()


def is_association_answer(apdu: bytes) -> bool:
    """Return whether ``apdu`` can answer an AARQ: an AARE, a service error or an exception."""
    return apdu[:1] in {b"\x61", b"\x0e", b"\xd8"}


def is_release_answer(apdu: bytes) -> bool:
    """Return whether ``apdu`` can answer an RLRQ."""
    return apdu[:1] in {b"\x63", b"\x0e", b"\xd8"}


def refusal(apdu: bytes, *, keys: bool = False) -> DriverError | None:
    """Return why the meter refused the association, in words; None when it accepted.

    A refusal may come without user information, with a diagnostic of the service provider, or as
    another APDU than an AARE.  With ``keys`` a failed authentication means that they do not fit.

    Raises:
        GarbledReply: It is no answer to an AARQ.
    """
    if apdu[:1] in {b"\x0e", b"\xd8"}:
        text = f"the meter refuses the association ({apdu.hex(' ').upper()})"
        if keys and apdu[:1] == b"\xd8":
            return StaleCounter(text) if apdu[2:3] == b"\x06" else KeysDoNotFit(text)
        return AccessDenied(text)
    fields = aare_fields(apdu)
    result = fields.get(_RESULT, b"")
    if not result:
        raise GarbledReply("an AARE without a result")
    if result[-1] == 0:
        return None
    diagnostic = fields.get(_DIAGNOSTIC, b"\xa1\x03\x02\x01\x01")
    code = diagnostic[-1] if diagnostic else 1
    from_provider = diagnostic[:1] == b"\xa2"
    known = _PROVIDER_WORDS if from_provider else _USER_WORDS
    text = f"the meter refuses the association: {known.get(code, f'diagnostic {code}')}"
    if not from_provider and code in _REFUSED_ACCESS:
        return KeysDoNotFit(text) if keys and code == 13 else AccessDenied(text)  # noqa: PLR2004
    if result[-1] == _TRANSIENT:
        return MeterBusy(text)
    return NotSupported(text) if from_provider or code == 2 else AccessDenied(text)  # noqa: PLR2004


def aare_fields(apdu: bytes) -> dict[int, bytes]:
    """Return the fields of an AARE by tag.

    Raises:
        GarbledReply: It is none, or cut short.
    """
    body, end = _taken(apdu, 0, _AARE)
    if end != len(apdu):
        raise GarbledReply("an AARE of the wrong form")
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(body):
        tag = body[at]
        fields[tag], at = _taken(body, at, tag)
    return fields


def _initiate_answer(apdu: bytes, name: int) -> Association:
    """Return what an initiate response agrees to; ``name`` is the object it must speak of."""
    if apdu[:1] == bytes((_SERVICE_ERROR,)):
        raise NotSupported(f"the meter refuses the association ({apdu.hex(' ').upper()})")
    at = 2 if apdu[1:2] == b"\x00" else 3  # the quality of service may stand before the version
    rest = apdu[at + 1 :]
    if apdu[:1] != bytes((_INITIATE_ANSWER,)) or rest[:2] != b"\x5f\x1f" or len(rest) != 11:  # noqa: PLR2004
        raise GarbledReply("the meter's AARE cannot be read")
    if int.from_bytes(rest[9:11], "big") != name:
        raise NotSupported("the meter has another way of naming its objects (short or logical)")
    return association_of(int.from_bytes(rest[4:7], "big"), int.from_bytes(rest[7:9], "big"))


def _named(kind: int, number: int) -> bytes:
    """Return the name of a context (1) or mechanism (2): 2.16.756.5.8.kind.number."""
    return _OBJECT + bytes((kind, number))


def _field(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length_octets(len(content)) + content


def _inner(field: bytes, tag: int) -> bytes:
    """Return what stands in ``field`` behind ``tag``, b"" for an empty field."""
    if not field:
        return b""
    content, end = _taken(field, 0, tag)
    if end != len(field):
        raise GarbledReply("a field of the AARE has the wrong form")
    return content


def _taken(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """Return the content of the field at ``at``, which must have this tag, and where it ends."""
    if len(data) < at + 2 or data[at] != tag:
        raise GarbledReply("an AARE of the wrong form")
    length, begin = data[at + 1], at + 2
    if length > 0x80:  # noqa: PLR2004 - the long form
        size = length & 0x7F
        length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
    if begin + length > len(data):
        raise GarbledReply("an AARE that is cut short")
    return data[begin : begin + length], begin + length
