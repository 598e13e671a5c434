"""The prepayment of a virtual meter: credit runs down, the switch opens, a token closes it again.

`StsMeter` judges tokens; here is what surrounds it: what the customer used is taken off the credit,
low credit is warned of, emergency credit is lent and paid back, an opened cover opens the switch,
and digits come in by the keypad or by the token gateway.  Nothing runs by itself: whoever asks or
enters something brings the account up to that moment first (`settle`).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from drivers.simulator.model import Disconnector
from drivers.simulator.sts_meter import Result, StsMeter
from drivers.sts import words
from drivers.sts.keychange import FIRST, FOURTH, SECOND, THIRD
from drivers.sts.token import CREDIT, MANAGEMENT, TEST, Clear, TokenError, masked, open_token

WH_PER_UNIT = 100  # a unit of credit is 0.1 kWh
WARNINGS = (5, 10)  # per cent of the credit after the last purchase
EMERGENCY_WH = 5000
SWITCH_TEST_S = 20.0  # how long a test of the load switch keeps it open
PROCESSING_S = 1.2  # between taking a token and knowing what came of it
HISTORY = 10
_DIGITS = 20
_SET = {FIRST: 2, SECOND: 3, THIRD: 17, FOURTH: 18}
CODES = {  # the numbers of results as one maker's manual has them; 17 and 18 are our own
    Result.ACCEPT: 1, Result.PENDING: 2, Result.OVERFLOW: 4, Result.KEY_TYPE: 5, Result.FORMAT: 6,
    Result.RANGE: 7, Result.FUNCTION: 8, Result.OLD: 9, Result.USED: 10, Result.EXPIRED: 11,
    Result.DDTK: 12, Result.CRC: 13, Result.LOCKED: 15,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entered:
    """One token that came in: when, how it is shown, and what came of it."""

    at: float
    shown: str  # masked
    token_class: int | None
    result: Result
    code: int
    remote: bool


class Prepayment:
    """The account of one virtual meter.

    Args:
        sts: Its token rules and credit.
        drn: Its meter number.
        switch: The supply switch.
        used_wh: Watt-hours that the customer's load would have used until a virtual time.
    """

    def __init__(
        self, sts: StsMeter, drn: str, switch: Disconnector, used_wh: Callable[[float], int]
    ) -> None:
        self.sts = sts
        self.drn = drn
        self.switch = switch
        self.history: deque[Entered] = deque(maxlen=HISTORY)
        self.purchased = sts.balance  # units of credit after the last purchase
        self.emergency = False  # whether it was taken
        self.emergency_used_wh = 0
        self.switched_off = False  # from afar: credit does not close the switch again
        self.limited = False  # by the limiter: no supply until it, or somebody from afar, allows it
        self.display = ""
        self._used_wh = used_wh
        self._counted: int | None = None
        self._rest_wh = 0
        self._test_until = float("-inf")

    # -- credit ------------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Bring credit and switch up to ``now``."""
        total = self._used_wh(now)
        used, self._counted = total - (total if self._counted is None else self._counted), total
        if self.switch.output and used > 0:
            self._take(used)
        self._switch(now)

    def _take(self, used_wh: int) -> None:
        units, self._rest_wh = divmod(self._rest_wh + used_wh, WH_PER_UNIT)
        from_credit = min(units, self.sts.balance)
        self.sts.balance -= from_credit
        missing = (units - from_credit) * WH_PER_UNIT
        if missing and self.emergency:
            self.emergency_used_wh = min(EMERGENCY_WH, self.emergency_used_wh + missing)

    def _switch(self, now: float) -> None:
        supplied = self.in_credit and not self.sts.tamper and now >= self._test_until
        kept_off = self.switched_off or self.limited
        self.switch.act_by_itself(now, connect=supplied and not kept_off)

    @property
    def in_credit(self) -> bool:
        """Whether the customer may be supplied."""
        return self.sts.balance > 0 or (self.emergency and self.emergency_used_wh < EMERGENCY_WH)

    @property
    def warning(self) -> int:
        """The per cent that the credit has fallen to: 10, 5 or 0; 100 while there is no warning."""
        if self.sts.balance <= 0:
            return 0
        low = [w for w in WARNINGS if self.sts.balance * 100 <= self.purchased * w]
        return min(low, default=100)

    @property
    def kwh(self) -> Decimal:
        """The credit left."""
        return Decimal(self.sts.balance) / 10

    def take_emergency(self, now: float) -> bool:
        """Lend the customer the emergency credit; only where credit is low and none is owed."""
        self.settle(now)
        if self.emergency or self.emergency_used_wh or self.warning > max(WARNINGS):
            return False
        self.emergency = True
        self._switch(now)
        return True

    def _repay(self) -> None:
        """Pay the emergency credit back from what was just bought."""
        owed = -(-self.emergency_used_wh // WH_PER_UNIT)
        paid = min(owed, self.sts.balance)
        self.sts.balance -= paid
        self.emergency_used_wh = max(0, self.emergency_used_wh - paid * WH_PER_UNIT)
        self.emergency = self.emergency_used_wh > 0
        self.purchased = self.sts.balance

    # -- switch and covers -------------------------------------------------------------------

    def limit(self, now: float, *, connect: bool) -> None:
        """Let the limiter take the supply, or give it back."""
        self.settle(now)
        self.limited = not connect
        self._switch(now)

    def disconnect(self, now: float) -> bool:
        """Open the switch from afar; it stays open whatever is bought."""
        self.settle(now)
        self.switched_off = True
        return self.switch.disconnect(now)

    def reconnect(self, now: float) -> bool:
        """Close the switch from afar; refused without credit and after tampering."""
        self.settle(now)
        if not self.in_credit or self.sts.tamper:
            return False
        self.switched_off = self.limited = False
        return self.switch.reconnect(now)

    def open_cover(self, now: float) -> None:
        """Latch the tamper state: the switch opens until a clear-tamper token comes."""
        self.settle(now)
        self.sts.tamper = True
        self._switch(now)

    # -- tokens ------------------------------------------------------------------------------

    def enter(self, now: float, token: str, *, remote: bool = False) -> Entered:
        """Take 20 digits and return what came of them."""
        self.settle(now)
        clear = self._opened(token)
        result = self.sts.enter(token, now)
        code = CODES[result]
        if result is Result.PENDING and clear is not None:
            code = _SET[clear.subclass]
        if result is Result.ACCEPT and clear is not None:
            self._carry_out(now, clear)
        token_class = clear.token_class if clear is not None else None
        shown = masked(token) if len(token) == _DIGITS else ""
        entered = Entered(now, shown, token_class, result, code, remote)
        self.history.append(entered)
        self._switch(now)
        return entered

    def _opened(self, token: str) -> Clear | None:
        try:
            return open_token(token, self.sts.key)
        except TokenError:
            return None

    def _carry_out(self, now: float, clear: Clear) -> None:
        if clear.token_class == CREDIT:
            self._repay()
        elif clear.token_class == MANAGEMENT and not self.sts.balance:
            self.purchased = 0
        elif clear.token_class == TEST:
            self.display = self._shown(words.test_numbers(clear))
            if words.opens_load_switch(clear):
                self._test_until = now + SWITCH_TEST_S

    def keypad(self, now: float, keys: str) -> str:
        """Take what was typed and return what the display says."""
        self.settle(now)
        digits = keys.replace(" ", "").rstrip("#")
        if len(digits) < _DIGITS:
            return self._short_code(now, digits)
        entered = self.enter(now, digits)
        if entered.token_class == TEST and entered.result is Result.ACCEPT:
            return self.display or "good"
        if entered.result is Result.ACCEPT:
            return f"Accept {self.kwh} kWh"
        if entered.result is Result.PENDING:
            return f"Accept, result {entered.code}"
        return f"Reject, result {entered.code}"

    def _short_code(self, now: float, digits: str) -> str:
        name = self.sts.name
        shown = {
            "801": f"{self.kwh} kWh",
            "804": self.drn,
            "810": "",
            "901": name.sgc,
            "902": f"{name.krn} {name.key_type}",
            "903": name.ti,
            "904": str(self.sts.ken),
            "905": str(name.base),
            "906": self.history[-1].shown + f" {self.history[-1].code}" if self.history else "none",
        }
        if digits == "810":
            return "Accept" if self.take_emergency(now) else "Reject"
        return shown.get(digits, "Reject")

    def _shown(self, numbers: tuple[int, ...]) -> str:
        name = self.sts.name
        shown = {
            3: f"{self.kwh} kWh",
            4: f"KRN {name.krn} KT {name.key_type}",
            5: f"TI {name.ti}",
            7: f"{self.sts.power_limit_w} W",
            8: "tamper" if self.sts.tamper else "no tamper",
            14: f"EA {name.ea:02}",
            16: f"SGC {name.sgc}",
            17: f"KEN {self.sts.ken}",
            18: self.drn,
        }
        wanted = sorted(shown) if numbers == (0,) else numbers
        return ", ".join(shown[n] for n in wanted if n in shown)
