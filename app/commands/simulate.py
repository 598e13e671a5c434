"""``simulate``: a virtual meter on a line until it is stopped."""

import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from app.commands.terminal import reported
from app.errors import BadInput
from app.models.files import save_file
from drivers.simulator import catalogue
from drivers.simulator.device import Device
from drivers.simulator.serve import Server, serve

DISPLAY = "display: "


@click.command()
@click.argument("meter_type", metavar="TYPE")
@click.option("--listen", required=True, help="tcp:PORT, rfc2217:PORT or pty[:LINKNAME]")
@click.option("--serial", default="", help="number of the meter")
@click.option("--rows", type=click.IntRange(min=0), default=0, help="rows of the load profile")
@click.option("--seed", type=int, default=1, help="another seed is another household")
@click.option("--real-time-line", is_flag=True, help="pace every byte at the true line speed")
@click.option("--fault", "faults", multiple=True, help="a fault by name; see --list-faults")
@click.option("--expected", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--keypad", is_flag=True, help="type on the meter: lines of [SERIAL:]KEYS come in")
@click.option("--until-eof", is_flag=True, hidden=True, help="end when standard input does")
@click.option("--list-faults", is_flag=True, help="print the faults TYPE knows, and end")
def simulate(
    *,
    meter_type: str,
    listen: str,
    serial: str,
    rows: int,
    seed: int,
    real_time_line: bool,
    faults: tuple[str, ...],
    expected: Path | None,
    keypad: bool,
    until_eof: bool,
    list_faults: bool,
) -> None:
    """Play a virtual meter of TYPE until SIGTERM or Ctrl-C.

    TYPE: hexcell-ddsy1088, landisgyr-zmf100 (mode E), emh-lzqj, metcom-mcs301, turkish-mass (mode C
    with programming mode), iec-mode-a, iec-mode-b, iec-mode-d, generic-sml, replay:FILE.
    NAME*5 puts five on one bus.
    """
    with reported(as_json=False):
        if list_faults:
            for name, text in sorted(catalogue.fault_names(meter_type).items()):
                click.echo(f"{name}: {text}")
            return
        try:
            devices = catalogue.build(
                meter_type, serial=serial, rows=rows, seed=seed, faults=faults
            )
        except (ValueError, OSError) as error:
            raise BadInput(str(error)) from error
        if expected is not None:
            found = [device.expected() for device in devices]
            whole = found[0] if len(found) == 1 else found
            save_file(expected, json.dumps(whole, indent=1, ensure_ascii=False).encode())
        ended = threading.Event()
        with _playing(listen, devices, ended, real_time=real_time_line) as server:
            if until_eof or keypad:
                arguments = (server, ended if until_eof else threading.Event())
                threading.Thread(target=_listen, args=arguments, daemon=True).start()
            while server.running and not ended.wait(0.2):
                pass


def _listen(server: Server, ended: threading.Event) -> None:
    """Type each line of standard input on a meter and print its display; then set ``ended``."""
    for line in sys.stdin:
        serial, _, keys = line.strip().rpartition(":")
        try:
            display = server.press(keys, serial)
        except (ValueError, TimeoutError) as error:
            display = str(error)
        click.echo(f"{DISPLAY}{display}")
    ended.set()


def _playing(
    listen: str, devices: list[Device], ended: threading.Event, *, real_time: bool
) -> Server:
    """Put the devices on their line; SIGTERM and Ctrl-C set ``ended``."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        server = serve(devices, listen, real_time=real_time)
    except (ValueError, OSError) as error:
        raise BadInput(f"cannot listen on {listen}: {error}") from error
    click.echo(f"listening on {server.link}")
    return server
