"""The register monitor (class 21) of a virtual meter: over-demand, the average of the last hour.

Each threshold has an action for crossing it upwards and one for downwards; as delivered they run
no script and only leave an event.  Source: COSEM class 21, Register monitor, IEC 62056-6-2.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.objects import WATT, Attribute, CosemObject, logical_name
from drivers.simulator.limiter import SCRIPTS, script_item, script_of
from drivers.simulator.meterclock import MeterClock
from drivers.simulator.model import DEMAND_OK, DEMAND_OVER
from drivers.simulator.quantities import Quantity

MONITOR, DEMAND = "0-0:16.0.0.255", "1-0:1.5.0.255"
LOWEST_W, HIGHEST_W = 1000, 256_000
_HOUR = timedelta(hours=1)
_REGISTER, _VALUE = 3, 2
_MOST_THRESHOLDS = 4


class DemandMonitor:
    """Watches the average power of the last full hour.

    Args:
        clock: The meter's clock.
        energy: The watt-hours imported until a true time.
        tell: Writes the log.
        threshold: In watts.
    """

    def __init__(
        self,
        clock: MeterClock,
        energy: Callable[[datetime], int],
        tell: Callable[[float, int], None],
        threshold: int,
    ) -> None:
        self._clock = clock
        self._energy = energy
        self._tell = tell
        self._thresholds: tuple[int, ...] = (threshold,)
        self._actions: tuple[tuple[int, int], ...] = ((0, 0),)
        self._over = [False]
        self.demand = Quantity(DEMAND, self._average, axdr.U32, 0, WATT)

    def _average(self, moment: datetime) -> int:
        end = moment.replace(minute=0, second=0, microsecond=0)
        return self._energy(end) - self._energy(end - _HOUR)

    def settle(self, now: float) -> None:
        """Compare the demand with the thresholds."""
        demand = self._average(self._clock.true(now))
        for place, threshold in enumerate(self._thresholds):
            over = demand > threshold
            if over != self._over[place]:
                self._over[place] = over
                self._tell(now, DEMAND_OVER if over else DEMAND_OK)

    def cosem(self) -> CosemObject:
        """Return the object."""
        monitored = axdr.structure(
            axdr.integer(axdr.U16, _REGISTER),
            axdr.octets(logical_name(DEMAND)),
            axdr.integer(axdr.I8, _VALUE),
        )
        return CosemObject(
            21,
            MONITOR,
            {
                2: Attribute(self._read, write=self._set),
                3: Attribute(monitored),
                4: Attribute(self._read_actions, write=self._set_actions),
            },
        )

    def _read(self, now: float) -> bytes:
        del now
        return axdr.array(axdr.integer(axdr.U32, watts) for watts in self._thresholds)

    def _set(self, now: float, value: Value) -> None:
        wanted = tuple(item.number(axdr.U32) for item in value.members())
        if value.tag != axdr.ARRAY or not 1 <= len(wanted) <= _MOST_THRESHOLDS:
            raise BadData("no list of thresholds, or too many")
        if any(not LOWEST_W <= watts <= HIGHEST_W for watts in wanted):
            raise BadData("a threshold outside 1 to 256 kW")
        self._thresholds = wanted
        self._over = [False] * len(wanted)
        self._actions = (*self._actions, *((0, 0),) * len(wanted))[: len(wanted)]
        self.settle(now)

    def _read_actions(self, now: float) -> bytes:
        del now
        return axdr.array(
            axdr.structure(*(script_item(SCRIPTS, script) for script in pair))
            for pair in self._actions
        )

    def _set_actions(self, now: float, value: Value) -> None:
        del now
        pairs = []
        for item in value.members(len(self._thresholds)):
            up, down = (script_of(script, SCRIPTS) for script in item.members(2))
            if up or down:
                raise BadData("this monitor runs no scripts")
            pairs.append((up, down))
        self._actions = tuple(pairs)
