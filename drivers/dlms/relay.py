"""The supply switch (class 70): its state, and opening, closing and arming with read-back."""

from drivers.dlms.apdu import Attribute
from drivers.dlms.data import signed8
from drivers.dlms.objects import RELAY, ObjectReader
from drivers.dlms.session import Session
from drivers.errors import GarbledReply, NotSupported, ValueRefused
from drivers.link import Link
from drivers.obis import to_bytes
from drivers.switching import Switching, hindrance
from drivers.values import RelayReading

_OUTPUT, _STATE, _MODE = 2, 3, 4
_DISCONNECT, _RECONNECT = 1, 2
STATES = {0: "disconnected", 1: "connected", 2: "ready for reconnection"}
_WANTED = {Switching.OPEN: 0, Switching.CLOSE: 1, Switching.ARM: 2}
_FOLLOWS_S = 10.0  # a switch that has not moved then does not move
_POLL_S = 0.5


class SupplySwitch:
    """The switch of one meter."""

    def __init__(self, session: Session, objects: ObjectReader, link: Link, code: str) -> None:
        self._session = session
        self._objects = objects
        self._link = link
        self._code = code

    def reading(self) -> RelayReading:
        """Return what flows, what the control says, and the mode."""
        code = to_bytes(self._code)
        output, state, mode = (
            self._objects.value(RELAY, code, n) for n in (_OUTPUT, _STATE, _MODE)
        )
        if not isinstance(state, int) or not isinstance(mode, int):
            raise GarbledReply("the supply switch gives no state")
        return RelayReading(bool(output), STATES.get(state, f"state {state}"), mode)

    def switch(self, action: Switching) -> RelayReading:
        """Operate the switch, once, and return what reads back.

        Raises:
            NotSupported: The mode does not allow it; nothing was sent.
            ValueRefused: The meter refused, or the switch did not follow.
        """
        before = self.reading()
        refused = hindrance(action, before.mode)
        if refused:
            raise NotSupported(refused)
        if self._done(action, before):
            return before
        method = _DISCONNECT if action is Switching.OPEN else _RECONNECT
        call = Attribute(RELAY, to_bytes(self._code), method)
        self._session.action(call, "the supply switch", signed8(0))
        end = self._link.now() + _FOLLOWS_S
        after = self.reading()
        while not self._done(action, after) and self._link.now() < end:
            self._link.wait(_POLL_S)
            after = self.reading()
        if not self._done(action, after):
            flow = "on" if after.output else "off"
            raise ValueRefused(f"the switch reads back {after.state}, supply {flow}")
        return after

    def _done(self, action: Switching, now: RelayReading) -> bool:
        """Return whether state and output are as wanted."""
        wanted = STATES[_WANTED[action]]
        if action is Switching.ARM and now.state == STATES[1]:
            return now.output  # on already: the button has been pressed, or was never needed
        return now.state == wanted and now.output == (action is Switching.CLOSE)
