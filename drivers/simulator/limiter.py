"""The limiter (class 71) of a virtual meter: too much power for too long opens the supply switch.

The script table 0-0:10.0.106 says what its actions are: 1 disconnects, 2 connects.  As delivered it
disconnects when the power is over the threshold and does nothing when it is under it again.
Source: COSEM class 71, Limiter, IEC 62056-6-2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.objects import Attribute, CosemObject, logical_name
from drivers.simulator.household import SLOT_S
from drivers.simulator.meterclock import MeterClock
from drivers.simulator.model import LIMIT_CHANGED, LIMIT_OVER, LIMIT_UNDER

LIMITER, SCRIPTS, MONITORED = "0-0:17.0.0.255", "0-0:10.0.106.255", "1-0:1.7.0.255"
DISCONNECT, CONNECT = 1, 2
_DURATION_S = 60
_REGISTER, _VALUE = 3, 2
_MOST_STEPS = 3000  # slots that are looked through after a long silence: a month
_MOST_GROUPS = 16


class Switching(Protocol):
    """What the limiter does to the supply."""

    def __call__(self, now: float, *, connect: bool) -> None:
        """Connect or disconnect."""


@dataclass(slots=True)
class Emergency:
    """The emergency profile: which, from when, for how many seconds."""

    number: int = 0
    start: datetime | None = None
    octets: bytes = bytes.fromhex("FFFFFFFFFFFFFFFFFF8000FF")
    duration_s: int = 0

    def active(self, moment: datetime) -> bool:
        """Whether the emergency threshold is in force at ``moment``."""
        if self.start is None or not self.duration_s:
            return False
        return self.start <= moment < self.start + timedelta(seconds=self.duration_s)


class Limiter:
    """One limiter.

    Args:
        clock: The meter's clock.
        power: The watts that the customer takes at a true time while there is supply.
        supplied: Whether there is supply.
        switch: Opens and closes the supply switch.
        tell: Writes the log of the supply switch.
        threshold: The normal threshold, in watts.
    """

    def __init__(
        self,
        clock: MeterClock,
        *,
        power: Callable[[datetime], int],
        supplied: Callable[[], bool],
        switch: Switching,
        tell: Callable[[float, int], None],
        threshold: int,
    ) -> None:
        self._clock = clock
        self._power = power
        self._supplied = supplied
        self._switch = switch
        self._tell = tell
        self._normal, self._emergency = threshold, threshold // 2
        self._over_s = self._under_s = _DURATION_S
        self._profile = Emergency()
        self._groups: tuple[int, ...] = ()
        self._actions = [DISCONNECT, 0]  # scripts for over and under
        self._over = False
        self._since: float | None = None  # when the power crossed the threshold
        self._settled: float | None = None

    def settle(self, now: float) -> None:
        """Bring the limiter, and with it the switch, up to ``now``."""
        at = now if self._settled is None else self._settled
        self._settled = now
        for _ in range(_MOST_STEPS):
            self._look(at)
            if at >= now:
                return
            at = min(now, self._next(at))
        self._look(now)

    def _next(self, at: float) -> float:
        """Return when to look next: the load changes, or a duration ends."""
        moment = self._clock.true(at)
        slot = SLOT_S - moment.timestamp() % SLOT_S
        times = [at + max(slot, 0.001)]
        if self._since is not None:
            times.append(self._since + (self._under_s if self._over else self._over_s))
        profile = self._profile
        if profile.start is not None:
            shown, lasts = self._clock.shown(at), timedelta(seconds=profile.duration_s)
            edges = profile.start, profile.start + lasts
            times += [at + (edge - shown).total_seconds() for edge in edges]
        return min(time for time in times if time > at)

    def _crossed(self, at: float) -> bool:
        """Tell whether the power is on the other side of the threshold than it was."""
        watts = self._power(self._clock.true(at)) if self._supplied() else 0
        return (watts > self._threshold(at)) != self._over

    def _look(self, at: float) -> None:
        if not self._crossed(at):
            self._since = None
            return
        if self._since is None:
            self._since = at
        if at - self._since >= (self._under_s if self._over else self._over_s):
            self._act(at)

    def _act(self, at: float) -> None:
        self._over = not self._over
        self._tell(at, LIMIT_OVER if self._over else LIMIT_UNDER)
        script = self._actions[0 if self._over else 1]
        if script:
            self._switch(at, connect=script == CONNECT)
        self._since = at if self._crossed(at) else None

    def _threshold(self, at: float) -> int:
        active = self._profile.active(self._clock.shown(at))
        allowed = not self._groups or self._profile.number in self._groups
        return self._emergency if active and allowed else self._normal

    # -- as objects --------------------------------------------------------------------------

    def cosem(self) -> CosemObject:
        """Return the object."""
        unsigned = axdr.U32
        return CosemObject(
            71,
            LIMITER,
            {
                2: Attribute(_monitored(MONITORED)),
                3: Attribute(lambda now: axdr.integer(unsigned, self._threshold(now))),
                4: Attribute(
                    lambda _: axdr.integer(unsigned, self._normal),
                    write=self._set_number("_normal", told=True),
                ),
                5: Attribute(
                    lambda _: axdr.integer(unsigned, self._emergency),
                    write=self._set_number("_emergency", told=True),
                ),
                6: Attribute(
                    lambda _: axdr.integer(unsigned, self._over_s),
                    write=self._set_number("_over_s"),
                ),
                7: Attribute(
                    lambda _: axdr.integer(unsigned, self._under_s),
                    write=self._set_number("_under_s"),
                ),
                8: Attribute(self._read_profile, write=self._set_profile),
                9: Attribute(self._read_groups, write=self._set_groups),
                10: Attribute(
                    lambda now: axdr.boolean(self._profile.active(self._clock.shown(now)))
                ),
                11: Attribute(self._read_actions, write=self._set_actions),
            },
        )

    def _set_number(self, name: str, *, told: bool = False) -> Callable[[float, Value], None]:
        def write(now: float, value: Value) -> None:
            number = value.number(axdr.U32)
            self.settle(now)
            if told and number != getattr(self, name):
                self._tell(now, LIMIT_CHANGED)
            setattr(self, name, number)

        return write

    def _read_profile(self, now: float) -> bytes:
        del now
        return axdr.structure(
            axdr.integer(axdr.U16, self._profile.number),
            axdr.octets(self._profile.octets),
            axdr.integer(axdr.U32, self._profile.duration_s),
        )

    def _set_profile(self, now: float, value: Value) -> None:
        number, time, duration = value.members(3)
        octets = time.octets(axdr.OCTETS, axdr.DATE_TIME)
        self.settle(now)
        self._profile = Emergency(
            number.number(axdr.U16),
            self._clock.zone.moment(octets),
            octets,
            duration.number(axdr.U32),
        )

    def _read_groups(self, now: float) -> bytes:
        del now
        return axdr.array(axdr.integer(axdr.U16, number) for number in self._groups)

    def _set_groups(self, now: float, value: Value) -> None:
        del now
        groups = tuple(item.number(axdr.U16) for item in value.members())
        if value.tag != axdr.ARRAY or len(groups) > _MOST_GROUPS:
            raise BadData("no list of groups, or too many")
        self._groups = groups

    def _read_actions(self, now: float) -> bytes:
        del now
        return axdr.structure(*(script_item(SCRIPTS, script) for script in self._actions))

    def _set_actions(self, now: float, value: Value) -> None:
        del now
        scripts = [script_of(item, SCRIPTS) for item in value.members(2)]
        if not set(scripts) <= {0, DISCONNECT, CONNECT}:
            raise BadData("there is no such script")
        self._actions = scripts


def scripts_of(control: CosemObject) -> CosemObject:
    """Return the script table of a disconnect control, as its own methods carry them out."""

    def execute(now: float, parameter: Value | None) -> bytes:
        if parameter is None or parameter.number(axdr.U16) not in {DISCONNECT, CONNECT}:
            raise BadData("there is no such script")
        return control.methods[parameter.number(axdr.U16)](now, Value(axdr.I8, 0))

    return CosemObject(9, SCRIPTS, {2: Attribute(_scripts())}, {1: execute})


def script_item(table: str, script: int) -> bytes:
    """Return an action item: a script table and the number of a script; 0 for none."""
    return axdr.structure(axdr.octets(logical_name(table)), axdr.integer(axdr.U16, script))


def script_of(item: Value, table: str) -> int:
    """Return the number of the script in an action item.

    Raises:
        BadData: It is none, or names another script table.
    """
    name, script = item.members(2)
    number = script.number(axdr.U16)
    if number and name.octets() != logical_name(table):
        raise BadData("another script table")
    return number


def _monitored(code: str) -> bytes:
    return axdr.structure(
        axdr.integer(axdr.U16, _REGISTER),
        axdr.octets(logical_name(code)),
        axdr.integer(axdr.I8, _VALUE),
    )


def _scripts() -> bytes:
    """Return the table: script 1 invokes method 1 of the switch, script 2 method 2."""
    rows = [
        axdr.structure(
            axdr.integer(axdr.U16, number),
            axdr.array(
                [
                    axdr.structure(
                        axdr.integer(axdr.ENUM, 2),  # execute
                        axdr.integer(axdr.U16, 70),
                        axdr.octets(logical_name("0-0:96.3.10.255")),
                        axdr.integer(axdr.I8, number),
                        axdr.integer(axdr.I8, 0),
                    )
                ]
            ),
        )
        for number in (DISCONNECT, CONNECT)
    ]
    return axdr.array(rows)
