"""A foreign client (gurux-dlms) reads and switches the virtual ZMF100 by short names."""

from datetime import UTC, datetime

from gurux_dlms import GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, DataType, InterfaceType
from gurux_dlms.objects import GXDLMSData, GXDLMSDisconnectControl, GXDLMSProfileGeneric

from drivers.simulator import zmf100
from drivers.simulator.dlms.faults import Faults

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
UTILITY = 32


class Talk:
    """Carries APDUs between the client and the meter, with nothing in between."""

    def __init__(self) -> None:
        self.meter = zmf100.Zmf100("18438", 60, 1, Faults(), START)
        self.server = self.meter.server(0xFFFF)
        self.client = GXDLMSClient(
            False, UTILITY, 1, Authentication.LOW, zmf100.PASSWORD.decode(), InterfaceType.PDU
        )
        self.client.maxReceivePDUSize = (
            0xFFFF  # its reading of blocks by short names ends in errors
        )

    def associate(self) -> None:
        for message in self.client.aarqRequest():
            reply = self.answered(message)
            self.client.parseAareResponse(reply.data)

    def answered(self, message: bytes) -> GXReplyData:
        reply = GXReplyData()
        self.client.getData(self.said(message), reply)
        assert reply.error == 0
        return reply

    def said(self, message: bytes) -> bytes:
        return self.server.answer(0.0, UTILITY, bytes(message))

    def value(self, item: object, index: int) -> object:
        reply = self.answered(self.client.read(item, index)[0])
        return self.client.updateValue(item, index, reply.value)


def test_objects_are_listed_and_read_by_short_names() -> None:
    talk = Talk()
    talk.associate()
    reply = talk.answered(talk.client.getObjectsRequest())
    objects = talk.client.parseObjects(reply.data, False)
    assert len(objects) > 50
    name = GXDLMSData("0.0.42.0.0.255", 0xFD00)
    assert bytes(talk.value(name, 2)).decode() == "LGZ00018438"


def test_a_profile_is_read_whole_and_by_entry() -> None:
    talk = Talk()
    talk.associate()
    reply = talk.answered(talk.client.getObjectsRequest())
    objects = talk.client.parseObjects(reply.data, False)
    profile = objects.findByLN(7, "1.0.99.1.0.255")
    assert isinstance(profile, GXDLMSProfileGeneric)
    talk.value(profile, 3)
    reply = talk.answered(talk.client.read(profile, 2)[0])
    assert len(reply.value) == 60
    reply = talk.answered(talk.client.readRowsByEntry(profile, 1, 5)[0])
    assert len(reply.value) == 5


def test_the_supply_is_switched_by_short_names() -> None:
    talk = Talk()
    talk.associate()
    reply = talk.answered(talk.client.getObjectsRequest())
    relay = talk.client.parseObjects(reply.data, False).findByLN(70, "0.0.96.3.10.255")
    assert isinstance(relay, GXDLMSDisconnectControl)
    talk.answered(talk.client.method(relay, 1, 0, DataType.INT8)[0])
    assert not talk.meter.switch.output
