"""Short and logical names, plain and in general blocks, tell the same of the virtual ZMF100.

The driver and the virtual meter were built apart from each other and share no protocol code.
"""

from datetime import timedelta

import pytest

from drivers.calendar import Calendar, Day, Season, SpecialDay, SwitchingPoint, Week
from drivers.errors import AccessDenied, GarbledReply, KeysDoNotFit, NotSupported, ValueRefused
from drivers.simulator import zmf100
from drivers.simulator.dlms.conformance import WRITE
from drivers.simulator.dlms.faults import BLOCK_FAULTS
from drivers.simulator.dlms.server import Server
from drivers.switching import Switching
from drivers.values import Span
from tests.protocol.short_world import (
    NAMINGS,
    RELAY_LOG,
    ROWS,
    SERIAL,
    START,
    World,
    everything,
    kind_of,
    rows_of,
)

TABLE = Calendar(
    "TOU-2",
    (Season("SUMMER", "04-01", "WS"), Season("WINTER", "10-01", "WW")),
    (Week("WS", (1, 1, 1, 1, 1, 2, 2)), Week("WW", (1, 1, 1, 1, 1, 1, 2))),
    (
        Day(1, (SwitchingPoint("06:00", 1), SwitchingPoint("21:00", 2))),
        Day(2, (SwitchingPoint("00:00", 2),)),
    ),
)
MANY_DAYS = tuple(SpecialDay(n, f"2027-01-{n:02}", 2) for n in range(1, 31))  # over 400 octets
SIZES = {
    "128/1": {"max_info": 128, "window": 1},
    "128/7": {"max_info": 128, "window": 7},
    "2030/1": {"max_info": 2030, "window": 1},
    "128/7, small PDU": {"max_info": 128, "window": 7, "pdu": 128},
    "2030/1, small PDU": {"max_info": 2030, "window": 1, "pdu": 128},
    "128/1, small PDU, wide turns": {"max_info": 128, "pdu": 128, "block_window": 63},
}
BLOCKS = pytest.mark.parametrize("blocks", [False, True], ids=["plain", "general blocks"])
NAMED = pytest.mark.parametrize("naming", NAMINGS)


# --- equal results ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framing", "listen"),
    [("mode-e", "pty"), ("mode-e", "rfc2217:0"), ("hdlc", "tcp:0"), ("wrapper", "tcp:0")],
)
def test_both_namings_tell_the_same_on_real_lines(framing, listen) -> None:
    told = []
    for naming in NAMINGS:
        kind = kind_of(naming, framing=framing, max_info=2030)
        with World(rows=35).on_line(kind, listen) as meter:
            told.append(everything(meter))
    assert told[0] == told[1]
    assert told[0]["identity"].utility_serial.startswith(f"7601234{SERIAL}")
    assert len(told[0]["rows"]) == 35


@pytest.mark.parametrize("auth", ["none", "low", "gmac"])
@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
@BLOCKS
def test_both_namings_tell_the_same_to_every_client(auth, framing, blocks) -> None:
    told = []
    for naming in NAMINGS:
        world = World(["gbt"] if blocks else [])
        kind = kind_of(naming, auth, framing, general_blocks=blocks, pdu=256)
        with world.opened(kind) as meter:
            told.append(everything(meter))
    assert told[0] == told[1]
    assert len(told[0]["rows"]) == ROWS


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@BLOCKS
def test_no_size_of_frames_or_messages_changes_what_is_told(sizes, blocks) -> None:
    with World().opened(kind_of("logical")) as meter:
        wanted = everything(meter)
    for naming in NAMINGS:
        kind = kind_of(naming, general_blocks=blocks, **sizes)
        with World(["gbt"] if blocks else []).opened(kind) as meter:
            assert everything(meter) == wanted


def test_a_meter_that_does_not_know_general_blocks_is_read_without() -> None:
    world = World()
    with world.opened(kind_of("short", general_blocks=True)) as meter:
        assert len(rows_of(meter, Span())) == ROWS


def test_both_namings_list_the_same_objects_of_every_kind() -> None:
    listed = {}
    for naming in NAMINGS:
        with World().opened(kind_of(naming, "low")) as meter:
            entries = {(one.class_id, one.code, one.version) for one in meter.objects()}
        listed[naming] = {one for one in entries if one[0] not in {12, 15}}
    assert listed["short"] == listed["logical"]
    kinds = {one[0] for one in listed["short"]}
    assert {21, 71, 72} <= kinds  # register monitor, limiter, M-Bus client
    codes = {one[1] for one in listed["short"]}
    assert {"0-0:97.97.0.255", "0-0:97.98.0.255", "0-0:97.98.10.255"} <= codes  # errors, alarms


# --- writing ------------------------------------------------------------------------------------


@NAMED
@BLOCKS
def test_clock_switch_and_switching_table_read_back_as_written(naming, blocks) -> None:
    world = World(["gbt"] if blocks else [], max_pdu=128)
    kind = kind_of(naming, "low", general_blocks=blocks, pdu=128)
    with world.opened(kind) as meter:
        assert abs(meter.set_clock().offset) <= 1
        after = meter.switch(Switching.OPEN)
        assert (after.output, after.state) == (False, "disconnected")
        assert meter.switch(Switching.ARM).state == "ready for reconnection"
        assert [int(event.code) for event in meter.events(RELAY_LOG)][:1] == [62]
        kept = meter.write_calendar(TABLE, MANY_DAYS, None)
        assert (kept.active, kept.special_days) == (TABLE, MANY_DAYS)
        later = START + timedelta(days=3)
        assert meter.write_calendar(TABLE, None, later).activation == later
    assert world.meter.tariffs.name == b"TOU-2"


