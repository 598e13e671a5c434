"""A token: 20 digits, 66 bits, a class that anybody can read and 64 bits that the key opens.

Layout of the clear block, most significant bit first::

    credit, management   subclass 4 | random 4 | TID 24 | value 16 | CRC 16
    currency credit      subclass 4 | sign, exponent 4 | TID 24 | value 16 | CRC 16
    test, display        subclass 4 | control 36 | maker 8 | CRC 16   (28 and 16 for subclass 1)
    key change           see `drivers.sts.keychange`

The class (2 bits) takes the place of bits 28 and 27 after encryption, and the two bits displaced go
to the top.  Class 1 is not encrypted.
"""

from dataclasses import dataclass
from decimal import Decimal

from drivers.sts import misty1, sta
from drivers.sts.amounts import Coded, decode, decode_currency
from drivers.sts.keys import EA_MISTY, EA_STA

DIGITS = 20
TOKEN_END = 1 << 66
CREDIT, TEST, MANAGEMENT = 0, 1, 2
CURRENCY = range(4, 8)
CLASS_SHIFT = 27
LOW_MASK = (1 << CLASS_SHIFT) - 1


class TokenError(ValueError):
    """A token that a meter would refuse; each kind is a class of its own."""


class FormatError(TokenError):
    """Not 20 digits, or a number too large to be a token."""


class CrcError(TokenError):
    """The check does not fit: a wrong digit, or a token for another meter or key."""


class ClassError(TokenError):
    """A reserved class, or one that this operation does not take."""


@dataclass(frozen=True)
class DecoderKey:
    """A key that opens tokens: 8 bytes for EA07, 16 for EA11."""

    value: bytes
    ea: int
    tables: sta.Tables = sta.SAMPLE

    def __post_init__(self) -> None:
        sizes = {EA_STA: 8, EA_MISTY: 16}
        if sizes.get(self.ea) != len(self.value):
            raise TokenError(f"a decoder key of EA{self.ea:02} has {sizes.get(self.ea)} bytes")

    def __repr__(self) -> str:
        return f"DecoderKey(•••, EA{self.ea:02})"

    def seal(self, block: bytes) -> bytes:
        """Return the enciphered block."""
        if self.ea == EA_MISTY:
            return misty1.encrypt(self.value, block)
        return sta.encrypt(self.value, block, self.tables)

    def open(self, block: bytes) -> bytes:
        """Return the clear block."""
        if self.ea == EA_MISTY:
            return misty1.decrypt(self.value, block)
        return sta.decrypt(self.value, block, self.tables)


@dataclass(frozen=True, slots=True)
class Clear:
    """The 48 bits in front of the CRC of one token, and its class."""

    token_class: int
    data: int

    @property
    def subclass(self) -> int:
        """The top four bits."""
        return self.data >> 44

    @property
    def rnd(self) -> int:
        """The random number, or sign and exponent of a currency amount."""
        return self.data >> 40 & 15

    @property
    def tid(self) -> int:
        """Minutes since the base date."""
        return self.data >> 16 & 0xFFFFFF

    @property
    def value16(self) -> int:
        """Amount, register, limit: what the subclass makes of it."""
        return self.data & 0xFFFF

    @property
    def block(self) -> bytes:
        """The clear block with its CRC."""
        check = int.from_bytes(crc(self.token_class, self.data), "big")
        return (self.data << 16 | check).to_bytes(8, "big")


def crc(token_class: int, data: int) -> bytes:
    """Return the two check bytes as they stand in the block, low byte first."""
    message = (token_class << 48 | data).to_bytes(7, "big")
    if token_class == CREDIT and data >> 44 in CURRENCY:
        message += b"\x01"
    return crc16(message)


def crc16(message: bytes) -> bytes:
    """Return the reflected CRC-16 (A001, start FFFF) of ``message``, low byte first."""
    register = 0xFFFF
    for byte in message:
        register = register >> 8 ^ _CRC[(register ^ byte) & 0xFF]
    return register.to_bytes(2, "little")


def _crc_row(register: int) -> int:
    for _ in range(8):
        register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register


_CRC = tuple(map(_crc_row, range(256)))


def parse(token: str) -> tuple[int, int]:
    """Return class and 64-bit block (still enciphered, but for class 1) of 20 digits.

    Raises:
        FormatError: It is no token.
    """
    digits = token.replace(" ", "").replace("-", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise FormatError("a token has 20 digits")
    number = int(digits)
    if number >= TOKEN_END:
        raise FormatError("this number is too large for a token: a digit was misread")
    token_class = number >> CLASS_SHIFT & 3
    kept = number & ~(3 << CLASS_SHIFT) & (1 << 64) - 1
    return token_class, kept | (number >> 64) << CLASS_SHIFT


def written(token_class: int, block: int) -> str:
    """Return the 20 digits of a block (enciphered, but for class 1) and its class."""
    displaced = block >> CLASS_SHIFT & 3
    number = displaced << 64 | block & ~(3 << CLASS_SHIFT) | token_class << CLASS_SHIFT
    return f"{number:0{DIGITS}}"


def encode(clear: Clear, key: DecoderKey | None = None) -> str:
    """Return the token for ``clear``.

    Raises:
        ClassError: The class is reserved, or needs a key.
    """
    block = clear.block
    if clear.token_class in {CREDIT, MANAGEMENT}:
        if key is None:
            raise ClassError("credit and management tokens need a decoder key")
        block = key.seal(block)
    elif clear.token_class != TEST:
        raise ClassError("class 3 is reserved")
    return written(clear.token_class, int.from_bytes(block, "big"))


def open_token(token: str, key: DecoderKey | None = None) -> Clear:
    """Return what is in ``token``.

    Raises:
        FormatError: It is no token.
        ClassError: Class 3, or a class that needs a key and there is none.
        CrcError: The check does not fit.
    """
    token_class, number = parse(token)
    block = number.to_bytes(8, "big")
    if token_class in {CREDIT, MANAGEMENT}:
        if key is None:
            raise ClassError("without the decoder key only the class of this token can be read")
        block = key.open(block)
    elif token_class != TEST:
        raise ClassError("class 3 is reserved")
    data = int.from_bytes(block[:6], "big")
    if crc(token_class, data) != block[6:]:
        raise CrcError("the check does not fit: a wrong digit, or a token for another meter or key")
    return Clear(token_class, data)


def credit(subclass: int, rnd: int, tid: int, amount: Coded) -> Clear:
    """Return a credit token's content; ``rnd`` is not used for currency."""
    upper = amount.se4 if subclass in CURRENCY else rnd
    return Clear(CREDIT, subclass << 44 | upper << 40 | tid << 16 | amount.value16)


def management(subclass: int, rnd: int, tid: int, value16: int) -> Clear:
    """Return a management token's content."""
    return Clear(MANAGEMENT, subclass << 44 | rnd << 40 | tid << 16 | value16)


def display(subclass: int, control: int, maker: int) -> Clear:
    """Return a test or display token's content; ``control`` has one bit per test, all for 0."""
    width = 16 if subclass == 1 else 8
    return Clear(TEST, subclass << 44 | control << width | maker)


def credited(clear: Clear) -> Decimal:
    """Return the amount that a meter credits, in kWh, m3, minutes or currency."""
    if clear.subclass in CURRENCY:
        return decode_currency(clear.value16, clear.rnd) * Decimal("0.00001")
    return decode(clear.value16) * Decimal("0.1")


def masked(token: str) -> str:
    """Return how a token is shown in lists: its first and last group of four."""
    digits = token.replace(" ", "")
    return f"{digits[:4]} •••• •••• •••• {digits[-4:]}"
