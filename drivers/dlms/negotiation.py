"""What both ends of an HDLC link settle when it is built: sizes and windows, in SNRM and UA.

Source: IEC 62056-46, clause 6.4.4.4.
"""

from dataclasses import dataclass

FRAME_MAX = 2030  # octets of information the format field can carry beside the rest
DEFAULT_INFO = 128


@dataclass(frozen=True, slots=True)
class HdlcSettings:
    """Addresses, proposed sizes and times (seconds) of one link."""

    client: bytes
    server: bytes
    max_info: int = 128
    window: int = 1
    parameters: bool = True  # send them with SNRM
    clear_first: bool = True  # DISC before SNRM; not after a mode E sign-on, which it would end
    reply_s: float = 2.0
    gap_s: float = 1.5
    retries: int = 3
    character_s: float = 0.0  # on the wire; 0 where the line has no speed of its own


@dataclass(frozen=True, slots=True)
class Connected:
    """The link stands; what the meter agreed to."""

    send_info: int
    send_window: int
    receive_info: int
    receive_window: int


def proposal(settings: HdlcSettings) -> bytes:
    """Return the information field of an SNRM: sizes and windows in both directions."""
    size = settings.max_info.to_bytes(2, "big")
    window = settings.window.to_bytes(4, "big")
    items = b"\x05\x02" + size + b"\x06\x02" + size + b"\x07\x04" + window + b"\x08\x04" + window
    return b"\x81\x80" + bytes((len(items),)) + items


def limits(information: bytes) -> dict[int, int]:
    """Return the parameters of a UA by number; 5 and 6 sizes, 7 and 8 windows, meter's view."""
    found: dict[int, int] = {}
    at = 3
    while information[:2] == b"\x81\x80" and at + 2 <= len(information):
        length = information[at + 1]
        value = int.from_bytes(information[at + 2 : at + 2 + length], "big")
        if value:
            found[information[at]] = value
        at += 2 + length
    return found
