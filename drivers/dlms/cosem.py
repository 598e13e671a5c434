"""The association: AARQ, AARE and release, by gurux-dlms in PDU mode.

The only module that imports the library, and nothing of it leaves here.  Frames, blocks, rows and
error answers are our own (see `apdu` and `rows`).  What the library prints is discarded: its
modules get a `print` of ours, because redirecting standard output would swallow the output of
other threads as well.
"""

import sys
from dataclasses import dataclass

from gurux_dlms import GXByteBuffer, GXDLMSClient
from gurux_dlms.enums import Authentication, Conformance, InterfaceType

from drivers.errors import AccessDenied, DriverError, GarbledReply, MeterBusy, NotSupported
from drivers.metertype import Dlms
from drivers.secrets import Secret

_AARE, _RLRE = 0x61, 0x63
_RESULT, _DIAGNOSTIC = 0xA2, 0xA3
_PROPOSED = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.EVENT_NOTIFICATION
)
_USER = {  # diagnostics of the service user
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
_PROVIDER = {1: "no reason given", 2: "no common ACSE version"}
_REFUSED_ACCESS = frozenset({11, 12, 13, 14})
_TRANSIENT = 2


@dataclass(frozen=True, slots=True)
class Association:
    """What the meter agreed to."""

    max_pdu: int
    selective_access: bool
    block_transfer: bool
    set_service: bool
    action_service: bool


class Associating:
    """Builds and reads the APDUs of one association."""

    def __init__(self, dlms: Dlms, password: Secret | None) -> None:
        """Prepare an association as the meter type says.

        Raises:
            NotSupported: The type wants an authentication that is not built.
            AccessDenied: It wants a password and there is none.
        """
        if dlms.auth not in {"none", "low"}:
            raise NotSupported(f"authentication {dlms.auth!r} is not available")
        if dlms.referencing != "ln":
            raise NotSupported("short-name referencing is not available")
        if dlms.auth == "low" and not password:
            raise AccessDenied("this meter wants a password and none is given")
        self._secret = dlms.auth == "low"
        self._client = GXDLMSClient(
            True,
            dlms.client,
            dlms.server,
            Authentication.LOW if self._secret else Authentication.NONE,
            password.reveal() if password and self._secret else None,
            InterfaceType.PDU,
        )
        _silence()
        self._client.proposedConformance = _PROPOSED
        self._pdu = dlms.pdu

    @property
    def secret(self) -> bool:
        """Whether the request carries a password."""
        return self._secret

    def request(self) -> bytes:
        """Return the AARQ."""
        self._client.maxReceivePDUSize = self._pdu  # an answer overwrites it
        (apdu,) = self._client.aarqRequest()
        return bytes(apdu)

    def agreed(self, apdu: bytes) -> Association:
        """Return what an AARE agreed to.

        Raises:
            AccessDenied, NotSupported, MeterBusy: The meter refused; the text has its diagnostic.
            GarbledReply: It is no AARE.
        """
        refused = refusal(apdu)
        if refused:
            raise refused
        try:
            self._client.parseAareResponse(GXByteBuffer(apdu))
        except Exception as error:
            raise GarbledReply(f"the meter's AARE cannot be read: {error}") from error
        conformance = int(self._client.negotiatedConformance)
        return Association(
            max_pdu=int(self._client.maxReceivePDUSize),
            selective_access=bool(conformance & Conformance.SELECTIVE_ACCESS),
            block_transfer=bool(conformance & Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ),
            set_service=bool(conformance & Conformance.SET),
            action_service=bool(conformance & Conformance.ACTION),
        )

    def release(self) -> bytes:
        """Return the RLRQ, b"" when no association stands."""
        messages = self._client.releaseRequest()
        return bytes(messages[0]) if messages else b""


def is_association_answer(apdu: bytes) -> bool:
    """Return whether ``apdu`` can answer an AARQ: an AARE, a service error or an exception."""
    return apdu[:1] in {b"\x61", b"\x0e", b"\xd8"}


def is_release_answer(apdu: bytes) -> bool:
    """Return whether ``apdu`` can answer an RLRQ."""
    return apdu[:1] in {b"\x63", b"\x0e", b"\xd8"}


def refusal(apdu: bytes) -> DriverError | None:
    """Return why the meter refused the association, in words; None when it accepted.

    A refusal may come without user information, with a diagnostic of the service provider, or as
    another APDU than an AARE, none of which the library reads.

    Raises:
        GarbledReply: It is no answer to an AARQ.
    """
    if apdu[:1] in {b"\x0e", b"\xd8"}:
        return AccessDenied(f"the meter refuses the association ({apdu.hex(' ').upper()})")
    fields = _fields(apdu)
    result = fields.get(_RESULT, b"")
    if not result:
        raise GarbledReply("an AARE without a result")
    if result[-1] == 0:
        return None
    diagnostic = fields.get(_DIAGNOSTIC, b"\xa1\x03\x02\x01\x01")
    code = diagnostic[-1]
    from_provider = diagnostic[:1] == b"\xa2"
    known = _PROVIDER if from_provider else _USER
    text = f"the meter refuses the association: {known.get(code, f'diagnostic {code}')}"
    if not from_provider and code in _REFUSED_ACCESS:
        return AccessDenied(text)
    if result[-1] == _TRANSIENT:
        return MeterBusy(text)
    return NotSupported(text) if from_provider or code == 2 else AccessDenied(text)  # noqa: PLR2004


def _fields(apdu: bytes) -> dict[int, bytes]:
    """Return the fields of an AARE by tag."""
    if len(apdu) < 2 or apdu[0] != _AARE or apdu[1] != len(apdu) - 2:  # noqa: PLR2004 - tag, length
        raise GarbledReply("an AARE of the wrong form")
    fields: dict[int, bytes] = {}
    at = 2
    while at + 2 <= len(apdu):
        end = at + 2 + apdu[at + 1]
        if end > len(apdu):
            raise GarbledReply("an AARE that is cut short")
        fields[apdu[at]] = apdu[at + 2 : end]
        at = end
    return fields


def _discard(*_args: object, **_options: object) -> None:
    """Print nothing."""


def _silence() -> None:
    """Give every module of the library a `print` that prints nothing."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "gurux_dlms":
            vars(module)["print"] = _discard
