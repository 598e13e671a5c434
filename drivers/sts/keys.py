"""Decoder keys of virtual meters and test vectors.

Keys are written most significant byte first.  Real vending keys live in security modules and never
come near this program: these functions serve the simulator and the proof of the engine alone.
"""

import hashlib
import hmac

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from drivers.sts.identifiers import KeyName, control_block, pan_block, pan_of

EA_STA, EA_MISTY = 7, 11
DKGA_REFUSED = {1: "DKGA01 has no public worked example", 3: "DKGA03 was withdrawn"}


class KeyRefused(ValueError):
    """This key generation algorithm is recognised and not carried out."""


def derive(dkga: int, vending_key: bytes, iin: str, drn: str, name: KeyName) -> bytes:
    """Return the decoder key of one meter.

    Args:
        dkga: Key generation algorithm, 2 or 4.
        vending_key: 8 bytes for algorithm 2, 20 for algorithm 4; test keys only.
        iin: Issuer, ``600727`` with an 11-digit meter number, ``0000`` with a 13-digit one.
        drn: The meter number.
        name: Which key.

    Raises:
        KeyRefused: Any other algorithm.
    """
    if dkga == 2:  # noqa: PLR2004 (the algorithms have numbers for names)
        return dkga02(vending_key, iin, drn, name)
    if dkga == 4:  # noqa: PLR2004
        return dkga04(vending_key, iin, drn, name)
    raise KeyRefused(DKGA_REFUSED.get(dkga, f"there is no key generation algorithm {dkga}"))


def dkga02(vending_key: bytes, iin: str, drn: str, name: KeyName) -> bytes:
    """Return the 8-byte key: DES of the two blocks, fed forward.  The base date does not enter."""
    pan = bytes.fromhex(pan_block(iin, drn, name.key_type))
    control = bytes.fromhex(control_block(name.key_type, name.sgc, name.ti, name.krn))
    mixed = _xor(pan, control)
    # DES is triple DES with one key three times over
    cipher = Cipher(TripleDES(vending_key * 3), modes.ECB()).encryptor()  # noqa: S305
    return _xor(_xor(cipher.update(mixed) + cipher.finalize(), mixed), vending_key)


def dkga04(vending_key: bytes, iin: str, drn: str, name: KeyName) -> bytes:
    """Return the key of 8 (EA07) or 16 (EA11) bytes: HMAC-SHA-256 over what names it."""
    bits = 128 if name.ea == EA_MISTY else 64
    message = b"".join(
        [
            b"\x04",
            _field("04"),
            _field(f"{name.base % 100:02}"),
            _field(f"{name.ea:02}"),
            _field(name.ti),
            b"\x00\x04",
            _field(name.sgc),
            _field(str(name.key_type)),
            _field(str(name.krn)),
            _field(pan_of(iin, drn)),
            bits.to_bytes(4, "big"),
        ]
    )
    return hmac.new(vending_key, message, hashlib.sha256).digest()[: bits // 8]


def check_value(key: bytes) -> str:
    """Return what may be shown of a key: the first six hexadecimal digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:6]


def _field(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("ascii")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
