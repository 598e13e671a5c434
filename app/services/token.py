"""Prepayment tokens and keys: what one is, whether it needs a reason, what the meter tells.

How one is entered is in `app.services.token_entry`.
"""

from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from app.errors import BadInput
from app.tasks import AnswerKind, Ask, Found, Progress, Task
from drivers.errors import AccessDenied, NotSupported
from drivers.meter import Meter
from drivers.prepayment import Prepaid, PrepaymentReading, TakesTokens
from drivers.secrets import Secret
from drivers.sts import words
from drivers.sts.keychange import SUBCLASSES
from drivers.sts.token import (
    MANAGEMENT,
    TEST,
    DecoderKey,
    TokenError,
    masked,
    open_token,
    parse,
)

_KEY_FIELDS = ("drn", "sgc", "ti", "krn", "key_type", "ea", "ken", "base")
_FIELD_WORDS = {
    "drn": "meter number", "sgc": "SGC", "ti": "TI", "krn": "KRN", "key_type": "key type",
    "ea": "EA", "ken": "KEN", "base": "base date",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What can be said of a token without entering it; its digits are masked."""

    shown: str
    token_class: int
    words: str
    opens_switch: bool = False
    key_change: bool = False

    @property
    def engineering(self) -> bool:
        """Whether it needs a work order and a reason."""
        return self.token_class == MANAGEMENT or self.opens_switch

    @property
    def destructive(self) -> bool:
        """Whether it needs a second confirmation: without its key a management token may be."""
        return self.engineering


@dataclass(frozen=True)
class TokenAsk(Ask):
    """Twenty digits from paper; "" is the answer of who takes ``way_back``.

    ``first`` is what was typed the first time, for the second; it is in no text of the question.
    """

    kind: AnswerKind = AnswerKind.TOKEN
    choices: tuple[str, ...] = ()
    classes: frozenset[int] = frozenset()  # that the step takes
    way_back: str = ""
    first: Secret | None = field(default=None, compare=False)

    @property
    def first_digits(self) -> str:
        """The digits of the first entry; "" when this is the first."""
        return self.first.reveal().decode("ascii") if self.first is not None else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the meter and the vending record do not agree."""

    name: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.name}: the record says {self.expected}, the meter {self.found}"


def token_facts(token: str, key: DecoderKey | None = None) -> TokenFacts:
    """Return what a token is; with the decoder key of its meter also what is in it.

    Raises:
        BadInput: It is no token, or damaged, or not for the meter of this key.
    """
    try:
        token_class, _ = parse(token)
        clear = open_token(token, key) if key is not None or token_class == TEST else None
        said = words.class_words(token) if clear is None else words.token_words(clear)
    except TokenError as error:
        raise BadInput(str(error)) from error
    return TokenFacts(
        shown=masked(token),
        token_class=token_class,
        words=said,
        opens_switch=clear is not None and words.opens_load_switch(clear),
        key_change=clear is not None and token_class == MANAGEMENT and clear.subclass in SUBCLASSES,
    )


def plain_digits(text: str) -> str:
    """Return the twenty digits of a token without spaces and dashes.

    Raises:
        BadInput: It is no token; the text never repeats the digits.
    """
    digits = "".join(text.split()).replace("-", "")
    try:
        parse(digits)
    except TokenError as error:
        raise BadInput(str(error)) from error
    return digits


# -- what the meter tells --------------------------------------------------------------------


def takes_tokens(meter: Meter) -> bool:
    """Tell whether tokens can be handed to this meter over the wire."""
    kind = meter.meter_type.prepayment
    return isinstance(meter, TakesTokens) and bool(kind.token_encoding or kind.token_register)


def read_prepayment(meter: Meter) -> Task[PrepaymentReading]:
    """Read keys and credit; a meter that tells nothing gives an empty reading."""
    yield Progress("Reading keys and credit")
    reading = PrepaymentReading()
    if isinstance(meter, Prepaid):
        try:
            reading = meter.prepayment()
        except (NotSupported, AccessDenied):
            reading = PrepaymentReading()
    yield Found("prepayment", reading)
    return reading


def differences(expected: dict[str, Any], reading: PrepaymentReading) -> tuple[Difference, ...]:
    """Return where the meter differs from a record: meter number, SGC, TI, KRN first.

    What either side does not tell is not compared.
    """
    told = asdict(reading)
    found = []
    for name in _KEY_FIELDS:
        wanted, got = expected.get(name), told[name]
        if wanted in {None, ""} or got in {None, ""}:
            continue
        if str(wanted) != str(got):
            found.append(Difference(_FIELD_WORDS[name], str(wanted), str(got)))
    return tuple(found)


def compared(expected: dict[str, Any], reading: PrepaymentReading) -> tuple[str, ...]:
    """Return the names of what both sides tell."""
    told = asdict(reading)
    return tuple(
        _FIELD_WORDS[name]
        for name in _KEY_FIELDS
        if expected.get(name) not in {None, ""} and told[name] not in {None, ""}
    )


def reading_data(reading: PrepaymentReading) -> dict[str, Any]:
    """Return a reading as plain data."""
    data = asdict(reading)
    if reading.balance is not None:
        data["balance"] = format(reading.balance, "f")
    return data


def reading_from(data: dict[str, Any]) -> PrepaymentReading:
    """Return the reading that `reading_data` made plain."""
    balance = data.get("balance")
    return replace(
        PrepaymentReading(**{**data, "balance": None}),
        balance=None if balance is None else Decimal(balance),
    )


def key_words(reading: PrepaymentReading) -> str:
    """Return keys and credit in one line."""
    parts = [
        f"{_FIELD_WORDS[name]} {value}"
        for name in ("sgc", "ti", "krn", "key_type", "ken", "base")
        if (value := getattr(reading, name)) not in {None, ""}
    ]
    if reading.balance is not None:
        parts.append(f"credit {reading.balance} {reading.unit}".rstrip())
    return ", ".join(parts) or "the meter tells nothing of its keys"