@NAMED
@BLOCKS
@pytest.mark.parametrize("auth", ["low", "gmac"])
def test_a_write_longer_than_a_message_goes_in_blocks(naming, blocks, auth) -> None:
    world = World(["gbt"] if blocks else [], max_pdu=128)
    kind = kind_of(naming, auth, general_blocks=blocks, pdu=128)
    with world.opened(kind) as meter:
        before = meter.statistics.round_trips
        kept = meter.write_calendar(TABLE, MANY_DAYS, None)
        assert meter.statistics.round_trips > before + 10
    assert kept.special_days == MANY_DAYS


@NAMED
def test_a_client_that_may_only_read_is_refused(naming) -> None:
    world = World()
    with world.opened(kind_of(naming)) as meter:
        with pytest.raises(AccessDenied):
            meter.set_clock()
        with pytest.raises(AccessDenied):
            meter.switch(Switching.OPEN)
        assert meter.object("1-0:1.8.0.255").value is not None
    assert world.meter.switch.output


@NAMED
def test_what_is_denied_or_missing_stops_nothing(naming) -> None:
    world = World(["access-denied"])
    with world.opened(kind_of(naming)) as meter:
        codes = [one.obis for one in meter.registers()]
        with pytest.raises(NotSupported):
            meter.object("1-0:99.99.0.255", 3)
    assert "1-1:32.7.0.255" not in codes
    assert "1-0:1.8.0.255" in codes
    assert any("denied" in remark for remark in world.link.statistics.remarks)


class Unconfirming(Server):
    """A meter that takes writes but never says what became of them."""

    def _offered(self, context: bytes) -> int:
        return super()._offered(context) & ~WRITE


@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
def test_a_write_without_an_answer_is_proved_by_reading_back(framing, monkeypatch) -> None:
    monkeypatch.setattr(zmf100, "Server", Unconfirming)
    with World().opened(kind_of("short", "low", framing)) as meter:
        assert abs(meter.set_clock().offset) <= 1
    for fault in ("clock-refused", "clock-not-kept"):
        world, kind = World([fault]), kind_of("short", "low", framing)
        with world.opened(kind) as meter, pytest.raises(ValueRefused):
            meter.set_clock(START + timedelta(minutes=20))


# --- general blocks and their faults ------------------------------------------------------------


@NAMED
@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
@pytest.mark.parametrize("fault", sorted(BLOCK_FAULTS))
def test_a_fault_among_blocks_changes_no_row(naming, framing, fault) -> None:
    world = World([fault])
    kind = kind_of(naming, framing=framing, general_blocks=True, pdu=128, window=7)
    with World().opened(kind_of("logical")) as meter:
        wanted = everything(meter)
    with world.opened(kind) as meter:
        assert everything(meter) == wanted


@NAMED
@pytest.mark.parametrize(("auth", "framing"), [("low", "wrapper"), ("gmac", "hdlc")])
@pytest.mark.parametrize("fault", sorted(set(BLOCK_FAULTS) - {"gbt-wrong-ack"}))
def test_a_long_write_in_blocks_survives_what_the_meter_does_wrong(
    naming, auth, framing, fault
) -> None:
    world = World([fault], max_pdu=128)
    kind = kind_of(naming, auth, framing, general_blocks=True, pdu=128)
    with world.opened(kind) as meter:
        assert meter.write_calendar(TABLE, MANY_DAYS, None).special_days == MANY_DAYS


@NAMED
def test_blocks_acknowledged_before_they_were_sent_are_told(naming) -> None:
    world = World(["gbt-wrong-ack"], max_pdu=128)
    with world.opened(kind_of(naming, "low", general_blocks=True, pdu=128)) as meter:
        with pytest.raises(GarbledReply, match="never sent"):
            meter.write_calendar(TABLE, MANY_DAYS, None)
        assert meter.object("1-0:1.8.0.255").value is not None  # and the session goes on


LINE_FAULTS = ("damaged-fcs", "lost-frame", "repeated-ns", "noise", "echo", "rnr", "dm", "ui-push")


@NAMED
@pytest.mark.parametrize("fault", LINE_FAULTS)
@pytest.mark.parametrize("block_fault", ["gbt", "gbt-lost-block"])
def test_a_bad_line_under_blocks_changes_no_row(naming, fault, block_fault) -> None:
    world = World([fault, block_fault])
    kind = kind_of(naming, general_blocks=True, pdu=128, max_info=128, window=7)
    with world.opened(kind) as meter:
        rows = rows_of(meter, Span())
    with World().opened(kind_of("logical")) as meter:
        assert rows == rows_of(meter, Span())


@NAMED
def test_a_forged_answer_in_blocks_gives_no_row(naming) -> None:
    world = World(["gbt", "forged-tag"])
    kind = kind_of(naming, "gmac", general_blocks=True, pdu=128)
    with pytest.raises(KeysDoNotFit), world.opened(kind) as meter:
        rows_of(meter, Span())
