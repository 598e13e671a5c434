"""Runs a file of STS test vectors through the token engine; the proof behind ``sts verify``.

The file's form is ``{"format": "sts-vectors-1", "vectors": [{"id", "kind", …}]}``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.errors import BadInput
from drivers.simulator.sts_meter import StsMeter
from drivers.sts import keychange, misty1, sta
from drivers.sts.amounts import (
    BadAmount,
    Coded,
    decode,
    decode_currency,
    encode,
    encode_currency,
)
from drivers.sts.identifiers import BadNumber, KeyName, control_block, luhn, pan_block, tid_of
from drivers.sts.keys import EA_MISTY, KeyRefused, derive
from drivers.sts.token import (
    CURRENCY,
    Clear,
    DecoderKey,
    TokenError,
    crc16,
    credit,
    display,
    management,
    open_token,
)
from drivers.sts.token import encode as written

FORMAT = "sts-vectors-1"
Vector = dict[str, Any]


@dataclass
class VectorResult:
    """What a run has shown; ``failed`` names vectors, ``skipped`` counts them by reason."""

    checked: int = 0
    passed: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def verify_vectors(document: Any) -> VectorResult:
    """Check every vector of a parsed file.

    Raises:
        BadInput: It is no vector file.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadInput(f"this is no vector file of format {FORMAT}")
    result = VectorResult()
    for place, vector in enumerate(document.get("vectors") or []):
        name = str(vector.get("id", place)) if isinstance(vector, dict) else str(place)
        kind = vector.get("kind") if isinstance(vector, dict) else None
        check = _KINDS.get(str(kind))
        if check is None:
            reason = f"unknown kind {kind}"
            result.skipped[reason] = result.skipped.get(reason, 0) + 1
            continue
        result.checked += 1
        if _holds(check, vector):
            result.passed += 1
        else:
            result.failed.append(name)
    return result


def _holds(check: Callable[[Vector], bool], vector: Vector) -> bool:
    """Tell whether a vector holds; one that is damaged does not."""
    try:
        return check(vector)
    except (
        KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError,
    ):  # fmt: skip
        # TokenError, BadAmount, BadNumber, KeyRefused are ValueErrors
        return False


def _all(checks: Iterable[bool]) -> bool:
    return all(list(checks))


def _key_name(vector: Vector) -> KeyName:
    base = vector.get("base_date") or 1993
    return KeyName(vector["sgc"], vector["ti"], vector["krn"], vector["kt"], base, vector["ea"])


def _key(vector: Vector) -> DecoderKey:
    return DecoderKey(bytes.fromhex(vector["decoder_key_hex"]), vector["ea"])


def _derived(vector: Vector) -> bool:
    """Tell whether the decoder key follows from the test vending key, where one is given."""
    if vector.get("pan"):
        iin, drn = vector["iin"], vector["drn"]
        if vector["pan"] != iin + drn + str(luhn(iin + drn)) or luhn(drn[:-1]) != int(drn[-1]):
            return False
    if not vector.get("dkga"):
        return True
    vending = bytes.fromhex(vector["vending_key_hex"])
    key = derive(vector["dkga"], vending, vector["iin"], vector["drn"], _key_name(vector))
    return bool(key.hex() == vector["decoder_key_hex"])


def _sealed(vector: Vector, clear: Clear, key: DecoderKey | None) -> bool:
    return _all(
        [
            clear.block.hex() == vector["block_hex"],
            written(clear, key) == vector["token"],
            open_token(vector["token"], key) == clear,
        ]
    )


def _credit(vector: Vector) -> bool:
    subclass, units = vector["subclass"], int(vector["amount_units"])
    currency = subclass in CURRENCY
    coded = encode_currency(units) if currency else encode(units)
    said = Coded(int(vector["value16_hex"], 16), int(vector.get("se4_hex", "0"), 16))
    back = decode_currency(said.value16, said.se4) if currency else decode(said.value16)
    clear = credit(subclass, vector.get("rnd", 0), vector["tid"], coded)
    return _all(
        [
            vector["class"] == 0,
            coded == said,
            back == int(vector["amount_decoded_units"]),
            _timed(vector),
            _derived(vector),
            _sealed(vector, clear, _key(vector)),
        ]
    )


def _timed(vector: Vector) -> bool:
    issued = datetime.fromisoformat(vector["issue_time"])
    return bool(tid_of(issued, vector["base_date"]) == vector["tid"])


def _management(vector: Vector) -> bool:
    value16 = int(vector["value16_hex"], 16)
    clear = management(vector["subclass"], vector["rnd"], vector["tid"], value16)
    watts = vector.get("decoded_watts")
    return _all(
        [
            vector["class"] == 2,  # noqa: PLR2004 (classes have numbers for names)
            watts is None or decode(value16) == watts,
            _timed(vector),
            _derived(vector),
            _sealed(vector, clear, _key(vector)),
        ]
    )


