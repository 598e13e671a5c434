"""The application of a virtual meter: associations with their passwords, and what they may ask.

Every client (by its address) has its own association or none.  Without one only an AARQ is served.
Three wrong passwords or proofs lock the association for a quarter of an hour, also for right ones.
A client with keys must cipher and prove them (HLS 5); until then it may only prove.
Source: IEC 62056-5-3, clauses 6 and 7.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drivers.simulator.dlms import acse, axdr
from drivers.simulator.dlms.acse import AARQ, ACCEPTED, REJECTED, REJECTED_FOR_NOW, RLRQ, Verdict
from drivers.simulator.dlms.axdr import BadData
from drivers.simulator.dlms.ciphering import MeterKeys, Secured, Untrusted
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
_TITLE = 8  # octets
_CIPHERING = 21  # octets that ciphering adds to an APDU
_SHORTEST_CHALLENGE, _LONGEST_CHALLENGE = 8, 64
_REPLY_TO_HLS = bytes.fromhex("000F0000280000FF0101")  # class 15, method 1, with a parameter
_SERVICES = {bytes([tag]) for tag in SERVICE_BITS}
# exception response: state error, service error
_NO_ASSOCIATION = b"\xd8\x01\x01"
_UNKNOWN_SERVICE = b"\xd8\x02\x02"
_MALFORMED = b"\xd8\x01\x03"


@dataclass(frozen=True, slots=True)
class Client:
    """One association the meter offers; ``password`` None: without authentication.

    With ``challenge`` the password is proved by HLS 2 instead of told; with ``keys`` it is HLS 5,
    ciphered.
    """

    number: int
    access: Access
    password: bytes | None = None
    challenge: bool = False
    keys: MeterKeys | None = None

    @property
    def mechanism(self) -> bytes | None:
        """The authentication mechanism it must use; None for none."""
        if self.keys is not None:
            return acse.GMAC
        if self.password is None:
            return None
        return acse.HIGH_SECURITY if self.challenge else acse.LOW_SECURITY


@dataclass
class Opened:
    """An association that stands, or waits for its proof."""

    services: Services
    secured: Secured | None = None
    proof: Callable[[bytes], bytes | None] | None = None  # waits for it; gives back ours


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
        self._open: dict[int, Opened] = {}
        self._random = Random(port)  # noqa: S311 - challenges of a virtual meter
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
        opened = self._open.get(client)
        return _NO_ASSOCIATION if opened is None else self._ask(now, client, opened, apdu)

    def _ask(self, now: float, client: int, opened: Opened, apdu: bytes) -> bytes:
        if opened.secured is None:
            return self._clear(now, client, opened, apdu)
        try:
            request = opened.secured.opened(apdu)
        except Untrusted as refused:
            return bytes((0xD8, 1, refused.reason))
        except BadData:
            return _MALFORMED
        return opened.secured.closed(self._clear(now, client, opened, request))

    def _clear(self, now: float, client: int, opened: Opened, apdu: bytes) -> bytes:
        if apdu[:1] not in _SERVICES:
            return _UNKNOWN_SERVICE
        if opened.proof is not None:
            return self._prove(now, client, opened, apdu)
        return _served(opened.services, now, apdu)

    def _prove(self, now: float, client: int, opened: Opened, apdu: bytes) -> bytes:
        """Take the proof of a client; nothing else is served before it."""
        if apdu[:2] != b"\xc3\x01" or apdu[3:13] != _REPLY_TO_HLS or opened.proof is None:
            return _NO_ASSOCIATION
        try:
            given = axdr.value_of(apdu[13:]).octets()
        except BadData:
            return _MALFORMED
        answer = opened.proof(given)
        if answer is None:
            self._count_wrong(now, client)
            self._open.pop(client, None)
            return bytes((0xC7, 1, apdu[2], 3, 0))
        opened.proof = None
        self._wrong.pop(client, None)
        return bytes((0xC7, 1, apdu[2], 0, 1, 0)) + axdr.octets(answer)

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
        conformance, mechanism, shield = 0, None, acse.Shield()
        secured: Secured | None = None

        def opened(title: bytes, user: bytes) -> bytes:
            nonlocal secured
            client = self._clients.get(number)
            if client is None or client.keys is None or len(title) != _TITLE:
                raise BadData("this client does not cipher")
            secured = Secured(client.keys, title, self._faults)
            return secured.opened(user)

        try:
            request = acse.parse_request(apdu, opened)
        except Untrusted as refused:
            return bytes((0xD8, 1, refused.reason))
        except BadData:
            verdict = Verdict(REJECTED, acse.NO_REASON)
        else:
            verdict = self._judge(now, number, request)
            conformance = request.conformance & ALL
            known = {acse.LOW_SECURITY, acse.HIGH_SECURITY, acse.GMAC}
            mechanism = request.mechanism if request.mechanism in known else None
            if verdict.result == ACCEPTED:
                verdict, shield = self._begin(number, request, conformance, secured)
        return acse.answer(
            verdict,
            conformance=conformance or ALL,
            max_pdu=self._max_pdu,
            mechanism=mechanism,
            user_information="aare-without-user-information" not in self._faults,
            shield=shield,
        )

    def _begin(
        self,
        number: int,
        request: acse.AssociationRequest,
        conformance: int,
        secured: Secured | None,
    ) -> tuple[Verdict, acse.Shield]:
        model = ObjectModel(self._model)
        client = self._clients[number]
        for item in self._association_objects(client, request, conformance, model):
            model.add(item)
        max_send = min(request.max_pdu or self._max_pdu, self._max_pdu)
        max_send -= _CIPHERING if secured else 0
        services = Services(model, client.access, conformance, max_send, self._faults)
        self._open[number] = opened = Opened(services, secured)
        if client.mechanism not in {acse.HIGH_SECURITY, acse.GMAC}:
            return Verdict(ACCEPTED, acse.NO_DIAGNOSTIC), acse.Shield()
        theirs, ours = request.password or b"", self._random.randbytes(16)
        opened.proof = _prover(client, secured, ours=ours, theirs=theirs)
        shield = acse.Shield(request.context, b"", ours)
        if secured is not None and client.keys is not None:
            shield = acse.Shield(request.context, client.keys.title, ours, secured.closed)
        return Verdict(ACCEPTED, acse.PASSWORD_REQUIRED), shield

    def _judge(self, now: float, number: int, request: acse.AssociationRequest) -> Verdict:
        client = self._clients.get(number)
        ciphers = client is not None and client.keys is not None
        if request.context != (acse.CIPHERED_NAMES if ciphers else acse.LOGICAL_NAMES):
            return Verdict(REJECTED, acse.WRONG_CONTEXT)
        if client is None:
            return Verdict(REJECTED, acse.NO_REASON)
        if client.mechanism is not None:
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
        if request.mechanism != client.mechanism:
            return Verdict(REJECTED, acse.UNKNOWN_MECHANISM)
        if now < self._locked_until.get(client.number, float("-inf")):
            return Verdict(REJECTED_FOR_NOW, acse.WRONG_PASSWORD)
        if client.mechanism != acse.LOW_SECURITY:
            size = len(request.password or b"")  # a challenge; the proof comes later
            good = _SHORTEST_CHALLENGE <= size <= _LONGEST_CHALLENGE
            return None if good else Verdict(REJECTED, acse.WRONG_PASSWORD)
        if request.password == client.password:
            self._wrong.pop(client.number, None)
            return None
        self._count_wrong(now, client.number)
        return Verdict(REJECTED, acse.WRONG_PASSWORD)

    def _count_wrong(self, now: float, number: int) -> None:
        wrong = self._wrong.get(number, 0) + 1
        self._wrong[number] = wrong
        if wrong >= WRONG_BEFORE_LOCK:
            self._wrong.pop(number)
            self._locked_until[number] = now + LOCKED.total_seconds()
            self._wrong_password(now)

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
        mechanism = client.mechanism or acse.LOW_SECURITY[:-1] + b"\x00"
        yield CosemObject(
            15,
            "0-0:40.0.0.255",
            {
                2: Attribute(lambda _: object_list(model, client.access), level=Access.PUBLIC),
                3: Attribute(partners),
                4: Attribute(axdr.octets(request.context)),
                5: Attribute(context),
                6: Attribute(axdr.octets(mechanism)),
                8: Attribute(axdr.integer(axdr.ENUM, 2)),
            },
            version=1,
            level=Access.PUBLIC,
        )


def _prover(
    client: Client, secured: Secured | None, *, ours: bytes, theirs: bytes
) -> Callable[[bytes], bytes | None]:
    """Return what judges the client's proof and gives the meter's; None for a wrong one."""

    def by_keys(given: bytes) -> bytes | None:
        if secured is None or not secured.proves(given, ours):
            return None
        return secured.proof(theirs)

    def by_password(given: bytes) -> bytes | None:
        key = (client.password or b"")[:16].ljust(16, b"\x00")
        return _blocks(key, theirs) if given == _blocks(key, ours) else None

    return by_keys if client.keys is not None else by_password


def _blocks(key: bytes, text: bytes) -> bytes:
    """Return a challenge under AES-128, block by block: HLS 2 of this maker."""
    mode = modes.ECB()  # noqa: S305 - the mechanism's
    encryptor = Cipher(algorithms.AES(key), mode).encryptor()
    return encryptor.update(text.ljust(-(-len(text) // 16) * 16, b"\x00"))


def _served(services: Services, now: float, apdu: bytes) -> bytes:
    try:
        return services.answer(now, apdu)
    except BadData:
        return _MALFORMED
    except ServiceUnknown:
        return _UNKNOWN_SERVICE
