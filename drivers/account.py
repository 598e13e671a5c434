"""Account, credits, charges, token gateway and STS attributes of a prepayment meter, complete.

`drivers.prepayment` tells the little that a token needs; this is all that the meter shows.  Amounts
are in the account's currency, or in the meter's smallest unit where it names none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from drivers.objectmodel import ObjectEntry


@dataclass(frozen=True, slots=True)
class Account:
    """One account (class 111); None and "" for what it does not tell."""

    obis: str
    mode: str = ""  # credit, prepayment
    status: str = ""  # new, active, closed
    credit_in_use: int | None = None  # place in ``credits``, from 0
    credit_status: tuple[str, ...] = ()
    available_credit: Decimal | None = None
    amount_to_clear: Decimal | None = None
    clearance_threshold: Decimal | None = None
    aggregated_debt: Decimal | None = None
    credits: tuple[str, ...] = ()
    charges: tuple[str, ...] = ()
    collections: tuple["Collection", ...] = ()
    gateways: tuple["GatewayShare", ...] = ()
    activated: datetime | None = None
    closed: datetime | None = None
    currency: str = ""
    currency_unit: str = ""  # time, consumption, monetary
    low_credit_threshold: Decimal | None = None
    next_credit_threshold: Decimal | None = None
    max_provision: int | None = None
    max_provision_period_s: int | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Which charge is collected from which credit, and when."""

    credit: str
    charge: str
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayShare:
    """Which credit the tokens of the gateway go to, and how much of each, in per cent."""

    credit: str
    percent: int


@dataclass(frozen=True, slots=True)
class Credit:
    """One credit (class 112)."""

    obis: str
    amount: Decimal | None = None
    kind: str = ""
    priority: int | None = None
    warning_threshold: Decimal | None = None
    limit: Decimal | None = None
    configuration: tuple[str, ...] = ()
    status: str = ""
    preset_amount: Decimal | None = None
    available_threshold: Decimal | None = None
    period: datetime | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one unit under one tariff; ``tariff`` "" is the only one."""

    tariff: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class UnitCharge:
    """What a unit costs: the commodity, and its prices."""

    commodity: str = ""
    commodity_scale: int = 0
    price_scale: int = 0
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge (class 113)."""

    obis: str
    total_paid: Decimal | None = None
    kind: str = ""
    priority: int | None = None
    unit_charge: UnitCharge | None = None
    unit_charge_passive: UnitCharge | None = None
    passive_from: datetime | None = None
    period_s: int | None = None
    configuration: tuple[str, ...] = ()
    last_collection: datetime | None = None
    last_amount: Decimal | None = None
    remaining: Decimal | None = None
    proportion: int | None = None


@dataclass(frozen=True, slots=True)
class TokenGateway:
    """The token gateway (class 115); the token itself is a secret and is not read."""

    obis: str
    last_token: datetime | None = None
    description: tuple[str, ...] = ()
    delivery: str = ""
    status: str = ""
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class StsAttributes:
    """The STS attributes (class 116)."""

    obis: str
    meter_pan: str = ""
    commodity: str = ""
    token_carriers: tuple[int, ...] = ()
    encryption_algorithm: int | None = None
    supply_group_code: str = ""
    tariff_index: str = ""
    key_revision_number: int | None = None
    key_type: int | None = None
    key_expiry_number: int | None = None
    key_change_tokens: int | None = None
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class AccountReading:
    """All that a meter shows of its prepayment."""

    accounts: tuple[Account, ...] = ()
    credits: tuple[Credit, ...] = ()
    charges: tuple[Charge, ...] = ()
    gateways: tuple[TokenGateway, ...] = ()
    sts: tuple[StsAttributes, ...] = ()


@runtime_checkable
class KeepsAccount(Protocol):
    """A meter that keeps an account."""

    def account(self, entries: Sequence[ObjectEntry] = ()) -> AccountReading:
        """Return all of it; ``entries`` is the object list, without one usual codes are tried.

        Raises:
            NotSupported: It keeps no account that it shows.
        """