def _test(vector: Vector) -> bool:
    control = int(vector["control_hex"], 16)
    width = 28 if vector["subclass"] == 1 else 36
    number = vector["test_no"]
    wanted = (1 << width) - 1 if number == 0 else 1 << (number - 1)
    clear = display(vector["subclass"], control, vector["mfr_code"])
    return vector["class"] == 1 and control == wanted and _sealed(vector, clear, None)


def _key_change(vector: Vector) -> bool:
    old, new = vector["old"], vector["new"]
    name, key = _key_name(new), _key(old)
    made = keychange.key_change(
        bytes.fromhex(new["decoder_key_hex"]),
        name,
        ken=vector["ken"],
        rollover=bool(vector["rollover"]),
        tell_sgc=bool(vector["three_kct"]),
    )
    read = keychange.complete(
        [open_token(token, key) for token in reversed(vector["tokens"])], old["ea"]
    )
    return _all(
        [
            _derived(old),
            _derived(new),
            [written(clear, key) for clear in made] == vector["tokens"],
            read.key.hex() == new["decoder_key_hex"],
            (read.krn, read.ti, read.ken) == (new["krn"], new["ti"], vector["ken"]),
            (read.key_type, read.rollover) == (new["kt"], bool(vector["rollover"])),
            read.sgc in {None, new["sgc"]},
        ]
    )


def _cipher(vector: Vector) -> bool:
    key, plain, cipher = (
        bytes.fromhex(vector[name]) for name in ("key_hex", "plain_hex", "cipher_hex")
    )
    if vector["ea"] == EA_MISTY:
        return misty1.encrypt(key, plain) == cipher and misty1.decrypt(key, cipher) == plain
    return sta.encrypt(key, plain) == cipher and sta.decrypt(key, cipher) == plain


def _amount(vector: Vector) -> bool:
    units = int(vector["amount_units"])
    if vector.get("reject"):
        return _refused(lambda: encode(units))
    coded = encode(units)
    return _all(
        [
            f"{coded.value16:04x}" == vector["value16_hex"],
            decode(coded.value16) == int(vector["amount_decoded_units"]),
        ]
    )


def _amount_currency(vector: Vector) -> bool:
    units = int(vector["amount_units"])
    if vector.get("reject"):
        return _refused(lambda: encode_currency(units))
    coded = encode_currency(units)
    return _all(
        [
            f"{coded.value16:04x}" == vector["value16_hex"],
            f"{coded.se4:x}" == vector["se4_hex"],
            decode_currency(coded.value16, coded.se4) == int(vector["amount_decoded_units"]),
        ]
    )


def _refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except (BadAmount, BadNumber, KeyRefused, TokenError):
        return True
    return False


def _reject(vector: Vector) -> bool:
    key = _key(vector) if vector.get("decoder_key_hex") else None
    wanted = {"format_error": "FormatError", "crc_error": "CrcError"}
    try:
        open_token(vector["token"], key)
    except TokenError as error:
        name = wanted.get(vector["expect"])
        return name is None or type(error).__name__ == name
    return False


def _session(vector: Vector) -> bool:
    meter = vector["meter"]
    virtual = StsMeter(
        key=_key(meter),
        name=_key_name(meter),
        ken=vector["ken"],
        balance=vector["balance_units_initial"],
        manufactured=vector["tid_store_initial"],
    )
    if not _derived(meter):
        return False
    for number, step in enumerate(vector["steps"]):
        # two minutes between entries: the lock-out of wrong ones is over, a key set still open
        if virtual.enter(step["token"], number * 120.0) != step["expect"]:
            return False
        state = virtual.attributes()
        for name in ("balance_units", "max_power_W", "krn"):
            if name in step and state[name] != step[name]:
                return False
    return True


_KINDS: dict[str, Callable[[Vector], bool]] = {
    "credit": _credit,
    "mgmt": _management,
    "test": _test,
    "key_change": _key_change,
    "decoder_key": _derived,
    "cipher": _cipher,
    "crc": lambda v: crc16(bytes.fromhex(v["data_hex"])).hex() == v["crc_hex"],
    "luhn": lambda v: luhn(v["digits"]) == v["check"],
    "tid": lambda v: tid_of(datetime.fromisoformat(v["issue_time"]), v["base_date"]) == v["tid"],
    "pan_block": lambda v: pan_block(v["iin"], v["drn"], v["kt"]) == v["pan_block"],
    "control_block": lambda v: (
        control_block(v["kt"], v["sgc"], v["ti"], v["krn"]) == v["control_block"]
    ),
    "amount": _amount,
    "amount_currency": _amount_currency,
    "reject": _reject,
    "meter_session": _session,
}
