"""One association with one meter: sign-on, GET, SET and ACTION, sign-off.

A meter that ends the link between two requests (REJ, FRMR, DM, or its own inactivity time) gets a
new one and the same request once more.  Block transfers are never continued across links: what
arrived is the caller's, and the caller asks anew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from drivers.dlms import lists
from drivers.dlms.acse import (
    Association,
    OwnAssociating,
    StaleCounter,
    is_association_answer,
    is_release_answer,
)
from drivers.dlms.actions import Call, perform
from drivers.dlms.apdu import (
    Attribute,
    Data,
    action_answer,
    action_request,
    answers,
    get_answer,
    get_next_request,
    get_request,
    set_answer,
    set_request,
)
from drivers.dlms.building import LinkBuilder
from drivers.dlms.ciphering import CounterStore, RememberedCounters
from drivers.dlms.data import decode, octets
from drivers.dlms.gateway import GatewayTransport
from drivers.dlms.push import Notification, notifications
from drivers.dlms.securing import Security, prepared
from drivers.dlms.transport import Transport
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    MeterBusy,
    NoReply,
    NotSupported,
    PortUnavailable,
)
from drivers.link import Link
from drivers.metertype import MeterType
from drivers.obis import to_bytes
from drivers.secrets import Secrets

T = TypeVar("T")

_BUSY_PAUSE = 0.5  # s before a meter that was busy is asked again
_INACTIVE_S = 25.0  # meters drop a silent link after 30 to 180 s
_BLOCKS_MAX = 1 << 20
_CIPHERING = 24  # octets that ciphering adds to an APDU, at most
_NAME = Attribute(1, bytes((0, 0, 42, 0, 0, 255)), 2)
_REPLY_TO_HLS = Attribute(15, bytes((0, 0, 40, 0, 0, 255)), 1)


class Session:
    """Talks to the object model of one meter.  Use `open` and `close` in pairs."""

    def __init__(
        self,
        link: Link,
        meter_type: MeterType,
        secrets: Secrets,
        counters: CounterStore | None = None,
    ) -> None:
        self._link = link
        self._type = meter_type
        self._secrets = secrets
        self._statistics = link.statistics
        self._transport: Transport | None = None
        self._counters = counters or RememberedCounters()
        self._security: Security | None = None
        self._invoke = 0
        self._last_answer = 0.0
        self.association: Association | None = None
        self._builder = LinkBuilder(link, meter_type)

    @property
    def identification(self) -> str:
        """The identification line of a mode E sign-on, "" without one."""
        return self._builder.identification

    # --- sign-on and sign-off ---------------------------------------------------------------

    def open(self) -> None:
        """Sign on: line, mode E where wanted, HDLC, association.

        Raises:
            NoReply, GarbledReply, MeterBusy, AccessDenied, NotSupported, PortUnavailable: It did
                not work; the link was taken down again.
        """
        self._security = prepared(self._type.dlms, self._secrets, self._counters)
        try:
            self._sign_on()
        except BaseException as error:
            self.close(error)
            raise

    def _sign_on(self) -> None:
        self._rise()
        try:
            self._connect_and_associate()
        except StaleCounter as error:
            if not self._type.dlms.counter:
                raise
            self._statistics.remarks.append(f"the counter was read once more: {error}")
            self.close(error)
            self._rise()
            self._connect_and_associate()

    def _connect_and_associate(self) -> None:
        self._transport = self._connected_transport()
        self._associate()

    def _rise(self) -> None:
        """Let our counter go on behind what the meter shows to its public client."""
        dlms = self._type.dlms
        counter = self._security.counter if self._security else None
        if counter is None or not dlms.counter:
            return
        public = replace(dlms, client=dlms.public_client, auth="none", security="")
        session = Session(self._link, replace(self._type, dlms=public), Secrets())
        try:
            session.open()
        except (AccessDenied, NotSupported) as error:
            self._statistics.remarks.append(f"the meter does not show its counter: {error}")
            return
        failed: BaseException | None = None
        try:
            value = session.get(Attribute(1, to_bytes(dlms.counter), 2), dlms.counter)
            if isinstance(value, int):
                counter.rise_to(value)
        except (AccessDenied, NotSupported) as error:
            self._statistics.remarks.append(f"the meter does not show its counter: {error}")
        except BaseException as error:
            failed = error
            raise
        finally:
            session.close(failed)

    def close(self, error: BaseException | None = None) -> None:
        """Sign off: release after a good session, DISC always.

        What goes wrong here becomes a remark; only a stop by the operator passes through.
        """
        transport, self._transport = self._transport, None
        if transport is None or isinstance(error, PortUnavailable):
            return
        try:
            if error is None and self.association and not transport.lost:
                self._release(transport)
        finally:
            self.association = None
            self._disconnect(transport)

    def _release(self, transport: Transport) -> None:
        apdu = self._security.associating.release() if self._security else b""
        try:
            if apdu:
                transport.exchange(apdu, is_release_answer)
        except DriverError as error:
            self._statistics.remarks.append(f"the meter did not answer the release: {error}")

    def _disconnect(self, transport: Transport) -> None:
        try:
            if not transport.disconnect():
                self._statistics.remarks.append("the meter did not confirm the end of the link")
                if self._type.framing == "mode-e" and self._link.sets_line:
                    self._builder.bring_to_rest()
        except DriverError as error:
            self._statistics.remarks.append(f"the link could not be ended: {error}")

    def _connected_transport(self) -> Transport:
        dlms = self._type.dlms
        try:
            inner = self._builder.build()
        finally:
            self._transport = self._builder.transport  # from here on the way out has a DISC
        if dlms.gateway_network < 0:
            return inner
        address = bytes.fromhex(dlms.gateway_address)
        self._transport = GatewayTransport(inner, dlms.gateway_network, address)
        return self._transport

    def _associate(self) -> None:
        if self._transport is None or self._security is None:
            raise RuntimeError("the session is not open")
        associating = self._security.associating
        answer = self._transport.exchange(
            associating.request(), is_association_answer, secret=associating.secret
        )
        self.association = associating.agreed(answer)
        self._last_answer = self._link.now()
        if isinstance(associating, OwnAssociating):
            self._prove(associating)

    def _prove(self, associating: OwnAssociating) -> None:
        """Answer the meter's challenge, and check its answer to ours."""
        proof = associating.proof()
        if not proof:
            return
        request = action_request(self._number(), _REPLY_TO_HLS, octets(proof))
        answer = action_answer(self._exchange(request, secret=True), "the proof of the keys")
        associating.check(decode(answer) if answer else None)

    # --- services ---------------------------------------------------------------------------

    def get(self, attribute: Attribute, what: str) -> object:
        """Return the value of an attribute, decoded.

        Raises:
            NotSupported, AccessDenied, MeterBusy: The meter refused.
        """
        return self.patiently(lambda: decode(b"".join(self.blocks(attribute, what))))

    def blocks(self, attribute: Attribute, what: str, selector: bytes = b"") -> Iterator[bytes]:
        """Yield the raw data of an attribute, block by block as it arrives."""
        request = get_request(self._number(), attribute, selector)
        return self._following(request, what, get_answer)

    def _following(
        self, request: bytes, what: str, first: Callable[[bytes, str], Data]
    ) -> Iterator[bytes]:
        """Yield the raw data that answers ``request``, with all its blocks."""
        data = first(self._asked(request, again=True), what)
        yield data.raw
        expected = data.number
        while not data.last:
            if data.number != expected or expected > _BLOCKS_MAX:
                raise GarbledReply(f"block {data.number} came in place of block {expected}")
            request = get_next_request(request[2] & 0x0F, expected)
            data = get_answer(self._asked(request), what)
            expected += 1
            if data.number != expected:
                raise GarbledReply(f"block {data.number} came in place of block {expected}")
            yield data.raw

    def set(self, attribute: Attribute, value: bytes, what: str) -> None:
        """Write an encoded value; a write is never repeated on a new link.

        Raises:
            ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        """
        invoke, agreed, room = self._number(), self.association, self._room
        request = set_request(invoke, attribute, value)
        if room <= 0 or len(request) <= room:
            set_answer(self._asked(request), what)
            return
        if agreed is None or not agreed.set_blocks:
            raise NotSupported(f"{what}: the value is too long for this meter's messages")
        for number, block in enumerate(lists.set_blocks(invoke, attribute, value, room), 1):
            more = lists.block_taken(self._asked(block), number, what)
        if more:
            raise GarbledReply(f"the meter still waits for more of {what}")

    def get_list(self, wanted: Sequence[tuple[Attribute, str]]) -> list[lists.Item]:
        """Return several attributes, each decoded or the error in its place, in few requests.

        Raises:
            GarbledReply: The meter answers with another count.
        """
        if self.association is None or not self.association.lists:
            return [self._single(attribute, what) for attribute, what in wanted]
        found: list[lists.Item] = []
        for at in range(0, len(wanted), lists.MOST_LISTED):
            part = wanted[at : at + lists.MOST_LISTED]
            request = lists.list_request(self._number(), [attribute for attribute, _ in part])
            names = [what for _, what in part]
            raw = b"".join(self._following(request, ", ".join(names), lists.list_answer))
            found += lists.listed(raw, names)
        return found

    def _single(self, attribute: Attribute, what: str) -> lists.Item:
        try:
            return self.get(attribute, what)
        except (NotSupported, AccessDenied) as error:
            return error

    def action(
        self, method: Attribute, what: str, parameter: bytes = b"", *, secret: bool = False
    ) -> bytes:
        """Call a method with an encoded parameter; return what it gives back, encoded.

        A call is never repeated on a new link; one with a ``secret`` parameter is traced as dots.

        Raises:
            ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        """
        send = partial(self._asked, secret=secret)
        call = Call(self._number(), method, parameter, what)
        return perform(send, call, self._room, self.association)

    def notifications(self) -> list[Notification]:
        """Return what the meter has pushed since the last call.

        Raises:
            KeysDoNotFit: A ciphered one is not of this meter.
        """
        if self._transport is None:
            return []
        pushed = list(self._transport.pushed)
        self._transport.pushed.clear()
        ciphering = self._security.ciphering if self._security else None
        found = notifications(pushed, ciphering.opened if ciphering else None)
        self._statistics.discarded += len(pushed) - len(found)
        return found

    def keep_alive(self) -> bool:
        """Read the meter's name before it ends a silent link; return whether it was asked."""
        limit = self._type.dlms.keep_alive_s or _INACTIVE_S
        if self._link.now() - self._last_answer < limit / 2:
            return False
        self.get(_NAME, "the logical device name")
        return True

    @property
    def _room(self) -> int:
        """Octets of the longest request that the meter takes; 0 or less before it agreed."""
        ciphers = self._security is not None and self._security.ciphering is not None
        return (self.association.max_pdu if self.association else 0) - _CIPHERING * ciphers

    @property
    def lost(self) -> bool:
        """Whether the link has ended under the session."""
        return self._transport is not None and self._transport.lost

    def _number(self) -> int:
        self._invoke = self._invoke % 15 + 1
        return self._invoke

    def _asked(self, request: bytes, *, again: bool = False, secret: bool = False) -> bytes:
        if self._transport is None:
            raise RuntimeError("the session is not open")
        if self._transport.lost:
            self.renew()
        idle = self._link.now() - self._last_answer
        try:
            answer = self._exchange(request, secret=secret)
        except (GarbledReply, NoReply) as error:
            dropped = isinstance(error, GarbledReply) or idle > _INACTIVE_S
            if not (again and self._transport.lost and dropped):
                raise
            self._statistics.remarks.append(f"the link was built anew: {error}")
            self.renew()
            answer = self._exchange(request)
        return answer

    def renew(self) -> None:
        """Build the link and the association anew after they were lost."""
        optical = self._type.framing == "mode-e"
        at_rest = optical and self._link.now() - self._last_answer > _INACTIVE_S
        if self._transport and not at_rest:
            try:
                self._transport.connect()
            except NoReply:
                if not optical:
                    raise
                at_rest = True
        if at_rest:  # only a new sign-on wakes the port
            self._transport = self._connected_transport()
        self._associate()

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
        self._last_answer = self._link.now()
        return opened

    def patiently(self, read: Callable[[], T]) -> T:
        """Return what ``read`` gives; a busy meter is asked again, `MeterBusy` if it stays so."""
        for _ in range(self._type.timing.retries):
            try:
                return read()
            except MeterBusy:
                self._statistics.resends += 1
                self.pause()
        return read()

    def pause(self) -> None:
        """Give a busy meter time."""
        self._link.wait(_BUSY_PAUSE)
