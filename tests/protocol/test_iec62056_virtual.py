"""The client in programming mode against virtual meters: what can go wrong first, then the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from drivers.errors import AccessDenied, DriverError, GarbledReply, NotSupported, ValueRefused
from drivers.iec62056.meter import Iec62056Meter
from drivers.iec62056.password import mixed
from drivers.metertype import Iec62056, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator.iec62056 import OpticalPort, framed
from drivers.simulator.iecmeter import FAULTS, PERIOD, build
from drivers.simulator.memory import DeviceLink
from drivers.simulator.programming import FAULTS as MODE_FAULTS
from drivers.simulator.programming import ProgrammingMode
from drivers.values import Span

EMH, METCOM = load_meter_type("emh-lzqj"), load_meter_type("metcom-mcs301")
MASS = load_meter_type("turkish-mass")
START = datetime.now(UTC).replace(microsecond=0)
PASSWORD = b"Sesame42"
WITH = Secrets(password=Secret(PASSWORD))
WRONG = Secrets(password=Secret(b"Sesame43"))


def virtual(*faults, dialect="emh", rows=400, **more):
    return build(dialect=dialect, rows=rows, faults=faults, start=START, **more)


def client(device, meter_type=EMH, secrets=None):
    link = DeviceLink([device])
    return Iec62056Meter(link, meter_type, secrets or Secrets()), link


def sent_commands(link, name):
    return link.written_commands.count(name)


def listen_in(link):
    """Note every command that the client sends."""
    link.written_commands = []
    write = link.write

    def noted(data, *, secret=False):
        if data[:1] == b"\x01":
            link.written_commands.append(data[1:3].decode())
        if data in (b"\x06", b"\x15"):
            link.written_commands.append({b"\x06": "ACK", b"\x15": "NAK"}[data])
        write(data, secret=secret)

    link.write = noted
    return link


def store(device):
    return device.programming.store


def read_rows(device, meter_type, span):
    meter, link = client(device, meter_type)
    listen_in(link)
    with meter:
        info = meter.profile_info()
        blocks = list(meter.profile(info, span))
    return info, [row for block in blocks for row in block.rows], link


def wanted(device, start, end):
    own = store(device)
    return [(m, tuple(map(Decimal, own.row(m)))) for m in own.times(0.0, start, end)]


def whole(span_rows=300):
    end = START.replace(minute=START.minute // 15 * 15, second=0)
    return Span(end - (span_rows - 1) * PERIOD, end)


# -- what can go wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["emh", "metcom", "mass"])
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_under_every_fault_a_profile_is_right_or_an_error_is_told(fault, dialect):
    device = virtual(fault, dialect=dialect)
    meter_type = {"emh": EMH, "metcom": METCOM, "mass": MASS}[dialect]
    span = whole()
    meter, _ = client(device, meter_type)
    with meter:
        try:
            info = meter.profile_info()
            blocks = list(meter.profile(info, span))
        except DriverError:
            return
    rows = [(row.time, row.values) for block in blocks for row in block.rows]
    expected = wanted(device, span.start, span.end)
    if fault in {"header-only", "error-answers"}:
        assert rows == [] or set(rows) <= set(expected)
    else:
        assert rows == expected


RECOVERED = {
    "keeps-300",
    "echo",
    "echo-request",
    "echo-select",
    "filler",
    "noise",
    "deaf-once",
    "deaf-to-first-select",
    "r1-acknowledged",
    "nak-first-command",
    "wrong-check-in-block",
    "breaks-off",
    "extra-rows",
    "empty-operand",
}


@pytest.mark.parametrize("fault", sorted(RECOVERED))
def test_what_can_be_recovered_from_is(fault):
    _, rows, _ = read_rows(device := virtual(fault), EMH, whole())
    assert [(r.time, r.values) for r in rows] == wanted(device, whole().start, whole().end)


def test_a_profile_that_breaks_off_goes_on_behind_the_last_proved_row():
    device = virtual("breaks-off", block=200)
    device.programming.always_blocks = True
    _, rows, link = read_rows(device, EMH, whole())
    assert [(r.time, r.values) for r in rows] == wanted(device, whole().start, whole().end)
    assert link.written_commands.count("R5") + link.written_commands.count("R6") >= 3


def test_one_damaged_block_costs_one_block_and_not_the_answer():
    device = virtual("wrong-check-in-block", block=200)
    device.programming.always_blocks = True
    _, rows, link = read_rows(device, EMH, whole())
    assert [(r.time, r.values) for r in rows] == wanted(device, whole().start, whole().end)
    assert link.written_commands.count("NAK") == 1
    assert link.written_commands.count("ACK") > 20


def test_a_check_that_stays_bad_gives_no_row_at_all():
    good, _ = client(virtual())
    with good:
        info = good.profile_info()
    meter, _ = client(virtual("every-block-wrong"))
    found = []
    with meter, pytest.raises(GarbledReply):
        found.extend(meter.profile(info, whole()))
    assert [row for block in found for row in block.rows] == []


def test_a_wrong_password_is_sent_once_however_much_is_asked_and_its_attempts_are_told():
    device = virtual(password=PASSWORD, dialect="metcom")
    meter, link = client(device, METCOM, WRONG)
    listen_in(link)
    with meter:
        with pytest.raises(AccessDenied, match="2 attempts are left"):
            meter.profile_info()
        with pytest.raises(AccessDenied, match="not sent again"):
            list(meter.events())
        with pytest.raises(AccessDenied):
            meter.clock()
    assert link.written_commands.count("P1") == 1
    assert device.programming.attempts == 2


def test_the_third_wrong_password_locks_the_meter_and_the_right_one_no_longer_helps():
    device = virtual(password=PASSWORD, dialect="metcom")
    texts = []
    for _ in range(3):
        meter, _ = client(device, METCOM, WRONG)
        with meter, pytest.raises(AccessDenied) as caught:
            meter.profile_info()
        texts.append(str(caught.value))
    assert "1 attempt is left" in texts[1]
    assert "may be locked" in texts[2]
    meter, _ = client(device, METCOM, WITH)
    with meter, pytest.raises(AccessDenied, match="locked"):
        meter.profile_info()


def test_a_password_in_the_value_is_not_tried_again_either():
    device = virtual(password=PASSWORD, error=timedelta(seconds=90))
    meter, link = client(device, EMH, WRONG)
    listen_in(link)
    with meter:
        for _ in range(3):
            with pytest.raises(AccessDenied):
                meter.set_clock()
    assert link.written_commands.count("W5") == 1
    assert device.programming.attempts == 2


def test_an_empty_operand_cannot_answer_a_computed_password_and_nothing_is_sent():
    mode = ProgrammingMode(
        store(virtual()), b"FD2BA0E29731D230", {"P2": PASSWORD}, "a1700", faults=["empty-operand"]
    )
    device = OpticalPort(
        name="a1700", identification=b"/GEC5123@000", readout=framed([]), programming=mode
    )
    meter_type = load_meter_type("elster-a1700")
    direct = replace(meter_type, iec62056=replace(meter_type.iec62056, objects_direct=True))
    meter, link = client(device, direct, WITH)
    listen_in(link)
    with meter, pytest.raises(NotSupported, match="operand"):
        meter.object("1.8.0")
    assert "P2" not in link.written_commands
    assert mode.attempts == 3


def test_a_clock_that_is_acknowledged_and_not_taken_is_refused_with_both_differences():
    meter, _ = client(device := virtual("ignores-write", error=timedelta(seconds=90)))
    store(device)._origin, store(device).born = 0.0, datetime.now(UTC)
    with meter, pytest.raises(ValueRefused, match=r"was (89|90).* is (89|90)"):
        meter.set_clock()


def test_a_clock_set_that_is_not_answered_is_sent_once_and_judged_by_what_reads_back():
    for also, offset in ((), 0), (("ignores-write",), 90):
        device = virtual("silent-after-write", *also, error=timedelta(seconds=90))
        meter, link = client(device)
        listen_in(link)
        store(device)._origin, store(device).born = 0.0, datetime.now(UTC)
        with meter:
            if offset:
                with pytest.raises(ValueRefused):
                    meter.set_clock()
            else:
                assert abs(meter.set_clock().offset) < 3
        assert link.written_commands.count("W5") == 1


def test_a_type_that_sets_no_clock_says_so_without_talking():
    meter, link = client(virtual(dialect="mass"), MASS)
    with meter, pytest.raises(NotSupported):
        meter.set_clock()
    assert link.statistics.bytes_sent == 0


def test_a_value_the_meter_does_not_have_is_not_supported():
    meter, _ = client(virtual())
    with meter, pytest.raises(NotSupported, match="ERROR"):
        meter.object("99.99.0")


def test_a_session_that_the_meter_ends_is_a_question_of_access():
    meter, _ = client(virtual("ends-session"))
    with meter, pytest.raises(AccessDenied):
        meter.object("1.8.0")


def test_without_programming_mode_the_reads_that_need_it_say_so():
    meter, _ = client(virtual("no-programming"))
    with meter, pytest.raises(NotSupported, match="refuses programming"):
        meter.profile_info()


def test_no_password_reaches_the_link_without_being_marked_secret():
    for dialect, meter_type in (("emh", EMH), ("metcom", METCOM)):
        device = virtual(password=PASSWORD, dialect=dialect, error=timedelta(seconds=30))
        meter, link = client(device, meter_type, WITH)
        plain, write = [], link.write

        def noted(data, *, secret=False, write=write, plain=plain):
            plain.append(b"" if secret else data)
            write(data, secret=secret)

        link.write = noted
        with meter:
            meter.set_clock()
        assert PASSWORD not in b"".join(plain)


# -- what goes right -----------------------------------------------------------------------------


@pytest.mark.parametrize(("dialect", "meter_type"), [("emh", EMH), ("metcom", METCOM)])
def test_a_profile_with_headers_in_between_is_read_row_by_row(dialect, meter_type):
    device = virtual(dialect=dialect)
    info, rows, _ = read_rows(device, meter_type, whole())
    assert info.period_s == 900
    assert [(r.time, r.values) for r in rows] == wanted(device, whole().start, whole().end)
    after = next(row for row in rows if row.time == store(device).outage[1] + PERIOD)
    assert "power down" in after.status


def test_turkish_rows_carry_their_own_time_and_the_types_columns():
    device = virtual(dialect="mass")
    info, rows, _ = read_rows(device, MASS, whole())
    assert info.period_s == 900
    assert [c.obis for c in info.columns] == ["1-0:1.8.0.255", "1-0:5.8.0.255", "1-0:8.8.0.255"]
    assert [(r.time, r.values) for r in rows] == wanted(device, whole().start, whole().end)


def test_a_daily_profile_is_read_by_its_name():
    device = virtual(rows=3000)
    meter, _ = client(device)
    with meter:
        info = meter.profile_info("P.02")
        rows = [
            r for b in meter.profile(info, Span(START - timedelta(days=20), START)) for r in b.rows
        ]
    assert info.period_s == 86400
    assert len(rows) in {19, 20, 21}


def test_a_single_register_is_read_without_the_list():
    meter, link = client(virtual())
    with meter:
        reading = meter.object("1.8.0")
    known = store(virtual()).values(0.0)["1.8.0"]
    assert reading.value == Decimal(known.partition("*")[0])
    assert (reading.unit, reading.check) == ("kWh", "ok")
    assert link.statistics.bytes_received < 200


def test_r1_that_is_only_acknowledged_is_asked_again_by_r5_and_remembered():
    own = replace(EMH, iec62056=replace(EMH.iec62056, read_command="R1"))
    meter, link = client(virtual("r1-acknowledged"), own)
    listen_in(link)
    with meter:
        meter.object("1.8.0")
        meter.object("1.8.1")
    assert link.written_commands == ["R1", "R5", "R5", "B0"]


@pytest.mark.parametrize("error", [timedelta(seconds=-3700), timedelta(seconds=41), timedelta(2)])
@pytest.mark.parametrize(("dialect", "meter_type"), [("emh", EMH), ("metcom", METCOM)])
def test_a_clock_is_read_set_to_the_second_and_read_back(dialect, meter_type, error):
    device = virtual(dialect=dialect, error=error, password=PASSWORD)
    meter, _ = client(device, meter_type, WITH)
    store(device)._origin, store(device).born = 0.0, datetime.now(UTC)
    with meter:
        before = meter.clock()
        after = meter.set_clock()
    assert abs(float(before.offset) - error.total_seconds()) <= before.uncertainty + Decimal("0.02")
    true_error = store(device).error.total_seconds()
    assert abs(float(after.offset) - true_error) <= after.uncertainty + Decimal("0.02")
    assert abs(true_error) < 0.1, "it was set on the second"
    assert after.uncertainty < 1


def test_a_clock_with_split_times_in_another_zone_is_read():
    device = virtual(dialect="mass", error=timedelta(seconds=-77))
    store(device)._origin, store(device).born = 0.0, datetime.now(UTC)
    meter, _ = client(device, MASS)
    with meter:
        assert abs(meter.clock().offset + 77) < 2


def test_a_clock_is_never_written_across_midnight():
    device = virtual(error=timedelta(seconds=50))
    meter, link = client(device)
    berlin = ZoneInfo("Europe/Berlin")
    midnight = datetime(2026, 7, 21, tzinfo=berlin)
    before = midnight - timedelta(seconds=9)
    with meter:
        after = meter.set_clock(before)
    assert abs((after.meter_time - after.read_at) - (before - datetime.now(UTC))) < timedelta(
        seconds=20
    )
    assert link.now() > 10


def test_a_clock_can_be_set_to_another_time():
    device = virtual()
    meter, _ = client(device)
    with meter:
        after = meter.set_clock(datetime.now(UTC) + timedelta(minutes=5))
    assert abs(after.offset - 300) < 3


def test_a_computed_password_opens_an_a1700():
    mode = ProgrammingMode(store(virtual()), b"FD2BA0E29731D230", {"P2": PASSWORD}, method="a1700")
    device = OpticalPort(
        name="a1700", identification=b"/GEC5123@000", readout=framed([]), programming=mode
    )
    meter_type = load_meter_type("elster-a1700")
    direct = replace(meter_type, iec62056=replace(meter_type.iec62056, objects_direct=True))
    meter, _ = client(device, direct, WITH)
    with meter:
        assert meter.object("0.0.0").text == "33000001"


def test_the_computed_password_is_the_published_chain():
    # By hand: characters xor operand, then each octet plus the one before, the last first.
    assert mixed(b"00000000", b"(0000000000000000)") == b"6090C0F0205080B0"
    assert mixed(b"AAAAAAAA", b"4141414141414101") == b"4040404040404080"


def test_the_logs_tell_their_events_in_words():
    device = virtual(error=timedelta(seconds=90))
    meter, _ = client(device)
    with meter:
        meter.set_clock()
        events = list(meter.events())
        changes = list(meter.events("P.99"))
    assert [e.text for e in events] == ["power down", "power up", "clock adjusted"]
    assert len(changes) == 1
    assert "→" in changes[0].details[0]
    metcom, _ = client(virtual(dialect="metcom"), METCOM)
    with metcom:
        assert [e.text for e in metcom.events()] == ["Power down", "Power up"]
        assert list(metcom.events("P.99")) == []


def test_a_log_is_read_by_range_and_by_its_last_records():
    meter, _ = client(device := virtual())
    with meter:
        assert len(list(meter.events(span=Span(start=store(device).outage[1])))) == 1
        assert [e.text for e in meter.events(span=Span(last=1))] == ["power up"]
        assert [e.text for e in meter.events(span=Span(entries=(1, 1)))] == ["power down"]


def test_every_fault_of_programming_mode_is_named_with_what_it_does():
    assert all(text and name == name.lower() for name, text in MODE_FAULTS.items())
    with pytest.raises(ValueError, match="no dialect"):
        build(faults=["moon"])
    assert Iec62056().sets_clock is False
