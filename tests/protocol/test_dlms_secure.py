"""Ciphered sessions: what is agreed, what is refused, and that no counter is used twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from gurux_dlms import GXByteBuffer
from gurux_dlms.CountType import CountType
from gurux_dlms.enums import Security
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.dlms.addressing import with_serial
from drivers.dlms.ciphering import (
    AUTHENTICATED,
    ENCRYPTED,
    Ciphering,
    Counter,
    Keys,
    RememberedCounters,
    length_octets,
    sealed,
    unsealed,
)
from drivers.dlms.meter import DlmsMeter
from drivers.errors import AccessDenied, KeysDoNotFit, NotSupported
from drivers.metertype import MeterType, load_meter_type
from drivers.secrets import Secret, Secrets
from drivers.simulator import hexcell
from drivers.simulator.memory import DeviceLink
from drivers.values import Span

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
SERIAL = "46000755036"
BOTH = AUTHENTICATED | ENCRYPTED
KEYS = Keys(Secret(hexcell.ENCRYPTION_KEY), Secret(hexcell.AUTHENTICATION_KEY))
# the example of the standard's association with ciphering
TITLE, COUNTER = bytes.fromhex("4D4D4D0000BC614E"), 0x01234567
CLEAR = bytes.fromhex("C0010000080000010000FF0200")


def kind(**dlms: object) -> MeterType:
    base = with_serial(load_meter_type("hexcell-ddsy1088"), SERIAL)
    return replace(base, dlms=replace(base.dlms, **{"client": 1, "auth": "gmac", **dlms}))


def secrets(ek: bytes = hexcell.ENCRYPTION_KEY, ak: bytes = hexcell.AUTHENTICATION_KEY) -> Secrets:
    return Secrets(
        password=Secret(hexcell.PASSWORD), authentication_key=Secret(ak), encryption_key=Secret(ek)
    )


class Bench:
    """A virtual meter and the driver on it; a second session goes on with the same counters."""

    def __init__(self, faults: Sequence[str] = (), meter_type: MeterType | None = None) -> None:
        self.device = hexcell.build(serial=SERIAL, rows=120, faults=faults, start=START)
        self.link = DeviceLink([self.device])
        self.kind = meter_type or kind()
        self.counters = RememberedCounters()

    def meter(self, given: Secrets | None = None) -> DlmsMeter:
        return DlmsMeter(
            self.link,
            self.kind,
            given or secrets(),
            wall=lambda: START + timedelta(seconds=self.link.now()),
            counters=self.counters,
        )


# --- what the standard's example says -----------------------------------------------------------


@pytest.mark.parametrize(
    ("protection", "expected"),
    [
        (AUTHENTICATED, "1001234567C0010000080000010000FF020006725D910F9221D263877516"),
        (ENCRYPTED, "2001234567411312FF935A47566827C467BC"),
        (BOTH, "3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"),
    ],
)
def test_the_standards_example_is_ciphered_as_printed(protection, expected) -> None:
    assert sealed(KEYS, TITLE, COUNTER, protection, CLEAR) == bytes.fromhex(expected)
    assert unsealed(KEYS, TITLE, bytes.fromhex(expected)) == CLEAR


@given(st.binary(min_size=1, max_size=300), st.sampled_from([AUTHENTICATED, ENCRYPTED, BOTH]),
       st.integers(0, 0xFFFFFFFF))  # fmt: skip
def test_what_is_sealed_opens_and_one_wrong_bit_does_not(text, protection, counter) -> None:
    body = sealed(KEYS, TITLE, counter, protection, text)
    assert unsealed(KEYS, TITLE, body) == text
    if protection & AUTHENTICATED:
        for at in (0, 3, 5, len(body) - 1):
            bad = bytearray(body)
            bad[at] ^= 1 if at else 0x0F
            with pytest.raises(KeysDoNotFit):
                unsealed(KEYS, TITLE, bytes(bad))


@settings(max_examples=30, deadline=None)  # the library's routine is slow
@given(st.binary(min_size=16, max_size=80), st.sampled_from([AUTHENTICATED, ENCRYPTED, BOTH]))
def test_the_libraries_routine_gives_the_same_octets(text, protection) -> None:
    theirs = SimpleNamespace(
        security=Security(protection), securitySuite=0, broadcast=False, compression=False,
        type_=CountType.PACKET, invocationCounter=COUNTER, systemTitle=TITLE, tag=0xC8,
        authenticationKey=GXByteBuffer(hexcell.AUTHENTICATION_KEY),
        blockCipherKey=hexcell.ENCRYPTION_KEY, countTag=None, ignoreSystemTitle=False,
    )  # fmt: skip
    body = sealed(KEYS, TITLE, COUNTER, protection, text)
    wanted = GXDLMSChippering.encryptAesGcm(theirs, text)
    assert bytes(wanted) == b"\xc8" + length_octets(len(body)) + body


# --- sessions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
@pytest.mark.parametrize("protection", ["authenticated", "encrypted", "both"])
def test_everything_reads_under_every_protection(framing, protection) -> None:
    bench = Bench(meter_type=replace(kind(security=protection), framing=framing))
    with bench.meter() as meter:
        assert meter.identity().serial == SERIAL
        assert len(list(meter.registers())) == 6
        blocks = list(meter.profile(meter.profile_info(), Span()))
        assert abs(meter.set_clock().offset) <= 1
    assert sum(len(block.rows) for block in blocks) == 120


def test_a_challenge_without_ciphering_proves_the_password() -> None:
    bench = Bench(meter_type=kind(client=2, auth="high"))
    with bench.meter() as meter:
        assert len(list(meter.registers())) == 6
    with pytest.raises(AccessDenied), bench.meter(Secrets(password=Secret(b"wrong"))):
        pass


@pytest.mark.parametrize("which", ["ek", "ak"])
def test_a_wrong_key_is_told_as_one_and_tried_once(which) -> None:
    bench = Bench()
    with pytest.raises(KeysDoNotFit), bench.meter(secrets(**{which: bytes(16)})):
        pass


def test_missing_keys_are_told_before_anything_is_sent() -> None:
    bench = Bench()
    with pytest.raises(AccessDenied, match="encryption key"), bench.meter(Secrets()):
        pass
    assert bench.link.statistics.bytes_sent == 0


@pytest.mark.parametrize("suite", [1, 2])
def test_other_suites_are_refused_clearly(suite) -> None:
    bench = Bench(meter_type=kind(suite=suite))
    with pytest.raises(NotSupported, match=f"suite {suite}"), bench.meter():
        pass


@pytest.mark.parametrize("fault", ["forged-tag", "old-counter"])
@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
def test_a_forged_answer_is_refused(fault, framing) -> None:
    bench = Bench([fault], replace(kind(), framing=framing))
    with pytest.raises(KeysDoNotFit), bench.meter() as meter:
        list(meter.registers())


def test_an_answer_in_clear_or_less_protected_is_refused() -> None:
    ciphering = Ciphering(KEYS, TITLE, BOTH, Counter(RememberedCounters(), "", KEYS.encryption))
    ciphering.knows(TITLE)
    with pytest.raises(KeysDoNotFit, match="in clear"):
        ciphering.opened(bytes.fromhex("C401C10011 05"))
    for weaker in (AUTHENTICATED, ENCRYPTED):
        body = sealed(KEYS, TITLE, 7, weaker, b"\xc4\x01\xc1\x00\x11\x05")
        with pytest.raises(KeysDoNotFit, match="another way"):
            ciphering.opened(b"\xcc" + bytes((len(body),)) + body)


# --- counters -----------------------------------------------------------------------------------


def test_no_counter_is_ever_used_twice() -> None:
    bench = Bench()
    used = []
    for _ in range(3):
        with bench.meter() as meter:
            meter.relay()
        used.append(bench.counters.latest("", next(iter(bench.counters._kept))))
    assert used == sorted(set(used))


def test_a_counter_goes_on_behind_the_one_kept_when_the_meter_shows_none() -> None:
    bench = Bench(meter_type=kind(counter=""))
    name = next(iter([Counter(bench.counters, "", KEYS.encryption)]))._key
    bench.counters.keep("", name, 50_000)
    with bench.meter() as meter:
        assert meter.relay().output


def test_a_counter_behind_the_meters_is_refused_by_it_and_told() -> None:
    bench = Bench(meter_type=kind(counter=""))
    with pytest.raises(KeysDoNotFit), bench.meter():
        pass


def test_counters_are_reserved_before_they_are_used() -> None:
    store = RememberedCounters()
    counter = Counter(store, "", KEYS.encryption)
    taken = [counter.take() for _ in range(1000)]
    assert taken == list(range(1000))
    assert Counter(store, "", KEYS.encryption).take() > taken[-1]


def test_a_key_whose_counter_is_used_up_is_not_used_again() -> None:
    counter = Counter(RememberedCounters(), "", KEYS.encryption)
    counter.rise_to(0xFFFFFFFE)
    counter.take()
    with pytest.raises(KeysDoNotFit):
        counter.take()


def test_no_secret_shows_in_errors_or_names() -> None:
    with pytest.raises(KeysDoNotFit) as caught, Bench().meter(secrets(ek=b"K" * 16)):
        pass
    told = repr(caught.value) + repr(KEYS) + str(caught.value.__cause__)
    for secret in (b"K" * 16, hexcell.ENCRYPTION_KEY, hexcell.AUTHENTICATION_KEY):
        assert secret.hex() not in told.lower()
        assert repr(secret) not in told
