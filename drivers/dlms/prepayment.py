"""Prepayment over DLMS: class 116 tells the keys, class 115 takes a token.

What the standard leaves open comes from the meter's type: how the digits stand in the method's
parameter, and what the bits beside the gateway's status mean.  A token is sent once.
"""

from decimal import Decimal

from drivers.dlms.apdu import Attribute
from drivers.dlms.data import Bits, CosemTime, octets
from drivers.dlms.objects import ObjectReader
from drivers.dlms.session import Session
from drivers.errors import AccessDenied, GarbledReply, NotSupported, ValueRefused
from drivers.link import Link
from drivers.metertype import PrepaymentType
from drivers.obis import to_bytes
from drivers.prepayment import PrepaymentReading, TokenAnswer, TokenState
from drivers.secrets import Secret

GATEWAY, STS = 115, 116
_ENTER = 1
_TOKEN_TIME, _TOKEN_STATUS = 3, 6
_PAN, _EA, _SGC, _TI, _KRN, _KT, _KEN, _KEY_TOKENS = 2, 5, 6, 7, 8, 9, 10, 11
_EXECUTED, _RECEIVED = 3, 8
_FAILED = frozenset({4, 5, 6, 7})
_POLL_S = 0.5
_LONGEST_S = 20.0  # a meter that still processes a token then is asked no more
_DRN = 11
_PAN_DIGITS = 18
_LONG_ISSUER = "0000"


class PrepaymentAccess:
    """Reads the prepayment state of one meter and hands tokens to it."""

    def __init__(
        self, session: Session, objects: ObjectReader, link: Link, kind: PrepaymentType
    ) -> None:
        self._session = session
        self._objects = objects
        self._link = link
        self._kind = kind

    def reading(self) -> PrepaymentReading:
        """Return keys and credit; what the meter lacks or denies stays empty.

        Raises:
            NotSupported: It tells nothing of prepayment at all.
        """
        code = to_bytes(self._kind.attributes)
        told = {
            n: self._told(STS, code, n)
            for n in (_PAN, _EA, _SGC, _TI, _KRN, _KT, _KEN, _KEY_TOKENS)
        }
        balance, unit = self._balance()
        if balance is None and all(value is None for value in told.values()):
            raise NotSupported("this meter tells nothing of prepayment")
        return PrepaymentReading(
            drn=drn_in(told[_PAN]),
            sgc=_digits(told[_SGC], 6),
            ti=_digits(told[_TI], 2),
            krn=_number(told[_KRN]),
            key_type=_number(told[_KT]),
            ken=_number(told[_KEN]),
            ea=_number(told[_EA]),
            base=self._base(),
            key_tokens=_number(told[_KEY_TOKENS]),
            balance=balance,
            unit=unit,
            last_token=_mark(self._told(GATEWAY, to_bytes(self._kind.gateway), _TOKEN_TIME)),
        )

    def enter(self, token: Secret) -> TokenAnswer:
        """Hand a token over and wait until the meter says what became of it.

        Raises:
            NotSupported: The type names no encoding, or the meter has no gateway.
        """
        parameter = octets(encoded(token, self._kind.token_encoding))
        method = Attribute(GATEWAY, to_bytes(self._kind.gateway), _ENTER)
        try:
            self._session.action(method, "the token gateway", parameter, secret=True)
        except ValueRefused:
            return TokenAnswer(TokenState.REFUSED)
        end = self._link.now() + _LONGEST_S
        answer = self.answer()
        while answer.state is TokenState.PROCESSING and self._link.now() < end:
            self._link.wait(_POLL_S)
            answer = self.answer()
        return answer

    def answer(self) -> TokenAnswer:
        """Return what the gateway says of the last token."""
        what = "the token gateway"
        attribute = Attribute(GATEWAY, to_bytes(self._kind.gateway), _TOKEN_STATUS)
        value = self._session.get(attribute, what)
        if not isinstance(value, tuple) or not value or not isinstance(value[0], int):
            raise GarbledReply("the token gateway gives no status")
        status = value[0]
        code = self._code(value[1]) if len(value) > 1 else 0
        if status == _EXECUTED:
            return TokenAnswer(TokenState.ACCEPTED, code, status)
        if status in _FAILED:
            return TokenAnswer(TokenState.REFUSED, code, status)
        return TokenAnswer(TokenState.PROCESSING, 0, status)

    def _code(self, detail: object) -> int:
        if self._kind.detail == "code8" and isinstance(detail, Bits) and detail.text:
            return int(detail.text, 2)
        return 0

    def _told(self, class_id: int, code: bytes, index: int) -> object:
        try:
            return self._objects.value(class_id, code, index)
        except (NotSupported, AccessDenied):
            return None

    def _balance(self) -> tuple[Decimal | None, str]:
        if not self._kind.balance:
            return None, ""
        try:
            reading = self._objects.register(self._kind.balance)
        except (NotSupported, AccessDenied):
            return None, ""
        return reading.value, reading.unit

    def _base(self) -> int | None:
        if not self._kind.base_date:
            return None
        return _number(self._told(1, to_bytes(self._kind.base_date), 2))


def encoded(token: Secret, encoding: str) -> bytes:
    """Return a token's octets as the gateway's method takes them.

    Raises:
        NotSupported: The type does not say how.
    """
    digits = token.reveal()
    if encoding == "ascii20":
        return digits
    if encoding == "bcd10":
        return bytes.fromhex(digits.decode("ascii"))
    raise NotSupported("this meter type does not say how tokens are encoded; use the keypad")


def drn_in(pan: object) -> str:
    """Return the meter number in a MeterPAN: 18 digits, or a structure of its three numbers."""
    if isinstance(pan, tuple) and [type(item) for item in pan] == [int, int, int]:
        issuer, number, _ = pan
        return f"{number:013}" if not issuer else f"{number:011}"
    text = pan.decode("ascii", "replace") if isinstance(pan, bytes) else str(pan or "")
    text = text.strip("\x00 ")
    if len(text) != _PAN_DIGITS or not text.isdigit():
        return ""
    return text[4:-1] if text.startswith(_LONG_ISSUER) else text[6:-1]


def _number(value: object) -> int | None:
    if isinstance(value, bytes) and len(value) == 1:
        return value[0]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _digits(value: object, width: int) -> str:
    """Return a number or a text as digits with its leading zeros."""
    if isinstance(value, bytes):
        text = value.decode("ascii", "replace").strip("\x00 ")
        return text.zfill(width) if text.isdigit() else ""
    if isinstance(value, str):
        return value.strip().zfill(width) if value.strip().isdigit() else ""
    number = _number(value)
    return "" if number is None else f"{number:0{width}}"


def _mark(value: object) -> str:
    raw = value.raw if isinstance(value, CosemTime) else value
    return raw.hex() if isinstance(raw, bytes) else str(raw or "")
