"""Limiters (class 71), register monitors (class 21), alarm and error registers (class 1)."""

from collections.abc import Sequence

from drivers.dlms.data import Bits
from drivers.dlms.objects import DATA, DEMAND, EXTENDED, REGISTER, ObjectReader, named
from drivers.dlms.units import scaled
from drivers.errors import AccessDenied, NotSupported
from drivers.eventwords import alarm_words
from drivers.obis import to_bytes
from drivers.objectmodel import ObjectEntry
from drivers.supervision import (
    AlarmRegister,
    EmergencyProfile,
    Limiter,
    Monitored,
    RegisterMonitor,
    ScriptCall,
    Threshold,
)

MONITOR, LIMITER = 21, 71
_USUAL_LIMITERS = ("0-0:17.0.0.255",)
_USUAL_MONITORS = ("0-0:16.0.0.255", "0-0:16.0.1.255", "0-0:16.1.0.255")
_USUAL_ALARMS = (
    "0-0:97.97.0.255", "0-0:97.98.0.255", "0-0:97.98.1.255", "0-0:97.98.10.255",
    "0-0:97.98.11.255", "0-0:97.98.20.255", "0-0:97.98.21.255",
)  # fmt: skip
_SERVICE, _ERRORS, _ALARMS = 97, 97, 98  # groups C and D
_ALARM_KINDS = {0: "alarm", 1: "alarm filter", 2: "alarm descriptor"}  # by the tens of group E
_SCALED = frozenset({REGISTER, EXTENDED, DEMAND})
_DISCONNECT_SCRIPTS = "0-0:10.0.106.255"
_SWITCHING = {1: "disconnect", 2: "reconnect"}
_NOTHING = 0
_BARE = (0, 255)  # scaler and unit of a bare number


class Supervision:
    """Reads what one meter watches over.

    ``table`` puts its alarm bits into words; the error register has the bits of alarm register
    ``errors_like`` where that is not 0.
    """

    def __init__(self, objects: ObjectReader, table: str, errors_like: int = 0) -> None:
        self._objects = objects
        self._table = table
        self._errors_like = errors_like

    # --- limiters and monitors --------------------------------------------------------------

    def limiters(self, entries: Sequence[ObjectEntry]) -> tuple[Limiter, ...]:
        """Return the limiters.

        Raises:
            NotSupported: The meter has none that it shows.
        """
        found = []
        for code in codes_of(entries, LIMITER, _USUAL_LIMITERS):
            told = self._objects.told(LIMITER, to_bytes(code), range(2, 12))
            if told:
                found.append(self._limiter(code, told, writable_of(entries, LIMITER, code)))
        if not found:
            raise NotSupported("this meter shows no limiter")
        return tuple(found)

    def _limiter(self, code: str, told: dict[int, object], writable: tuple[int, ...]) -> Limiter:
        watched, unit = self._monitored(told.get(2))
        active, normal, emergency = (scaled(told.get(n), *unit)[0] for n in (3, 4, 5))
        over, under = _pair(told.get(11))
        groups = told.get(9)
        active_now = told.get(10)
        return Limiter(
            obis=code,
            monitored=watched,
            threshold_active=active,
            threshold_normal=normal,
            threshold_emergency=emergency,
            over_s=_whole(told.get(6)),
            under_s=_whole(told.get(7)),
            emergency=self._emergency(told.get(8)),
            emergency_groups=tuple(n for n in groups if isinstance(n, int))
            if isinstance(groups, list)
            else (),
            emergency_active=active_now if isinstance(active_now, bool) else None,
            action_over=_call(over),
            action_under=_call(under),
            writable=writable,
        )

    def _emergency(self, value: object) -> EmergencyProfile | None:
        match value:
            case (int(number), start, int(duration)):
                return EmergencyProfile(number, self._objects.moment(start), duration)
        return None

    def monitors(self, entries: Sequence[ObjectEntry]) -> tuple[RegisterMonitor, ...]:
        """Return the register monitors.

        Raises:
            NotSupported: The meter has none that it shows.
        """
        found = []
        for code in codes_of(entries, MONITOR, _USUAL_MONITORS):
            told = self._objects.told(MONITOR, to_bytes(code), range(2, 5))
            if told:
                watched, unit = self._monitored(told.get(3))
                thresholds = _thresholds(told.get(2), told.get(4), unit)
                writable = writable_of(entries, MONITOR, code)
                found.append(RegisterMonitor(code, watched, thresholds, writable))
        if not found:
            raise NotSupported("this meter shows no register monitor")
        return tuple(found)

    def _monitored(self, value: object) -> tuple[Monitored | None, tuple[int, int]]:
        """Return what is watched, with scaler and unit number of its thresholds."""
        match value:
            case (int(class_id), bytes(name), int(attribute)) if obis := named(name):
                unit = self._unit(class_id, name)
                text = scaled(0, *unit)[1]
                words = self._objects.name_of(obis)
                return Monitored(obis, class_id, attribute, words, text), unit
        return None, _BARE

    def _unit(self, class_id: int, name: bytes) -> tuple[int, int]:
        if class_id not in _SCALED:
            return _BARE
        try:
            return self._objects.unit_of(class_id, name)
        except (NotSupported, AccessDenied):
            return _BARE

    # --- alarms -----------------------------------------------------------------------------

    def alarms(self, entries: Sequence[ObjectEntry]) -> tuple[AlarmRegister, ...]:
        """Return the alarm and error registers, errors first.

        Raises:
            NotSupported: The meter has none.
        """
        listed = [one.code for one in entries if one.class_id == DATA and _alarm_place(one.code)]
        found = []
        for code in sorted(listed, key=to_bytes) or _USUAL_ALARMS:
            place = _alarm_place(code)
            if place is None:
                continue
            try:
                value = self._objects.value(DATA, to_bytes(code))
            except (NotSupported, AccessDenied) as error:
                if listed:
                    found.append(AlarmRegister(code, *place, None, text=str(error)))
                continue
            found.append(self._register(code, place, value))
        if not found:
            raise NotSupported("this meter shows no alarm or error register")
        return tuple(found)

    def _register(self, code: str, place: tuple[str, int], value: object) -> AlarmRegister:
        kind, number = place
        raw = bits_in(value)
        if raw is None:
            return AlarmRegister(code, kind, number, None, text="it holds no bits")
        register = self._errors_like if kind == "error" else number
        return AlarmRegister(code, kind, number, raw, alarm_words(self._table, register, raw))


