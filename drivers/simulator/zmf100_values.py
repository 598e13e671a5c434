"""What a virtual ZMF100 measures: energy in two tariffs, three phases with their angles."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import acos, degrees
from random import Random

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.objects import AMPERE, DEGREE, HERTZ, VOLT, WATT, WH
from drivers.simulator.household import Household, Outage
from drivers.simulator.quantities import Quantity, Value

_PHASES = 3
_SHARES = (0.35, 0.33, 0.32)  # of the load on L1, L2, L3
_LONG_MIN = 60  # an outage of at least so many minutes counts as a long one


class Measured:
    """The quantities of one meter, each a function of the moment.

    Args:
        chance: Chooses voltages and power factors.
        home: What the customer uses.
        outages: What the failure counters count.
        disturbed: Phases with a voltage of their own.
    """

    def __init__(
        self,
        chance: Random,
        home: Household,
        outages: Sequence[Outage],
        disturbed: Mapping[int, float],
    ) -> None:
        self._home = home
        self._volts = [chance.uniform(228.0, 233.0) for _ in range(_PHASES)]
        for phase, volts in disturbed.items():
            self._volts[phase] = volts
        self._factors = [round(chance.uniform(0.93, 0.99), 3) for _ in range(_PHASES)]
        self._hertz = round(chance.uniform(49.97, 50.03), 2)
        self._failures = len(outages)
        self._long = sum(
            (outage.end - outage.start).total_seconds() >= _LONG_MIN * 60 for outage in outages
        )
        listed = (*self._energies(), *self._phases(), *self._angles(), *self._others())
        self.quantities = {item.code: item for item in listed}

    def picked(self, *codes: str) -> tuple[Quantity, ...]:
        """Return the quantities with these codes."""
        return tuple(self.quantities[code] for code in codes)

    def whole_volts(self, phase: int) -> int:
        """Return the voltage of a phase as the display shows it."""
        return round(self._volts[phase])

    def amperes(self, phase: int, moment: datetime) -> float:
        """Return the current of a phase."""
        if not self._volts[phase]:
            return 0.0
        watts = self._home.power(moment) * _SHARES[phase]
        return watts / (self._volts[phase] * self._factors[phase])

    def _energies(self) -> tuple[Quantity, ...]:
        def both(moment: datetime) -> int:
            return self._home.energy("+", 0, moment) + self._home.energy("-", 0, moment)

        def counted(code: str, sign: str, tariff: int) -> Quantity:
            return Quantity(code, lambda t: self._home.energy(sign, tariff, t), unit=WH)

        return (
            counted("1-0:1.8.0.255", "+", 0),
            counted("1-0:1.8.1.255", "+", 1),
            counted("1-0:1.8.2.255", "+", 2),
            counted("1-0:2.8.0.255", "-", 0),
            counted("1-0:2.8.1.255", "-", 1),
            counted("1-0:2.8.2.255", "-", 2),
            Quantity("1-0:15.8.0.255", both, unit=WH),
        )

    def _phases(self) -> list[Quantity]:
        found = []
        for phase in range(_PHASES):
            base = 20 * (phase + 1)
            found += [
                Quantity(f"1-1:{base + 12}.7.0.255", self._volt(phase), axdr.U16, -1, VOLT),
                Quantity(f"1-0:{base + 11}.7.0.255", self._ampere(phase), axdr.U16, -2, AMPERE),
                Quantity(f"1-0:{base + 1}.7.0.255", self._watt(phase), unit=WATT),
                Quantity(f"1-0:{base + 13}.7.0.255", self._factor(phase), axdr.U16, -3),
            ]
        return found

    def _volt(self, phase: int) -> Value:
        return lambda _: round(self._volts[phase] * 10)

    def _ampere(self, phase: int) -> Value:
        return lambda moment: round(self.amperes(phase, moment) * 100)

    def _watt(self, phase: int) -> Value:
        return lambda moment: round(self._home.power(moment) * _SHARES[phase])

    def _factor(self, phase: int) -> Value:
        return lambda _: round(self._factors[phase] * 1000)

    def _angles(self) -> list[Quantity]:
        """Return voltages against U1 and each current against its voltage, lagging positive."""
        angles = {1: 120.0, 2: 240.0}
        for phase in range(_PHASES):
            angles[11 * phase + 4] = degrees(acos(self._factors[phase]))
        return [
            Quantity(f"1-0:81.7.{e}.255", _fixed(round(angle * 10)), axdr.U16, -1, DEGREE)
            for e, angle in angles.items()
        ]

    def _others(self) -> tuple[Quantity, ...]:
        home = self._home
        factor = sum(f * s for f, s in zip(self._factors, _SHARES, strict=True))
        return (
            Quantity("1-0:1.7.0.255", home.power, unit=WATT),
            Quantity("1-0:2.7.0.255", _fixed(0), unit=WATT),
            Quantity("1-0:13.7.0.255", _fixed(round(factor * 1000)), axdr.U16, -3),
            Quantity("1-0:14.7.0.255", _fixed(round(self._hertz * 100)), axdr.U16, -2, HERTZ),
            Quantity("0-0:96.7.0.255", _fixed(self._failures), axdr.U16, None),
            Quantity("0-0:96.7.5.255", _fixed(self._long), axdr.U16, None),
            Quantity("0-0:96.14.0.255", home.tariff, axdr.U8, None),
        )


def _fixed(number: int) -> Value:
    return lambda _: number
