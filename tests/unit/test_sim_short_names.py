"""The virtual ZMF100 with short names, asked by APDUs written by hand and by a foreign client."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from drivers.simulator import zmf100
from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.ciphering import MeterKeys, Secured
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import logical_name
from drivers.simulator.dlms.wrapper import WrapperDevice
from tests.unit.sim_talk import AARQ, Association, hexed

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SHORT_AARQ = AARQ.replace("08 01 01", "08 01 02").replace("00 7E 1F", "{}")
ALL_SERVICES = "1C 1B 20"
CLOCK, ENERGY, PERIODIC, RELAY = (
    "0-0:1.0.0.255",
    "1-0:1.8.0.255",
    "1-0:99.1.0.255",
    "0-0:96.3.10.255",
)


def device(*faults: str, rows: int = 40) -> WrapperDevice:
    meter = zmf100.Zmf100("18438", rows, 1, Faults(faults), START)
    return WrapperDevice("zmf100", meter.server(), meter.faults)


def opened(
    *faults: str, services: str = ALL_SERVICES, pdu: str = "04 00", rows: int = 40
) -> Association:
    return Association(device(*faults, rows=rows), 16, SHORT_AARQ.format(services, pdu))


def utility(*faults: str, pdu: str = "04 00", services: str = ALL_SERVICES) -> Association:
    fields = hexed("A1 09 06 07 60 85 74 05 08 01 02 8A 02 07 80 8B 07 60 85 74 05 08 02 01")
    fields += bytes((0xAC, len(zmf100.PASSWORD) + 2, 0x80, len(zmf100.PASSWORD)))
    fields += zmf100.PASSWORD
    fields += hexed(f"BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 {services} {pdu}")
    return Association(device(*faults), 32, bytes((0x60, len(fields))) + fields)


def one(answer: bytes) -> axdr.Value:
    assert answer[:3] == hexed("0C 01 00"), answer.hex()
    return axdr.value_of(answer[3:])


def whole(association: Association, request: str) -> bytes:
    """Ask, fetch all blocks, and return the results with their count."""
    answer, raw, number = association.ask(request), b"", 1
    if answer[2] != 2:
        return answer[1:]
    while True:
        assert answer[:3] == hexed("0C 01 02")
        assert int.from_bytes(answer[4:6], "big") == number
        taker = axdr.Taker(answer[6:])
        raw += taker.octets(taker.length())
        taker.end()
        if answer[3]:
            return raw
        answer = association.ask(f"05 01 05 {number:04X}")
        number += 1


def names(association: Association) -> dict[bytes, int]:
    raw = whole(association, "05 01 02 FA08")
    assert raw[:2] == b"\x01\x00"
    return {
        row.members()[3].octets(): row.members()[0].number(axdr.I16) & 0xFFFF
        for row in axdr.value_of(raw[2:]).members()
    }


def at(association: Association, code: str, offset: int) -> str:
    return f"{names(association)[logical_name(code)] + offset:04X}"


# -- association -------------------------------------------------------------------------------


def test_the_answer_names_the_association_object_and_what_was_agreed() -> None:
    aare = opened().aare
    assert aare[2:13] == hexed("A1 09 06 07 60 85 74 05 08 01 02")
    assert aare[13:18] == hexed("A2 03 02 01 00")
    assert aare.endswith(hexed("08 00 06 5F 1F 04 00 1C 1A 20 04 00 FA 00"))


def test_a_reader_may_not_propose_services_of_logical_names_only() -> None:
    refused = opened(services="00 00 1D")
    assert refused.aare[-4:] == bytes((0x0E, 1, 6, 2))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("05 01 02 FD08", "0E 05 02 01"),
        ("06 01 02 FD08 01 11 00", "0E 06 02 01"),
        ("16 01 02 FD08 01 11 00", ""),
        ("C0 01 C1 00 01 00 00 2A 00 00 FF 02 00", "D8 01 01"),
    ],
)
def test_what_comes_before_an_association_is_refused_in_its_own_way(
    request_: str, answer: str
) -> None:
    association = Association(device(), 16, "62 00")
    assert association.ask(request_) == hexed(answer)


@pytest.mark.parametrize("request_", ["C0 01 C1 00 01 00 00 2A 00 00 FF 02 00", "C1 01 C1", "E0"])
def test_services_of_logical_names_are_unknown_to_short_ones(request_: str) -> None:
    assert opened().ask(request_) == hexed("D8 02 02")


def test_services_of_short_names_are_unknown_to_logical_ones() -> None:
    association = Association(device(), 16, AARQ.format("04 00"))
    assert association.ask("05 01 02 FD08") == hexed("D8 02 02")
    assert association.aare.endswith(hexed("00 07"))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("05", "0E 05 03 00"),
        ("05 00", "0E 05 03 00"),
        ("05 01 02 FD", "0E 05 03 00"),
        ("05 01 02 FD08 00", "0E 05 03 00"),
        ("05 01 03 FD08", "0E 05 03 00"),
        ("05 02 05 0001 02 FD08", "0E 05 03 00"),
        ("06 01 02 FD08 02 11 00 11 00", "0E 06 03 00"),
        ("06 01 07 01 0001 01 11 00", "0E 06 03 00"),
        ("16 01", ""),
        ("05 01 06 01 0001 05 01 06 01 0001", "0E 05 03 00"),  # blocks within blocks
    ],
)
def test_what_is_no_request_gets_a_confirmed_service_error(request_: str, answer: str) -> None:
    assert opened().ask(request_) == hexed(answer)


@pytest.mark.parametrize(
    ("services", "request_", "answer"),
    [
        ("10 00 00", "06 01 02 FD08 01 11 00", "0E 06 03 02"),
        ("10 00 00", "16 01 02 FD08 01 11 00", ""),
        ("10 00 00", "05 02 02 FD08 02 FD00", "0E 05 03 02"),
        ("10 00 00", "05 01 04 FD08 01 00", "0E 05 03 02"),
        ("10 00 00", "05 01 05 0001", "0E 05 03 02"),
        ("10 02 00", "05 02 02 FA08 02 FD00", "0E 05 03 01"),  # too long, and no blocks
        ("10 00 00", "05 01 02 FA08", "0C 01 01 FA"),
    ],
)
def test_a_form_that_was_not_agreed_on_is_refused(
    services: str, request_: str, answer: str
) -> None:
    assert opened(services=services).ask(request_) == hexed(answer)


def test_a_request_longer_than_the_meter_takes_is_refused() -> None:
    assert utility().ask("06 01 02 FD08 01 09 82 0400" + "00" * 1024) == hexed("0E 06 03 01")


# -- Read --------------------------------------------------------------------------------------


def test_the_reserved_names_lead_to_who_the_meter_is() -> None:
    association = opened()
    assert one(association.ask("05 01 02 FD08")).octets() == b"LGZ00018438"
    assert one(association.ask("05 01 02 FF08")).octets() == zmf100.MODULE_FIRMWARE.encode()
    assert one(association.ask("05 01 02 FA00")).octets() == logical_name("0-0:40.0.0.255")
    assert one(association.ask("05 01 02 FC00")).octets() == logical_name("0-0:41.0.0.255")


def test_every_object_of_the_list_has_its_logical_name_at_its_base_name() -> None:
    association = opened()
    found = names(association)
    assert len(set(found.values())) == len(found) > 50
    for name, base in found.items():
        assert one(association.ask(f"05 01 02 {base:04X}")).octets() == name
    assert found[logical_name("0-0:40.0.0.255")] == 0xFA00
    assert found[logical_name("0-0:42.0.0.255")] == 0xFD00


def test_names_of_two_objects_never_overlap() -> None:
    association = opened()
    rights = whole(association, "05 01 02 FA10")
    ends, bases = [], []
    for row in axdr.value_of(rights[2:]).members():
        base, attributes, _ = row.members()
        bases.append(base.number(axdr.I16) & 0xFFFF)
        count = max(item.members()[0].number(axdr.I8) for item in attributes.members())
        ends.append(bases[-1] + 8 * count)
    pairs = sorted(zip(bases, ends, strict=True))
    assert all(end <= base for (_, end), (base, _) in pairwise(pairs))


def test_attributes_are_eight_names_apart() -> None:
    association = opened()
    assert one(association.ask(f"05 01 02 {at(association, ENERGY, 16)}")).tag == axdr.STRUCTURE
    assert association.ask(f"05 01 02 {at(association, ENERGY, 4)}") == hexed("0C 01 01 04")
    assert association.ask("05 01 02 0008") == hexed("0C 01 01 04")


def test_several_are_answered_each_with_its_own_result() -> None:
    answer = opened().ask("05 03 02 FD08 02 0001 02 FF08")
    assert answer[:2] == hexed("0C 03")
    taker = axdr.Taker(answer[2:])
    assert (taker.octet(), taker.value().octets()) == (0, b"LGZ00018438")
    assert taker.octets(2) == hexed("01 04")
    assert (taker.octet(), taker.value().octets()) == (0, zmf100.MODULE_FIRMWARE.encode())
    taker.end()


def test_rows_are_selected_by_range_and_by_entry() -> None:
    association = opened()
    buffer = at(association, PERIODIC, 8)
    entries = one(
        association.ask(f"05 01 04 {buffer} 02 02 04 06 00000001 06 00000003 12 0001 12 0000")
    ).members()
    assert len(entries) == 3
    column = "02 04 12 0008 09 06 00 00 01 00 00 FF 0F 02 12 0000"
    low = entries[1].members()[0].octets().hex()
    high = entries[2].members()[0].octets().hex()
    ranged = one(
        association.ask(f"05 01 04 {buffer} 01 02 04 {column} 09 0C {low} 09 0C {high} 01 00")
    ).members()
    assert ranged == entries[1:]
    assert association.ask(f"05 01 04 {buffer} 07 00") == hexed("0C 01 01 FA")
    assert association.ask("05 01 04 FD08 01 00") == hexed("0C 01 01 0D")


@pytest.mark.parametrize("pdu", ["00 20", "00 80", "03 E8"])
def test_long_results_come_in_blocks_that_fit(pdu: str) -> None:
    short = opened(pdu=pdu, rows=100)
    raw = whole(short, f"05 01 02 {at(short, PERIODIC, 8)}")
    assert raw[:2] == b"\x01\x00"
    assert len(axdr.value_of(raw[2:]).members()) == 100


def test_blocks_never_exceed_what_the_client_takes() -> None:
    association = opened(pdu="00 40")
    answer = association.ask("05 02 02 FA08 02 FD08")
    assert 60 <= len(answer) <= 64
    assert association.ask("05 01 05 0002") == hexed("0C 01 01 13")
    assert association.ask("05 01 05 0001") == hexed("0C 01 01 10")


# -- Write -------------------------------------------------------------------------------------


def test_the_clock_takes_a_new_time() -> None:
    association = utility()
    time = "07EA 0B 14 FF 0C 00 00 FF FFC4 00"
    clock = at(association, CLOCK, 8)
    assert association.ask(f"06 01 02 {clock} 01 09 0C {time}") == hexed("0D 01 00")
    assert one(association.ask(f"05 01 02 {clock}")).octets()[5:8] == hexed("0C 00 00")


def test_an_unconfirmed_write_is_done_and_not_answered() -> None:
    association = utility()
    clock = at(association, CLOCK, 8)
    assert association.ask(f"16 01 02 {clock} 01 09 0C 07EA0B14FF0C0000FFFFC400") == b""
    assert one(association.ask(f"05 01 02 {clock}")).octets()[5:8] == hexed("0C 00 00")


def test_each_write_has_its_own_result() -> None:
    association = utility()
    clock = at(association, CLOCK, 8)
    answer = association.ask(f"06 04 02 {clock} 02 FD08 02 0001 04 {clock} 01 00 04 00 00 00 00")
    assert answer == hexed("0D 04 01 0C 01 03 01 04 01 0D")


def test_a_reader_may_not_write_nor_switch() -> None:
    association = opened()
    clock, relay = at(association, CLOCK, 8), at(association, RELAY, 0x20)
    assert association.ask(f"06 01 02 {clock} 01 00") == hexed("0D 01 01 03")
    assert association.ask(f"06 01 02 {relay} 01 0F 00") == hexed("0D 01 01 03")


def test_the_supply_is_disconnected_by_the_name_of_the_method() -> None:
    association = utility()
    base = names(association)[logical_name(RELAY)]
    assert association.ask(f"06 01 02 {base + 0x20:04X} 01 0F 00") == hexed("0D 01 00")
    assert one(association.ask(f"05 01 02 {base + 8:04X}")) == (axdr.BOOLEAN, False)
    # in local mode it does not connect from afar, however it is asked
    assert association.ask(f"06 01 02 {base + 0x28:04X} 01 0F 00") == hexed("0D 01 01 FA")
    assert association.ask(f"05 01 04 {base + 0x28:04X} 00 0F 00") == hexed("0C 01 01 FA")
    assert association.ask(f"05 01 04 {base + 0x20:04X} 00 0F 00") == hexed("0C 01 00 00")
    assert association.ask(f"05 01 04 {base + 0x20:04X} 01 0F 00") == hexed("0C 01 01 0D")
    assert association.ask(f"05 01 02 {base + 0x20:04X}") == hexed("0C 01 01 0C")


def test_a_long_write_comes_in_blocks() -> None:
    association = utility(pdu="00 40")
    raw = hexed(f"01 02 {at(association, CLOCK, 8)} 01 09 0C 07EA0B14FF0C0000FFFFC400")
    first = f"06 01 07 00 0001 01 09 08 {raw[:8].hex()}"
    assert association.ask(first) == hexed("0D 01 02 0001")
    last = f"06 01 07 01 0002 01 09 {len(raw) - 8:02X} {raw[8:].hex()}"
    assert association.ask(last) == hexed("0D 01 00")
    assert association.ask(last) == hexed("0D 01 01 12")


def test_a_block_out_of_turn_ends_a_long_write() -> None:
    association = utility()
    assert association.ask("06 01 07 00 0001 01 09 01 01") == hexed("0D 01 02 0001")
    assert association.ask("06 01 07 00 0003 01 09 01 01") == hexed("0D 01 01 13")


def test_a_long_read_request_comes_in_blocks() -> None:
    association = opened()
    assert association.ask("05 01 06 00 0001 03 02 02 FD") == hexed("0C 01 03 0001")
    answer = association.ask("05 01 06 01 0002 04 08 02 FF08")
    assert answer[:3] == hexed("0C 02 00")


# -- ciphered ----------------------------------------------------------------------------------

TITLE = b"MWT\x00\x00\x00\x00\x01"


class Client:
    """Ciphers as a client would: the meter's own routine with the roles turned round."""

    def __init__(self, associate: WrapperDevice) -> None:
        keys = MeterKeys(zmf100.ENCRYPTION_KEY, zmf100.AUTHENTICATION_KEY, TITLE)
        self.keys = keys
        self.side = Secured(keys, b"LGZ" + (18438).to_bytes(5, "big"), Faults())
        challenge = b"12345678"
        initiate = hexed(f"01 00 00 00 06 5F 1F 04 00 {ALL_SERVICES} 04 00")
        user = self.sealed(0x21, initiate)
        fields = hexed("A1 09 06 07 60 85 74 05 08 01 04 A6 0A 04 08") + TITLE
        fields += hexed("8A 02 07 80 8B 07 60 85 74 05 08 02 05 AC 0A 80 08") + challenge
        fields += bytes((0xBE, len(user) + 2, 0x04, len(user))) + user
        self.association = Association(associate, 1, bytes((0x60, len(fields))) + fields)
        aare = self.association.aare
        place = aare.index(hexed("AA 12 80 10")) + 4
        self.meters = aare[place : place + 16]

    def sealed(self, tag: int, apdu: bytes) -> bytes:
        self.keys.sent += 1
        body = self.side._ciphered(0x30, self.keys.sent, apdu)
        return bytes([tag]) + axdr.length(len(body)) + body

    def ask(self, tag: int, apdu: str | bytes) -> bytes:
        clear = hexed(apdu) if isinstance(apdu, str) else apdu
        answer = self.association.ask(self.sealed(tag, clear))
        if answer[:1] in {b"\xd8", b"\x0e"}:
            return answer
        taker = axdr.Taker(answer[1:])
        assert taker.length() == taker.left
        control, counter = taker.octet(), taker.octets(4)
        nonce = b"LGZ" + (18438).to_bytes(5, "big") + counter
        return self.side._deciphered(control, nonce, taker.octets(taker.left))


def test_keys_are_proved_and_services_ciphered_with_short_names_too() -> None:
    client = Client(device())
    assert client.ask(0x25, "05 01 02 FD08") == hexed("0E 05 02 01")  # not proved yet
    proof = client.side.proof(client.meters)
    answer = client.ask(0x25, hexed("05 01 04 FA58 00 09 11") + proof)
    assert answer[:5] == hexed("0C 01 00 09 11")
    assert one(client.ask(0x25, "05 01 02 FD08")).octets() == b"LGZ00018438"


def test_a_wrong_proof_ends_the_association() -> None:
    client = Client(device())
    answer = client.ask(0x25, hexed("05 01 04 FA58 00 09 11") + bytes(17))
    assert answer == hexed("0C 01 01 03")
    assert client.association.ask("05 01 02 FD08") == hexed("0E 05 02 01")
