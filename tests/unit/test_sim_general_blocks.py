"""General block transfer of the virtual meters, with blocks written by hand."""

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from drivers.simulator import zmf100
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.ciphering import MeterKeys, Secured
from drivers.simulator.dlms.faults import BLOCK_FAULTS, Faults
from drivers.simulator.dlms.server import Server
from tests.unit.sim_talk import AARQ, Hand, framed, hexed

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
READER = 16
GENERAL = AARQ.replace("00 7E 1F", "20 {} 1F")
PROFILE = "C0 01 C1 00 07 01 00 63 01 00 FF 02 00"
SERIAL = "C0 01 C1 00 01 00 00 2A 00 00 FF 02 00"
ABORT = "E0 80 0000 0000 00"


class Block(NamedTuple):
    last: bool
    streaming: bool
    number: int
    acknowledged: int
    data: bytes


def block(apdu: bytes) -> Block:
    assert apdu[0] == 0xE0, apdu.hex()
    taker = axdr.Taker(apdu[2:])
    number, acknowledged = taker.number(2), taker.number(2)
    data = taker.octets(taker.length())
    taker.end()
    return Block(bool(apdu[1] & 0x80), bool(apdu[1] & 0x40), number, acknowledged, data)


def built(control: int, number: int, acknowledged: int, data: bytes | str = b"") -> bytes:
    data = hexed(data) if isinstance(data, str) else data
    head = bytes((0xE0, control)) + number.to_bytes(2, "big") + acknowledged.to_bytes(2, "big")
    return head + axdr.length(len(data)) + data


class Talk:
    def __init__(self, *faults: str, pdu: str = "00 80", aarq: str = GENERAL) -> None:
        meter = zmf100.Zmf100("18438", 40, 1, Faults(faults or ("gbt",)), START)
        self.server: Server = meter.server()
        self.aare = self.ask(hexed(aarq.format("7E", pdu)))[0]

    def ask(self, apdu: bytes | str) -> list[bytes]:
        """Return everything that comes in one turn."""
        apdu = hexed(apdu) if isinstance(apdu, str) else apdu
        answers = [self.server.answer(0.0, READER, apdu)]
        while more := self.server.more(READER):
            answers.append(more)
        return [answer for answer in answers if answer]

    def blocks(self, apdu: bytes | str) -> list[Block]:
        return [block(one) for one in self.ask(apdu)]


def whole_profile() -> bytes:
    """The answer as it would be in one APDU."""
    talk = Talk("gbt")
    data, got = b"", talk.blocks(built(0xBF, 1, 0, PROFILE))
    number = 1
    while True:
        data += b"".join(one.data for one in got)
        if got[-1].last:
            return data
        number += 1
        got = talk.blocks(built(0xBF, number, got[-1].number))


def test_it_is_offered_only_where_it_was_chosen() -> None:
    assert Talk("gbt").aare[-7:-4] == hexed("20 1E 1D")
    assert Talk("null-data").aare[-7:-4] == hexed("00 1E 1D")
    assert Talk("null-data").ask(built(0x81, 1, 0, SERIAL)) == [hexed("D8 02 02")]


@pytest.mark.parametrize("name", sorted(BLOCK_FAULTS))
def test_every_fault_of_it_offers_it(name: str) -> None:
    assert Talk(name).aare[-7:-4] == hexed("20 1E 1D")


def test_a_short_answer_to_a_clear_request_stays_clear() -> None:
    assert Talk().ask(SERIAL)[0][:4] == hexed("C4 01 C1 00")


def test_a_request_in_a_block_is_answered_in_blocks() -> None:
    (only,) = Talk().blocks(built(0x83, 1, 0, SERIAL))
    assert only[:4] == (True, False, 1, 1)
    assert only.data[:4] == hexed("C4 01 C1 00")


def test_the_client_s_window_says_how_many_blocks_come_in_a_turn() -> None:
    talk = Talk()
    first = talk.blocks(built(0x83, 1, 0, PROFILE))
    assert [(one.number, one.streaming, one.acknowledged) for one in first] == [
        (1, True, 1),
        (2, True, 1),
        (3, False, 1),
    ]
    second = talk.blocks(built(0x82, 2, 3))
    assert [(one.number, one.streaming, one.acknowledged) for one in second] == [
        (4, True, 2),
        (5, False, 2),
    ]


