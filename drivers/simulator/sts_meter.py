"""The prepayment side of a virtual meter: what happens to a token that is entered.

Pure: time (seconds, any origin) is an argument, nothing is read or sent.  The order of the checks
is the standard's: format, class, decryption, check, subclass, key type, key expiry, token used,
token old, range, execution, and only then the token's time is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.sts import keychange
from drivers.sts.amounts import decode
from drivers.sts.identifiers import KeyName, KeyType
from drivers.sts.token import (
    CREDIT,
    MANAGEMENT,
    TEST,
    ClassError,
    Clear,
    CrcError,
    DecoderKey,
    FormatError,
    open_token,
)

STORE_SIZE = 50
SET_TIME = 600.0  # s in which a key-change set must be completed
WRONG_ENTRIES = 3
FIRST_LOCK, LONGEST_LOCK = 10.0, 1280.0
LARGEST_CREDIT = 99_999_999  # units of 0.1 kWh that the register holds
ELECTRICITY = 0
POWER_LIMIT, CLEAR_CREDIT, TARIFF, CLEAR_TAMPER, UNBALANCE, WATER, EXTENDED = 0, 1, 2, 5, 6, 7, 10
MANAGED = {POWER_LIMIT, CLEAR_CREDIT, TARIFF, CLEAR_TAMPER, UNBALANCE, WATER, EXTENDED}
ALL_REGISTERS = 0xFFFF


class Result(StrEnum):
    """What the meter answers to a token."""

    ACCEPT = "accept"
    PENDING = "kct_pending"  # a key token was taken, the set is not complete
    OVERFLOW = "overflow"
    KEY_TYPE = "key_type_error"
    FORMAT = "format_error"
    RANGE = "range_error"
    FUNCTION = "function_error"
    OLD = "old"
    USED = "used"
    EXPIRED = "key_expired"
    DDTK = "ddtk_error"
    CRC = "crc_error"
    LOCKED = "lock_out"


COUNTED = {Result.CRC, Result.OLD, Result.USED, Result.FORMAT}  # wrong entries, for the lock-out


@dataclass
class StsMeter:
    """The state that tokens read and change.

    ``balance`` is in units of 0.1 kWh, ``power_limit_w`` in watts (0: none set).
    """

    key: DecoderKey
    name: KeyName
    ken: int = 255
    balance: int = 0
    power_limit_w: int = 0
    tariff: int = 0
    tamper: bool = False
    manufactured: int = 0  # token time that fills the store at first
    store_size: int = STORE_SIZE
    store: list[int] = field(default_factory=list)
    history: list[tuple[str, Result]] = field(default_factory=list)
    _set: dict[int, Clear] = field(default_factory=dict)
    _set_begun: float = 0.0
    _wrong: int = 0
    _lock: float = 0.0
    _locked_until: float = float("-inf")

    def __post_init__(self) -> None:
        if not self.store:
            self.store = [self.manufactured] * self.store_size

    def enter(self, token: str, now: float = 0.0) -> Result:
        """Take a token of 20 digits at ``now`` and return the meter's answer."""
        result, clear = self._judged(token, now)
        self._count(result, clear, now)
        self.history.append((token, result))
        return result

    def _judged(self, token: str, now: float) -> tuple[Result, Clear | None]:
        locked = now < self._locked_until
        try:
            clear = open_token(token, self.key)
        except FormatError:
            return (Result.LOCKED if locked else Result.FORMAT), None
        except (CrcError, ClassError):
            return (Result.LOCKED if locked else Result.CRC), None
        if clear.token_class == TEST:
            return Result.ACCEPT, clear  # shown or tried; nothing is kept
        if locked:
            return Result.LOCKED, clear
        if clear.token_class == MANAGEMENT and clear.subclass in keychange.SUBCLASSES:
            return self._key_token(clear, now), clear
        return self._carried_out(clear), clear

    def _carried_out(self, clear: Clear) -> Result:
        """Carry out a credit or management token, and store its time when it was accepted."""
        refusal = self._refusal(clear) or self._too_late(clear) or self._execute(clear)
        if refusal is not None:
            return refusal
        self.store.remove(min(self.store))
        self.store.append(clear.tid)
        return Result.ACCEPT

    def _refusal(self, clear: Clear) -> Result | None:
        """Return why this kind of token is not taken now; None when it is."""
        if clear.token_class == MANAGEMENT:
            return None if clear.subclass in MANAGED else Result.FUNCTION
        if clear.subclass != ELECTRICITY:
            return Result.FUNCTION
        return Result.DDTK if self.name.key_type == KeyType.DDTK else None

    def _too_late(self, clear: Clear) -> Result | None:
        """Return what is wrong with the time of a token; None when nothing is."""
        if clear.tid >> 16 > self.ken:
            return Result.EXPIRED
        if clear.tid in self.store:
            return Result.USED
        return Result.OLD if clear.tid < min(self.store) else None

    def _execute(self, clear: Clear) -> Result | None:
        if clear.token_class == CREDIT:
            if self.balance + decode(clear.value16) > LARGEST_CREDIT:
                return Result.OVERFLOW
            self.balance += decode(clear.value16)
        elif clear.subclass == POWER_LIMIT:
            self.power_limit_w = decode(clear.value16)
        elif clear.subclass == CLEAR_CREDIT:
            if clear.value16 not in {ELECTRICITY, ALL_REGISTERS}:
                return Result.RANGE
            self.balance = 0
        elif clear.subclass == CLEAR_TAMPER:
            self.tamper = False
        elif clear.subclass == TARIFF:
            self.tariff = clear.value16
        return None

    def _key_token(self, clear: Clear, now: float) -> Result:
        """Collect a key token; with the last one everything changes together."""
        if not self._set or now - self._set_begun > SET_TIME:
            self._set, self._set_begun = {}, now
        self._set[clear.subclass] = clear
        try:
            new = keychange.complete(self._set.values(), self.name.ea)
        except keychange.IncompleteSet:
            return Result.PENDING
        self._set = {}
        if not self._may_become(new.key_type):
            return Result.KEY_TYPE
        self.key = DecoderKey(new.key, self.key.ea, self.key.tables)
        sgc = new.sgc if new.sgc is not None else "000000"
        base = self.name.base
        if new.rollover:
            self.store = [0] * self.store_size
            base += 21
        self.name = KeyName(sgc, new.ti, new.krn, new.key_type, base, self.name.ea)
        self.ken = new.ken
        return Result.ACCEPT

    def _may_become(self, key_type: int) -> bool:
        if key_type == KeyType.DITK:
            return False
        if key_type == KeyType.DCTK:
            return False  # magnetic cards only, and this meter has a keypad
        return not (
            self.name.key_type == KeyType.DUTK and key_type not in {KeyType.DUTK, KeyType.DDTK}
        )

    def _count(self, result: Result, clear: Clear | None, now: float) -> None:
        """Keep the lock-out: three wrong entries, then 10 s that double up to 1280 s."""
        if result in COUNTED:
            self._wrong += 1
            if self._wrong >= WRONG_ENTRIES:
                self._lock = min(self._lock * 2 or FIRST_LOCK, LONGEST_LOCK)
                self._locked_until = now + self._lock
        elif result in {Result.ACCEPT, Result.PENDING} and clear and clear.token_class != TEST:
            self._wrong, self._lock = 0, 0.0

    def attributes(self) -> dict[str, Sequence[int] | int | str]:
        """Return what class 116 and a customer's unit show of the prepayment state."""
        return {
            "sgc": self.name.sgc,
            "ti": self.name.ti,
            "krn": self.name.krn,
            "kt": self.name.key_type,
            "ken": self.ken,
            "ea": self.name.ea,
            "base_date": self.name.base,
            "balance_units": self.balance,
            "max_power_W": self.power_limit_w,
            "key_tokens": sorted(self._set),
        }
