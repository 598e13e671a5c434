"""What a virtual household uses: a load that repeats every four weeks, and power failures.

Energy is a function of the moment, so that any row of a profile is computed from its time alone.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

SLOT_S = 900
_SLOTS = 4 * 7 * 96
_CYCLE_S = _SLOTS * SLOT_S
_MORNING, _EVENING, _NIGHT = range(6, 9), range(17, 23), (*range(23, 24), *range(6))
_DAY_TARIFF = range(6, 21)  # hours of tariff 1 on working days
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Outage:
    """No supply from ``start`` to ``end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Curve:
    """Watt-hours that a repeating load has used since ``epoch``."""

    epoch: datetime
    sums: tuple[int, ...]  # Wh at the start of each slot of the cycle, and at its end

    def energy(self, moment: datetime) -> int:
        """Return the whole watt-hours used until ``moment``."""
        seconds = int((moment - self.epoch).total_seconds())
        cycles, rest = divmod(seconds, _CYCLE_S)
        slot, part = divmod(rest, SLOT_S)
        start = self.sums[slot]
        return cycles * self.sums[-1] + start + (self.sums[slot + 1] - start) * part // SLOT_S

    def power(self, moment: datetime) -> int:
        """Return the watts used at ``moment``."""
        slot = int((moment - self.epoch).total_seconds()) % _CYCLE_S // SLOT_S
        return (self.sums[slot + 1] - self.sums[slot]) * 3600 // SLOT_S


class Household:
    """One customer: import and export, each in two tariffs, with the outages left out.

    Args:
        seed: Chooses the customer.
        since: When the meter began to count; asked for earlier, it has no answer.
        low: Least watt-hours in a quarter of an hour.
        high: Most of them.
        solar: Most exported watt-hours in a quarter of an hour; 0 for no panels.
        outages: When there was no supply, in order.
    """

    def __init__(
        self,
        seed: int,
        since: datetime,
        *,
        low: int,
        high: int,
        solar: int = 0,
        outages: Sequence[Outage] = (),
    ) -> None:
        chance = Random(f"household {seed}")  # noqa: S311 (a load curve is no secret)
        day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        epoch = day - timedelta(days=day.weekday())
        used = [_used(chance, slot, low, high) for slot in range(_SLOTS)]
        given = [_given(chance, slot, solar) for slot in range(_SLOTS)]
        rates = [_is_day_tariff(slot) for slot in range(_SLOTS)]
        self._curves = {
            (sign, tariff): _curve(
                epoch, [v if tariff == 2 - d else 0 for v, d in zip(flow, rates, strict=True)]
            )
            for sign, flow in (("+", used), ("-", given))
            for tariff in (1, 2)
        }
        self.outages = tuple(outages)
        self._starts = [outage.start for outage in outages]
        self._lost = {key: self._losses(curve) for key, curve in self._curves.items()}

    def energy(self, sign: str, tariff: int, moment: datetime) -> int:
        """Return watt-hours counted until ``moment``; ``sign`` + import, - export; tariff 0 all."""
        if tariff == 0:
            return self.energy(sign, 1, moment) + self.energy(sign, 2, moment)
        curve = self._curves[sign, tariff]
        place = bisect_right(self._starts, moment)
        if place and moment < self.outages[place - 1].end:
            moment, place = self.outages[place - 1].start, place - 1
        return curve.energy(moment) - self._lost[sign, tariff][place]

    def power(self, moment: datetime) -> int:
        """Return the watts imported at ``moment``."""
        return self._curves["+", 1].power(moment) + self._curves["+", 2].power(moment)

    def tariff(self, moment: datetime) -> int:
        """Return the tariff in force at ``moment``."""
        return 1 if self._curves["+", 1].power(moment) else 2

    def _losses(self, curve: Curve) -> list[int]:
        """Return what the load would have used in the first n outages, for each n."""
        each = [curve.energy(outage.end) - curve.energy(outage.start) for outage in self.outages]
        return list(accumulate(each, initial=0))


def _hour(slot: int) -> int:
    """Return the hour of the day, an hour east of Greenwich."""
    return (slot // 4 + 1) % 24


def _is_day_tariff(slot: int) -> bool:
    return slot // 96 % 7 < _SATURDAY and _hour(slot) in _DAY_TARIFF


def _used(chance: Random, slot: int, low: int, high: int) -> int:
    hour = _hour(slot)
    share = 0.9 if hour in _EVENING else 0.6 if hour in _MORNING else 0.3
    share = 0.05 if hour in _NIGHT else share
    return low + round((high - low) * share * chance.uniform(0.4, 1.0))


def _given(chance: Random, slot: int, solar: int) -> int:
    sun = max(0.0, 1 - abs(_hour(slot) - 13) / 5)
    return round(solar * sun * chance.uniform(0.2, 1.0))


def _curve(epoch: datetime, slots: list[int]) -> Curve:
    return Curve(epoch, tuple(accumulate(slots, initial=0)))
