"""Random tokens: 2,000 in a normal run, as many as METERWRIGHT_TOKENS says otherwise (100000)."""

import os
from random import Random

from drivers.sts.amounts import Coded
from drivers.sts.token import (
    Clear,
    DecoderKey,
    TokenError,
    credit,
    display,
    encode,
    management,
    open_token,
    parse,
)

COUNT = int(os.environ.get("METERWRIGHT_TOKENS", "2000"))


def some_token(chance: Random) -> tuple[Clear, DecoderKey]:
    ea = chance.choice([7, 11])
    key = DecoderKey(chance.randbytes(8 if ea == 7 else 16), ea)
    rnd, tid, value = chance.randrange(16), chance.randrange(1 << 24), chance.randrange(1 << 16)
    kind = chance.randrange(4)
    if kind == 0:
        return credit(chance.randrange(4), rnd, tid, Coded(value)), key
    if kind == 1:
        return credit(chance.randrange(4, 8), 0, tid, Coded(value, rnd)), key
    if kind == 2:
        return management(chance.randrange(16), rnd, tid, value), key
    subclass = chance.randrange(2)
    width = 28 if subclass else 36
    return display(subclass, chance.randrange(1 << width), chance.randrange(1 << 8)), key


def test_random_tokens_open_to_what_was_sealed_and_no_changed_digit_passes_unseen():
    chance = Random("tokens")
    passed = 0
    for _ in range(COUNT):
        clear, key = some_token(chance)
        token = encode(clear, key)
        assert open_token(token, key) == clear
        assert parse(token)[0] == clear.token_class
        place = chance.randrange(20)
        digit = str((int(token[place]) + chance.randrange(1, 10)) % 10)
        changed = token[:place] + digit + token[place + 1 :]
        try:
            other = open_token(changed, key)
        except TokenError:
            continue
        passed += 1
        assert other.block[6:] != clear.block[6:]
    # by chance one in 65,536 passes the check; far more would mean that it checks nothing
    assert passed <= 3 + COUNT // 5000
