"""Every parser of the DLMS client under one roof: what a fuzzer feeds, whatever drives it.

`feed` must return for any bytes; a `DriverError` is the only exception that a parser may raise.
"""

from collections.abc import Sequence
from contextlib import suppress

from drivers.dlms import basenames, shortapdu
from drivers.dlms.account import Accounts
from drivers.dlms.acse import OwnAssociating, aare_fields, association_of, refusal
from drivers.dlms.actions import Call, perform
from drivers.dlms.apdu import Attribute, action_answer, get_answer, set_answer
from drivers.dlms.ciphering import (
    AUTHENTICATED,
    ENCRYPTED,
    Ciphering,
    Counter,
    Keys,
    RememberedCounters,
    sealed,
)
from drivers.dlms.clock import MeterZone
from drivers.dlms.data import as_text, as_time, decode
from drivers.dlms.frames import Deframer, Frame
from drivers.dlms.generalblocks import GeneralBlocks, followed, parsed
from drivers.dlms.hdlc import Hdlc
from drivers.dlms.lists import block_taken, list_answer, listed
from drivers.dlms.negotiation import HdlcSettings, limits
from drivers.dlms.objects import ObjectReader
from drivers.dlms.push import information_report, notification, notifications
from drivers.dlms.pushes import Pushes
from drivers.dlms.rowmaker import Capture, Layout, RowMaker
from drivers.dlms.rows import RowDecoder
from drivers.dlms.slaves import Slaves
from drivers.dlms.supervision import Supervision
from drivers.dlms.wrapper import Wrapper
from drivers.errors import DriverError
from drivers.metertype import Dlms, ProfileType, load_meter_type
from drivers.secrets import Secret
from drivers.values import Statistics

TYPE = load_meter_type("generic-dlms")
KEYS = Keys(Secret(bytes(16)), Secret(bytes(range(16))))
CAPTURES = (
    Capture(8, bytes((0, 0, 1, 0, 0, 255)), 2, 0),
    Capture(1, bytes((0, 0, 96, 10, 1, 255)), 2, 0),
    Capture(3, bytes((1, 0, 1, 8, 0, 255)), 2, 0),
)
ROW = bytes.fromhex("020309 0C07E80A1907021E0000FF8880 1100 0600000001".replace(" ", ""))


def _frames(data: bytes) -> None:
    deframer = Deframer()
    for at in range(0, len(data), 7):
        deframer.feed(data[at : at + 7])
    deframer.give_up()
    limits(data)
    hdlc = Hdlc(HdlcSettings(b"\x21", b"\x03", reply_s=1.0), Statistics())
    hdlc.connect(0.0)
    hdlc.receive(0.1, b"\x7e" + data)
    hdlc.receive(0.2, Frame(b"\x21", b"\x03", 0x73, data[:60]).encode())
    for second in range(1, 40):
        hdlc.tick(float(second))
        hdlc.take_output()
        hdlc.take_events()


def _wrapped(data: bytes) -> None:
    wrapper = Wrapper(16, 1, Statistics())
    wrapper.feed(data)
    wrapper.feed(b"\x00\x01\x00\x01\x00\x10" + data)
    wrapper.give_up()


def _answers(data: bytes) -> None:
    for parse in (get_answer, set_answer, action_answer, list_answer):
        for head in (
            b"",
            b"\xc4\x01\xc1",
            b"\xc4\x02\xc1",
            b"\xc4\x03\xc1",
            b"\xc5\x01",
            b"\xc7\x01",
        ):
            with suppress(DriverError):
                parse(head + data, "it")
    with suppress(DriverError):
        block_taken(b"\xc5" + data, 1, "it")
    with suppress(DriverError):
        listed(data, ["a", "b"])
    with suppress(DriverError):
        value = decode(data)
        as_text(value)
        moment = as_time(value)
        if moment is not None:
            MeterZone(TYPE).utc(moment)


def _actions(data: bytes) -> None:
    call = Call(1, Attribute(18, bytes(6), 2), bytes(60), "it")
    for head in (b"", b"\xc7\x02\xc1", b"\xc7\x04\xc1\x00\x00\x00\x01", b"\xc7\x01\xc1"):
        with suppress(DriverError):
            perform(lambda _, head=head: head + data, call, 40, association_of(0xFFFFFF, 40))


class _AnyObjects(ObjectReader):
    """Objects whose every attribute is one value."""

    def __init__(self, value: object) -> None:
        self._value = value
        self._zone = MeterZone(TYPE)
        self.name_of = TYPE.name_of
        self._units, self._classes = {}, {}

    def told(self, class_id: int, code: bytes, attributes: Sequence[int]) -> dict[int, object]:
        del class_id, code
        return dict.fromkeys(attributes, self._value)

    def value(self, class_id: int, code: bytes, attribute: int = 2) -> object:
        del class_id, code, attribute
        return self._value


