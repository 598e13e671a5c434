"""Finding a meter: what is heard, what it is taken for, and what was tried."""

import pytest

from drivers.errors import GarbledReply, NoReply
from drivers.find import Finding, find_meter, find_type
from drivers.iec62056.diagnosis import line_diagnosis, parity_errors_per_1000
from drivers.memory_link import MemoryLink
from drivers.simulator import hexcell
from drivers.simulator.device import WireFormat
from drivers.simulator.iec62056 import OpticalPort, framed, with_parity
from drivers.simulator.iecmeter import build
from drivers.simulator.memory import DeviceLink
from drivers.simulator.sml import PushMeter
from drivers.values import Statistics
from tests.protocol.dlms_meter import AARE, WrapperMeterLink

LINES = ["0.0.0(33112077)", "1.8.0(000123.456*kWh)"]


def port(*faults, identification=b"/MWT5TEST"):
    return OpticalPort(
        name="p", identification=identification, readout=framed(LINES), faults=faults
    )


class Connection(DeviceLink):
    """A TCP connection, whose speed cannot be set."""

    sets_line = False


class Pushing:
    """Sends its list by itself at 9600 7E1, every two seconds."""

    name = "pushing"
    format = WireFormat(9600, 7, "E")

    def __init__(self):
        self.next = 0.0

    def receive(self, now, data):
        pass

    def garbled(self, now, count):
        pass

    def wake_at(self):
        return self.next

    def transmit(self, now):
        self.next = now + 2
        text = "/ESY5Q3DA1004\r\n\r\n" + "\r\n".join(LINES) + "\r\n!\r\n"
        return with_parity(text.encode())

    def sent(self, now):
        pass

    def expected(self):
        return {}


def test_silence_is_no_reply_and_names_all_that_was_tried():
    with pytest.raises(NoReply) as caught:
        find_meter(DeviceLink([port("silence")]))
    notes = "\n".join(caught.value.__notes__)
    for words in ("300 7E1, IEC", "HDLC", "SML", "9600 7E1, IEC", "listening for text"):
        assert words in notes
    assert "Nothing is heard" in notes


def test_only_an_echo_and_only_noise_are_told_apart():
    with pytest.raises(NoReply) as caught:
        find_meter(MemoryLink(lambda data: data))
    assert "turned by 180" in "\n".join(caught.value.__notes__)
    with pytest.raises(GarbledReply) as garbled:
        find_meter(MemoryLink(lambda _: bytes((n * 167) & 0xFF for n in range(80))))
    assert "noise, not a meter" in "\n".join(garbled.value.__notes__)


@pytest.mark.parametrize("fault", [(), ("echo",), ("filler",), ("noise",), ("deaf-once",)])
def test_a_sign_on_names_speed_format_mode_echo_and_type(fault):
    link = DeviceLink([port(*fault)])
    found = find_meter(link)
    assert found.protocol == "IEC 62056-21, mode C"
    assert (found.first_speed, found.speed, found.format) == (300, 9600, "7E1")
    assert found.identification == "/MWT5TEST"
    assert found.echo is (fault == ("echo",))
    assert found.meter_type.name == "generic-iec62056-21"
    assert found.tried == ("300 7E1, IEC 62056-21 sign-on: answered",)


def test_the_meter_is_at_rest_again_and_can_be_read_at_once():
    device = build(rows=50)
    link = DeviceLink([device])
    assert find_type(link).name == "emh-lzqj"
    assert device.format == WireFormat(300, 7, "E")
    assert find_type(link).name == "emh-lzqj"


@pytest.mark.parametrize(
    ("identification", "name"),
    [
        (b"/EMH5\\@\\201LZQJL0013F", "emh-lzqj"),
        (b"/VIK5<1>VEMM", "turkish-mass"),
        (b"/GEC5123456@000", "elster-a1700"),
        (b"/LOG4LK13BD202035", "logarex-lk13"),
        (b"/MCS5\\@V0050010067967", "metcom-mcs301"),
        (b"/KAM TEST", "generic-iec62056-21"),
    ],
)
def test_the_type_is_known_by_the_identification(identification, name):
    assert find_meter(DeviceLink([port(identification=identification)])).meter_type.name == name


def test_a_meter_that_pushes_sml_or_text_is_heard_without_being_asked():
    found = find_meter(DeviceLink([PushMeter(seed=7)]))
    assert found.protocol == "SML telegrams"
    assert (found.speed, found.format) == (9600, "8N1")
    assert found.identification == "1EMH0010000007"
    pushed = find_meter(DeviceLink([Pushing()]))
    assert pushed.protocol == "IEC 62056-21, mode D"
    assert pushed.identification == "/ESY5Q3DA1004"
    assert pushed.meter_type.iec62056.mode == "D"


def test_a_dlms_meter_that_wants_a_password_is_found_all_the_same():
    device = hexcell.build(serial="46000755036", rows=2)
    found = find_meter(Connection([device]))
    assert (found.meter_type.name, found.logical_device_name) == (
        "hexcell-ddsy1088",
        "HXE0046000755036",  # told to client 17 alone
    )
    denied = AARE.replace(b"\xa2\x03\x02\x01\x00", b"\xa2\x03\x02\x01\x01")
    denied = denied.replace(b"\xa3\x05\xa1\x03\x02\x01\x00", b"\xa3\x05\xa1\x03\x02\x01\x0d")
    nobody = WrapperMeterLink({})
    nobody.special[0x60] = denied
    found = find_meter(nobody)
    assert found.meter_type.name == "generic-dlms"
    assert "tells nobody its name" in found.diagnosis[0]


def test_a_mode_e_meter_is_offered_as_such():
    found = find_meter(DeviceLink([port(identification=b"/MWT5\\2TEST")]))
    assert "mode C or E" in found.protocol
    assert found.meter_type.framing == "mode-e"
    assert isinstance(found, Finding)


@pytest.mark.parametrize(
    ("statistics", "words"),
    [
        (Statistics(), ""),
        (Statistics(bytes_sent=5, bytes_received=900, round_trips=2), ""),
        (Statistics(bytes_sent=5, bytes_received=1000, round_trips=1, parity_errors=2), "2.0 p"),
        (Statistics(bytes_sent=5, bytes_received=1000, round_trips=1, parity_errors=90), "Clean"),
        (Statistics(bytes_sent=5, bytes_received=1000, round_trips=1, parity_errors=480), "8N1"),
        (Statistics(bytes_sent=5, round_trips=1, switch_margin_s=0.004), "tight"),
        (Statistics(bytes_sent=5, round_trips=1, resends=7), "7 messages"),
        (Statistics(bytes_sent=5, bytes_received=9, round_trips=1, echo_seen=True), "echo"),
        (Statistics(bytes_sent=5, bytes_received=5, echo_seen=True), "180"),
        (Statistics(bytes_sent=5, bytes_received=70), "noise, not a meter"),
        (Statistics(bytes_sent=5), "Nothing is heard"),
    ],
)
def test_a_line_is_diagnosed_in_sentences(statistics, words):
    found = line_diagnosis(statistics)
    assert (words in " ".join(found)) if words else found == ()


def test_parity_errors_are_counted_per_thousand_characters():
    device = port("parity-errors")
    device._readout = framed(LINES * 40)
    link = DeviceLink([device])
    from drivers.connect import open_meter
    from drivers.metertype import load_meter_type

    with open_meter(link, load_meter_type("generic-iec62056-21")) as meter:
        list(meter.registers())
    assert 5 < parity_errors_per_1000(link.statistics) < 12
    assert "Clean" in " ".join(line_diagnosis(link.statistics))
