"""What a virtual meter measures: one place for the object on the wire and the value expected."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.objects import (
    AMPERE,
    DBM,
    DEGREE,
    HERTZ,
    NO_UNIT,
    VOLT,
    WATT,
    WH,
    CosemObject,
    data,
    register,
)

Value = Callable[[datetime], int]
_UNITS = {VOLT: "V", AMPERE: "A", HERTZ: "Hz", DEGREE: "°", DBM: "dBm", NO_UNIT: ""}
_KILO = {WH: "kWh", WATT: "kW"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number the meter shows: an integer as a function of the moment, a power of ten, a unit.

    ``scaler`` None makes it an object of class 1, Data, without unit.
    """

    code: str
    value: Value
    tag: int = axdr.U32
    scaler: int | None = 0
    unit: int = NO_UNIT

    @property
    def class_id(self) -> int:
        """Return its interface class."""
        return 1 if self.scaler is None else 3

    def cosem(self, measured: Callable[[float], datetime]) -> CosemObject:
        """Return its object; ``measured`` tells up to when values are brought."""

        def read(now: float) -> bytes:
            return self.octets(measured(now))

        if self.scaler is None:
            return data(self.code, read)
        return register(self.code, self.scaler, self.unit, read)

    def octets(self, moment: datetime) -> bytes:
        """Return the value as it goes over the line."""
        return axdr.integer(self.tag, self.value(moment))

    def text(self, moment: datetime) -> str:
        """Return the value as people read it: energy in kWh, power in kW."""
        shift = (self.scaler or 0) - (3 if self.unit in _KILO else 0)
        return format(Decimal(self.value(moment)).scaleb(shift), "f")

    def unit_text(self) -> str:
        """Return the unit that goes with `text`."""
        return _KILO.get(self.unit) or _UNITS[self.unit]
