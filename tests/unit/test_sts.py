"""The token engine: its vectors, their corruption, and properties that hold for any token."""

import contextlib
import copy
import json
import os
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInput
from app.services.sts_vectors import verify_vectors
from drivers.simulator.sts_meter import Result, StsMeter
from drivers.sts import misty1, sta, words
from drivers.sts.amounts import BadAmount, Coded, decode, decode_currency, encode, encode_currency
from drivers.sts.identifiers import BadNumber, KeyName, KeyType, checked_drn, luhn, tid_of
from drivers.sts.keychange import complete, key_change
from drivers.sts.keys import KeyRefused, derive
from drivers.sts.token import (
    Clear,
    CrcError,
    DecoderKey,
    FormatError,
    TokenError,
    credit,
    credited,
    display,
    masked,
    open_token,
)
from drivers.sts.token import encode as written

OWN = Path(__file__).parents[1] / "data" / "sts_vectors.json"
SHARED = Path(os.environ.get("METERWRIGHT_SHARED", "../shared")) / "data" / "sts"
FREE_TEXT = {
    "id", "kind", "source", "origin", "confirmed_by", "note", "name", "why", "complete", "unit",
    "sta_tables", "about",
}  # fmt: skip
# Facts of a vector that its kind does not say anything about
UNSAID = {
    ("decoder_key", "base_date"), ("key_change", "base_date"), ("reject", "token"),
    ("reject", "decoder_key_hex"), ("reject", "expect"), ("pan_block", "iin"), ("pan_block", "drn"),
    ("meter_session", "token"), ("meter_session", "ken"), ("meter_session", "tid_store_initial"),
    ("cipher", "ea"), ("decoder_key", "ea"), ("meter_session", "ea"), ("key_change", "ea"),
    ("key_change", "three_kct"), ("key_change", "rollover"),
}  # fmt: skip
MISTY = DecoderKey(bytes(range(16)), 11)
STA = DecoderKey(bytes(range(8)), 7)
UNEVEN = sta.Tables(
    s1=(3, 14, 0, 9, 6, 1, 15, 8, 12, 5, 2, 11, 7, 10, 13, 4),
    s2=(9, 2, 13, 7, 0, 11, 4, 14, 1, 8, 15, 3, 10, 6, 5, 12),
    p=tuple((n * 29 + 7) % 64 for n in range(64)),
)


def files() -> list[Path]:
    return [OWN, SHARED / "vectors.json", SHARED / "vectors_extra.json"]


@pytest.mark.parametrize("file", files(), ids=lambda path: path.name)
def test_every_vector_holds(file: Path):
    if not file.exists():
        pytest.skip(f"{file} is not at hand")
    result = verify_vectors(json.loads(file.read_text()))
    assert result.failed == []
    assert result.skipped == {}
    assert result.checked == result.passed > 40


def leaves(vector: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = vector.items() if isinstance(vector, dict) else enumerate(vector)
    for name, value in items:
        if name in FREE_TEXT:
            continue
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name)