def test_a_long_answer_to_a_clear_request_comes_one_by_one_until_a_window_is_told() -> None:
    talk = Talk()
    (first,) = talk.blocks(PROFILE)
    assert first[:4] == (False, False, 1, 0)
    assert len(talk.blocks(built(0x85, 1, 1))) == 5


@pytest.mark.parametrize(("pdu", "window"), [("00 80", 1), ("00 80", 63), ("00 0C", 7)])
def test_the_data_of_all_blocks_are_the_whole_answer(pdu: str, window: int) -> None:
    talk = Talk(pdu=pdu)
    data, got, number = b"", talk.blocks(built(0x80 | window, 1, 0, PROFILE)), 1
    limit = int.from_bytes(hexed(pdu), "big")
    while True:
        assert all(len(built(0, 1, 1, one.data)) <= limit for one in got)
        data += b"".join(one.data for one in got)
        if got[-1].last:
            break
        number += 1
        got = talk.blocks(built(0x80 | window, number, got[-1].number))
    assert len(axdr.value_of(data[4:]).members()) == 40
    assert data == whole_profile()


def test_what_was_lost_comes_again_when_it_is_asked_for() -> None:
    talk = Talk()
    first = talk.blocks(built(0x84, 1, 0, PROFILE))
    again = talk.blocks(built(0x81, 2, 1))  # only block 1 has come
    assert again == [first[1]._replace(streaming=False, acknowledged=2)]
    (fifth, *_) = talk.blocks(built(0x84, 3, 4))
    assert fifth.number == 5


def test_the_last_blocks_can_be_asked_for_again_too() -> None:
    talk = Talk()
    got = talk.blocks(built(0xBF, 1, 0, PROFILE))
    assert got[-1].last
    assert talk.blocks(built(0x81, 2, got[-1].number - 1))[0].data == got[-1].data
    assert talk.ask(built(0x81, 3, got[-1].number)) == []  # there is nothing more


def test_an_acknowledgement_heard_twice_gives_the_same_blocks() -> None:
    talk = Talk()
    talk.blocks(built(0x82, 1, 0, PROFILE))
    assert talk.blocks(built(0x82, 2, 2)) == talk.blocks(built(0x82, 2, 2))


@pytest.mark.parametrize(
    "wrong",
    [
        built(0x82, 2, 9),  # never sent
        built(0x82, 7, 2),  # jumps
        built(0x82, 0, 2),
        built(0x82, 0, 0, "00"),
        built(0x02, 2, 2, SERIAL),  # more of a request that is being answered
        hexed("E0 82 0002 0002 05 00"),
        hexed("E0 82 0002"),
        hexed("E0 82 0002 0002 00 00"),
        hexed("E0"),
    ],
)
def test_what_makes_no_sense_ends_the_transfer(wrong: bytes) -> None:
    talk = Talk()
    talk.blocks(built(0x82, 1, 0, PROFILE))
    assert talk.ask(wrong) == [hexed(ABORT)]
    assert talk.ask(built(0x82, 2, 2)) == [hexed(ABORT)]
    assert talk.blocks(built(0x81, 1, 0, SERIAL))[0].last  # and the next request is served


def test_the_client_can_end_a_transfer() -> None:
    talk = Talk()
    talk.blocks(built(0x82, 1, 0, PROFILE))
    assert talk.ask(ABORT) == []
    assert talk.ask(built(0x82, 2, 2)) == [hexed(ABORT)]


def test_a_clear_request_ends_a_transfer() -> None:
    talk = Talk()
    talk.blocks(built(0x82, 1, 0, PROFILE))
    assert talk.ask(SERIAL)[0][:2] == hexed("C4 01")
    assert talk.ask(built(0x82, 2, 2)) == [hexed(ABORT)]


# -- requests in several blocks ----------------------------------------------------------------


