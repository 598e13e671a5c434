"""Finds the DLMS meters on an RS-485 bus: one question to each address, then who it is.

The first question (SNRM) asks nothing of a meter but whether it is there, so that an empty address
costs one short wait.  Whoever answers is asked for its name as one of the safe clients, which need
no password; no password is ever sent.  Damaged answers, time after time, are two meters at one
address.  The speeds are tried in their order until one has meters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from drivers.dlms.addressing import client_address, server_address
from drivers.dlms.meter import DlmsMeter
from drivers.dlms.negotiation import HdlcSettings
from drivers.dlms.transport import HdlcTransport
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    MeterBusy,
    NoReply,
    NotSupported,
    PortUnavailable,
)
from drivers.link import Line, Link
from drivers.metertype import Dlms, MeterType
from drivers.secrets import Secrets
from drivers.values import Identity

SAFE_CLIENTS = (16, 17, 32, 1)  # asked without a password, in this order
LINES = ((9600, "8N1"), (9600, "8E1"), (19200, "8N1"), (4800, "8N1"), (2400, "8N1"), (2400, "8E1"))
PATIENCE = 0.4  # s for the first character of an answer
_AGAIN = 2  # more tries where something damaged was heard
_FAREWELL = 1  # retries of the session that asks for the name


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to look.

    ``addresses`` are physical addresses behind logical device ``server``; with ``one_part`` they
    are addresses of one octet instead.
    """

    addresses: Sequence[int]
    lines: Sequence[tuple[int, str]] = LINES
    clients: Sequence[int] = SAFE_CLIENTS
    server: int = 1
    address_size: int = 0
    one_part: bool = False
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class BusMeter:
    """What answered at one address; ``note`` tells a clash or a refusal, "" when all is well.

    ``meter_type`` has the address, the client and the line that worked.
    """

    address: int
    octets: str  # of the server address, as in frames
    speed: int
    format: str
    meter_type: MeterType
    client: int | None = None  # who could ask for the name; None: nobody without a password
    identity: Identity = Identity()  # noqa: RUF009 (frozen)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """One address was asked: ``found`` is who answered, None for silence."""

    done: int
    total: int
    line: str
    found: BusMeter | None = None


def scan(link: Link, base: MeterType, plan: Plan) -> Iterator[Looked]:
    """Yield every address that was asked, with who answered there.

    Raises:
        PortUnavailable: The port is gone.
        ValueError: An address does not fit its size.
    """
    total = len(plan.addresses)
    lines = plan.lines if link.sets_line else plan.lines[:1]
    for speed, form in lines:
        link.configure(Line.named(speed, form))
        heard = False
        for done, address in enumerate(plan.addresses, 1):
            kind = _at(base, plan, address, speed, form)
            found = _asked(link, kind, plan, address)
            heard |= found is not None
            yield Looked(done, total, f"{speed} {form}", found)
        if heard:
            return


def _at(base: MeterType, plan: Plan, address: int, speed: int, form: str) -> MeterType:
    """Return the type for one address."""
    server, physical = (address, 0) if plan.one_part else (plan.server, address)
    size = plan.address_size
    dlms = replace(base.dlms, server=server, physical=physical, address_size=size)
    line = replace(base.line, speed=speed, format=form)
    return replace(base, framing="hdlc", line=line, dlms=dlms)


def _asked(link: Link, kind: MeterType, plan: Plan, address: int) -> BusMeter | None:
    answer = _knock(link, kind, plan)
    if answer is None:
        return None
    octets = server_address(kind.dlms).hex(" ").upper()
    found = BusMeter(address, octets, kind.line.speed, kind.line.format, kind, note=answer)
    return found if answer else _introduced(link, found, plan)


def _knock(link: Link, kind: MeterType, plan: Plan) -> str | None:
    """Ask whether somebody is there; None for silence, "" for a meter, else what is wrong."""
    dlms = replace(kind.dlms, client=plan.clients[0])
    for attempt in range(_AGAIN + 1):
        transport = HdlcTransport(link, _settings(dlms, kind, plan))
        try:
            transport.connect()
        except NoReply:
            if not attempt:
                return None
        except GarbledReply:
            _quiet(link, plan)
        except MeterBusy:
            return "the meter is busy with somebody else"
        else:
            _hang_up(transport)
            return ""
    return "damaged answers: two meters may have this address"


def _settings(dlms: Dlms, kind: MeterType, plan: Plan) -> HdlcSettings:
    return HdlcSettings(
        client=client_address(dlms),
        server=server_address(dlms),
        parameters=False,  # a short question; the real session proposes its sizes
        clear_first=False,
        reply_s=plan.patience,
        gap_s=0.2,
        retries=0,
        character_s=Line.named(kind.line.speed, kind.line.format).character_s,
    )


def _hang_up(transport: HdlcTransport) -> None:
    try:
        transport.disconnect()
    except PortUnavailable:
        raise
    except DriverError:
        return  # the next session clears a link that still stands


def _quiet(link: Link, plan: Plan) -> None:
    """Let who still talks finish."""
    end = link.now() + plan.patience
    while link.now() < end and link.read(0.1):
        pass


def _introduced(link: Link, found: BusMeter, plan: Plan) -> BusMeter:
    """Ask for the name as one safe client after the other, with logical names and then short."""
    note = "answers, and tells nobody its name without a password"
    for client in plan.clients:
        for referencing in ("logical", "short"):
            dlms = replace(found.meter_type.dlms, client=client, auth="none", security="")
            dlms = replace(dlms, referencing=referencing)
            timing = replace(found.meter_type.timing, retries=_FAREWELL)
            kind = replace(found.meter_type, dlms=dlms, timing=timing)
            try:
                with DlmsMeter(link, kind, Secrets()) as meter:
                    identity = meter.identity()
            except AccessDenied:
                break
            except NotSupported:
                continue  # perhaps it names its objects the other way
            except PortUnavailable:
                raise
            except DriverError as error:
                note = str(error)
                break
            if identity.logical_device_name or identity.serial:
                named = replace(found.meter_type.dlms, referencing=referencing)
                known = replace(found.meter_type, dlms=named)
                return replace(found, client=client, identity=identity, meter_type=known)
            break
    return replace(found, note=note)
