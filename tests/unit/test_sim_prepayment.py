"""The virtual prepayment meter: credit, switch, tamper, warnings, keypad, key changes."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import permutations

import pytest

from drivers.simulator.model import Disconnector, Mode
from drivers.simulator.prepayment import EMERGENCY_WH, SWITCH_TEST_S, Prepayment
from drivers.simulator.prepayment_objects import token_digits
from drivers.simulator.sts_meter import Result, StsMeter
from drivers.simulator.tokenoffice import (
    CLEAR_TAMPER,
    FIRST_KEY,
    TokenOffice,
    drn_of,
    virtual_key,
)
from drivers.sts.identifiers import KeyType, checked_drn, tid_of
from drivers.sts.token import open_token

DRN = drn_of("46000755036")
NOON = datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001 (a meter's clock has no zone)
SECOND_KEY = replace(FIRST_KEY, sgc="654321", ti="07", krn=2)
PASSED = 30.0  # s between two entries: no lock-out


class Home:
    """A customer who uses one kilowatt."""

    def __init__(self, units: int = 100, key=FIRST_KEY) -> None:
        made = tid_of(datetime(2023, 6, 1), key.base)  # noqa: DTZ001
        self.told: list[int] = []
        self.switch = Disconnector(Mode.DIRECT, lambda now, code: self.told.append(code))
        sts = StsMeter(virtual_key(DRN, key), key, balance=units, manufactured=made)
        self.account = Prepayment(sts, DRN, self.switch, lambda now: int(now / 3.6))
        self.office = TokenOffice(DRN, key)
        self.account.settle(0.0)


def hours(count: float) -> float:
    return count * 3600


def test_the_meter_number_of_a_virtual_meter_has_a_right_check_digit():
    assert checked_drn(DRN) == DRN


def test_credit_runs_down_and_the_switch_opens_at_zero():
    home = Home(units=20)
    home.account.settle(hours(1))
    assert (home.account.sts.balance, home.switch.output) == (10, True)
    home.account.settle(hours(3))
    assert (home.account.sts.balance, home.switch.output) == (0, False)
    assert home.told == [64]
    home.account.settle(hours(5))
    assert home.account.sts.balance == 0


def test_a_valid_token_closes_the_switch_again_and_a_used_one_does_not():
    home = Home(units=0)
    home.account.settle(1.0)
    assert not home.switch.output
    token = home.office.credit(Decimal("0.5"), NOON)
    assert home.account.enter(10.0, token).result is Result.ACCEPT
    assert home.switch.output
    home.account.settle(hours(2))
    assert not home.switch.output
    assert home.account.enter(hours(2) + 1, token).result is Result.USED
    assert not home.switch.output


def test_low_credit_is_warned_of_at_ten_and_at_five_per_cent():
    home = Home(units=0)
    home.account.enter(0.0, home.office.credit(10, NOON))
    seen = []
    for tenth in range(0, 110, 5):
        home.account.settle(hours(tenth / 10))
        seen.append(home.account.warning)
    assert list(dict.fromkeys(seen)) == [100, 10, 5, 0]


def test_emergency_credit_is_lent_once_and_paid_back_first():
    home = Home(units=100)
    assert not home.account.take_emergency(1.0), "credit is not low"
    home.account.settle(hours(10))
    assert not home.switch.output
    assert home.account.take_emergency(hours(10))
    assert home.switch.output
    home.account.settle(hours(12))
    assert home.account.emergency_used_wh == pytest.approx(2000, abs=100)
    assert not home.account.take_emergency(hours(12)), "it is taken already"
    home.account.enter(hours(12), home.office.credit(10, NOON))
    assert home.account.sts.balance == pytest.approx(80, abs=1)
    assert home.account.emergency_used_wh == 0


def test_the_switch_opens_when_the_emergency_credit_is_used_up():
    home = Home(units=0)
    assert home.account.take_emergency(0.0)
    home.account.settle(hours(6))
    assert not home.switch.output
    assert home.account.emergency_used_wh == EMERGENCY_WH


def test_an_opened_cover_cuts_supply_until_a_clear_tamper_token_comes():
    home = Home()
    home.account.open_cover(1.0)
    assert not home.switch.output
    home.account.enter(10.0, home.office.credit(5, NOON))
    assert not home.switch.output, "credit does not clear a tamper"
    home.account.enter(60.0, home.office.manage(CLEAR_TAMPER, 0, NOON))
    assert home.switch.output


def test_a_test_of_the_load_switch_opens_it_for_a_moment():
    home = Home()
    home.account.enter(1.0, home.office.test(1))
    assert not home.switch.output
    home.account.settle(1.0 + SWITCH_TEST_S)
    assert home.switch.output


def test_a_switch_opened_from_afar_stays_open_whatever_is_bought():
    home = Home()
    assert home.account.disconnect(1.0)
    home.account.enter(2.0, home.office.credit(5, NOON))
    assert not home.switch.output
    assert home.account.reconnect(3.0)
    assert home.switch.output


def test_reconnection_from_afar_is_refused_without_credit():
    home = Home(units=0)
    home.account.settle(1.0)
    assert not home.account.reconnect(2.0)


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_a_key_change_set_takes_effect_with_its_last_token_whatever_the_order(order):
    home = Home()
    tokens = home.office.key_change(SECOND_KEY)
    for place, number in enumerate(order):
        entered = home.account.enter(place * PASSED, tokens[number])
        if place < 3:
            assert entered.result is Result.PENDING
            assert home.account.sts.name == FIRST_KEY
            assert entered.code == (2, 3, 17, 18)[number]
    assert home.account.sts.name == SECOND_KEY
    assert home.account.sts.balance > 0
    after = home.office.after(SECOND_KEY)
    assert home.account.enter(200.0, after.credit(3, NOON)).result is Result.ACCEPT
    assert home.account.enter(300.0, home.office.credit(3, NOON)).result is Result.CRC


def test_a_rollover_set_starts_the_next_base_date_and_forgets_the_token_times():
    first = replace(FIRST_KEY, base=1993)
    home = Home(key=first)
    new = replace(first, base=2014, krn=2)
    for place, token in enumerate(home.office.key_change(new)):
        home.account.enter(place * PASSED, token)
    assert home.account.sts.name.base == 2014
    late = home.office.after(new).credit(3, NOON)
    assert home.account.enter(200.0, late).result is Result.ACCEPT


def test_a_meter_on_its_default_key_takes_no_credit_but_takes_a_key_change():
    default = replace(FIRST_KEY, key_type=KeyType.DDTK)
    home = Home(key=default)
    assert home.account.enter(0.0, home.office.credit(3, NOON)).code == 12
    for place, token in enumerate(home.office.key_change(SECOND_KEY), 1):
        home.account.enter(place * PASSED, token)
    assert home.account.sts.name == SECOND_KEY


def test_the_keypad_says_what_became_of_a_token_and_answers_short_codes():
    home = Home()
    token = home.office.credit(Decimal("2.5"), NOON)
    spaced = " ".join(token[n : n + 4] for n in range(0, 20, 4))
    assert home.account.keypad(1.0, spaced) == "Accept 12.5 kWh"
    assert home.account.keypad(40.0, token) == "Reject, result 10"
    assert home.account.keypad(41.0, "804") == DRN
    assert home.account.keypad(41.0, "801#") == "12.5 kWh"
    assert home.account.keypad(41.0, "901") == "123456"
    assert home.account.keypad(42.0, home.office.test(16)) == "SGC 123456"
    assert token not in home.account.keypad(43.0, "906")


def test_the_history_holds_the_last_tokens_without_their_digits():
    home = Home()
    tokens = [home.office.credit(1, NOON) for _ in range(12)]
    for place, token in enumerate(tokens):
        home.account.enter(place * PASSED, token)
    assert len(home.account.history) == 10
    assert not any(token in repr(home.account.history) for token in tokens)


@pytest.mark.parametrize(
    ("octets", "encoding", "digits"),
    [
        (b"12345678901234567890", "ascii20", "12345678901234567890"),
        (bytes.fromhex("12345678901234567890"), "bcd10", "12345678901234567890"),
        (bytes.fromhex("12345678901234567890"), "ascii20", ""),
        (b"12345678901234567890", "bcd10", ""),
        (bytes.fromhex("1234567890123456789a"), "bcd10", ""),
    ],
)
def test_a_token_in_another_encoding_is_no_token(octets, encoding, digits):
    assert token_digits(octets, encoding) == digits


def test_the_office_gives_tokens_of_one_minute_different_times():
    office = TokenOffice(DRN)
    first, second = (open_token(office.credit(1, NOON), office.key) for _ in range(2))
    assert second.tid == first.tid + 1
