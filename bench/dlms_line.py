"""DLMS: how full a line at 9600 Bd is while a profile is read.

    .venv/bin/python bench/dlms_line.py          everything, about four minutes
    .venv/bin/python bench/dlms_line.py short    some of: logical, short, blocks

The line is a pseudo-terminal with a virtual meter behind it that paces every character; it reacts
after 25 ms, which counts as the meter's own pause.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.link import Line
from drivers.metertype import MeterType, load_meter_type
from drivers.ports import open_link
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell, zmf100
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.hdlc import HdlcStation
from drivers.simulator.serve import serve
from drivers.values import Span

SERIAL = "46000755036"
ROWS = 700
FRAMING = 14  # octets of a frame beside its information
WANTED = 0.95
LONG, USUAL = 16_000, 1024  # the longest APDU: the profile in few, or as meters are made


def logical() -> None:
    """Read with logical names, small frames in a window and large ones, long and usual APDUs."""
    for max_info, window, pdu in (
        (128, 7, LONG),
        (2030, 1, LONG),
        (128, 7, USUAL),
        (2030, 1, USUAL),
    ):
        device = hexcell.build(serial=SERIAL, rows=ROWS)
        device.station._application._max_pdu = pdu  # noqa: SLF001 - a meter with long answers
        kind = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
        dlms = replace(kind.dlms, max_info=max_info, window=window, pdu=pdu)
        _told("logical names", device.station, replace(kind, dlms=dlms), hexcell.PASSWORD)


def short() -> None:
    """Read with short names."""
    _several("short names", "short", blocks=False)


def blocks() -> None:
    """Read in general blocks of the usual length."""
    _several("general blocks", "logical", blocks=True)


def _several(what: str, referencing: str, *, blocks: bool) -> None:
    for max_info, window in ((128, 7), (2030, 1)):
        meter = zmf100.Zmf100("18438", ROWS, 1, Faults(["gbt"] if blocks else []), None)
        kind = load_meter_type("landisgyr-zmf100")
        dlms = replace(kind.dlms, referencing=referencing, general_blocks=blocks, physical=17)
        dlms = replace(dlms, max_info=max_info, window=window, pdu=USUAL)
        line = replace(kind.line, speed=9600, format="8N1")
        _told(what, meter.station(), replace(kind, framing="hdlc", line=line, dlms=dlms), b"")


def _told(what: str, station: HdlcStation, kind: MeterType, password: bytes) -> None:
    """Print the share of the time in which characters ran, and that with the meter's pauses."""
    dlms = kind.dlms
    what = f"line in use, {what}, information {dlms.max_info}/{dlms.window}, PDU {dlms.pdu:,}"
    used, of_limit = _run(station, kind, password)
    figure = f"{used:.3f} ({of_limit:.3f} of limit)"
    verdict = "ok" if used >= WANTED else "MISSED"
    print(f"{what:66} {figure:>22}   wanted >= {WANTED} {verdict}", flush=True)


def _run(station: HdlcStation, kind: MeterType, password: bytes) -> tuple[float, float]:
    with serve([station], "pty", real_time=True) as server:
        link = open_link(server.link, Line(), check=lambda: None)
        try:
            with DlmsMeter(link, kind, Secrets(password=Secret(password))) as meter:
                info = meter.profile_info()
                meter.clock()
                counted = link.statistics
                before = counted.bytes_received, counted.bytes_sent
                began = time.perf_counter()
                rows = sum(len(block.rows) for block in meter.profile(info, Span()))
                spent = time.perf_counter() - began
                received = counted.bytes_received - before[0]
                sent = counted.bytes_sent - before[1]
        finally:
            link.close()
    assert rows == ROWS
    # each window ends a turn, and the meter reacts
    turns = received / (kind.dlms.window * (kind.dlms.max_info + FRAMING))
    running = (received + sent) * 10 / 9600
    return running / spent, (running + turns * station.settings.reaction_s) / spent


PARTS = {"logical": logical, "short": short, "blocks": blocks}


def main() -> None:
    """Run the parts that are named, or all."""
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main()
