"""The application of a virtual meter: associations with their passwords, and what they may ask.

Every client (by its address) has its own association or none.  Without one only an AARQ is served.
Three wrong passwords or proofs lock the association for a quarter of an hour, also for right ones.
A client with keys must cipher and prove them (HLS 5); until then it may only prove.
Source: IEC 62056-5-3, clauses 6 and 7.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from drivers.simulator.dlms import acse, association, general_blocks
from drivers.simulator.dlms.access import ObjectAccess
from drivers.simulator.dlms.acse import AARQ, ACCEPTED, REJECTED, REJECTED_FOR_NOW, RLRQ, Verdict
from drivers.simulator.dlms.association import Agreed
from drivers.simulator.dlms.axdr import BadData
from drivers.simulator.dlms.ciphering import MeterKeys, Secured, Untrusted
from drivers.simulator.dlms.conformance import (
    GENERAL_BLOCKS,
    LOGICAL,
    PARAMETERISED,
    SELECTIVE,
    SERVICES,
    SHORT,
)
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.general_blocks import GeneralBlocks
from drivers.simulator.dlms.objects import Access, Content, ObjectModel
from drivers.simulator.dlms.proof import Prover, proof_of, proved, prover
from drivers.simulator.dlms.services import SERVICE_BITS, Services, ServiceUnknown
from drivers.simulator.dlms.short_names import ShortNames
from drivers.simulator.dlms.short_services import NO_CONTEXT, TOO_LONG, ShortServices, service_error
from drivers.simulator.dlms.short_services import SERVICE_BITS as SHORT_SERVICE_BITS

LEAST_PDU = 12
WRONG_BEFORE_LOCK = 3
LOCKED = timedelta(minutes=15)
_TITLE = 8  # octets
_CIPHERING = 21  # octets that ciphering adds to an APDU
_SHORTEST_CHALLENGE, _LONGEST_CHALLENGE = 8, 64
_MECHANISMS = {acse.LOW_SECURITY, acse.HIGH_SECURITY, acse.GMAC}
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

    services: Services | ShortServices
    max_send: int
    secured: Secured | None = None
    blocks: GeneralBlocks | None = None  # where general block transfer was agreed on
    proof: Prover | None = None  # waits for it; gives back ours

    @property
    def short(self) -> bool:
        """Whether objects have short names."""
        return isinstance(self.services, ShortServices)


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
        settle: Brings the meter up to a moment; called before anything is answered.
        short_names: Reserved base names by logical name; None where it has no short names.
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
        settle: Callable[[float], None] | None = None,
        short_names: Mapping[str, int] | None = None,
    ) -> None:
        self._model = model
        self._clients = {client.number: client for client in clients}
        self._faults = faults
        self._expected = expected
        self._wrong_password = wrong_password
        self._max_pdu = max_pdu
        self._port = port
        self._settle = settle
        self._short_names = short_names
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
        if self._settle is not None:
            self._settle(now)
        tag = apdu[0] if apdu else 0
        if tag == AARQ:
            return self._associate(now, client, apdu)
        if tag == RLRQ:
            return self._release(client, apdu)
        opened = self._open.get(client)
        if opened is None:
            return self._without(tag)
        if tag == general_blocks.TAG and opened.blocks is not None:
            return self._in_blocks(now, client, opened, opened.blocks, apdu)
        return self._whole(now, client, opened, apdu)

    def _whole(self, now: float, client: int, opened: Opened, apdu: bytes) -> bytes:
        """Answer a request that is one APDU."""
        if opened.short and len(apdu) > self._max_pdu:
            return service_error(apdu[0], TOO_LONG)
        content = self._ask(now, client, opened, apdu)
        if opened.blocks is None:
            return content if isinstance(content, bytes) else b"".join(content)
        if isinstance(content, bytes) and len(content) <= opened.max_send:
            opened.blocks.silent()
            return content
        opened.blocks.answer_long(content)
        return opened.blocks.more()

    def more(self, client: int) -> bytes:
        """Return what follows the latest answer in the same turn; b"" when it is over."""
        opened = self._open.get(client)
        return b"" if opened is None or opened.blocks is None else opened.blocks.more()

    def _without(self, tag: int) -> bytes:
        """Answer a request that comes before an association."""
        if self._short_names is not None and tag in SHORT_SERVICE_BITS:
            return service_error(tag, NO_CONTEXT)
        return _NO_ASSOCIATION

    def _in_blocks(
        self, now: float, client: int, opened: Opened, blocks: GeneralBlocks, apdu: bytes
    ) -> bytes:
        request = blocks.take(apdu)
        if request is not None:
            content = self._ask(now, client, opened, request)
            if content:
                blocks.begin(content)
            else:
                blocks.silent()
        return blocks.more()

    def _ask(self, now: float, client: int, opened: Opened, apdu: bytes) -> Content:
        if opened.secured is None:
            return self._clear(now, client, opened, apdu)
        try:
            request = opened.secured.opened(apdu)
        except Untrusted as refused:
            return bytes((0xD8, 1, refused.reason))
        except BadData:
            return _MALFORMED
        content = self._clear(now, client, opened, request)
        return opened.secured.closed(content if isinstance(content, bytes) else b"".join(content))

    def _clear(self, now: float, client: int, opened: Opened, apdu: bytes) -> Content:
        known = SHORT_SERVICE_BITS if opened.short else SERVICE_BITS
        if not apdu or apdu[0] not in known:
            return _UNKNOWN_SERVICE
        if opened.proof is not None:
            return self._prove(now, client, opened, apdu)
        return _served(opened.services, now, apdu)

    def _prove(self, now: float, client: int, opened: Opened, apdu: bytes) -> bytes:
        """Take the proof of a client; nothing else is served before it."""
        try:
            given = proof_of(apdu)
        except BadData:
            return service_error(apdu[0], NO_CONTEXT) if opened.short else _MALFORMED
        if given is None or opened.proof is None:
            return service_error(apdu[0], NO_CONTEXT) if opened.short else _NO_ASSOCIATION
        answer = opened.proof(given)
        if answer is None:
            self._count_wrong(now, client)
            self._open.pop(client, None)
        else:
            opened.proof = None
            self._wrong.pop(client, None)
        return proved(apdu, answer)

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
        conformance, mechanism, shield = LOGICAL, None, acse.Shield()
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
            offered = self._offered(request.context)
            conformance = request.conformance & offered or offered
            mechanism = request.mechanism if request.mechanism in _MECHANISMS else None
            if request.context == acse.SHORT_NAMES and self._short_names is not None:
                shield = acse.Shield(acse.SHORT_NAMES)
            if verdict.result == ACCEPTED:
                verdict, shield = self._begin(number, request, conformance, secured)
        return acse.answer(
            verdict,
            conformance=conformance,
            max_pdu=self._max_pdu,
            mechanism=mechanism,
            user_information="aare-without-user-information" not in self._faults,
            shield=shield,
        )

    def _offered(self, context: bytes) -> int:
        """Return the services there are in an application context."""
        general = GENERAL_BLOCKS if self._faults.general_blocks else 0
        return (SHORT if context in acse.SHORT else LOGICAL) | general

    def _begin(
        self,
        number: int,
        request: acse.AssociationRequest,
        conformance: int,
        secured: Secured | None,
    ) -> tuple[Verdict, acse.Shield]:
        client = self._clients[number]
        whole = min(request.max_pdu or self._max_pdu, self._max_pdu)
        agreed = Agreed(
            client=number,
            port=self._port,
            context=request.context,
            mechanism=client.mechanism,
            conformance=conformance,
            receive_pdu=self._max_pdu,
            send_pdu=request.max_pdu,
        )
        services = self._services(client, agreed, whole - (_CIPHERING if secured else 0))
        blocks = GeneralBlocks(whole, self._faults) if conformance & GENERAL_BLOCKS else None
        self._open[number] = opened = Opened(services, whole, secured, blocks)
        if client.mechanism not in {acse.HIGH_SECURITY, acse.GMAC}:
            return Verdict(ACCEPTED, acse.NO_DIAGNOSTIC), acse.Shield(request.context)
        theirs, ours = request.password or b"", self._random.randbytes(16)
        opened.proof = prover(secured, client.password, ours=ours, theirs=theirs)
        shield = acse.Shield(request.context, b"", ours)
        if secured is not None and client.keys is not None:
            shield = acse.Shield(request.context, client.keys.title, ours, secured.closed)
        return Verdict(ACCEPTED, acse.PASSWORD_REQUIRED), shield

    def _services(self, client: Client, agreed: Agreed, max_send: int) -> Services | ShortServices:
        """Return what serves an association: the objects, with the one that describes it."""
        model, short = ObjectModel(self._model), agreed.context in acse.SHORT
        selective = bool(agreed.conformance & (PARAMETERISED if short else SELECTIVE))
        access = ObjectAccess(model, client.access, selective=selective, faults=self._faults)
        if not short:
            model.add(association.by_logical_names(agreed, model, client.access))
            return Services(access, agreed.conformance, max_send, self._faults)
        names = ShortNames(model, {**(self._short_names or {}), **association.RESERVED})
        own = association.by_short_names(model, names, client.access)
        model.add(own)
        names.add(own)
        return ShortServices(names, access, agreed.conformance, max_send, self._faults)

    def _judge(self, now: float, number: int, request: acse.AssociationRequest) -> Verdict:
        client = self._clients.get(number)
        ciphers = client is not None and client.keys is not None
        if request.context not in self._contexts(ciphers=ciphers):
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
        if request.version < association.VERSION:
            error = acse.VERSION_TOO_LOW
        elif not request.conformance & self._offered(request.context) & SERVICES:
            error = acse.CONFORMANCE
        elif 0 < request.max_pdu < LEAST_PDU + (_CIPHERING if ciphers else 0):
            error = acse.PDU_TOO_SHORT
        if error:
            return Verdict(REJECTED, acse.NO_REASON, error)
        return Verdict(ACCEPTED, acse.NO_DIAGNOSTIC)

    def _contexts(self, *, ciphers: bool) -> set[bytes]:
        """Return the application contexts that a client may ask for."""
        if self._short_names is None:
            return {acse.CIPHERED_NAMES if ciphers else acse.LOGICAL_NAMES}
        if ciphers:
            return {acse.CIPHERED_NAMES, acse.CIPHERED_SHORT_NAMES}
        return {acse.LOGICAL_NAMES, acse.SHORT_NAMES}

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


def _served(services: Services | ShortServices, now: float, apdu: bytes) -> Content:
    try:
        return services.answer(now, apdu)
    except BadData:
        return _MALFORMED
    except ServiceUnknown:
        return _UNKNOWN_SERVICE
