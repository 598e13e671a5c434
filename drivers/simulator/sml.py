"""A virtual meter that pushes SML telegrams, with the disturbances such telegrams meet."""

from collections.abc import Sequence
from datetime import datetime
from random import Random

from drivers.simulator.device import WireFormat
from drivers.simulator.push import PushDevice

PERIOD = 2.0  # s between two telegrams
FAULTS = {
    "silence": "sends nothing",
    "wrong-check": "the check of every telegram is wrong",
    "wrong-check-once": "the check of the first telegram is wrong",
    "kermit": "computes its checks by CRC-16/KERMIT",
    "cut": "the first telegram breaks off and the next follows at once",
    "locked": "sends only the total, as without a PIN",
    "noise": "there is noise between the telegrams",
}
_LINE = WireFormat(9600, 8, "N")
_ESCAPE = b"\x1b" * 4


def crc(data: bytes, *, kermit: bool = False) -> bytes:
    """Return the check of ``data`` as sent, low octet first."""
    value = 0 if kermit else 0xFFFF
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
    return (value ^ (0 if kermit else 0xFFFF)).to_bytes(2, "little")


def octets(data: bytes) -> bytes:
    """Return an octet string."""
    length = len(data) + 1
    if length < 0x10:  # noqa: PLR2004 (four bits of length)
        return bytes([length]) + data
    length += 1
    return bytes([0x80 | length >> 4, length & 0x0F]) + data


def number(value: int, size: int, *, signed: bool = False) -> bytes:
    """Return an integer of ``size`` octets."""
    head = (0x50 if signed else 0x60) | size + 1
    return bytes([head]) + value.to_bytes(size, "big", signed=signed)


def listed(*items: bytes) -> bytes:
    """Return a list."""
    count = len(items)
    head = bytes([0x70 | count]) if count < 0x10 else bytes([0xF0 | count >> 4, count & 0x0F])  # noqa: PLR2004
    return head + b"".join(items)


_NONE = b"\x01"


def entry(
    code: bytes, value: bytes, *, unit: int = 0, scaler: int = 0, status: bytes = _NONE
) -> bytes:
    """Return one value of a list."""
    unit_part = number(unit, 1) if unit else _NONE
    scaler_part = number(scaler, 1, signed=True) if unit else _NONE
    return listed(octets(code), status, _NONE, unit_part, scaler_part, value, _NONE)


class PushMeter(PushDevice):
    """Sends a telegram every two seconds and hears nothing.

    Args:
        serial: The number in its server id, up to eight digits.
        seed: Chooses its values.
        faults: Names out of `FAULTS`.
    """

    def __init__(self, serial: str = "", seed: int = 1, faults: Sequence[str] = ()) -> None:
        if unknown := set(faults) - set(FAULTS):
            raise ValueError(f"there is no fault {', '.join(sorted(unknown))}")
        super().__init__(_LINE, PERIOD, silent="silence" in faults)
        self.serial = int(serial or 10_000_000 + seed)
        self.name = f"sml 1EMH00{self.serial:08d}"
        self._faults = frozenset(faults)
        chance = Random(f"sml {seed}")  # noqa: S311 (a load curve is no secret)
        self._import = chance.randrange(10_000_000, 900_000_000)  # tenths of a watt-hour
        self._export = chance.randrange(1_000_000)
        self._power = chance.randrange(-2000, 5000)
        self._count = 0
        self.server_id = b"\x0a\x01EMH\x00" + self.serial.to_bytes(4, "big")

    def pushed(self, now: float) -> bytes:  # noqa: ARG002 (its values stand still)
        """Return the telegram that is due."""
        self._count += 1
        return self._disturbed(self.telegram())

    def _disturbed(self, data: bytes) -> bytes:
        first = self._count == 1
        if "wrong-check" in self._faults or ("wrong-check-once" in self._faults and first):
            return data[:-1] + bytes([data[-1] ^ 0x55])
        if "cut" in self._faults and first:
            return data[: len(data) // 2] + data
        return b"\x1b\x55\x00\x76" * 5 + data if "noise" in self._faults else data

    def telegram(self) -> bytes:
        """Return one telegram as sent."""
        values = [
            entry(b"\x81\x81\xc7\x82\x03\xff", octets(b"EMH")),
            entry(b"\x01\x00\x00\x00\x09\xff", octets(self.server_id)),
            entry(
                b"\x01\x00\x01\x08\x00\xff",
                number(self._import, 8),
                unit=30,
                scaler=-1,
                status=number(0x182, 4),
            ),
        ]
        if "locked" not in self._faults:
            values += [
                entry(b"\x01\x00\x02\x08\x00\xff", number(self._export, 5), unit=30, scaler=-1),
                entry(
                    b"\x01\x00\x10\x07\x00\xff",
                    number(self._power, 4, signed=True),
                    unit=27,
                ),
                entry(b"\x81\x81\xc7\x82\x05\xff", octets(bytes(range(0x1A, 0x1A + 48)))),
            ]
        body = listed(
            _NONE,
            octets(self.server_id),
            octets(b"\x01\x00\x62\x0a\xff\xff"),
            listed(number(1, 1), number(self._count * 2, 4)),
            listed(*values),
            _NONE,
            _NONE,
        )
        opening = listed(_NONE, _NONE, octets(b"\x00\x01"), octets(self.server_id), _NONE, _NONE)
        messages = [(0x0101, opening), (0x0701, body), (0x0201, listed(_NONE))]
        data = b"".join(self._message(n, kind, part) for n, (kind, part) in enumerate(messages))
        fill = -len(data) % 4
        data = data.replace(_ESCAPE, _ESCAPE * 2) + bytes(fill)
        covered = _ESCAPE + b"\x01" * 4 + data + _ESCAPE + bytes([0x1A, fill])
        return covered + crc(covered, kermit="kermit" in self._faults)

    def _message(self, place: int, kind: int, body: bytes) -> bytes:
        head = b"".join(
            (
                octets(self._count.to_bytes(3, "big") + bytes([place])),
                number(place, 1),
                number(0, 1),
                listed(number(kind, 2), body),
            )
        )
        covered = b"\x76" + head
        check = crc(covered, kermit="kermit" in self._faults)
        return covered + b"\x63" + check + b"\x00"

    def expected(self) -> dict[str, object]:
        """What a correct reader must find, in the JSON shape of ``read --json``."""
        registers = [("1-0:1.8.0.255", f"{self._import / 10_000:.4f}", "kWh")]
        if "locked" not in self._faults:
            registers.append(("1-0:2.8.0.255", f"{self._export / 10_000:.4f}", "kWh"))
            registers.append(("1-0:16.7.0.255", f"{self._power / 1000:.3f}", "kW"))
        return {
            "identity": {"serial": f"1EMH00{self.serial:08d}", "manufacturer": "EMH"},
            "registers": [{"obis": o, "value": v, "unit": u} for o, v, u in registers],
        }


def build(
    *,
    serial: str = "",
    rows: int = 0,  # noqa: ARG001 (it stores no profile)
    seed: int = 1,
    faults: Sequence[str] = (),
    start: datetime | None = None,
) -> PushMeter:
    """Return a push meter.

    Raises:
        ValueError: There is no such fault.
    """
    del start  # its telegrams tell no time
    return PushMeter(serial, seed, faults)
