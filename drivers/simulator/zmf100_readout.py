"""The readout of a virtual ZMF100 in mode C: what its display shows, line by line."""

from datetime import datetime

from drivers.simulator.iec62056 import framed
from drivers.simulator.zmf100_values import Measured

_ENERGIES = ("1.8.1", "1.8.2", "2.8.1", "2.8.2", "1.8.0", "2.8.0", "15.8.0")


def readout(
    values: Measured, moment: datetime, *, serial: str, utility_serial: str, firmware: str
) -> bytes:
    """Return the data message with the values of ``moment``."""

    def energy(short: str) -> str:
        return values.quantities[f"1-0:{short}.255"].text(moment).rjust(10, "0")

    return framed(
        [
            "F.F(00)",
            f"0.0({utility_serial:>24})",
            f"C.1.0({serial})",
            f"C.1.1({'':8})",
            *(f"{short}({energy(short)}*kWh)" for short in _ENERGIES),
            f"C.7.0({values.picked('0-0:96.7.0.255')[0].value(moment):04})",
            *(f"{32 + 20 * n}.7({values.whole_volts(n)}*V)" for n in range(3)),
            *(f"{31 + 20 * n}.7({values.amperes(n, moment):06.2f}*A)" for n in range(3)),
            "82.8.1(0000)",
            "82.8.2(0000)",
            f"0.2.0({firmware})",
            "C.5.0(0401)",
        ]
    )
