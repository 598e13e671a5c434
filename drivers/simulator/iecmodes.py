"""Virtual IEC 62056-21 meters without a choice of speed: modes A and B, and D, which only sends.

Modes C and E are those of the meters with programming mode and of the ZMF100.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from drivers.simulator.device import WireFormat
from drivers.simulator.iec62056 import OpticalPort, framed
from drivers.simulator.iecfaults import FAULTS as PORT_FAULTS
from drivers.simulator.iecfaults import NOISE, on_the_wire
from drivers.simulator.iecmeter import DIALECTS, Registers, expected
from drivers.simulator.push import PushDevice

PERIOD = 4.0  # s between the beginnings of two telegrams of a meter in mode D
PUSH_LINE = WireFormat(2400, 7, "E")
IDENTIFICATIONS = {"A": "/KAM MWA1", "B": "/LUGCMWB1", "D": "/EAS MWD1"}
PUSH_FAULTS = {
    "silence": PORT_FAULTS["silence"],
    "noise": "there is noise before every telegram",
    "parity-errors": PORT_FAULTS["parity-errors"],
}


def store(serial: str, seed: int, start: datetime | None) -> Registers:
    """Return the registers of a household meter without a profile."""
    born = start or datetime.now(UTC)
    number = serial or f"{44_000_000 + seed:08d}"
    return Registers(DIALECTS["metcom"], number, seed, 1, born, live=start is None)


class PushText(PushDevice):
    """Sends its list again and again at 2400 Bd and hears nothing: mode D."""

    def __init__(self, registers: Registers, faults: Sequence[str] = ()) -> None:
        if unknown := set(faults) - set(PUSH_FAULTS):
            raise ValueError(f"there is no fault {', '.join(sorted(unknown))}")
        super().__init__(PUSH_LINE, PERIOD, silent="silence" in faults)
        self.name = f"iec62056 mode D {registers.serial}"
        self._registers = registers
        self._faults = frozenset(faults)

    def pushed(self, now: float) -> bytes:
        """Return the telegram that is due."""
        lines = "".join(f"{line}\r\n" for line in self._registers.lines(now))
        text = f"{IDENTIFICATIONS['D']}\r\n\r\n{lines}!\r\n".encode("ascii")
        return (NOISE if "noise" in self._faults else b"") + on_the_wire(text, self._faults)

    def expected(self) -> dict[str, object]:
        """What a correct reader must find."""
        return _expected(self._registers, "D")


def build(
    *,
    serial: str = "",
    rows: int = 0,  # noqa: ARG001 (it stores no profile)
    seed: int = 1,
    faults: Sequence[str] = (),
    start: datetime | None = None,
    mode: str = "A",
) -> OpticalPort | PushText:
    """Return a virtual meter of mode A, B or D.

    Raises:
        ValueError: There is no such fault.
    """
    registers = store(serial, seed, start)
    if mode == "D":
        return PushText(registers, faults)
    return OpticalPort(
        name=f"iec62056 mode {mode} {registers.serial}",
        identification=IDENTIFICATIONS[mode].encode("ascii"),
        readout=lambda now: framed(registers.lines(now)),
        address=registers.serial,
        faults=faults,
        expected=lambda: _expected(registers, mode),
    )


def _expected(registers: Registers, mode: str) -> dict[str, object]:
    identity = {"serial": registers.serial, "identification": IDENTIFICATIONS[mode]}
    return {"identity": identity, "registers": expected(registers)["registers"]}
