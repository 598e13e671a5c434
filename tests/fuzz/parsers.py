"""Every parser of IEC 62056-21 and SML under one roof: what a fuzzer feeds, whatever drives it.

`feed` must return for any bytes; a `DriverError` is the only exception that a parser may raise.
"""

from contextlib import suppress
from datetime import timedelta

from drivers.errors import DriverError
from drivers.iec62056.block import BlockReader
from drivers.iec62056.dataset import Interpreter, parse_number, split_code, split_value
from drivers.iec62056.frames import Message, parse_identification, split_messages
from drivers.iec62056.lines import RawSet, cut_line
from drivers.iec62056.log import parse_record, words_of
from drivers.iec62056.meter import Iec62056Meter
from drivers.iec62056.password import refusal
from drivers.iec62056.profile import ProfileReader, status_words
from drivers.iec62056.readout import DataReader, decode_readout
from drivers.iec62056.readout_json import readout_json
from drivers.iec62056.session import Ear
from drivers.iec62056.times import MeterZone, parse_date, parse_datetime, parse_time
from drivers.memory_link import MemoryLink
from drivers.metertype import Iec62056, load_meter_type
from drivers.secrets import Secrets
from drivers.sml.frames import ESCAPE, START, FrameReader
from drivers.sml.meter import SmlMeter
from drivers.sml.telegram import decode_file, decode_sml
from drivers.values import Span, Statistics

ZONES = (MeterZone(), MeterZone(name="Europe/Berlin"))
EMH, MASS = load_meter_type("emh-lzqj"), load_meter_type("turkish-mass")
GENERIC, SML = load_meter_type("generic-iec62056-21"), load_meter_type("generic-sml")


def _decoded(data: bytes) -> None:
    with suppress(DriverError):
        readout_json(decode_readout(data))
    with suppress(DriverError):
        decode_readout(b"/MWT5TEST\r\n\x02" + data, ZONES[1])


def _lines(data: bytes) -> None:
    text = data.decode("latin-1")
    for own in (Iec62056(), EMH.iec62056, MASS.iec62056):
        reader = DataReader(ZONES[1], own=own)
        for line in text.splitlines():
            reader.take(line)
        if reader.profile is not None:
            reader.profile.data()


def _fields(data: bytes) -> None:
    text = data.decode("latin-1")
    groups = tuple(text.split(";"))
    for zone in ZONES:
        parse_datetime(text, zone)
        parse_record("P.98", groups, zone, EMH.iec62056.status_bits)
        Interpreter(zone).read(RawSet(text, groups))
        profile = ProfileReader("P.01", zone)
        profile.header(groups)
        profile.row(groups)
        profile.timed_row(groups)
        profile.data()
    for read in (parse_date, parse_time, parse_number, split_code, split_value, status_words):
        read(text)
    words_of(text, EMH.iec62056.status_bits)
    parse_identification(text)
    cut_line(text)
    refusal(Message("", data, "xor"))


def _framed(data: bytes) -> None:
    split_messages(data)
    reader = BlockReader()
    for place in range(0, len(data), 7):
        reader.feed(data[place : place + 7])
    assert reader.message.rule in {"xor", "sum", "vendor", "absent", "bad"}
    ear = Ear("auto", Statistics())
    ear.sent(data[:9])
    ear.hear(data[:4])
    ear.hear(data[4:])


def _sml(data: bytes) -> None:
    for wrapped in (data, START + data + ESCAPE + b"\x1a\x00" + data[-2:]):
        with suppress(DriverError):
            decode_sml(wrapped)
        whole, cut = FrameReader(), FrameReader()
        pieces = [
            frame for n in range(0, len(wrapped), 5) for frame in cut.feed(wrapped[n : n + 5])
        ]
        assert whole.feed(wrapped) == pieces
    decode_file(data)


def _dialogue(data: bytes) -> None:
    """Let a meter answer with pieces of ``data`` whatever it is asked, for as long as they last."""
    size = 1 + (data[0] if data else 0)
    pieces = [data[n : n + size] for n in range(1, len(data), size)][:40]
    link = MemoryLink(lambda _: pieces.pop(0) if pieces else b"", delay=0.4)
    with Iec62056Meter(link, EMH, Secrets()) as meter, suppress(DriverError):
        info = meter.profile_info()
        for _ in meter.profile(info, Span(last=4)):
            pass
        list(meter.events())
    assert link.now() < timedelta(hours=2).total_seconds()
    pushed = MemoryLink()
    pushed.feed(data, 0.1)
    with SmlMeter(pushed, SML) as push, suppress(DriverError):
        list(push.registers())


TARGETS = (_decoded, _lines, _fields, _framed, _sml, _dialogue)


def feed(data: bytes) -> None:
    """Let the parser that the first byte chooses read the rest."""
    TARGETS[data[0] % len(TARGETS) if data else 0](data[1:])
