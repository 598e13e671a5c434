"""A vending office for virtual meters: tokens and key-change sets under keys that only they have.

The keys are made from a text that says so and from the meter's number.  No real meter has them, no
vending key is involved, and nothing here can make a token for a real meter.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from drivers.sts.amounts import encode as coded
from drivers.sts.identifiers import KeyName, KeyType, luhn, tid_of
from drivers.sts.keychange import key_change
from drivers.sts.keys import EA_MISTY
from drivers.sts.token import DecoderKey, credit, display, encode, management

_ORIGIN = b"Meterwright key of a virtual meter; no real meter has it"
_SIZES = {EA_MISTY: 16}
_UNITS_A_KWH = 10
FIRST_KEY = KeyName("123456", "01", 1, KeyType.DUTK, 2014, EA_MISTY)
CLEAR_CREDIT, POWER_LIMIT, CLEAR_TAMPER = 1, 0, 5
ALL_TESTS = (1 << 36) - 1


def drn_of(serial: str) -> str:
    """Return the meter number of a virtual meter: maker 46, eight digits of the serial, check."""
    digits = "46" + serial[-8:].zfill(8)
    return digits + str(luhn(digits))


def virtual_key(drn: str, name: KeyName) -> DecoderKey:
    """Return the decoder key called ``name`` of the virtual meter ``drn``."""
    text = f"{drn} {name.sgc} {name.ti} {name.krn} {name.key_type} {name.base} {name.ea}"
    whole = hashlib.sha256(_ORIGIN + text.encode("ascii")).digest()
    return DecoderKey(whole[: _SIZES.get(name.ea, 8)], name.ea)


@dataclass
class TokenOffice:
    """Makes tokens for one virtual meter as it stands on ``name``."""

    drn: str
    name: KeyName = FIRST_KEY
    _last: int = field(default=-1)

    @property
    def key(self) -> DecoderKey:
        """The key the office issues under."""
        return virtual_key(self.drn, self.name)

    def credit(self, kwh: Decimal | int, issued: datetime, rnd: int = 5) -> str:
        """Return a credit token for energy; tokens of one minute take the next minutes."""
        units = int(Decimal(kwh) * _UNITS_A_KWH)
        return encode(credit(0, rnd, self._tid(issued), coded(units)), self.key)

    def manage(self, subclass: int, value16: int, issued: datetime, rnd: int = 9) -> str:
        """Return a management token: clear credit, clear tamper, power limit ..."""
        return encode(management(subclass, rnd, self._tid(issued), value16), self.key)

    def power_limit(self, watts: int, issued: datetime) -> str:
        """Return a token that sets the power limit."""
        return self.manage(POWER_LIMIT, coded(watts).value16, issued)

    def test(self, number: int, maker: int = 0) -> str:
        """Return a test or display token; 0 asks for everything."""
        control = ALL_TESTS if number == 0 else 1 << (number - 1)
        return encode(display(0, control, maker))

    def key_change(self, new: KeyName, *, ken: int = 255, tell_sgc: bool = True) -> tuple[str, ...]:
        """Return the set that leads from the present key to ``new``, first token first."""
        made = key_change(
            virtual_key(self.drn, new).value,
            new,
            ken=ken,
            rollover=new.base > self.name.base,
            tell_sgc=tell_sgc,
        )
        return tuple(encode(clear, self.key) for clear in made)

    def after(self, new: KeyName) -> "TokenOffice":
        """Return the office that issues under ``new``, once the change is accepted.

        Without a new base date the meter keeps its token times, so the office goes on from its own.
        """
        return replace(self, name=new, _last=self._last if new.base == self.name.base else -1)

    def _tid(self, issued: datetime) -> int:
        self._last = max(tid_of(issued, self.name.base), self._last + 1)
        return self._last
