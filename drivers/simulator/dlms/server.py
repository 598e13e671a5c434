"""The application of a virtual meter: associations with their passwords, and what they may ask.

Every client (by its address) has its own association or none.  Without one only an AARQ is served.
Three wrong passwords lock the association for a quarter of an hour, also for the right one.
Source: IEC 62056-5-3, clauses 6 and 7.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from drivers.simulator.dlms import acse, axdr
from drivers.simulator.dlms.acse import AARQ, ACCEPTED, REJECTED, REJECTED_FOR_NOW, RLRQ, Verdict
from drivers.simulator.dlms.axdr import BadData
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import (
    Access,
    Attribute,
    CosemObject,
    ObjectModel,
    object_list,
)
from drivers.simulator.dlms.services import ALL, SERVICE_BITS, Services, ServiceUnknown

LEAST_PDU = 12
WRONG_BEFORE_LOCK = 3
LOCKED = timedelta(minutes=15)
_VERSION = 6
# exception response: state error, service error
_NO_ASSOCIATION = b"\xd8\x01\x01"
_UNKNOWN_SERVICE = b"\xd8\x02\x02"
_MALFORMED = b"\xd8\x01\x03"


@dataclass(frozen=True, slots=True)
class Client:
    """One association the meter offers; ``password`` None: without authentication."""

    number: int
    access: Access
    password: bytes | None = None


class Server:
    """Answers the APDUs of one logical device.

    Args:
        model: Its objects; the association objects come by themselves.
        clients: The associations it offers.
        faults: What it does wrong.
        expected: What a correct reader must find.
        wrong_password: Told when an association is locked.
        max_pdu: Largest APDU it sends and takes.
        port: Its number as a logical device.
    """

    def __init__(
        self,
        model: ObjectModel,
        clients: Iterable[Client],
        faults: Faults,
        *,
        expected: Callable[[], dict[str, object]],
        wrong_password: Callable[[float], None],
        max_pdu: int = 1024,
        port: int = 1,
    ) -> None:
        self._model = model
        self._clients = {client.number: client for client in clients}
        self._faults = faults
        self._expected = expected
        self._wrong_password = wrong_password
        self._max_pdu = max_pdu
        self._port = port
        self._open: dict[int, Services] = {}
        self._wrong: dict[int, int] = {}
        self._locked_until: dict[int, float] = {}

    def expected(self) -> dict[str, object]:
        """What a correct reader must find here."""
        return self._expected()

    def hang_up(self, client: int) -> None:
        """End the association of ``client``."""
        self._open.pop(client, None)

    def answer(self, now: float, client: int, apdu: bytes) -> bytes:
        """Return the answer to one APDU; b"" for none."""
        tag = apdu[0] if apdu else 0
        if tag == AARQ:
            return self._associate(now, client, apdu)
        if tag == RLRQ:
            return self._release(client, apdu)
        services = self._open.get(client)
        if services is None:
            return _NO_ASSOCIATION
        return _served(services, now, apdu) if tag in SERVICE_BITS else _UNKNOWN_SERVICE

    # -- associations ------------------------------------------------------------------------

    def _release(self, client: int, apdu: bytes) -> bytes:
        if client not in self._open:
            return _NO_ASSOCIATION
        try:
            answer = acse.release_answer(apdu)
        except BadData:
            return _MALFORMED
        self.hang_up(client)
        return b"" if "no-release-answer" in self._faults else answer

    def _associate(self, now: float, number: int, apdu: bytes) -> bytes:
        self.hang_up(number)
        conformance, mechanism = 0, None
        try:
            request = acse.parse_request(apdu)
        except BadData:
            verdict = Verdict(REJECTED, acse.NO_REASON)
        else:
            verdict = self._judge(now, number, request)
            conformance = request.conformance & ALL
            mechanism = acse.LOW_SECURITY if request.mechanism == acse.LOW_SECURITY else None
            if verdict.result == ACCEPTED:
                self._begin(number, request, conformance)
        return acse.answer(
            verdict,
            conformance=conformance or ALL,
            max_pdu=self._max_pdu,
            mechanism=mechanism,
            user_information="aare-without-user-information" not in self._faults,
        )

    def _begin(self, number: int, request: acse.AssociationRequest, conformance: int) -> None:
        model = ObjectModel(self._model)
        client = self._clients[number]
        for item in self._association_objects(client, request, conformance, model):
            model.add(item)
        max_send = min(request.max_pdu or self._max_pdu, self._max_pdu)
        self._open[number] = Services(model, client.access, conformance, max_send, self._faults)

    def _judge(self, now: float, number: int, request: acse.AssociationRequest) -> Verdict:
        client = self._clients.get(number)
        if request.context != acse.LOGICAL_NAMES:
            return Verdict(REJECTED, acse.WRONG_CONTEXT)
        if client is None:
            return Verdict(REJECTED, acse.NO_REASON)
        if client.password is not None:
            refused = self._authenticate(now, client, request)
            if refused is not None:
                return refused
        elif request.mechanism is not None:
            return Verdict(REJECTED, acse.UNKNOWN_MECHANISM)
        error = 0
        if request.version < _VERSION:
            error = acse.VERSION_TOO_LOW
        elif not request.conformance & ALL:
            error = acse.CONFORMANCE
        elif 0 < request.max_pdu < LEAST_PDU:
            error = acse.PDU_TOO_SHORT
        if error:
            return Verdict(REJECTED, acse.NO_REASON, error)
        return Verdict(ACCEPTED, acse.NO_DIAGNOSTIC)

    def _authenticate(
        self, now: float, client: Client, request: acse.AssociationRequest
    ) -> Verdict | None:
        """Return why the password is refused; None when it is right."""
        if request.mechanism is None:
            code = acse.PASSWORD_REQUIRED if request.password is None else acse.MECHANISM_REQUIRED
            return Verdict(REJECTED, code)
        if request.mechanism != acse.LOW_SECURITY:
            return Verdict(REJECTED, acse.UNKNOWN_MECHANISM)
        if now < self._locked_until.get(client.number, float("-inf")):
            return Verdict(REJECTED_FOR_NOW, acse.WRONG_PASSWORD)
        if request.password == client.password:
            self._wrong.pop(client.number, None)
            return None
        wrong = self._wrong.get(client.number, 0) + 1
        self._wrong[client.number] = wrong
        if wrong >= WRONG_BEFORE_LOCK:
            self._wrong.pop(client.number)
            self._locked_until[client.number] = now + LOCKED.total_seconds()
            self._wrong_password(now)
        return Verdict(REJECTED, acse.WRONG_PASSWORD)

    def _association_objects(
        self,
        client: Client,
        request: acse.AssociationRequest,
        conformance: int,
        model: ObjectModel,
    ) -> Iterator[CosemObject]:
        """Yield the objects that describe this association."""
        partners = axdr.structure(
            axdr.integer(axdr.I8, client.number), axdr.integer(axdr.U16, self._port)
        )
        context = axdr.structure(
            axdr.bits(24, conformance),
            axdr.integer(axdr.U16, self._max_pdu),
            axdr.integer(axdr.U16, request.max_pdu),
            axdr.integer(axdr.U8, _VERSION),
            axdr.integer(axdr.I8, 0),
            axdr.octets(b""),
        )
        mechanism = acse.LOW_SECURITY[:-1] + bytes([client.password is not None])
        yield CosemObject(
            15,
            "0-0:40.0.0.255",
            {
                2: Attribute(lambda _: object_list(model, client.access), level=Access.PUBLIC),
                3: Attribute(partners),
                4: Attribute(axdr.octets(acse.LOGICAL_NAMES)),
                5: Attribute(context),
                6: Attribute(axdr.octets(mechanism)),
                8: Attribute(axdr.integer(axdr.ENUM, 2)),
            },
            version=1,
            level=Access.PUBLIC,
        )


def _served(services: Services, now: float, apdu: bytes) -> bytes:
    try:
        return services.answer(now, apdu)
    except BadData:
        return _MALFORMED
    except ServiceUnknown:
        return _UNKNOWN_SERVICE
