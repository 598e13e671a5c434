"""Plain associations with logical names: AARQ, AARE and release, by gurux-dlms in PDU mode.

The only module that imports the library, and nothing of it leaves here.  Frames, blocks, rows and
error answers are our own (see `apdu` and `rows`), and so is everything ciphered (see `acse`).  What
the library prints is discarded: its modules get a `print` of ours, because redirecting standard
output would swallow the output of other threads as well.
"""

import sys

from gurux_dlms import GXByteBuffer, GXDLMSClient
from gurux_dlms.enums import Authentication, Conformance, InterfaceType

from drivers.dlms.acse import Association, association_of, refusal
from drivers.errors import AccessDenied, GarbledReply, NotSupported
from drivers.metertype import Dlms
from drivers.secrets import Secret

_PROPOSED = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.EVENT_NOTIFICATION
)


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
        if dlms.referencing != "logical":
            raise NotSupported("short names are built elsewhere")
        if dlms.auth == "low" and not password:
            raise AccessDenied("this meter wants a password and none is given", "no-secret")
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
        return association_of(_turned(conformance), int(self._client.maxReceivePDUSize))

    def release(self) -> bytes:
        """Return the RLRQ, b"" when no association stands."""
        messages = self._client.releaseRequest()
        return bytes(messages[0]) if messages else b""


def _turned(conformance: int) -> int:
    """Return the library's conformance, whose first bit is the lowest, as it stands in APDUs."""
    return int(f"{conformance:024b}"[::-1], 2)


def _discard(*_args: object, **_options: object) -> None:
    """Print nothing."""


def _silence() -> None:
    """Give every module of the library a `print` that prints nothing."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "gurux_dlms":
            vars(module)["print"] = _discard