def bits_in(value: object) -> int | None:
    """Return a register of bits as a number whose bit 0 is the lowest; None for anything else."""
    if isinstance(value, Bits):
        return sum(1 << place for place, bit in enumerate(value.text) if bit == "1")
    if isinstance(value, bytes):
        return int.from_bytes(value, "big")
    return value if isinstance(value, int) and value >= 0 else None


def codes_of(entries: Sequence[ObjectEntry], class_id: int, usual: Sequence[str]) -> Sequence[str]:
    """Return the codes of a class in the object list; the usual ones where it lists none."""
    return [one.code for one in entries if one.class_id == class_id] or usual


def writable_of(entries: Sequence[ObjectEntry], class_id: int, code: str) -> tuple[int, ...]:
    """Return the attributes of one object that the association may write."""
    for one in entries:
        if (one.class_id, one.code) == (class_id, code):
            return one.writable()
    return ()


def _alarm_place(code: str) -> tuple[str, int] | None:
    """Return which kind of register a code names and its number; None for other objects."""
    medium, _, c, d, e, _ = to_bytes(code)
    if medium or c != _SERVICE:
        return None
    if d == _ERRORS:
        return "error", e + 1
    if d == _ALARMS and e // 10 in _ALARM_KINDS:
        return _ALARM_KINDS[e // 10], e % 10 + 1
    return None


def _thresholds(values: object, actions: object, unit: tuple[int, int]) -> tuple[Threshold, ...]:
    if not isinstance(values, list):
        return ()
    acts = actions if isinstance(actions, list) else []
    found = []
    for place, value in enumerate(values):
        up, down = _pair(acts[place] if place < len(acts) else None)
        found.append(Threshold(scaled(value, *unit)[0], _call(up), _call(down)))
    return tuple(found)


def _pair(value: object) -> tuple[object, object]:
    match value:
        case (first, second):
            return first, second
    return None, None


def _call(value: object) -> ScriptCall | None:
    match value:
        case (bytes(name), int(selector)) if script := named(name):
            text = "nothing" if selector == _NOTHING else ""
            if script == _DISCONNECT_SCRIPTS:
                text = text or _SWITCHING.get(selector, "")
            return ScriptCall(script, selector, text)
    return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
