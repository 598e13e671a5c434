"""The driver against the virtual meters, which share no protocol code with it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.services.object_groups import title_of
from app.services.objects import object_list
from app.tasks import collect
from drivers.dlms.addressing import with_serial
from drivers.dlms.meter import DlmsMeter
from drivers.errors import AccessDenied, DriverError, GarbledReply, NoReply, ValueRefused
from drivers.metertype import LogType, MeterType, RegisterType, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.memory import DeviceLink
from drivers.values import ProfileRow, Span

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)  # no new row comes while a test runs
SERIAL = "46000755036"
ROWS = 200


def hexcell_type(serial: str = SERIAL, **dlms: object) -> MeterType:
    kind = with_serial(load_meter_type("hexcell-ddsy1088"), serial)
    return replace(kind, dlms=replace(kind.dlms, **dlms))


class Bench:
    """One virtual meter (or several) and the driver on it, in virtual time."""

    def __init__(
        self,
        faults: Sequence[str] = (),
        *,
        kind: MeterType | None = None,
        password: bytes = hexcell.PASSWORD,
        neighbours: Sequence[str] = (),
    ) -> None:
        self.device = hexcell.build(serial=SERIAL, rows=ROWS, faults=faults, start=START)
        others = [hexcell.build(serial=one, rows=ROWS, start=START) for one in neighbours]
        self.link = DeviceLink([self.device, *others])
        self.expected = self.device.expected()
        self.meter = DlmsMeter(
            self.link,
            kind or hexcell_type(),
            Secrets(password=Secret(password)),
            wall=lambda: START + timedelta(seconds=self.link.now()),
        )

    def read(self, span: Span | None = None) -> list[ProfileRow]:
        with self.meter as meter:
            blocks = meter.profile(meter.profile_info(), span or Span())
            return [row for block in blocks for row in block.rows]

    def rows(self) -> list[tuple[object, ...]]:
        rows = self.expected["profile"]["rows"]
        return [
            (row["time"], row["status_raw"], tuple(row["status"]), row["values"]) for row in rows
        ]


def shown(rows: list[ProfileRow]) -> list[tuple[object, ...]]:
    return [
        (
            row.time.isoformat().replace("+00:00", "Z"),
            row.status_raw,
            row.status,
            [str(value) for value in row.values],
        )
        for row in rows
    ]


FRAMINGS = {
    "HDLC, four octets": hexcell_type(),
    "HDLC, small frames": hexcell_type(max_info=128),
    "HDLC, window of seven": hexcell_type(max_info=128, window=7),
    "HDLC, large frames": hexcell_type(max_info=2030, pdu=4000),
    "HDLC, small PDU": hexcell_type(pdu=128),
    "HDLC, no parameters": hexcell_type(snrm_parameters=False),
    "wrapper": replace(hexcell_type(), framing="wrapper"),
}


@pytest.mark.parametrize("kind", FRAMINGS.values(), ids=FRAMINGS)
def test_everything_reads_as_the_meter_holds_it(kind) -> None:
    bench = Bench(kind=kind)
    with bench.meter as meter:
        identity = meter.identity()
        registers = list(meter.registers())
        events = list(meter.events())
        relay = meter.relay()
    wanted = bench.expected
    assert (identity.serial, identity.firmware) == (SERIAL, wanted["identity"]["firmware"])
    assert identity.manufacturer == "HXE"
    assert [
        {"obis": one.obis, "value": str(one.value), "unit": one.unit, "time": None}
        for one in registers
    ] == wanted["registers"]
    assert [
        {
            "time": one.time.isoformat().replace("+00:00", "Z"),
            "code": int(one.code),
            "text": one.text,
        }
        for one in events
    ] == wanted["events"]["rows"]
    assert (relay.output, relay.state, relay.mode) == tuple(wanted["relay"].values())
    assert shown(bench.read()) == bench.rows()


def test_what_the_type_calls_a_register_it_is_called_everywhere(tmp_path) -> None:
    own = RegisterType("1.8.0", name="Energy sold")  # in any spelling
    log = LogType("0-0:99.98.0.255", name="Book of the meter")
    bench = Bench(kind=replace(hexcell_type(), registers=(own,), logs=(log,)))
    with bench.meter as meter:
        assert [one.name for one in meter.registers()] == ["Energy sold"]
        assert meter.object("1-0:1.8.0.255").name == "Energy sold"
        (shown,) = meter.read_objects([("1-0:1.8.0.255", 3, 2)])
        assert shown.reading.name == "Energy sold"
        assert "Energy sold" in [one.name for one in meter.profile_info().columns]
        for _ in range(2):  # from the meter, then from what was kept of it
            entries, _ = collect(object_list(meter, tmp_path))
            names = {one.code: title_of(one) for one in entries}
            assert names["1-0:1.8.0.255"] == "Energy sold"
            assert names["0-0:99.98.0.255"] == "Book of the meter"
            assert names["1-0:32.7.0.255"] == "Voltage L1"


def test_a_range_has_exactly_its_rows() -> None:
    bench = Bench()
    times = [row[0] for row in bench.rows()]
    start, end = (datetime.fromisoformat(times[n]) for n in (20, 60))
    assert shown(bench.read(Span(start, end))) == bench.rows()[20:61]
    assert bench.link.statistics.bytes_received < 5000


@pytest.mark.parametrize(("deviation", "seconds"), [(True, False), (False, True), (False, False)])
def test_a_range_can_leave_deviation_and_seconds_open(deviation, seconds) -> None:
    bench = Bench(kind=hexcell_type(range_deviation=deviation, range_seconds=seconds))
    start = datetime.fromisoformat(bench.rows()[-10][0])
    assert shown(bench.read(Span(start))) == bench.rows()[-10:]


@pytest.mark.parametrize("selector", ["entry", "range", "none"])
@pytest.mark.parametrize("last", [1, 12, 120, 1000])
def test_the_last_rows_are_as_many_as_wanted_over_a_power_failure(selector, last) -> None:
    kind = hexcell_type()
    profiles = (replace(kind.profiles[0], selector=selector),)
    bench = Bench(kind=replace(kind, profiles=profiles))
    assert shown(bench.read(Span(last=last))) == bench.rows()[-last:]


def test_a_meter_that_refuses_selectors_is_read_whole() -> None:
    bench = Bench(["refused-selector"])
    start = datetime.fromisoformat(bench.rows()[-3][0])
    assert shown(bench.read(Span(start))) == bench.rows()[-3:]


SURVIVED = [
    "late-answer", "lost-frame", "damaged-fcs", "repeated-ns", "rnr", "dm", "frmr", "echo", "noise",
    "slow-octets", "ui-push", "wrong-llc", "aare-without-user-information", "no-release-answer",
    "wrong-entries-in-use", "temporary-failure", "no-more-blocks", "null-data",
    "clock-off-10-years",
]  # fmt: skip


@pytest.mark.parametrize("fault", SURVIVED)
def test_a_fault_on_the_way_changes_no_row(fault) -> None:
    bench = Bench([fault])
    assert shown(bench.read()) == bench.rows()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("silence", NoReply),
        ("silent-after-5000", NoReply),
        ("wrong-source-address", NoReply),
        ("truncated-structure", GarbledReply),
        ("trailing-bytes", GarbledReply),
        ("wrong-row-count", GarbledReply),
        ("wrong-block-number", GarbledReply),
    ],
)
def test_a_fault_that_cannot_be_mended_is_told(fault, kind) -> None:
    with pytest.raises(kind):
        Bench([fault]).read()


def test_a_denied_register_is_a_remark() -> None:
    bench = Bench(["access-denied"])
    with bench.meter as meter:
        assert "1-0:32.7.0.255" not in [one.obis for one in meter.registers()]
    assert any("read-write denied" in remark for remark in bench.link.statistics.remarks)


# --- addresses and secrets ----------------------------------------------------------------------


def test_a_meter_on_a_bus_is_found_by_its_serial_alone() -> None:
    bench = Bench(neighbours=["46000755037", "46000755038"])
    with bench.meter as meter:
        assert meter.identity().serial == SERIAL


def test_a_wrong_serial_meets_silence_and_never_another_meter() -> None:
    with pytest.raises(NoReply):
        Bench(kind=hexcell_type("46000759999")).read()


def test_a_late_answer_of_one_meter_is_never_booked_to_the_next() -> None:
    bench = Bench(["every-answer-late"], neighbours=["46000755037"])
    with pytest.raises(DriverError), bench.meter:
        pass
    next_meter = DlmsMeter(
        bench.link, hexcell_type("46000755037"), Secrets(password=Secret(hexcell.PASSWORD))
    )
    with next_meter as meter:
        assert meter.identity().serial == "46000755037"
        blocks = list(meter.profile(meter.profile_info(), Span()))
    assert sum(len(block.rows) for block in blocks) == ROWS
    assert bench.link.statistics.discarded > 0


def test_a_wrong_password_is_refused_in_words_and_not_repeated() -> None:
    bench = Bench(password=b"wrong one")
    with pytest.raises(AccessDenied, match="authentication failure"):
        bench.read()
    with Bench().meter as meter:  # one wrong password locks nothing
        assert meter.clock()


def test_the_public_client_needs_no_password_and_sees_who_the_meter_is() -> None:
    bench = Bench(kind=hexcell_type(client=17, auth="none"))
    with bench.meter as meter:
        assert meter.identity().serial == SERIAL
        assert list(meter.registers()) == []
    assert len(bench.link.statistics.remarks) == 6


# --- clock --------------------------------------------------------------------------------------


def test_the_clock_is_off_by_what_the_meter_is_off() -> None:
    bench = Bench()
    with bench.meter as meter:
        clock = meter.clock()
    assert abs(float(clock.offset) - float(bench.expected["clock"]["offset_s"])) <= float(
        clock.uncertainty
    )


def test_a_clock_that_was_set_is_right_afterwards() -> None:
    bench = Bench()
    with bench.meter as meter:
        assert abs(meter.clock().offset) > 2
        assert abs(meter.set_clock().offset) <= 1
        events = list(meter.events())
    assert [event.code for event in events[-2:]] == ["4", "5"]


@pytest.mark.parametrize("fault", ["clock-refused", "clock-not-kept"])
def test_a_clock_that_does_not_take_the_time_is_told(fault) -> None:
    bench = Bench([fault])
    with bench.meter as meter, pytest.raises((ValueRefused, AccessDenied)):
        meter.set_clock(START + timedelta(minutes=10))


# --- speed --------------------------------------------------------------------------------------


def test_large_frames_use_the_line_nearly_to_its_limit() -> None:
    bench = Bench(kind=hexcell_type(max_info=2030, pdu=16000))
    with bench.meter as meter:
        info = meter.profile_info()
        meter.clock()
        before, began = bench.link.statistics.bytes_received, bench.link.now()
        rows = sum(len(block.rows) for block in meter.profile(info, Span()))
        payload = bench.link.statistics.bytes_received - before
        spent = bench.link.now() - began
    assert rows == ROWS
    assert payload * 10 / 9600 / spent > 0.9