def test_a_request_comes_in_streamed_blocks() -> None:
    talk, raw = Talk(), hexed(SERIAL)
    assert talk.ask(built(0x42, 1, 0, raw[:4])) == []
    assert talk.blocks(built(0x02, 2, 0, raw[4:8]))[0][:5] == (False, False, 1, 2, b"")
    (answer,) = talk.blocks(built(0x82, 3, 1, raw[8:]))
    assert answer[:4] == (True, False, 2, 3)
    assert answer.data[:4] == hexed("C4 01 C1 00")


def test_a_lost_block_of_a_request_is_asked_for_again() -> None:
    talk, raw = Talk(), hexed(SERIAL)
    assert talk.ask(built(0x42, 1, 0, raw[:4])) == []
    (asked,) = talk.blocks(built(0x82, 3, 0, raw[8:]))  # block 2 was lost
    assert asked[:5] == (False, False, 1, 1, b"")
    assert talk.ask(built(0x42, 2, 1, raw[4:8])) == []
    (answer,) = talk.blocks(built(0x82, 3, 1, raw[8:]))
    assert answer.data[:4] == hexed("C4 01 C1 00")


def test_a_block_heard_twice_counts_once() -> None:
    talk, raw = Talk(), hexed(SERIAL)
    first = talk.blocks(built(0x02, 1, 0, raw[:4]))
    talk.ask(built(0x02, 2, 1, raw[4:8]))
    assert talk.blocks(built(0x02, 2, 1, raw[4:8]))[0].acknowledged == 2
    (answer,) = talk.blocks(built(0x82, 3, 2, raw[8:]))
    assert (first[0].number, answer.data[:2]) == (1, hexed("C4 01"))


def test_a_request_without_end_is_given_up() -> None:
    talk, number = Talk(), 1
    while talk.ask(built(0x02, number, number - 1, bytes(60_000)))[0][1] != 0x80:
        number += 1
        assert number < 10
    assert talk.blocks(built(0x81, 1, 0, SERIAL))[0].last


# -- faults ------------------------------------------------------------------------------------


def test_a_streamed_block_is_lost_once() -> None:
    talk = Talk("gbt-lost-block")
    assert [one.number for one in talk.blocks(built(0x84, 1, 0, PROFILE))] == [1, 3, 4]
    assert [one.number for one in talk.blocks(built(0x84, 2, 1))] == [2, 3, 4, 5]


def test_numbers_acknowledgements_and_windows_can_be_wrong() -> None:
    def first(fault: str) -> list[Block]:
        return Talk(fault).blocks(built(0x83, 1, 0, PROFILE))

    assert [one.number for one in first("gbt-wrong-number")] == [1, 2, 5]
    assert [one.number for one in first("gbt-repeat")] == [1, 1, 2, 2, 3, 3]
    assert {one.acknowledged for one in first("gbt-wrong-ack")} == {8}
    assert [one.number for one in first("gbt-too-many")] == [1, 2, 3, 4]


def test_a_transfer_ended_within_a_turn_ends_the_turn() -> None:
    talk = Talk("gbt-abort")
    blocks = talk.blocks(built(0x86, 1, 0, PROFILE))
    assert [one.number for one in blocks] == [1, 2, 0]
    assert blocks[-1][:4] == (True, False, 0, 0)
    assert [one.number for one in talk.blocks(built(0x86, 1, 0, PROFILE))] == [1, 2, 3, 4, 5, 6]


# -- below and beside --------------------------------------------------------------------------


def test_short_names_have_general_blocks_too() -> None:
    short = GENERAL.replace("08 01 01", "08 01 02").replace("20 {} 1F", "3C {} 20")
    talk = Talk(aarq=short)
    got = talk.blocks("05 01 02 FA08")
    assert got[0].data[:4] == hexed("0C 01 00 01")
    assert talk.blocks(built(0x82, 1, 1))[0].number == 2


