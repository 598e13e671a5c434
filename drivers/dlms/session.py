"""One association with one meter: sign-on, its services, sign-off.

A meter that ends the link between two requests (REJ, FRMR, DM, or its own inactivity time) gets a
new one and the same request once more.  Block transfers are never continued across links: what
arrived is the caller's, and the caller asks anew.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from drivers.dlms.acse import (
    OwnAssociating,
    StaleCounter,
    is_association_answer,
    is_release_answer,
)
from drivers.dlms.apdu import Attribute
from drivers.dlms.blocktransport import BlockTransport
from drivers.dlms.building import LinkBuilder
from drivers.dlms.ciphering import CounterStore, RememberedCounters
from drivers.dlms.data import decode
from drivers.dlms.exchanges import INACTIVE_S, Exchanges
from drivers.dlms.gateway import GatewayTransport
from drivers.dlms.lists import Item
from drivers.dlms.logicalnames import LogicalNames, one_by_one
from drivers.dlms.push import Notification, notifications
from drivers.dlms.references import References
from drivers.dlms.securing import prepared
from drivers.dlms.shortnames import NameStore, RememberedNames, ShortNames
from drivers.dlms.transport import Transport
from drivers.errors import (
    AccessDenied,
    DriverError,
    MeterBusy,
    NoReply,
    NotSupported,
    PortUnavailable,
)
from drivers.link import Link
from drivers.metertype import MeterType
from drivers.obis import to_bytes
from drivers.objectmodel import ObjectEntry
from drivers.secrets import Secrets

T = TypeVar("T")

_BUSY_PAUSE = 0.5  # s before a meter that was busy is asked again
_NAME = Attribute(1, bytes((0, 0, 42, 0, 0, 255)), 2)


class Session(Exchanges):
    """Talks to the object model of one meter.  Use `open` and `close` in pairs."""

    def __init__(
        self,
        link: Link,
        meter_type: MeterType,
        secrets: Secrets,
        counters: CounterStore | None = None,
        names: NameStore | None = None,
    ) -> None:
        super().__init__(link, meter_type)
        self._secrets = secrets
        self._counters = counters or RememberedCounters()
        self._names = names or RememberedNames()
        self._references: References = (
            ShortNames(self, meter_type, self._names)
            if meter_type.dlms.referencing == "short"
            else LogicalNames(self)
        )
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
        public_type = replace(self._type, dlms=public)
        session = Session(self._link, public_type, Secrets(), names=self._names)
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
        if isinstance(self._transport, BlockTransport):
            self._transport = self._transport.inner
        answer = self._transport.exchange(
            associating.request(), is_association_answer, secret=associating.secret
        )
        self.association = associating.agreed(answer)
        self._last_answer = self._link.now()
        dlms = self._type.dlms
        if dlms.general_blocks and self.association.general_blocks:
            size = self.association.max_pdu or dlms.pdu
            self._transport = BlockTransport(
                self._transport, size, dlms.block_window, self._statistics
            )
        if isinstance(associating, OwnAssociating):
            self._prove(associating)

    def _prove(self, associating: OwnAssociating) -> None:
        """Answer the meter's challenge, and check its answer to ours."""
        proof = associating.proof()
        if not proof:
            return
        answer = self._references.proved(proof)
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
        return self._references.blocks(attribute, what, selector)

    def set(self, attribute: Attribute, value: bytes, what: str) -> None:
        """Write an encoded value; a write is never repeated on a new link.

        Raises:
            ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        """
        self._references.set(attribute, value, what)

    def get_list(self, wanted: Sequence[tuple[Attribute, str]]) -> list[Item]:
        """Return several attributes, each decoded or the error in its place, in few requests.

        Raises:
            GarbledReply: The meter answers with another count.
        """
        if self.association is None or not self.association.lists:
            return one_by_one(self.get, wanted)
        return self._references.get_list(wanted)

    def action(
        self, method: Attribute, what: str, parameter: bytes = b"", *, secret: bool = False
    ) -> bytes:
        """Call a method with an encoded parameter; return what it gives back, encoded.

        A call is never repeated on a new link; one with a ``secret`` parameter is traced as dots.

        Raises:
            ValueRefused, AccessDenied, NotSupported, MeterBusy: The meter refused.
        """
        return self._references.action(method, what, parameter, secret=secret)

    def entries(self) -> tuple[ObjectEntry, ...]:
        """Return the object list of this association."""
        return self.patiently(self._references.entries)

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Read the object list; yield how many octets have come, and return it."""

        def begun() -> tuple[int, Generator[int, None, tuple[ObjectEntry, ...]]]:
            steps = self._references.listing()
            return next(steps), steps

        first, steps = self.patiently(begun)
        yield first
        return (yield from steps)

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
        self._statistics.discarded += max(0, len(pushed) - len(found))
        return [self._placed(one) for one in found]

    def _placed(self, one: Notification) -> Notification:
        """Return a notification with the object that its short name is of, where that is known."""
        known = None
        if one.name is not None and isinstance(self._references, ShortNames):
            known = self._references.named(one.name)
        if known is None:
            return one
        return replace(one, source=(known.class_id, known.code, known.index))

    def keep_alive(self) -> bool:
        """Read the meter's name when it would soon end a silent link; return whether it was asked.

        To be called now and then while the operator thinks.
        """
        limit = self._type.dlms.keep_alive_s or INACTIVE_S
        if self._link.now() - self._last_answer < limit / 2:
            return False
        self.get(_NAME, "the logical device name")
        return True

    def renew(self) -> None:
        """Build the link and the association anew after they were lost."""
        self._unsure = False
        optical = self._type.framing == "mode-e"
        at_rest = optical and self._link.now() - self._last_answer > INACTIVE_S
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

    def _settle(self, transport: Transport) -> None:
        """Build the association anew on a link that stands: late answers come before its own."""
        self._release(transport)
        self._associate()

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
