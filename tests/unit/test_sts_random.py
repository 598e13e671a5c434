"""Random tokens, a hundred thousand of them, and the ciphers against their definition."""

from random import Random

from drivers.sts import sta
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

COUNT = 100_000


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


def sealed_by_definition(key: int, block: int, tables: sta.Tables) -> int:
    """Encrypt bit by bit, as the standard words it; the product looks up whole bytes."""
    turning = key ^ sta.MASK
    turning = turning >> 12 | turning << 52 & sta.MASK
    for _ in range(16):
        bits = 0
        for nibble in range(16):
            table = tables.s2 if turning >> 4 * nibble + 3 & 1 else tables.s1
            bits |= table[block >> 4 * nibble & 15] << 4 * nibble
        block = sum((bits >> place & 1) << target for place, target in enumerate(tables.p))
        turning = turning << 1 & sta.MASK | turning >> 63
    return block


def test_the_cipher_of_whole_bytes_is_the_cipher_of_single_bits_with_any_tables():
    chance = Random("tables")
    for _ in range(20):
        tables = sta.Tables(*(tuple(chance.sample(range(n), n)) for n in (16, 16, 64)))
        for _ in range(10):
            key, block = chance.randbytes(8), chance.randbytes(8)
            by_definition = sealed_by_definition(int.from_bytes(key), int.from_bytes(block), tables)
            sealed = sta.encrypt(key, block, tables)
            assert int.from_bytes(sealed) == by_definition
            assert sta.decrypt(key, sealed, tables) == block
