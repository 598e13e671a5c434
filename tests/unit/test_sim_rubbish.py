"""A virtual meter survives everything that can come over a line, and serves the next good frame."""

import struct
from datetime import UTC, datetime
from random import Random

import pytest

from drivers.simulator import hexcell, zmf100
from drivers.simulator.dlms.faults import BLOCK_FAULTS, Faults
from drivers.simulator.dlms.wrapper import WrapperDevice
from tests.unit.sim_talk import AARQ, Association, Hand, aarq_low, framed, hexed

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
GOOD = [
    hexed(AARQ.format("04 00")),
    aarq_low(hexcell.PASSWORD),
    hexed("C0 01 C1 00 03 01 00 01 08 00 FF 02 00"),
    hexed("C0 01 C1 00 07 01 00 63 01 00 FF 02 00"),
    hexed("C0 02 C1 00 00 00 01"),
    hexed("C0 03 C1 02 00 03 01 00 01 08 00 FF 02 00 00 08 00 00 01 00 00 FF 02 00"),
    hexed(
        "C0 01 C1 00 07 01 00 63 01 00 FF 02 01 01 02 04 02 04 12 00 08 09 06 00 00 01 00 00 FF"
        "0F 02 12 00 00 09 0C 07EA 0B 14 FF 00 00 00 FF FFC4 00"
        "09 0C 07EA 0B 14 FF 0A 00 00 FF FFC4 00 01 00"
    ),
    hexed(
        "C0 01 C1 00 07 01 00 63 01 00 FF 02 01 02 02 04 06 00000001 06 00000005 12 0001 12 0000"
    ),
    hexed("C1 01 C1 00 08 00 00 01 00 00 FF 02 00 09 0C 07EA 0B 14 FF 0C 00 00 FF FFC4 00"),
    hexed("C1 02 C1 00 08 00 00 01 00 00 FF 02 00 00 00000001 05 09 0C 07EA 0B"),
    hexed("C1 03 C1 01 00000002 09 14 FF 0C 00 00 FF FFC4 00"),
    hexed("C3 01 C1 00 46 00 00 60 03 0A FF 01 01 0F 00"),
    hexed("62 03 80 01 00"),
]

SHORT = [
    hexed(AARQ.replace("08 01 01", "08 01 02").replace("00 7E 1F", "1C 1B 20").format("00 40")),
    hexed("05 01 02 FD08"),
    hexed("05 02 02 FA08 02 FA10"),
    hexed("05 01 05 0001"),
    hexed("05 01 06 00 0001 03 02 02 FD"),
    hexed("05 01 06 01 0002 04 08 02 FF08"),
    hexed("05 01 04 FA08 02 02 04 06 00000001 06 00000003 12 0001 12 0000"),
    hexed("06 02 02 0108 02 FD08 02 09 0C 07EA0B14FF0C0000FFFFC400 0F 00"),
    hexed("06 01 07 00 0001 01 09 08 01 02 01 08 01 09 0C 07"),
    hexed("06 01 07 01 0002 01 09 0B EA0B14FF0C0000FFFFC400"),
    hexed("16 01 02 0108 01 09 0C 07EA0B14FF0C0000FFFFC400"),
    hexed("62 00"),
]
BLOCKS = [
    hexed(AARQ.replace("00 7E 1F", "20 7E 1F").format("00 40")),
    hexed("E0 83 0001 0000 0D C0 01 C1 00 07 01 00 63 01 00 FF 02 00"),
    hexed("E0 43 0001 0000 04 C0 01 C1 00"),
    hexed("E0 82 0002 0001 00"),
    hexed("E0 BF 0002 0003 00"),
    hexed("E0 83 0002 0000 09 07 01 00 63 01 00 FF 02 00"),
    hexed("E0 80 0000 0000 00"),
    GOOD[3],
]


