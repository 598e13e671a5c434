"""Proofs of a client and of the meter: keys (HLS 5) or the password under a cipher (HLS 2)."""

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.ciphering import Secured

Prover = Callable[[bytes], bytes | None]
# method reply_to_HLS_authentication, with a parameter: of class 15, and behind a short name
_ACTION, _BY_LOGICAL_NAME = b"\xc3\x01", bytes.fromhex("000F0000280000FF0101")
_BY_SHORT_NAME = bytes.fromhex("050104FA5800")
_READ_RESPONSE = 0x0C
_DENIED = 3


def proof_of(apdu: bytes) -> bytes | None:
    """Return the client's proof in a request; None where it is another request.

    Raises:
        BadData: It is malformed.
    """
    if apdu[:2] == _ACTION and apdu[3:13] == _BY_LOGICAL_NAME:
        return axdr.value_of(apdu[13:]).octets()
    if apdu.startswith(_BY_SHORT_NAME):
        return axdr.value_of(apdu[len(_BY_SHORT_NAME) :]).octets()
    return None


def proved(apdu: bytes, ours: bytes | None) -> bytes:
    """Return the answer to the client's proof: the meter's own, or that it was wrong."""
    if apdu[:1] == _ACTION[:1]:
        head = bytes((0xC7, 1, apdu[2]))
        return head + (bytes((_DENIED, 0)) if ours is None else b"\x00\x01\x00" + axdr.octets(ours))
    head = bytes((_READ_RESPONSE, 1))
    return head + (bytes((1, _DENIED)) if ours is None else b"\x00" + axdr.octets(ours))


def prover(
    secured: Secured | None, password: bytes | None, *, ours: bytes, theirs: bytes
) -> Prover:
    """Return what judges the client's proof and gives the meter's; None for a wrong one.

    Args:
        secured: The ciphering of the association; None proves the password instead.
        password: The client's.
        ours: The meter's challenge.
        theirs: The client's challenge.
    """

    def by_keys(secured: Secured, given: bytes) -> bytes | None:
        return secured.proof(theirs) if secured.proves(given, ours) else None

    def by_password(given: bytes) -> bytes | None:
        key = (password or b"")[:16].ljust(16, b"\x00")
        return _blocks(key, theirs) if given == _blocks(key, ours) else None

    return by_password if secured is None else lambda given: by_keys(secured, given)


def _blocks(key: bytes, text: bytes) -> bytes:
    """Return a challenge under AES-128, block by block: HLS 2 of this maker."""
    mode = modes.ECB()  # noqa: S305 - the mechanism's
    encryptor = Cipher(algorithms.AES(key), mode).encryptor()
    return encryptor.update(text.ljust(-(-len(text) // 16) * 16, b"\x00"))
