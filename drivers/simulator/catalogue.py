"""The virtual meters by name, as `simulate` and the demo ask for them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from drivers.simulator.device import Device

_REPLAY = "replay:"
_MOST = 100  # meters on one line

Builder = Callable[..., Device]


def _hexcell() -> tuple[Builder, dict[str, str]]:
    from drivers.simulator import hexcell  # noqa: PLC0415 (only what is asked for)

    return hexcell.build, dict(hexcell.FAULTS)


def _zmf100() -> tuple[Builder, dict[str, str]]:
    from drivers.simulator import zmf100  # noqa: PLC0415 (only what is asked for)

    return zmf100.build, dict(zmf100.FAULTS)


def _programmed(dialect: str) -> tuple[Builder, dict[str, str]]:
    """Return an IEC 62056-21 meter with programming mode, of one maker's dialect."""
    from drivers.simulator import iecmeter  # noqa: PLC0415 (only what is asked for)

    return partial(iecmeter.build, dialect=dialect), dict(iecmeter.FAULTS)


def _moded(mode: str) -> tuple[Builder, dict[str, str]]:
    """Return an IEC 62056-21 meter of a mode without a choice of speed."""
    from drivers.simulator import iecfaults, iecmodes  # noqa: PLC0415 (only what is asked for)

    faults = iecmodes.PUSH_FAULTS if mode == "D" else iecfaults.FAULTS
    return partial(iecmodes.build, mode=mode), dict(faults)


def _sml() -> tuple[Builder, dict[str, str]]:
    from drivers.simulator import sml  # noqa: PLC0415 (only what is asked for)

    return sml.build, dict(sml.FAULTS)


_TYPES: dict[str, Callable[[], tuple[Builder, dict[str, str]]]] = {
    "hexcell-ddsy1088": _hexcell,
    "landisgyr-zmf100": _zmf100,
    "emh-lzqj": partial(_programmed, "emh"),
    "metcom-mcs301": partial(_programmed, "metcom"),
    "turkish-mass": partial(_programmed, "mass"),
    "iec-mode-a": partial(_moded, "A"),
    "iec-mode-b": partial(_moded, "B"),
    "iec-mode-d": partial(_moded, "D"),
    "generic-sml": _sml,
}


def type_names() -> tuple[str, ...]:
    """Return the names that `build` knows; the last is a pattern."""
    return (*_TYPES, f"{_REPLAY}FILE")


def fault_names(type_name: str) -> dict[str, str]:
    """Return the faults that the meters ``type_name`` can be given, each with what it does.

    Raises:
        ValueError: There is no such type.
    """
    name, _ = _counted(type_name)
    if name.startswith(_REPLAY):
        from drivers.simulator.iec62056 import FAULTS  # noqa: PLC0415 (only what is asked for)

        return dict(FAULTS)
    return _known(name)()[1]


def build(
    type_name: str,
    *,
    serial: str = "",
    rows: int = 0,
    seed: int = 1,
    faults: Sequence[str] = (),
    start: datetime | None = None,
) -> list[Device]:
    """Return the virtual meters called ``type_name``, all for one line.

    Args:
        type_name: One of `type_names`; with ``*5`` after it five of them, with consecutive serials.
        serial: Serial of the first; "" for the type's own.
        rows: Rows of the load profile; 0 for the type's own number.
        seed: Chooses the values; the same seed gives the same meter.
        faults: Names out of `fault_names`.
        start: What the meter's clock shows at first; None for now.

    Raises:
        ValueError: There is no such type or fault, or the replayed file is no readout.
        OSError: The file to replay cannot be read.
    """
    name, count = _counted(type_name)
    known = fault_names(name)
    if unknown := sorted(set(faults) - set(known)):
        text = f"there is no fault {', '.join(unknown)} of {name}; known: {', '.join(known)}"
        raise ValueError(text)
    if name.startswith(_REPLAY):
        if count > 1:
            raise ValueError("a replayed meter stands alone on its line")
        from drivers.simulator import replay  # noqa: PLC0415 (only what is asked for)

        path = Path(name.removeprefix(_REPLAY))
        title = f"replay {path.name}"
        return [replay.build(path, name=title, address=serial, faults=faults, start=start)]
    builder = _known(name)()[0]
    meters: list[Device] = []
    for number in range(count):
        own = serial if number == 0 else _following(meters[0], serial, number)
        meters.append(
            builder(serial=own, rows=rows, seed=seed + number, faults=faults, start=start)
        )
    return meters


def _known(name: str) -> Callable[[], tuple[Builder, dict[str, str]]]:
    if name not in _TYPES:
        raise ValueError(f"there is no virtual meter {name!r}; known: {', '.join(type_names())}")
    return _TYPES[name]


def _counted(type_name: str) -> tuple[str, int]:
    """Return the name and how many are wanted."""
    name, star, number = type_name.rpartition("*")
    if not star or type_name.startswith(_REPLAY):
        return type_name, 1
    if not number.isdigit() or not 1 <= int(number) <= _MOST:
        raise ValueError(f"{type_name!r}: after the * a number from 1 to {_MOST} must follow")
    return name, int(number)


def _following(first: Device, serial: str, number: int) -> str:
    """Return the serial ``number`` after the first meter's, with as many digits."""
    if not serial:
        identity = first.expected()["identity"]
        serial = str(identity["serial"]) if isinstance(identity, dict) else ""
    digits = len(serial) - len(serial.rstrip("0123456789"))
    if not digits:
        raise ValueError(f"serial {serial!r} does not end in a number to count on from")
    return serial[:-digits] + str(int(serial[-digits:]) + number).zfill(digits)
