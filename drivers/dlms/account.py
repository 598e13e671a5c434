"""Account (class 111), credit (112), charge (113), token gateway (115), STS attributes (116).

Source: IEC 62056-6-2, the accounting and token classes; read in public source, not in the standard.
"""

from collections.abc import Sequence
from decimal import Decimal

from drivers.account import (
    Account,
    AccountReading,
    Charge,
    Collection,
    Credit,
    GatewayShare,
    Price,
    StsAttributes,
    TokenGateway,
    UnitCharge,
)
from drivers.dlms.data import Bits, as_text
from drivers.dlms.objects import ObjectReader, identifier, named
from drivers.dlms.prepayment import GATEWAY, STS
from drivers.dlms.supervision import codes_of
from drivers.dlms.units import scaled
from drivers.errors import NotSupported
from drivers.metertype import PrepaymentType
from drivers.obis import to_bytes
from drivers.objectmodel import ObjectEntry

ACCOUNT, CREDIT, CHARGE = 111, 112, 113
_USUAL_ACCOUNTS = ("0-0:19.0.0.255",)
_USUAL_CREDITS = ("0-0:19.10.0.255", "0-0:19.10.1.255", "0-0:19.10.2.255")
_USUAL_CHARGES = ("0-0:19.20.0.255", "0-0:19.20.1.255", "0-0:19.20.2.255")
_NO_UNIT = 255
_MODES = {1: "credit", 2: "prepayment"}
_STATES = {1: "new", 2: "active", 3: "closed"}
_CURRENCY_UNITS = {0: "time", 1: "consumption", 2: "monetary"}
_IN_CREDIT = (
    "in credit", "low credit", "next credit enabled", "next credit selectable",
    "next credit selected", "selected credit in use", "out of credit", "",
)  # fmt: skip
_COLLECTED = ("while disconnected", "while load is limited", "in friendly credit time")
_CREDIT_KINDS = {
    0: "token credit", 1: "reserved credit", 2: "emergency credit", 3: "time based credit",
    4: "consumption based credit",
}  # fmt: skip
_CREDIT_BITS = (
    "shown to the customer", "confirmed by the customer", "paid back", "resettable",
    "takes tokens",
)  # fmt: skip
_CREDIT_STATES = {0: "enabled", 1: "selectable", 2: "selected", 3: "in use", 4: "exhausted"}
_CHARGE_KINDS = {0: "by consumption", 1: "by time", 2: "by payment"}
_CHARGE_BITS = ("percentage of each payment", "collected continuously")
_DELIVERY = {0: "remote", 1: "local", 2: "manual"}
_TOKEN_STATES = {
    0: "format good", 1: "authentication good", 2: "validation good", 3: "executed",
    4: "wrong format", 5: "authentication failed", 6: "validation failed", 7: "execution failed",
    8: "received, not yet processed",
}  # fmt: skip


class Accounts:
    """Reads the account of one meter with everything around it."""

    def __init__(self, objects: ObjectReader, kind: PrepaymentType) -> None:
        self._objects = objects
        self._kind = kind

    def reading(self, entries: Sequence[ObjectEntry]) -> AccountReading:
        """Return everything; what the meter lacks or denies is left out.

        Raises:
            NotSupported: It shows nothing of an account.
        """
        accounts, scale = [], 0
        for code, told in self._told(ACCOUNT, range(2, 20), _USUAL_ACCOUNTS, entries):
            account, scale = self._account(code, told)
            accounts.append(account)
        credits_ = self._told(CREDIT, range(2, 12), _USUAL_CREDITS, entries)
        charges = self._told(CHARGE, range(2, 14), _USUAL_CHARGES, entries)
        gateways = self._told(GATEWAY, range(3, 7), (self._kind.gateway,), entries)
        attributes = self._told(STS, range(2, 13), (self._kind.attributes,), entries)
        found = AccountReading(
            tuple(accounts),
            tuple(self._credit(code, told, scale) for code, told in credits_),
            tuple(self._charge(code, told, scale) for code, told in charges),
            tuple(self._gateway(code, told) for code, told in gateways),
            tuple(_sts(code, told) for code, told in attributes),
        )
        if found == AccountReading():
            raise NotSupported("this meter shows no account")
        return found

    def _told(
        self,
        class_id: int,
        attributes: range,
        usual: Sequence[str],
        entries: Sequence[ObjectEntry],
    ) -> list[tuple[str, dict[int, object]]]:
        codes = codes_of(entries, class_id, usual)
        told = ((code, self._objects.told(class_id, to_bytes(code), attributes)) for code in codes)
        return [(code, values) for code, values in told if values]

    def _account(self, code: str, told: dict[int, object]) -> tuple[Account, int]:
        """Return the account, and the power of ten of its amounts."""
        mode, status = _two(told.get(2))
        name, scale, unit = _currency(told.get(15))
        amounts = {n: _amount(told.get(n), scale) for n in (5, 6, 7, 8, 16, 17)}
        account = Account(
            obis=code,
            mode=_word(_MODES, mode),
            status=_word(_STATES, status),
            credit_in_use=_whole(told.get(3)),
            credit_status=_words(told.get(4), _IN_CREDIT),
            available_credit=amounts[5],
            amount_to_clear=amounts[6],
            clearance_threshold=amounts[7],
            aggregated_debt=amounts[8],
            credits=_names(told.get(9)),
            charges=_names(told.get(10)),
            collections=_collections(told.get(11)),
            gateways=_shares(told.get(12)),
            activated=self._objects.moment(told.get(13)),
            closed=self._objects.moment(told.get(14)),
            currency=name,
            currency_unit=unit,
            low_credit_threshold=amounts[16],
            next_credit_threshold=amounts[17],
            max_provision=_whole(told.get(18)),
            max_provision_period_s=_whole(told.get(19)),
        )
        return account, scale

    def _credit(self, code: str, told: dict[int, object], scale: int) -> Credit:
        return Credit(
            obis=code,
            amount=_amount(told.get(2), scale),
            kind=_word(_CREDIT_KINDS, told.get(3)),
            priority=_whole(told.get(4)),
            warning_threshold=_amount(told.get(5), scale),
            limit=_amount(told.get(6), scale),
            configuration=_words(told.get(7), _CREDIT_BITS),
            status=_word(_CREDIT_STATES, told.get(8)),
            preset_amount=_amount(told.get(9), scale),
            available_threshold=_amount(told.get(10), scale),
            period=self._objects.moment(told.get(11)),
        )

    def _charge(self, code: str, told: dict[int, object], scale: int) -> Charge:
        return Charge(
            obis=code,
            total_paid=_amount(told.get(2), scale),
            kind=_word(_CHARGE_KINDS, told.get(3)),
            priority=_whole(told.get(4)),
            unit_charge=_unit_charge(told.get(5)),
            unit_charge_passive=_unit_charge(told.get(6)),
            passive_from=self._objects.moment(told.get(7)),
            period_s=_whole(told.get(8)),
            configuration=_words(told.get(9), _CHARGE_BITS),
            last_collection=self._objects.moment(told.get(10)),
            last_amount=_amount(told.get(11), scale),
            remaining=_amount(told.get(12), scale),
            proportion=_whole(told.get(13)),
        )

    def _gateway(self, code: str, told: dict[int, object]) -> TokenGateway:
        status, _ = _two(told.get(6))
        parts = told.get(4)
        return TokenGateway(
            obis=code,
            last_token=self._objects.moment(told.get(3)),
            description=tuple(map(as_text, parts)) if isinstance(parts, list) else (),
            delivery=_word(_DELIVERY, told.get(5)),
            status=_word(_TOKEN_STATES, status),
            status_code=_whole(status),
        )


