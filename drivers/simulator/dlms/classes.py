"""Objects that several virtual meters have: clock, supply switch, logs, HDLC setup, SAP list."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.hdlc import StationSettings
from drivers.simulator.dlms.objects import (
    DENIED,
    OTHER_REASON,
    Access,
    Attribute,
    CosemObject,
    Refused,
)
from drivers.simulator.dlms.profile import CLOCK, Column, ListedRows, Profile, Row
from drivers.simulator.meterclock import SUMMER, MeterClock
from drivers.simulator.model import Disconnector, EventLog, Mode

_SPEEDS = {300: 0, 600: 1, 1200: 2, 2400: 3, 4800: 4, 9600: 5, 19200: 6, 38400: 7, 57600: 8}
_SUMMER_FROM = bytes.fromhex("FFFF03FE0702000000800000")  # last Sunday of March, 02:00
_SUMMER_TO = bytes.fromhex("FFFF0AFE0703000000800000")  # last Sunday of October, 03:00
_CRYSTAL = 1
_INVALID = 0x01  # clock status: the time is not known
EVENT_CODE = "0-0:96.11.{}.255"


def clock_object(
    clock: MeterClock, faults: Faults, moved: Callable[[float, timedelta], None]
) -> CosemObject:
    """Return the clock, class 8; ``moved`` learns by how much it was set."""

    def time(now: float) -> bytes:
        status = _INVALID if clock.lost else 0
        octets = axdr.octets(clock.zone.octets(clock.shown(now), status))
        return octets * 2 if "doubled-clock" in faults else octets

    def status(now: float) -> bytes:
        summer = SUMMER if zone.summer(clock.shown(now)) else 0
        return axdr.integer(axdr.U8, summer | (_INVALID if clock.lost else 0))

    def set_time(now: float, value: Value) -> None:
        moment = clock.zone.moment(value.octets(axdr.OCTETS, axdr.DATE_TIME))
        if "clock-refused" in faults:
            raise Refused(DENIED)
        if "clock-not-kept" not in faults:
            moved(now, clock.set(now, moment))

    zone = clock.zone
    return CosemObject(
        8,
        CLOCK,
        {
            2: Attribute(time, write=set_time),
            3: Attribute(axdr.integer(axdr.I16, -zone.standard_min)),
            4: Attribute(status),
            5: Attribute(axdr.octets(_SUMMER_FROM)),
            6: Attribute(axdr.octets(_SUMMER_TO)),
            7: Attribute(axdr.integer(axdr.I8, 60)),
            8: Attribute(axdr.boolean(zone.summer_time)),
            9: Attribute(axdr.integer(axdr.ENUM, _CRYSTAL)),
        },
        level=Access.PUBLIC,
    )


def disconnect_object(switch: Disconnector, modes: Collection[Mode] = ()) -> CosemObject:
    """Return the disconnect control, class 70, of ``switch``; ``modes`` can be chosen."""

    def choose(now: float, value: Value) -> None:
        del now
        number = value.number(axdr.ENUM)
        if number not in set(modes):
            raise BadData("a mode that cannot be chosen")
        switch.mode = Mode(number)

    def acted(act: Callable[[float], bool]) -> Callable[[float, Value | None], bytes]:
        def method(now: float, parameter: Value | None) -> bytes:
            if parameter is None or parameter.number(axdr.I8):
                raise BadData("the parameter must be the integer 0")
            if not act(now):
                raise Refused(OTHER_REASON)
            return b""

        return method

    return CosemObject(
        70,
        "0-0:96.3.10.255",
        {
            2: Attribute(lambda _: axdr.boolean(switch.output)),
            3: Attribute(lambda _: axdr.integer(axdr.ENUM, switch.state)),
            4: Attribute(
                lambda _: axdr.integer(axdr.ENUM, switch.mode), write=choose if modes else None
            ),
        },
        {1: acted(switch.disconnect), 2: acted(switch.reconnect)},
    )


def log_objects(
    code: str,
    number: int,
    log: EventLog,
    clock: MeterClock,
    faults: Faults,
    *,
    status: str = "",
) -> tuple[CosemObject, CosemObject]:
    """Return an event log, class 7, of time and event code, and the object of its latest code.

    With ``status``, the code of a status object, each row has it between the two.
    """
    between = (axdr.integer(axdr.U8, 0),) if status else ()

    def held(now: float) -> ListedRows:
        del now
        return ListedRows(
            [
                Row(
                    event.time,
                    (
                        axdr.octets(clock.zone.octets(event.time)),
                        *between,
                        axdr.integer(axdr.U8, event.code),
                    ),
                )
                for event in log.events()
            ]
        )

    def latest(now: float) -> bytes:
        del now
        events = log.events()
        return axdr.integer(axdr.U8, events[-1].code if events else 0)

    event_code = EVENT_CODE.format(number)
    profile = Profile(
        code,
        (Column(8, CLOCK), *((Column(1, status),) if status else ()), Column(1, event_code)),
        period_s=0,
        capacity=log.capacity,
        held=held,
        zone=clock.zone,
        faults=faults,
    )
    return profile.cosem(), CosemObject(1, event_code, {2: Attribute(latest)})


def hdlc_setup(settings: StationSettings) -> CosemObject:
    """Return the HDLC setup, class 23, that describes the station."""
    return CosemObject(
        23,
        "0-0:22.0.0.255",
        {
            2: Attribute(axdr.integer(axdr.ENUM, _SPEEDS[settings.format.speed])),
            3: Attribute(axdr.integer(axdr.U8, settings.window)),
            4: Attribute(axdr.integer(axdr.U8, settings.window)),
            5: Attribute(axdr.integer(axdr.U16, settings.max_info)),
            6: Attribute(axdr.integer(axdr.U16, settings.max_info)),
            7: Attribute(axdr.integer(axdr.U16, 500)),
            8: Attribute(axdr.integer(axdr.U16, round(settings.inactivity_s))),
            9: Attribute(axdr.integer(axdr.U16, settings.lower or 0)),
        },
        version=1,
    )


def logical_devices(devices: Sequence[tuple[int, str]]) -> CosemObject:
    """Return the SAP assignment, class 17, of logical devices by number and name."""
    listed = axdr.array(
        axdr.structure(axdr.integer(axdr.U16, number), axdr.octets(name.encode("ascii")))
        for number, name in devices
    )
    return CosemObject(17, "0-0:41.0.0.255", {2: Attribute(listed)}, level=Access.PUBLIC)
