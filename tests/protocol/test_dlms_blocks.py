"""General block transfer in a session: rows as they arrive, long writes, losses, ciphering."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from drivers.dlms.ciphering import AUTHENTICATED, ENCRYPTED, Keys, length_octets, sealed, unsealed
from drivers.dlms.meter import DlmsMeter
from drivers.errors import DriverError, GarbledReply, KeysDoNotFit
from drivers.metertype import MeterType, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.values import ProfileBlock, Span
from tests.protocol.block_meter import BlockMeterLink, HdlcBlockLink, block
from tests.protocol.dlms_meter import WrapperMeterLink
from tests.protocol.short_meter import ALL, ShortMeterLink
from tests.protocol.test_dlms_meter import PROFILE, buffer, row
from tests.protocol.test_dlms_meter import objects as plain_objects

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
ROWS = 60
LONG = (1, "0.0.96.50.0.255", 2)
CODE = "0-0:96.50.0.255"
TITLE = b"METER001"
KEYS = Keys(Secret(bytes(range(16))), Secret(bytes(range(16, 32))))
BOTH = AUTHENTICATED | ENCRYPTED


def objects() -> dict:
    rows = [row(NOW + timedelta(minutes=15 * n), 0, 1000 + n) for n in range(ROWS)]
    return plain_objects() | {(7, PROFILE, 2): buffer(rows), LONG: b"\x00"}


def kind(framing: str = "wrapper", **dlms: object) -> MeterType:
    base = load_meter_type("generic-dlms")
    return replace(
        base,
        framing=framing,
        dlms=replace(base.dlms, **{"general_blocks": True, "block_window": 4, **dlms}),
    )


def driver(link: WrapperMeterLink, **changes: object) -> DlmsMeter:
    framing = "hdlc" if isinstance(link, HdlcBlockLink) else "wrapper"
    start = link.now()
    return DlmsMeter(
        link,
        kind(framing, **changes),
        Secrets(encryption_key=KEYS.encryption, authentication_key=KEYS.authentication),
        wall=lambda: NOW + timedelta(seconds=link.now() - start),
    )


def profile(meter: DlmsMeter) -> Iterator[ProfileBlock]:
    return meter.profile(meter.profile_info("1-0:99.1.0.255"), Span())


@pytest.mark.parametrize("make", [BlockMeterLink, HdlcBlockLink])
@pytest.mark.parametrize("cut", [33, 100])
def test_rows_arrive_while_the_blocks_do(make, cut) -> None:
    link = make(objects(), cut=cut)
    with driver(link) as meter:
        arrived = list(profile(meter))
    assert len(arrived) > ROWS * 33 // cut // 2
    rows = [one for part in arrived for one in part.rows]
    assert [one.values[0] for one in rows] == [Decimal(1000 + n) / 1000 for n in range(ROWS)]
    acknowledged = [apdu for apdu in link.heard if apdu[0] == 0xE0]
    assert acknowledged[0] == bytes.fromhex("E0 84 0001 0001 00")


@pytest.mark.parametrize("make", [BlockMeterLink, HdlcBlockLink])
def test_a_long_value_goes_out_in_blocks(make) -> None:
    link = make(objects())
    value = b"\x09\x82\x01\xf4" + bytes(n % 251 for n in range(500))
    with driver(link) as meter:
        assert meter.write_raw(CODE, 1, 2, value) == value
    sent = [apdu for apdu in link.heard if apdu[0] == 0xE0]
    assert max(map(len, sent)) <= 128
    assert any(apdu[1] & 0x40 for apdu in sent), "they go in a row"


def test_a_lost_block_is_asked_for_again() -> None:
    link = BlockMeterLink(objects())
    with driver(link) as meter:
        meter.clock()
        meter.profile_info("1-0:99.1.0.255")
        link.blocks.lost = {link.blocks.left + 2, link.blocks.left + 9}
        assert sum(len(part.rows) for part in profile(meter)) == ROWS
    assert any(apdu[:2] == b"\xe0\x81" for apdu in link.heard)


def test_the_lost_end_of_a_stream_is_asked_for_after_a_while() -> None:
    link = BlockMeterLink(objects())
    with driver(link) as meter:
        meter.clock()
        meter.profile_info("1-0:99.1.0.255")
        link.blocks.lost = {link.blocks.left + 4}
        assert sum(len(part.rows) for part in profile(meter)) == ROWS
    assert link.statistics.resends == 1


def test_a_read_that_is_given_up_leaves_nothing_for_the_next() -> None:
    for make in (BlockMeterLink, HdlcBlockLink):
        with driver(make(objects())) as meter:
            rows = profile(meter)
            next(rows)
            next(rows)
            rows.close()
            assert meter.relay().output
            assert meter.object("1-0:1.8.0.255").value == Decimal("61561.289")


def test_a_link_that_was_dropped_is_built_anew_with_its_blocks() -> None:
    link = HdlcBlockLink(objects())
    with driver(link) as meter:
        info = meter.profile_info("1-0:99.1.0.255")
        link.drops = True
        assert len(meter.raw("1-0:99.1.0.255", 7, 3)) > 0
        link.drops = True
        assert sum(len(part.rows) for part in meter.profile(info, Span())) == ROWS
    assert any("built anew" in remark for remark in link.statistics.remarks)


def test_a_meter_that_does_not_offer_blocks_gets_none() -> None:
    link = WrapperMeterLink(objects(), block=100)
    with driver(link) as meter:
        assert sum(len(part.rows) for part in profile(meter)) == ROWS
    assert {apdu[0] for apdu in link.heard} == {0x60, 0xC0, 0x62}


def test_blocks_are_not_used_where_the_type_does_not_want_them() -> None:
    link = BlockMeterLink(objects(), cut=4000)
    with driver(link, general_blocks=False) as meter:
        assert sum(len(part.rows) for part in profile(meter)) == ROWS
    assert {apdu[0] for apdu in link.heard} == {0x60, 0xC0, 0x62}


def test_a_meter_that_stops_in_the_middle_is_asked_anew_from_the_last_row() -> None:
    class Stopping(BlockMeterLink):
        stops = 7

        def write(self, data: bytes, *, secret: bool = False) -> None:
            if data[8] == 0xE0 and self.stops > 0:
                self.stops -= 1
                if not self.stops:
                    self.heard.append(data[8:])
                    head = b"\x00\x01" + data[4:6] + data[2:4]
                    given_up = block(0x80, 0, 0, b"")
                    answer = head + len(given_up).to_bytes(2, "big") + given_up
                    self.answers.append((self.now() + self.delay, answer))
                    return
            super().write(data, secret=secret)

    with driver(Stopping(objects(), cut=33)) as meter:
        rows = [one for part in profile(meter) for one in part.rows]
    assert rows[-1].values[0] == Decimal(1000 + ROWS - 1) / 1000
    assert len({one.time for one in rows}) == ROWS


class GatewayBlockLink(BlockMeterLink):
    """A gateway in front of the meter: every block has the prefix."""

    PLACE = b"\x05\x02\x00\x11"

    def write(self, data: bytes, *, secret: bool = False) -> None:
        assert data[8:13] == b"\xe6" + self.PLACE
        before = len(self.answers)
        super().write(data[:8] + data[13:], secret=secret)
        for n, (at, answer) in enumerate(self.answers[before:], before):
            whole = b"\xe7" + self.PLACE + answer[8:]
            self.answers[n] = (at, answer[:6] + len(whole).to_bytes(2, "big") + whole)


def test_blocks_go_through_a_gateway() -> None:
    link = GatewayBlockLink(objects())
    value = b"\x09\x82\x01\xf4" + bytes(500)
    with driver(link, gateway_network=5, gateway_address="0011") as meter:
        assert sum(len(part.rows) for part in profile(meter)) == ROWS
        assert meter.write_raw(CODE, 1, 2, value) == value


@pytest.mark.parametrize("make", [BlockMeterLink, HdlcBlockLink])
def test_short_names_go_in_blocks_as_well(make) -> None:
    inner = ShortMeterLink(objects(), conformance=ALL | 0x200000, pdu=128)
    link = make(objects())
    link.blocks.answer = inner.answer
    value = b"\x09\x82\x01\xf4" + bytes(500)
    with driver(link, referencing="short") as meter:
        arrived = list(profile(meter))
        assert meter.write_raw(CODE, 1, 2, value) == value
    assert sum(len(part.rows) for part in arrived) == ROWS
    assert len(arrived) > 10, "they come while the blocks do"


# --- ciphered -----------------------------------------------------------------------------------


class CipheredMeterLink(BlockMeterLink):
    """Ciphers whole APDUs inside the blocks, without a challenge."""

    forged = False

    def _whole(self, apdu: bytes) -> bytes | None:
        self.counter = getattr(self, "counter", 0) + 1
        if apdu[0] == 0x60:
            initiate = self._sealed(0x28, bytes.fromhex("0800065F1F0400201E1D00800007"))
            fields = bytes.fromhex("A109060760857405080103A203020100A305A103020100")
            fields += b"\xa4\x0a\x04\x08" + TITLE
            fields += b"\xbe" + bytes((len(initiate) + 2, 4, len(initiate))) + initiate
            return b"\x61" + length_octets(len(fields)) + fields
        if apdu[0] == 0x62:
            return b"\x63\x03\x80\x01\x00"
        at = 2 if apdu[1] < 0x80 else 2 + (apdu[1] & 0x7F)
        clear = unsealed(KEYS, b"MWR\x00\x00\x00\x00\x01", apdu[at:])
        answer = super()._whole(clear) or b""
        return self._sealed(answer[0] | 8, answer)

    def _sealed(self, tag: int, clear: bytes) -> bytes:
        body = sealed(KEYS, TITLE, self.counter, BOTH, clear)
        if self.forged:
            body = body[:-1] + bytes((body[-1] ^ 1,))
        return bytes((tag,)) + length_octets(len(body)) + body


def ciphered(link: CipheredMeterLink) -> DlmsMeter:
    return driver(link, auth="none", security="both", counter="")


def test_a_ciphered_answer_is_joined_before_it_is_opened() -> None:
    link = CipheredMeterLink(objects())
    value = b"\x09\x82\x01\x2c" + bytes(300)
    with ciphered(link) as meter:
        assert sum(len(part.rows) for part in profile(meter)) == ROWS
        assert meter.write_raw(CODE, 1, 2, value) == value
    assert {apdu[0] for apdu in link.heard} <= {0x60, 0x62, 0xC8, 0xC9, 0xE0}


def test_no_row_of_a_forged_answer_is_handed_on() -> None:
    link = CipheredMeterLink(objects())
    with ciphered(link) as meter:
        meter.clock()
        info = meter.profile_info("1-0:99.1.0.255")
        link.forged = True
        with pytest.raises(KeysDoNotFit):
            next(meter.profile(info, Span()))


# --- rubbish ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    ["E0", "E08100010000", "E0810001000003AA", "E0 C1 0001 0000 02 C401", "E0 85 0007 0000 01 00"],
)
def test_rubbish_in_place_of_blocks_is_told(answer) -> None:
    link = BlockMeterLink(objects())
    with driver(link) as meter:
        link.blocks.answers = lambda apdu: [bytes.fromhex(answer)]
        with pytest.raises((GarbledReply, DriverError)):
            meter.raw("1-0:1.8.0.255", 3, 2)
