"""Requests and answers of one association: in step, ciphered where agreed, whole or in pieces.

Who signs on and off is the session (see `session`); what the requests say is the references' (see
`references`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

from drivers.dlms.acse import Association
from drivers.dlms.apdu import answers, beginning
from drivers.dlms.blocktransport import BlockTransport
from drivers.dlms.securing import Security
from drivers.dlms.transport import Transport
from drivers.errors import DriverError, GarbledReply, NoReply
from drivers.link import Link
from drivers.metertype import MeterType

T = TypeVar("T")

INACTIVE_S = 25.0  # meters drop a silent link after 30 to 180 s
_CIPHERING = 24  # octets that ciphering adds to an APDU, at most
_HEAD = 4  # octets before the data of an answer


class Exchanges(ABC):
    """Asks one meter and takes its answers, over a transport that the session builds."""

    def __init__(self, link: Link, meter_type: MeterType) -> None:
        self._link = link
        self._type = meter_type
        self._statistics = link.statistics
        self._transport: Transport | None = None
        self._security: Security | None = None
        self._invoke = 0
        self._last_answer = 0.0
        self._unsure = False  # an answer that stayed away may still come
        self.association: Association | None = None

    @abstractmethod
    def renew(self) -> None:
        """Build the link and the association anew after they were lost."""

    @abstractmethod
    def _settle(self, transport: Transport) -> None:
        """Build the association anew on a link that stands."""

    @property
    def lost(self) -> bool:
        """Whether the link has ended under the session."""
        return self._transport is not None and self._transport.lost

    @property
    def agreed(self) -> Association | None:
        """What the meter agreed to, None before that."""
        return self.association

    @property
    def room(self) -> int:
        """Octets of the longest request that the meter takes in one piece; 0: any."""
        if self.association is None or isinstance(self._transport, BlockTransport):
            return 0
        ciphers = self._security is not None and self._security.ciphering is not None
        return self.association.max_pdu - (_CIPHERING if ciphers else 0)

    def number(self) -> int:
        """Return the number of the next request."""
        self._invoke = self._invoke % 15 + 1
        return self._invoke

    def asked(self, request: bytes, *, again: bool = False, secret: bool = False) -> bytes:
        """Send a request and return its answer; ``again`` once more where the link was lost."""
        return self._tried(lambda: self._exchange(request, secret=secret), again=again)

    def parts(self, request: bytes) -> Iterator[bytes]:
        """Send a request and yield its answer, piece by piece where it comes in clear blocks.

        Nothing of a ciphered answer is believed, or handed on, before the whole of it is proved.
        """
        ciphered = self._security is not None and self._security.ciphering is not None
        if ciphered or not isinstance(self._transport, BlockTransport):
            yield self.asked(request, again=True)
            return

        def begun() -> tuple[bytes, Iterator[bytes]]:
            transport = self._transport  # the second time on a new link
            if not isinstance(transport, BlockTransport):
                return self._exchange(request), iter(())
            arriving = transport.parts(request, lambda answer: answers(answer, request))
            head = beginning(arriving, _HEAD + 1)
            if not answers(head, request):
                raise GarbledReply("the meter answered another question")
            return head, arriving

        head, arriving = self._tried(begun, again=True)
        yield head
        for part in self._watched(arriving):
            self._last_answer = self._link.now()
            yield part

    def told(self, request: bytes) -> None:
        """Send a request that has no answer."""
        ciphering = self._security.ciphering if self._security else None
        transport = self._ready()
        transport.tell(ciphering.protect(request) if ciphering else request)
        self._last_answer = self._link.now()

    def _ready(self) -> Transport:
        """Return the transport, with its link and its answers in step.

        Answers with short names and blocks carry no number: after one that stayed away, the
        association is built anew, so that it cannot pass for the answer to the next question.
        """
        if self._transport is None:
            raise RuntimeError("the session is not open")
        if self._transport.lost:
            self.renew()
        elif self._unsure:
            self._unsure = False
            try:
                self._settle(self._transport)
            except DriverError:
                self._unsure = True
                raise
        return self._transport

    def _watched(self, arriving: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from arriving
        except DriverError:
            self._unsure = True
            raise

    def _tried(self, ask: Callable[[], T], *, again: bool) -> T:
        """Return what ``ask`` gives, once more where the link was dropped before it."""
        transport = self._ready()
        idle = self._link.now() - self._last_answer
        try:
            answer = ask()
        except (GarbledReply, NoReply) as error:
            numbered = self._type.dlms.referencing == "logical"
            self._unsure = not numbered or isinstance(transport, BlockTransport)
            dropped = isinstance(error, GarbledReply) or idle > INACTIVE_S
            if not (again and transport.lost and dropped):
                raise
            self._statistics.remarks.append(f"the link was built anew: {error}")
            self.renew()
            answer = ask()
        self._last_answer = self._link.now()
        return answer

    def _exchange(self, request: bytes, *, secret: bool = False) -> bytes:
        if self._transport is None:
            raise RuntimeError("the session is not open")
        ciphering = self._security.ciphering if self._security else None
        sent, opened = (ciphering.protect(request) if ciphering else request), b""

        def fits(answer: bytes) -> bool:
            nonlocal opened
            opened = ciphering.opened(answer) if ciphering else answer
            return answers(opened, request)

        self._transport.exchange(sent, fits, secret=secret)
        return opened