def spoilt(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    text = str(value or "")
    for place, sign in enumerate(text):
        if sign.isdigit():
            return text[:place] + str((int(sign) + 1) % 10) + text[place + 1 :]
        if sign in "abcdefABCDEF":
            return text[:place] + "0" + text[place + 1 :]
    return text + "0"


def test_every_corrupted_copy_of_a_vector_fails():
    survivors = []
    for vector in json.loads(OWN.read_text())["vectors"]:
        for path in leaves(vector):
            copied = copy.deepcopy(vector)
            inner = copied
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = spoilt(inner[path[-1]])
            named = next(name for name in reversed(path) if isinstance(name, str))
            result = verify_vectors({"format": "sts-vectors-1", "vectors": [copied]})
            if result.passed and (vector["kind"], named) not in UNSAID:
                survivors.append((vector["id"], path))
    assert survivors == []


@pytest.mark.parametrize("document", [None, [], {}, {"format": "sts-vectors-2", "vectors": []}])
def test_another_file_is_no_vector_file(document: Any):
    with pytest.raises(BadInput):
        verify_vectors(document)


def test_a_damaged_or_unknown_vector_neither_passes_nor_raises():
    vectors = [{"kind": "credit"}, {"kind": "tid", "id": 5}, {"kind": "new"}, 7]
    result = verify_vectors({"format": "sts-vectors-1", "vectors": vectors})
    assert (result.checked, result.passed) == (2, 0)
    assert sum(result.skipped.values()) == 2


def test_both_ciphers_give_their_published_examples():
    key = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert misty1.encrypt(key, bytes.fromhex("0123456789abcdef")).hex() == "8b1da5f56ab3d07c"
    key7 = bytes.fromhex("bac6a06e1f2f7200")
    assert sta.encrypt(key7, bytes.fromhex("0ce7a508a5b9a882")).hex() == "c1a5a91305d1f85c"


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_decryption_undoes_encryption_also_with_tables_that_are_not_inverses(key, block):
    assert sta.decrypt(key, sta.encrypt(key, block, UNEVEN), UNEVEN) == block
    assert misty1.decrypt(key * 2, misty1.encrypt(key * 2, block)) == block


def test_tables_are_refused_without_or_against_their_check_value():
    with pytest.raises(sta.BadTables):
        sta.checked_tables(sta.SAMPLE, [])
    block = sta.encrypt(bytes(8), bytes(8))
    assert sta.checked_tables(sta.SAMPLE, [(bytes(8), bytes(8), block)]) is sta.SAMPLE
    with pytest.raises(sta.BadTables):
        sta.checked_tables(UNEVEN, [(bytes(8), bytes(8), block)])
    with pytest.raises(sta.BadTables):
        sta.Tables(s1=(0,) * 16, s2=UNEVEN.s2, p=UNEVEN.p)


clears = st.builds(
    lambda subclass, rnd, tid, units: credit(subclass, rnd, tid, encode(units)),
    st.integers(0, 3), st.integers(0, 15), st.integers(0, (1 << 24) - 1),
    st.integers(0, 18_201_624),
)  # fmt: skip


@settings(max_examples=300)
@given(clears, st.sampled_from([MISTY, STA]))
def test_a_token_opens_to_what_was_put_in(clear: Clear, key: DecoderKey):
    token = written(clear, key)
    assert len(token) == 20
    assert open_token(token, key) == clear
    assert open_token(f"{token[:4]} {token[4:8]}-{token[8:]}", key) == clear


@settings(max_examples=200)
@given(clears, st.integers(0, 19), st.integers(1, 9))
def test_a_single_wrong_digit_is_refused_or_gives_another_content(clear, place, step):
    token = written(clear, MISTY)
    wrong = token[:place] + str((int(token[place]) + step) % 10) + token[place + 1 :]
    with contextlib.suppress(TokenError):
        assert open_token(wrong, MISTY) != clear


@given(st.text(max_size=30))
def test_no_text_raises_anything_but_a_token_error(text: str):
    with contextlib.suppress(TokenError):
        open_token(text, MISTY)


@given(st.integers(0, 18_201_624))
def test_an_amount_is_rounded_up_by_less_than_its_step(units: int):
    back = decode(encode(units).value16)
    assert back >= units
    assert back - units < 1000


@given(st.integers(-(10**20), 10**20))
def test_a_currency_amount_is_rounded_towards_plus_infinity(units: int):
    coded = encode_currency(units)
    back = decode_currency(coded.value16, coded.se4)
    assert back >= units
    assert back - units <= max(abs(units) // 1000, 1)


def test_amounts_that_no_token_carries_are_refused():
    for units in (-1, 18_201_625):
        with pytest.raises(BadAmount):
            encode(units)
    assert decode(encode(20_000).value16) == 20_004


def test_the_reserved_minute_and_the_ends_of_an_epoch():
    assert tid_of(datetime(2020, 1, 1, 0, 1), 1993) == tid_of(datetime(2020, 1, 1, 0, 2), 1993)  # noqa: DTZ001
    assert tid_of(datetime(2024, 11, 24, 20, 15), 1993) == (1 << 24) - 1  # noqa: DTZ001
    with pytest.raises(BadNumber):
        tid_of(datetime(2024, 11, 24, 20, 16), 1993)  # noqa: DTZ001
    with pytest.raises(BadNumber):
        tid_of(datetime(2000, 1, 1), 1994)  # noqa: DTZ001


def test_meter_numbers_are_checked_by_their_last_digit():
    assert checked_drn("123 4567 8903") == "12345678903"
    assert luhn("1234567890") == 3
    for wrong in ("12345678904", "1234567890", "1234567890a", ""):
        with pytest.raises(BadNumber):
            checked_drn(wrong)


def test_withdrawn_key_generation_is_recognised_and_refused():
    name = KeyName("123456", "01", 1, 2, 2014, 7)
    for dkga in (1, 3, 9):
        with pytest.raises(KeyRefused):
            derive(dkga, bytes(8), "600727", "12345678903", name)


def test_words_tell_what_a_token_does_and_warn_of_the_load_switch():
    assert "load switch" in words.token_words(display(0, 1, 0))
    assert words.opens_load_switch(display(0, (1 << 36) - 1, 0))
    assert not words.opens_load_switch(display(0, 1 << 11, 0))
    assert words.token_words(credit(0, 3, 9, Coded(256))) == "credits 25.6 (electricity, kWh)"
    assert credited(credit(4, 0, 9, encode_currency(-100_000))) == Decimal("-0.99994")


def test_neither_token_nor_key_shows_itself():
    assert masked("55563688067445029189") == "5556 •••• •••• •••• 9189"
    assert "0001" not in repr(MISTY)
    new = complete(key_change(bytes(range(16)), NAME, ken=255, rollover=False), 11)
    assert "0001" not in repr(new)


NAME = KeyName("123456", "07", 2, KeyType.DUTK, 2014, 11)


def meter(**given: Any) -> StsMeter:
    name = KeyName("123456", "07", 1, given.pop("kt", KeyType.DUTK), 2014, 11)
    return StsMeter(key=MISTY, name=name, manufactured=1000, **given)


def energy(tid: int, units: int = 100, key: DecoderKey = MISTY) -> str:
    return written(credit(0, 5, tid, encode(units)), key)


def test_the_meter_refuses_used_old_expired_and_default_key_tokens_in_that_order():
    virtual = meter(ken=0)
    assert virtual.enter(energy(5000)) is Result.ACCEPT
    assert virtual.enter(energy(5000, 7)) is Result.USED
    assert virtual.enter(energy(999)) is Result.OLD
    assert virtual.enter(energy(1 << 16), 100.0) is Result.EXPIRED
    assert virtual.balance == 100
    assert meter(kt=KeyType.DDTK).enter(energy(5000)) is Result.DDTK


def test_a_key_change_in_any_order_changes_everything_together_or_nothing():
    new = DecoderKey(bytes(range(16, 32)), 11)
    tokens = [written(c, MISTY) for c in key_change(new.value, NAME, ken=9, rollover=True)]
    for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
        virtual = meter()
        results = [virtual.enter(tokens[place]) for place in order]
        assert results == [Result.PENDING] * 3 + [Result.ACCEPT]
        assert (virtual.name.krn, virtual.name.sgc, virtual.ken) == (2, "123456", 9)
        assert virtual.name.base == 2035
        assert virtual.enter(energy(5000)) is Result.CRC
        assert virtual.enter(energy(5, key=new)) is Result.ACCEPT, "a rollover empties the store"
    late = meter()
    late.enter(tokens[0], 0.0)
    assert [late.enter(t, 700.0 + n) for n, t in enumerate(tokens[1:])] == [Result.PENDING] * 3
    assert late.name.krn == 1


def test_three_wrong_entries_lock_the_keypad_and_test_tokens_still_work():
    virtual = meter()
    wrong = energy(5000, key=DecoderKey(bytes(16), 11))
    assert [virtual.enter(wrong, t) for t in (0.0, 1.0, 2.0)] == [Result.CRC] * 3
    assert virtual.enter(energy(5000), 5.0) is Result.LOCKED
    assert virtual.enter(written(display(0, 1 << 11, 0)), 5.0) is Result.ACCEPT
    assert virtual.enter(wrong, 13.0) is Result.CRC
    assert virtual.enter(energy(5000), 30.0) is Result.LOCKED, "the pause has doubled"
    assert virtual.enter(energy(5000), 34.0) is Result.ACCEPT
    assert virtual.enter("123", 35.0) is Result.FORMAT


def test_a_token_for_another_meter_is_no_token_here():
    with pytest.raises(CrcError):
        open_token(energy(5000), DecoderKey(bytes(16), 11))
    with pytest.raises(FormatError):
        open_token("73786976294838206464", MISTY)
