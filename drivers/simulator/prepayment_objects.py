"""The prepayment of a virtual meter as COSEM objects: classes 111, 112, 113, 115 and 116.

Amounts are in units of 0.1 kWh.  What the standard leaves to the maker is ours here and is named
in the meter's type file: the ten or twenty octets of a token, the octet that holds the result
code, the objects for base date and warning.
Source: IEC 62056-6-2, the accounting and token classes; read in public source, not in the standard.
"""

from collections.abc import Callable
from functools import partial

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.faults import Faults
from drivers.simulator.dlms.objects import (
    OTHER_REASON,
    WH,
    Access,
    Attribute,
    Content,
    CosemObject,
    Reader,
    Refused,
    data,
    logical_name,
    register,
)
from drivers.simulator.dlms.profile import CLOCK, Column, ListedRows, Profile, Row
from drivers.simulator.meterclock import MeterClock
from drivers.simulator.prepayment import EMERGENCY_WH, PROCESSING_S, WH_PER_UNIT, Prepayment
from drivers.simulator.sts_meter import Result
from drivers.sts.identifiers import KeyName, pan_of
from drivers.sts.keys import EA_MISTY

ACCOUNT, CREDIT, EMERGENCY = "0-0:19.0.0.255", "0-0:19.10.0.255", "0-0:19.10.1.255"
CHARGE, GATEWAY, STS = "0-0:19.20.0.255", "0-0:19.40.0.255", "0-0:19.60.0.255"
REMAINING, HISTORY = "1-65:1.140.1.255", "1-0:99.15.0.255"
BASE_DATE, WARNING, RESULT = "0-128:19.60.1.255", "0-128:19.60.2.255", "0-128:19.60.3.255"
IIN = "600727"
ASCII, BCD = "ascii20", "bcd10"
_LENGTHS = {ASCII: 20, BCD: 10}
_FAILED_FORMAT, _FAILED_AUTHENTICATION, _FAILED_VALIDATION, _FAILED_EXECUTION = 4, 5, 6, 7
_EXECUTED, _RECEIVED = 3, 8
STATUS = {
    Result.ACCEPT: _EXECUTED, Result.PENDING: _EXECUTED, Result.FORMAT: _FAILED_FORMAT,
    Result.CRC: _FAILED_AUTHENTICATION, Result.OLD: _FAILED_VALIDATION,
    Result.USED: _FAILED_VALIDATION, Result.EXPIRED: _FAILED_VALIDATION,
    Result.DDTK: _FAILED_VALIDATION, Result.KEY_TYPE: _FAILED_VALIDATION,
    Result.LOCKED: _FAILED_VALIDATION, Result.RANGE: _FAILED_EXECUTION,
    Result.FUNCTION: _FAILED_EXECUTION, Result.OVERFLOW: _FAILED_EXECUTION,
}  # fmt: skip
_REMOTE, _MANUAL = 0, 2
_PREPAID, _ACTIVE = 2, 2
_CONSUMPTION = 1
_ENABLED, _SELECTABLE, _IN_USE, _EXHAUSTED = 0, 1, 3, 4


def token_digits(octets: bytes, encoding: str) -> str:
    """Return the digits in a token's octets; what is no token in this encoding gives "".

    A meter counts that as a wrong entry, so it must be judged and not refused before.
    """
    if len(octets) != _LENGTHS[encoding]:
        return ""
    text = octets.decode("ascii", "replace") if encoding == ASCII else octets.hex()
    return text if text.isascii() and text.isdigit() else ""