def _sts(code: str, told: dict[int, object]) -> StsAttributes:
    carriers = told.get(4)
    return StsAttributes(
        obis=code,
        meter_pan=_text(told.get(2)),
        commodity=_text(told.get(3)),
        token_carriers=tuple(
            number for one in (carriers if isinstance(carriers, list) else ())
            if (number := _octet(one)) is not None
        ),
        encryption_algorithm=_octet(told.get(5)),
        supply_group_code=_digits(told.get(6), 6),
        tariff_index=_digits(told.get(7), 2),
        key_revision_number=_octet(told.get(8)),
        key_type=_octet(told.get(9)),
        key_expiry_number=_octet(told.get(10)),
        key_change_tokens=_octet(told.get(11)),
        certificate=_text(told.get(12)),
    )  # fmt: skip


# --- single values --------------------------------------------------------------------------


def _currency(value: object) -> tuple[str, int, str]:
    """Return name, power of ten and unit of the currency."""
    match value:
        case (name, int(scale), unit):
            return _text(name), scale, _word(_CURRENCY_UNITS, unit)
    return "", 0, ""


def _collections(value: object) -> tuple[Collection, ...]:
    found = []
    for item in value if isinstance(value, list) else ():
        match item:
            case (bytes(credit), bytes(charge), when):
                found.append(Collection(named(credit), named(charge), _words(when, _COLLECTED)))
    return tuple(found)


def _shares(value: object) -> tuple[GatewayShare, ...]:
    found = []
    for item in value if isinstance(value, list) else ():
        match item:
            case (bytes(credit), int(percent)):
                found.append(GatewayShare(named(credit), percent))
    return tuple(found)


def _unit_charge(value: object) -> UnitCharge | None:
    match value:
        case ((int(commodity_scale), int(price_scale)), (_, bytes(name), _), list(table)):
            prices = []
            for row in table:
                match row:
                    case (index, int(price)):
                        number = _amount(price, price_scale)
                        prices.append(Price(_text(index), number or Decimal(0)))
            return UnitCharge(named(name), commodity_scale, price_scale, tuple(prices))
    return None


def _two(value: object) -> tuple[object, object]:
    match value:
        case (first, second):
            return first, second
    return None, None


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(named, value)) if isinstance(value, list) else ()


def _amount(value: object, scale: int) -> Decimal | None:
    return scaled(value, scale, _NO_UNIT)[0]


def _word(words: dict[int, str], value: object) -> str:
    """Return a number in words; a number without words stays one."""
    number = _whole(value)
    return "" if number is None else words.get(number, str(number))


def _words(value: object, names: Sequence[str]) -> tuple[str, ...]:
    """Return the bits that are set, the first bit first; unknown ones as "bit n"."""
    if not isinstance(value, Bits):
        return ()
    known = dict(enumerate(names))
    return tuple(
        known.get(place) or f"bit {place}" for place, bit in enumerate(value.text) if bit == "1"
    )


def _text(value: object) -> str:
    return "" if value is None else identifier(value)


def _octet(value: object) -> int | None:
    if isinstance(value, bytes) and len(value) == 1:
        return value[0]
    return _whole(value)


def _digits(value: object, width: int) -> str:
    """Return a number or a text of digits with its leading zeros."""
    text = _text(value)
    return text.zfill(width) if text.isdecimal() else text


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