def test_streamed_blocks_are_apdus_of_their_own_on_hdlc() -> None:
    meter = zmf100.Zmf100("18438", 40, 1, Faults(["gbt"]), START)
    hand = Hand(meter.station())
    hand.say(framed("03 21", 0x93))
    aarq = hexed(GENERAL.format("7E", "00 40"))
    hand.say(framed("03 21", 0x10, b"\xe6\xe6\x00" + aarq))
    request = b"\xe6\xe6\x00" + built(0x83, 1, 0, PROFILE)
    heard, found = hand.say(framed("03 21", 0x32, request)), []
    for number in range(2, 5):
        assert not heard[1] & 0x08  # no segment of a longer one
        found.append(block(heard[11:-3]))
        heard = hand.say(framed("03 21", number << 5 | 0x11)) if number < 4 else b""
    assert [one.number for one in found] == [1, 2, 3]


TITLE, METER = b"MWT\x00\x00\x00\x00\x01", b"LGZ" + (18438).to_bytes(5, "big")


class Ciphering:
    """A client with keys: the meter's own routine with the roles turned round."""

    def __init__(self) -> None:
        meter = zmf100.Zmf100("18438", 40, 1, Faults(["gbt"]), START)
        self.server = meter.server()
        self.keys = MeterKeys(zmf100.ENCRYPTION_KEY, zmf100.AUTHENTICATION_KEY, TITLE)
        self.side = Secured(self.keys, METER, Faults())
        user = self.sealed(0x21, hexed("01 00 00 00 06 5F 1F 04 00 20 7E 1F 00 80"))
        fields = hexed("A1 09 06 07 60 85 74 05 08 01 03 A6 0A 04 08") + TITLE
        fields += hexed("8A 02 07 80 8B 07 60 85 74 05 08 02 05 AC 0A 80 08") + b"12345678"
        fields += bytes((0xBE, len(user) + 2, 0x04, len(user))) + user
        (aare,) = self.ask(bytes((0x60, len(fields))) + fields)
        challenge = aare[aare.index(hexed("AA 12 80 10")) + 4 :][:16]
        proof = self.side.proof(challenge)
        reply = hexed("C3 01 C1 00 0F 00 00 28 00 00 FF 01 01 09 11") + proof
        (answer,) = self.ask(self.sealed(0xCB, reply))
        assert self.opened(answer)[:4] == hexed("C7 01 C1 00")

    def ask(self, apdu: bytes) -> list[bytes]:
        answers = [self.server.answer(0.0, 1, apdu)]
        while more := self.server.more(1):
            answers.append(more)
        return answers

    def sealed(self, tag: int, apdu: bytes) -> bytes:
        self.keys.sent += 1
        body = self.side._ciphered(0x30, self.keys.sent, apdu)
        return bytes([tag]) + axdr.length(len(body)) + body

    def opened(self, apdu: bytes) -> bytes:
        taker = axdr.Taker(apdu[1:])
        assert taker.length() == taker.left
        control, counter = taker.octet(), taker.octets(4)
        return self.side._deciphered(control, METER + counter, taker.octets(taker.left))


def test_a_ciphered_answer_is_cut_into_blocks_as_a_whole() -> None:
    client = Ciphering()
    request = client.sealed(0xC8, hexed(PROFILE))
    got, data, number = [block(one) for one in client.ask(built(0xBF, 1, 0, request))], b"", 1
    assert len(got) > 5
    while True:
        data += b"".join(one.data for one in got)
        if got[-1].last:
            break
        number += 1
        got = [block(one) for one in client.ask(built(0xBF, number, got[-1].number))]
    assert data[0] == 0xCC
    assert client.opened(data) == whole_profile()


def test_a_long_ciphered_answer_to_a_whole_request_comes_in_blocks_too() -> None:
    client = Ciphering()
    (first,) = client.ask(client.sealed(0xC8, hexed(PROFILE)))
    assert block(first)[:4] == (False, False, 1, 0)
    assert block(first).data[0] == 0xCC
    assert all(len(one) <= 128 for one in client.ask(built(0x84, 1, 1)))


def test_a_forged_request_in_blocks_is_refused() -> None:
    client = Ciphering()
    request = client.sealed(0xC8, hexed(SERIAL))
    forged = request[:-1] + bytes([request[-1] ^ 1])
    (answer,) = client.ask(built(0x81, 1, 0, forged))
    assert block(answer).data == hexed("D8 01 05")