def _particulars(data: bytes) -> None:
    with suppress(DriverError):
        objects = _AnyObjects(decode(data))
        for read in (
            Supervision(objects, "idis").limiters,
            Supervision(objects, "idis").monitors,
            Supervision(objects, "").alarms,
            Slaves(objects, 1).all,
            Accounts(objects, TYPE.prepayment).reading,
        ):
            with suppress(DriverError):
                read(())


def _rows(data: bytes) -> None:
    for head in (b"", b"\x01\x82\x01\x00" + ROW, b"\x13\x02\x03\x09\x11\x06"):
        decoder = RowDecoder(len(CAPTURES))
        layout = Layout(CAPTURES, 0, 1, (2,), ((0, 30),))
        maker = RowMaker(layout, MeterZone(TYPE), 900, ProfileType("", status="idis"))
        with suppress(DriverError):
            whole = head + data
            for at in range(0, len(whole), 13):
                maker.rows(decoder.feed(whole[at : at + 13]))
            decoder.finish()


def _associations(data: bytes) -> None:
    for dlms in (Dlms(), Dlms(auth="high"), Dlms(referencing="short")):
        own = OwnAssociating(dlms, Secret(b"x"), None)
        for head in (b"", bytes((0x61, len(data) & 0x7F))):
            with suppress(DriverError):
                own.agreed(head + data)
    with suppress(DriverError):
        aare_fields(data)
    with suppress(DriverError):
        refusal(data, keys=True)


def _ciphered(data: bytes) -> None:
    counter = Counter(RememberedCounters(), "", KEYS.encryption)
    ciphering = Ciphering(KEYS, b"MWRTEST1", AUTHENTICATED | ENCRYPTED, counter)
    ciphering.knows(b"METER001")
    for head in (b"", b"\xcc", b"\xdb\x08METER001"):
        with suppress(DriverError):
            ciphering.opened(head + data)
    body = sealed(KEYS, b"METER001", 5, AUTHENTICATED | ENCRYPTED, data or b"\x00")
    with suppress(DriverError):
        ciphering.opened(b"\xcc\x82" + len(body).to_bytes(2, "big") + body)


def _short(data: bytes) -> None:
    for head in (b"", b"\x0c", b"\x0c\x01\x02\x00", b"\x0c\x02\x00", b"\x0e\x05", b"\xd8"):
        with suppress(DriverError):
            read = shortapdu.read_answer(head + data, "it")
            listed(read.raw, ["a", "b"])
        with suppress(DriverError):
            parts = iter([head + data[:3], data[3:]])
            for _ in shortapdu.single(parts, "it"):
                pass
    for head in (b"", b"\x0d", b"\x0d\x02", b"\x0e\x06", b"\xd8"):
        with suppress(DriverError):
            shortapdu.write_answer(head + data, ["a", "b"])
        with suppress(DriverError):
            shortapdu.write_block_taken(head + data, 1, "it")
    for head in (b"", b"\x01\x01\x02\x04\x10", b"\x01\x02"):
        with suppress(DriverError):
            names = basenames.listed(head + data)
            names.attribute_at(0x0108)
        with suppress(DriverError):
            basenames.rights(decode(head + data))


def _pushed(data: bytes) -> None:
    for head in (b"", b"\x0f\x00\x00\x00\x01", b"\xc2\x00", b"\x18\x00", b"\x18\x01"):
        with suppress(DriverError):
            notification(head + data)
        with suppress(DriverError):
            information_report(head + data)
    pushes = Pushes(Statistics())
    for at in range(0, len(data), 6):
        piece = data[at + 3 : at + 6]
        head = b"\xe0" + data[at : at + 1] + b"\x00" + data[at + 1 : at + 2] + b"\x00\x00"
        pushes.takes(head + bytes((len(piece),)) + piece)
    notifications(pushes.whole, None)


def _blocks(data: bytes) -> None:
    followed(data)
    with suppress(DriverError):
        parsed(data)
    for request in (b"", bytes(64)):
        exchange = GeneralBlocks(request, 30, 3)
        exchange.first()
        with suppress(DriverError):
            for at in range(0, len(data), 6):
                head = b"\xe0" + data[at : at + 1] + b"\x00" + data[at + 1 : at + 2]
                rest = b"\x00" + data[at + 2 : at + 3] + bytes((len(data[at + 3 : at + 6]),))
                exchange.receive(head + rest + data[at + 3 : at + 6])


def feed(data: bytes) -> None:
    """Give ``data`` to every parser."""
    parsers = (_frames, _wrapped, _answers, _actions, _particulars, _rows, _associations, _ciphered)
    for parser in parsers:
        parser(data)
    for parser in (_short, _pushed, _blocks):
        parser(data)
