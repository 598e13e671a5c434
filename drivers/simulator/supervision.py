"""What a virtual meter watches by itself: power, demand, covers and magnets, its own health."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from drivers.simulator.alarms import CAUSES, Alarms
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import CosemObject
from drivers.simulator.limiter import Limiter, Switching, scripts_of
from drivers.simulator.meterclock import MeterClock
from drivers.simulator.model import EventLog
from drivers.simulator.monitor import DemandMonitor

_BEFORE = timedelta(hours=2)  # so long before the first request what was given began


class Supervision:
    """Alarms, limiter and demand monitor of one meter.

    Args:
        clock: The meter's clock.
        standard: Its standard log.
        tamper: Its log of tampering; the standard log where it has no other.
        relay_log: The log of the supply switch.
        power: The watts that the customer takes at a true time while there is supply.
        energy: The watt-hours imported until a true time.
        supplied: Whether there is supply.
        switch: What the limiter does to it.
        limit_w: The most that the connection is made for.
    """

    def __init__(
        self,
        clock: MeterClock,
        *,
        standard: EventLog,
        tamper: EventLog,
        relay_log: EventLog,
        power: Callable[[datetime], int],
        energy: Callable[[datetime], int],
        supplied: Callable[[], bool],
        switch: Switching,
        limit_w: int,
    ) -> None:
        def told(log: EventLog) -> Callable[[float, int], None]:
            return lambda now, code: log.add(clock.shown(now), code)

        def happened(now: float | None, code: int, tampering: bool) -> None:
            moment = clock.born + clock.error - _BEFORE if now is None else clock.shown(now)
            (tamper if tampering else standard).add(moment, code)

        self.alarms = Alarms(happened)
        self.limiter = Limiter(
            clock,
            power=power,
            supplied=supplied,
            switch=switch,
            tell=told(relay_log),
            threshold=limit_w,
        )
        self.monitor = DemandMonitor(clock, energy, told(standard), limit_w)

    def begin(self, faults: Faults) -> None:
        """Let what the meter was given among its faults be there when it is first asked."""
        for name in CAUSES:
            if name in faults:
                self.alarms.begin(None, name)

    def settle(self, now: float) -> None:
        """Bring everything up to ``now``."""
        self.limiter.settle(now)
        self.monitor.settle(now)

    def objects(self, control: CosemObject) -> Iterator[CosemObject]:
        """Yield all objects; ``control`` is the disconnect control that scripts act on."""
        yield from self.alarms.objects()
        yield self.limiter.cosem()
        yield scripts_of(control)
        yield self.monitor.cosem()