def spoilt(chance: Random, data: bytes) -> bytes:
    """Change, drop or add some octets."""
    raw = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        place = chance.randrange(len(raw)) if raw else 0
        kind = chance.randrange(4)
        if kind == 0 and raw:
            raw[place] = chance.randrange(256)
        elif kind == 1:
            del raw[place:]
        elif kind == 2:
            raw[place:place] = chance.randbytes(chance.randrange(1, 9))
        elif raw:
            raw[place] ^= 1 << chance.randrange(8)
    return bytes(raw)


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_requests_never_break_the_meter(seed: int) -> None:
    chance = Random(seed)
    device = hexcell.build(rows=20, start=START)
    association = Association(device, 16, GOOD[1])
    for turn in range(1500):
        association.ask(spoilt(chance, chance.choice(GOOD)))
        if turn % 20 == 0:
            association.hand.now += 1000  # past a lock-out
            association.ask(GOOD[1])
    association.hand.now += 1000
    association.ask(GOOD[1])
    assert association.ask(GOOD[2])[:4] == hexed("C4 01 C1 00")


@pytest.mark.parametrize("good", [SHORT, BLOCKS, SHORT + BLOCKS])
@pytest.mark.parametrize("seed", range(3))
def test_spoilt_requests_by_short_names_and_in_blocks_never_break_the_meter(
    seed: int, good: list[bytes]
) -> None:
    chance = Random(seed)
    meter = zmf100.Zmf100("18438", 20, 1, Faults(["gbt"]), START)
    association = Association(WrapperDevice("zmf100", meter.server(), meter.faults), 16, good[0])
    for turn in range(1500):
        sound = chance.choice(good)
        apdu = sound if chance.random() < 0.3 else spoilt(chance, sound)
        head = hexed("00 01 00 10 00 01") + len(apdu).to_bytes(2, "big")
        association.hand.say(head + apdu)  # in blocks there are several answers
        if turn % 20 == 0:
            association.ask(good[0])
    assert association.ask(GOOD[0])[17] == 0
    assert association.ask("C0 01 C1 00 01 00 00 2A 00 00 FF 02 00")[:4] == hexed("C4 01 C1 00")


SHORT_BLOCKS = [SHORT[0].replace(hexed("1C 1B 20"), hexed("3C 1B 20")), *SHORT[1:]]


@pytest.mark.parametrize("good", [SHORT_BLOCKS, BLOCKS], ids=["short names", "logical names"])
@pytest.mark.parametrize("fault", sorted(BLOCK_FAULTS))
def test_no_order_of_blocks_breaks_the_meter_whatever_it_does_wrong(
    fault: str, good: list[bytes]
) -> None:
    chance = Random(fault)
    meter = zmf100.Zmf100("18438", 20, 1, Faults(), START)
    requests = [one for one in good[1:] if one[0] != 0xE0]
    for _ in range(60):
        meter.faults = Faults([fault])  # what happens once happens again
        server, sent = meter.server(), 0
        assert server.answer(0.0, 16, good[0])[17] == 0
        for turn in range(40):
            begins = not turn or chance.random() < 0.1
            data = chance.choice(requests) if begins else b""
            number = 1 if begins else chance.choice([turn + 1, turn + 1, turn, 2, 3, 0xFFFF])
            known = chance.choice([sent, sent, sent, sent - 1, 1, sent + 1, 0xFFFF]) & 0xFFFF
            control = chance.choice([0x80, 0x83, 0x83, 0xBF, 0x40, 0xC1, 0x00])
            block = struct.pack(">BBHHB", 0xE0, control, number, 0 if begins else known, len(data))
            answer = server.answer(0.0, 16, block + data)
            while answer:
                sent = int.from_bytes(answer[2:4], "big")
                answer = server.more(16)


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_frames_never_break_the_station(seed: int) -> None:
    chance = Random(seed)
    hand = Hand(zmf100.Zmf100("", 20, 1, Faults(), START).station())
    snrm = hexed("7E A0 07 03 21 93 0F 01 7E")
    for _ in range(1500):
        information = b"\xe6\xe6\x00" + spoilt(chance, chance.choice(GOOD))
        control = chance.randrange(256)
        frame = framed("03 21", control, information if chance.random() < 0.7 else b"")
        hand.say(chance.choice([frame, spoilt(chance, frame), snrm, chance.randbytes(30)]))
    hand.now += 1000
    assert hand.say(snrm)[5] == 0x73
