"""How a meter is spoken to, in words and as octets, before anything is sent."""

from dataclasses import dataclass

from app.errors import BadInput
from app.services.connection import Overrides, meter_type_named
from drivers.dlms.addressing import client_address, server_address, with_serial
from drivers.metertype import MeterType

PROTOCOLS = {"dlms": "DLMS/COSEM", "iec62056": "IEC 62056-21", "sml": "SML, listening"}
FRAMINGS = {"hdlc": "HDLC", "mode-e": "sign-on, then HDLC (mode E)", "wrapper": "TCP wrapper"}
AUTHS = {
    "none": "none",
    "low": "password",
    "high": "password, by challenge",
    "gmac": "keys (GMAC)",
}
NAMINGS = {"logical": "logical names", "short": "short names"}
SPEEDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
FORMATS = ("8N1", "7E1", "8E1", "soft7E1")


@dataclass(frozen=True)
class LineWords:
    """What a connection would use: in words, and which octets stand in frames."""

    kind: MeterType
    sentence: str
    addresses: str


def line_words(meter_type: str, overrides: Overrides, serial: str = "") -> LineWords:
    """Return the settings that result; ``serial`` gives the address where a formula is known.

    Raises:
        BadInput: They contradict each other; the text says where.
    """
    kind = overrides.applied(meter_type_named(meter_type or "generic-dlms"))
    try:
        if serial and overrides.physical is None:
            kind = with_serial(kind, serial)
        addresses = _addresses(kind, serial, overrides)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return LineWords(kind, _sentence(kind), addresses)


def _sentence(kind: MeterType) -> str:
    parts = [PROTOCOLS[kind.protocol]]
    if kind.protocol == "dlms":
        parts[0] += f" over {FRAMINGS.get(kind.framing, kind.framing)}"
    if kind.framing != "wrapper":
        parts.append(f"{kind.line.speed} Bd {kind.line.format}")
    if kind.protocol == "dlms":
        parts.append(f"client {kind.dlms.client}")
        parts.append(f"authentication: {AUTHS[kind.dlms.auth]}")
    return ", ".join(parts) + "."


def _addresses(kind: MeterType, serial: str, overrides: Overrides) -> str:
    dlms = kind.dlms
    address = kind.iec62056.address
    sign_on = f"Sign-on /?{address}!" + ("" if address else " (any meter on the line)") + ". "
    if kind.protocol != "dlms":
        return sign_on.strip() if kind.protocol == "iec62056" else ""
    if kind.framing == "wrapper":
        return f"Ports in the wrapper: client {dlms.client}, server {dlms.server}."
    server = server_address(dlms).hex(" ").upper()
    client = client_address(dlms).hex().upper()
    where = f"{dlms.server}/{dlms.physical}" if dlms.physical else str(dlms.server)
    formula = dlms.physical_from_serial
    by_formula = serial and formula and overrides.physical is None and dlms.physical
    source = f" by {formula} of {serial}" if by_formula else ""
    start = sign_on if kind.framing == "mode-e" else ""
    return f"{start}Address {where}{source}: server {server}, client {client} in frames."
