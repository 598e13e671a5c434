"""A virtual meter that plays a saved IEC 62056-21 readout, with its handshake.

What was saved is played byte for byte where the framing was saved too; a readout saved without
its framing gets STX, ETX and a check character of its own.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from drivers.simulator.iec62056 import ETX, STX, OpticalPort, block_check


class NotAReadout(ValueError):
    """The file holds no identification line, or nothing after it."""


def split_readout(saved: bytes) -> tuple[bytes, bytes]:
    """Return the identification line (without its end) and the data message to send.

    Everything before the ``/`` and an echoed request or option select is left out.

    Raises:
        NotAReadout: There is no identification line.
    """
    text = bytes(c & 0x7F for c in saved)
    start = text.find(b"/")
    while start >= 0 and text[start : start + 2] == b"/?":  # the echo of a request
        start = text.find(b"/", start + 1)
    end = min((n for n in (text.find(b"\r", start), text.find(b"\n", start)) if n >= 0), default=-1)
    if start < 0 or end < 0:
        raise NotAReadout("there is no identification line (it begins with /)")
    identification, rest = text[start:end], text[end:].lstrip(b"\r\n")
    if rest[:1] == b"\x06":  # the echo of the option select
        rest = rest[rest.find(b"\n") + 1 :]
    if not rest:
        raise NotAReadout("nothing follows the identification line")
    opened = rest.find(bytes([STX]))
    if opened >= 0:
        return identification, rest[opened:]
    body = rest.rstrip(b"\x00")
    if bytes([ETX]) not in body:
        body = body if body.rstrip().endswith(b"!") else body.rstrip(b"\r\n") + b"\r\n!\r\n"
        body += bytes([ETX])
    body = body[: body.index(bytes([ETX])) + 1]
    return identification, bytes([STX]) + body + bytes([block_check(body)])


def build(
    data: bytes | Path,
    *,
    name: str = "replay",
    faults: Sequence[str] = (),
    address: str = "",
    start: datetime | None = None,  # noqa: ARG001 (what was saved carries its own times)
) -> OpticalPort:
    """Return a meter that answers a sign-on with the saved readout ``data`` (bytes or a file).

    Raises:
        NotAReadout: ``data`` is no readout.
        OSError: The file cannot be read.
    """
    saved = data if isinstance(data, bytes) else data.read_bytes()
    identification, message = split_readout(saved)
    return OpticalPort(
        name=name,
        identification=identification,
        readout=message,
        address=address,
        faults=faults,
        expected=lambda: {"identity": {"identification": identification.decode("ascii")}},
    )