class PrepaymentObjects:
    """Builds the objects around one account.

    Args:
        account: The account they show.
        clock: The meter's clock, for times.
        faults: What it does wrong.
        encoding: How a token stands in the gateway's method: ``ascii20`` or ``bcd10``.
    """

    def __init__(
        self, account: Prepayment, clock: MeterClock, faults: Faults, encoding: str = ASCII
    ) -> None:
        self._account = account
        self._clock = clock
        self._faults = faults
        self._encoding = encoding

    def all(self) -> tuple[CosemObject, ...]:
        """Return all of them."""
        return (
            self._account_object(),
            self._credit(CREDIT, 0, self._token_credit),
            self._credit(EMERGENCY, 2, self._emergency_credit),
            self._charge(),
            self._gateway(),
            self._sts(),
            register(REMAINING, 2, WH, self._live(lambda: axdr.integer(axdr.I32, self._balance()))),
            self._history(),
            data(BASE_DATE, self._live(lambda: axdr.integer(axdr.U16, self._name.base))),
            data(WARNING, self._live(lambda: axdr.integer(axdr.U8, self._account.warning))),
            data(RESULT, self._live(lambda: axdr.integer(axdr.U8, self._last_code()))),
        )

    def switch(self, control: CosemObject) -> CosemObject:
        """Return the disconnect control with the account behind it: without credit no supply."""

        def read(inner: bytes | Callable[[float], Content], now: float) -> Content:
            self._account.settle(now)
            return inner if isinstance(inner, bytes) else inner(now)

        def acted(
            act: Callable[[float], bool],
        ) -> Callable[[float, Value | None], bytes]:
            def method(now: float, parameter: Value | None) -> bytes:
                if parameter is None or parameter.number(axdr.I8):
                    raise BadData("the parameter must be the integer 0")
                if not act(now):
                    raise Refused(OTHER_REASON)
                return b""

            return method

        attributes = {
            index: Attribute(partial(read, attribute.read))
            for index, attribute in control.attributes.items()
        }
        methods = {1: acted(self._account.disconnect), 2: acted(self._account.reconnect)}
        return CosemObject(control.class_id, control.code, attributes, methods)

    # -- values ------------------------------------------------------------------------------

    @property
    def _name(self) -> KeyName:
        return self._account.sts.name

    def _balance(self) -> int:
        return self._account.sts.balance

    def _last_code(self) -> int:
        history = self._account.history
        return history[-1].code if history else 0

    def _live(self, value: Callable[[], bytes]) -> Callable[[float], bytes]:
        """Return a reader that brings the account up to date first."""

        def read(now: float) -> bytes:
            self._account.settle(now)
            return value()

        return read

    def _time(self, at: float | None) -> bytes:
        if at is None:
            return axdr.octets(bytes.fromhex("FFFFFFFFFFFFFFFFFF8000FF"))
        return axdr.octets(self._clock.zone.octets(self._clock.shown(at)))

    # -- classes 111, 112, 113 ---------------------------------------------------------------

    def _account_object(self) -> CosemObject:
        whole = partial(axdr.integer, axdr.I32)
        credits_ = axdr.array(axdr.octets(logical_name(code)) for code in (CREDIT, EMERGENCY))
        charges = axdr.array([axdr.octets(logical_name(CHARGE))])
        config = axdr.array(
            [
                axdr.structure(
                    axdr.octets(logical_name(CREDIT)),
                    axdr.octets(logical_name(CHARGE)),
                    axdr.bits(3, 0b110),
                )
            ]
        )
        gateway = axdr.array(
            [axdr.structure(axdr.octets(logical_name(CREDIT)), axdr.integer(axdr.U8, 100))]
        )
        currency = axdr.structure(
            bytes([axdr.UTF8, 3]) + b"kWh",
            axdr.integer(axdr.I8, -1),
            axdr.integer(axdr.ENUM, _CONSUMPTION),
        )
        status = axdr.structure(axdr.integer(axdr.ENUM, _PREPAID), axdr.integer(axdr.ENUM, _ACTIVE))
        attributes: dict[int, bytes | Reader] = {
            2: status,
            3: self._live(lambda: axdr.integer(axdr.U8, int(self._on_emergency()))),
            4: self._live(lambda: axdr.bits(8, self._credit_bits())),
            5: self._live(lambda: whole(self._balance())),
            6: self._live(lambda: whole(self._owed())),
            7: whole(0),
            8: self._live(lambda: whole(self._owed())),
            9: credits_,
            10: charges,
            11: config,
            12: gateway,
            13: self._time(None),
            14: self._time(None),
            15: currency,
            16: self._live(lambda: whole(self._account.purchased // 10)),
            17: whole(0),
            18: axdr.integer(axdr.U16, 0),
            19: whole(0),
        }
        return CosemObject(111, ACCOUNT, {n: Attribute(read) for n, read in attributes.items()})

    def _owed(self) -> int:
        """Return the emergency credit to be paid back."""
        return -(-self._account.emergency_used_wh // WH_PER_UNIT)

    def _on_emergency(self) -> bool:
        return self._account.emergency and self._balance() <= 0

    def _credit_bits(self) -> int:
        """In credit, low credit, next enabled, selectable, selected, in use, out of credit."""
        account = self._account
        low = account.warning <= 10  # noqa: PLR2004 (per cent)
        bits = [
            account.in_credit,
            low,
            True,
            low and not account.emergency,
            account.emergency,
            self._on_emergency(),
            not account.in_credit,
            False,
        ]
        return int("".join(str(int(bit)) for bit in bits), 2)

    def _credit(self, code: str, kind: int, state: Callable[[], tuple[int, int]]) -> CosemObject:
        whole = partial(axdr.integer, axdr.I32)
        lent = EMERGENCY_WH // WH_PER_UNIT if kind else 0
        attributes: dict[int, bytes | Reader] = {
            2: self._live(lambda: whole(state()[0])),
            3: axdr.integer(axdr.ENUM, kind),
            4: axdr.integer(axdr.U8, 2 if kind else 1),
            5: self._live(lambda: whole(self._account.purchased // 10 if not kind else 0)),
            6: whole(0),
            7: axdr.bits(5, 0b11100 if kind else 0b00001),
            8: self._live(lambda: axdr.integer(axdr.ENUM, state()[1])),
            9: whole(lent),
            10: whole(0),
            11: self._time(None),
        }
        methods = {3: self._invoke} if kind else {}
        return CosemObject(112, code, {n: Attribute(r) for n, r in attributes.items()}, methods)

    def _token_credit(self) -> tuple[int, int]:
        return self._balance(), _IN_USE if self._balance() > 0 else _EXHAUSTED

    def _emergency_credit(self) -> tuple[int, int]:
        account = self._account
        left = (EMERGENCY_WH - account.emergency_used_wh) // WH_PER_UNIT
        if account.emergency:
            return left, _IN_USE if left else _EXHAUSTED
        return left, _SELECTABLE if account.warning <= 10 else _ENABLED  # noqa: PLR2004

    def _invoke(self, now: float, parameter: Value | None) -> bytes:
        del parameter
        if not self._account.take_emergency(now):
            raise Refused(OTHER_REASON)
        return b""

    def _charge(self) -> CosemObject:
        unit = axdr.structure(
            axdr.structure(axdr.integer(axdr.I8, 2), axdr.integer(axdr.I8, 0)),
            axdr.structure(
                axdr.integer(axdr.U16, 3),
                axdr.octets(logical_name("1-0:1.8.0.255")),
                axdr.integer(axdr.I8, 2),
            ),
            axdr.array([axdr.structure(axdr.octets(b""), axdr.integer(axdr.I16, 1))]),
        )
        attributes: dict[int, bytes | Reader] = {
            2: axdr.integer(axdr.I32, 0),
            3: axdr.integer(axdr.ENUM, 0),
            4: axdr.integer(axdr.U8, 1),
            5: unit,
            6: unit,
            7: self._time(None),
            8: axdr.integer(axdr.U32, 0),
            9: axdr.bits(2, 0),
            10: self._time(None),
            11: axdr.integer(axdr.I32, 0),
            12: axdr.integer(axdr.I32, 0),
            13: axdr.integer(axdr.U16, 0),
        }
        return CosemObject(113, CHARGE, {n: Attribute(read) for n, read in attributes.items()})

    # -- classes 115 and 116 -----------------------------------------------------------------

    def _gateway(self) -> CosemObject:
        def last(now: float) -> bytes:
            history = self._account.history
            at = history[-1].at if history else None
            del now
            return self._time(at)

        def status(now: float) -> bytes:
            history = self._account.history
            if not history:
                return _token_status(_EXECUTED, 0)
            entered = history[-1]
            if entered.remote and now < entered.at + PROCESSING_S:
                return _token_status(_RECEIVED, 0)
            return _token_status(STATUS[entered.result], entered.code)

        def way(now: float) -> bytes:
            del now
            history = self._account.history
            remote = bool(history) and history[-1].remote
            return axdr.integer(axdr.ENUM, _REMOTE if remote else _MANUAL)

        attributes: dict[int, bytes | Reader] = {
            2: axdr.octets(b""),  # a used token is nobody's business; some meters give it
            3: last,
            4: axdr.array([]),
            5: way,
            6: status,
        }
        return CosemObject(
            115, GATEWAY, {n: Attribute(read) for n, read in attributes.items()}, {1: self._enter}
        )

    def _enter(self, now: float, parameter: Value | None) -> bytes:
        if parameter is None:
            raise BadData("there is no token")
        digits = token_digits(parameter.octets(), self._encoding)
        self._account.enter(now, digits, remote=True)
        return b""

    def _sts(self) -> CosemObject:
        attributes: dict[int, bytes | Reader] = {
            2: axdr.text(pan_of(IIN, self._account.drn)),
            3: axdr.text("electricity"),
            4: axdr.array([axdr.octets(b"\x02"), axdr.octets(b"\x07")]),
            5: self._live(lambda: axdr.integer(axdr.U8, self._name.ea)),
            6: self._live(lambda: axdr.integer(axdr.U32, int(self._name.sgc))),
            7: self._live(lambda: axdr.integer(axdr.U16, int(self._name.ti))),
            8: self._live(lambda: axdr.integer(axdr.U8, self._name.krn)),
            9: self._live(lambda: axdr.integer(axdr.U8, self._name.key_type)),
            10: self._live(lambda: axdr.integer(axdr.U8, self._account.sts.ken)),
            11: self._live(lambda: axdr.integer(axdr.U8, 4 if self._name.ea == EA_MISTY else 3)),
            12: axdr.text(""),
        }
        return CosemObject(
            116, STS, {n: Attribute(read, level=Access.READ) for n, read in attributes.items()}
        )

    def _history(self) -> CosemObject:
        """Return the last tokens: when, and what came of each; the digits stay in the meter."""

        def held(now: float) -> ListedRows:
            del now
            rows = []
            for entered in self._account.history:
                moment = self._clock.shown(entered.at)
                cells = self._time(entered.at), axdr.integer(axdr.U8, entered.code)
                rows.append(Row(moment, cells))
            return ListedRows(rows)

        profile = Profile(
            HISTORY,
            (Column(8, CLOCK), Column(1, RESULT)),
            period_s=0,
            capacity=10,
            held=held,
            zone=self._clock.zone,
            faults=self._faults,
        )
        return profile.cosem()


def _token_status(status: int, code: int) -> bytes:
    return axdr.structure(axdr.integer(axdr.ENUM, status), axdr.bits(8, code))
