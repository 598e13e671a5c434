"""How tokens are typed on a make's keypad, and its short codes, out of ``resources/keypads``.

What consumer guides say is marked as not verified: people are told so.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import BadInput
from app.tasks import Ask
from drivers.metertype import BadMeterType, MeterType, load_meter_type
from drivers.secrets import Secret
from resources import resource

GENERIC = "generic"
_FIELDS = {
    "name", "title", "maker", "verified", "source", "enter", "key", "correct", "accepted",
    "refused", "codes",
}  # fmt: skip
_GROUP = 4
CODES = {
    "balance": "the credit left",
    "drn": "the meter number",
    "sgc": "the supply group (SGC)",
    "ti": "the tariff index (TI)",
    "krn": "the key revision (KRN) and key type",
    "ken": "the key expiry number (KEN)",
    "base_date": "the base date",
    "key_data": "supply group, tariff index and key revision",
    "last_token": "the last token",
}


@dataclass(frozen=True, slots=True)
class Keypad:
    """One make's keypad; ``codes`` maps the names of `CODES` to what is pressed.

    ``key`` is the key that hands the token in, "" where the meter takes it with the last digit;
    ``correct`` says how a wrong digit is taken back.
    """

    name: str
    title: str
    enter: str
    accepted: str
    refused: str
    verified: bool = False
    source: str = ""
    maker: str = ""
    key: str = ""
    correct: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)

    def hint(self, *names: str) -> str:
        """Return which short codes show these values, in words; "" when none is known."""
        known = [f"{self.codes[name]} shows {CODES[name]}" for name in names if name in self.codes]
        doubt = "" if self.verified else " (not verified; compare with the meter's card)"
        return "; ".join(known) + doubt if known else ""


def load_keypad(name: str) -> Keypad:
    """Return the keypad called ``name``.

    Raises:
        BadInput: There is none, or its file is wrong.
    """
    source = resource("keypads", f"{name}.toml")
    try:
        data: dict[str, Any] = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(keypad_names())
        raise BadInput(f"there is no keypad {name!r}; known: {known}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"keypad {name}: {error}") from error
    codes = data.get("codes", {})
    strange = sorted(set(data) - _FIELDS) + sorted(set(codes) - set(CODES))
    if strange:
        raise BadInput(f"keypad {name}: {', '.join(strange)} is not known")
    try:
        return Keypad(**data)
    except TypeError as error:
        raise BadInput(f"keypad {name}: {error}") from error


def keypad_of(kind: MeterType | None) -> Keypad:
    """Return the keypad of a meter type: the one it names, else the general one."""
    return load_keypad((kind.prepayment.keypad if kind else "") or GENERIC)


def keypad_of_type(name: str) -> Keypad:
    """Return the keypad of the meter type of this name; the general one where it is not known."""
    try:
        return keypad_of(load_meter_type(name) if name else None)
    except BadMeterType:
        return keypad_of(None)


def keypad_names() -> list[str]:
    """Return the names of all keypads, sorted."""
    return sorted(
        item.name.removesuffix(".toml")
        for item in resource("keypads").iterdir()
        if item.name.endswith(".toml")
    )


@dataclass(frozen=True)
class KeypadAsk(Ask):
    """A token to be typed on the meter's keypad, then what its display says.

    The digits are nowhere else: neither in the text nor in what is kept of the question.
    """

    digits: Secret = field(default_factory=lambda: Secret(b""))
    pad: Keypad | None = None
    place: int = 1  # of ``count`` tokens of this step
    count: int = 1

    @property
    def groups(self) -> tuple[str, ...]:
        """The digits in groups of four, as they are typed."""
        return tuple(grouped(self.digits.reveal().decode("ascii")).split())


def grouped(token: str) -> str:
    """Return twenty digits in groups of four, as they are typed."""
    return " ".join(token[at : at + _GROUP] for at in range(0, len(token), _GROUP))
