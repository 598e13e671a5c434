"""How full the laptop's battery is: little charge is said before a write, less stops firmware.

Linux tells it in files; where nothing tells, nothing is said.
"""

from dataclasses import dataclass
from pathlib import Path

from app.errors import NotPermitted

LOW, TOO_LOW = 20, 10  # percent: warned of before any write; no firmware
_SUPPLIES = Path("/sys/class/power_supply")


@dataclass(frozen=True)
class Battery:
    """What is left of the charge, while no mains feeds the laptop."""

    percent: int

    @property
    def warning(self) -> str:
        """What to do before a write; "" while there is enough."""
        if self.percent >= LOW:
            return ""
        return f"The battery is at {self.percent} %. Plug the laptop in before you go on."


FULL = Battery(100)


def battery(supplies: Path = _SUPPLIES) -> Battery:
    """Return how full the laptop's batteries are; full where one charges or nothing tells."""
    found = []
    for place in sorted(supplies.glob("*")):
        if _told(place, "type") != "Battery" or _told(place, "scope") == "Device":
            continue  # mains, or the battery of a mouse
        if _told(place, "status") != "Discharging":
            return FULL
        if (charge := _told(place, "capacity")).isdecimal():
            found.append(int(charge))
    return Battery(sum(found) // len(found)) if found else FULL


def demand_charge(left: Battery) -> None:
    """Raise where there is too little charge to load firmware.

    Raises:
        NotPermitted: The laptop could go out in the middle of it.
    """
    if left.percent < TOO_LOW:
        raise NotPermitted(
            f"the battery is at {left.percent} %: firmware is loaded from {TOO_LOW} % on."
            " Plug the laptop in"
        )


def _told(place: Path, name: str) -> str:
    try:
        return (place / name).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
