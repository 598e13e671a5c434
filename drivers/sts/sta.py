"""The standard transfer algorithm: encryption algorithm 07 of STS.

A block cipher of 64 bits with a key of 64 bits, made of two substitution tables of nibbles and one
permutation of bits.  The tables in use are licensed: they are handed in as a value.  Those built in
are the sample tables printed with the standard.

Bits are numbered from the least significant one.  Keys and blocks are 8 bytes, most significant
byte first.  Note that the sample tables S1 and S2 are inverses of each other, so that a cipher that
forgets to invert them in decryption passes every test with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

ROUNDS = 16
MASK = (1 << 64) - 1


class BadTables(ValueError):
    """Tables that are no permutations, or that do not give their check value."""


@dataclass(frozen=True)
class Tables:
    """Two substitutions of 16 nibbles and one permutation of 64 bit positions."""

    s1: tuple[int, ...]
    s2: tuple[int, ...]
    p: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, table, size in (("S1", self.s1, 16), ("S2", self.s2, 16), ("P", self.p, 64)):
            if sorted(table) != list(range(size)):
                raise BadTables(f"{name} is no permutation of 0 to {size - 1}")

    @cached_property
    def inverses(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """The substitutions and the permutation the other way round: of S1, of S2, of P."""
        return _inverse(self.s1), _inverse(self.s2), _inverse(self.p)

    @cached_property
    def sealing(self) -> "Rounds":
        """One round of encryption, looked up."""
        return _rounds(ones=self.s2, zeros=self.s1, permutation=self.p)

    @cached_property
    def opening(self) -> "Rounds":
        """One round of decryption and the move of the round after it, looked up."""
        of_s1, of_s2, of_p = self.inverses
        return _rounds(ones=of_s1, zeros=of_s2, permutation=of_p)  # crossed, as the standard has it


# For each byte of a block, least significant first: by the bits of the key that pick (`_PICK`) and
# by the byte's value, where its bits go.
Rounds = tuple[dict[int, tuple[int, ...]], ...]
_PICK = 0x1111111111111111  # the lowest bit of each nibble of the key picks a substitution


def _rounds(ones: Sequence[int], zeros: Sequence[int], permutation: Sequence[int]) -> Rounds:
    """Return the substitution of a round and the move after it, as tables of whole bytes."""

    def moved(table: Sequence[int], place: int) -> list[int]:
        return [_moved(value << place, permutation) for value in table]

    return tuple(
        {
            high << 4 | low: tuple(
                upper | lower
                for upper in moved((zeros, ones)[high], place + 4)
                for lower in moved((zeros, ones)[low], place)
            )
            for high in (0, 1)
            for low in (0, 1)
        }
        for place in range(0, 64, 8)
    )


def _inverse(table: Sequence[int]) -> tuple[int, ...]:
    turned = [0] * len(table)
    for place, value in enumerate(table):
        turned[value] = place
    return tuple(turned)


# fmt: off
SAMPLE = Tables(
    s1=(12, 10, 8, 4, 3, 15, 0, 2, 14, 1, 5, 13, 6, 9, 7, 11),
    s2=(6, 9, 7, 4, 3, 10, 12, 14, 2, 13, 1, 15, 0, 11, 8, 5),
    p=(
        29, 27, 34, 9, 16, 62, 55, 2, 40, 49, 38, 25, 33, 61, 30, 23,
        1, 41, 21, 57, 42, 15, 5, 58, 19, 53, 22, 17, 48, 28, 24, 39,
        3, 60, 36, 14, 11, 52, 54, 12, 31, 51, 10, 26, 0, 45, 37, 43,
        44, 6, 59, 4, 7, 35, 56, 50, 13, 18, 32, 47, 46, 63, 20, 8,
    ),
)
# fmt: on


def _rotated(value: int, right: int) -> int:
    right %= 64
    return (value >> right | value << (64 - right)) & MASK


def _round(value: int, picks: int, rounds: Rounds) -> int:
    """Substitute each nibble by the table that its bit of ``picks`` names, and move."""
    t0, t1, t2, t3, t4, t5, t6, t7 = rounds
    k0, k1, k2, k3, k4, k5, k6, k7 = (picks & _PICK).to_bytes(8, "little")
    b0, b1, b2, b3, b4, b5, b6, b7 = value.to_bytes(8, "little")
    low = t0[k0][b0] | t1[k1][b1] | t2[k2][b2] | t3[k3][b3]
    return low | t4[k4][b4] | t5[k5][b5] | t6[k6][b6] | t7[k7][b7]


def _moved(block: int, permutation: Sequence[int]) -> int:
    result = 0
    for place, target in enumerate(permutation):
        result |= (block >> place & 1) << target
    return result


def encrypt(key: bytes, block: bytes, tables: Tables = SAMPLE) -> bytes:
    """Return the enciphered ``block``."""
    turning = _rotated(int.from_bytes(key, "big") ^ MASK, 12)
    value = int.from_bytes(block, "big")
    rounds = tables.sealing
    for _ in range(ROUNDS):
        value = _round(value, turning >> 3, rounds)  # the highest bit of each nibble picks
        turning = _rotated(turning, 63)
    return value.to_bytes(8, "big")


def decrypt(key: bytes, block: bytes, tables: Tables = SAMPLE) -> bytes:
    """Return the clear ``block``, as a meter computes it."""
    turning = int.from_bytes(key, "big")
    rounds = tables.opening
    # a round moves first: the tables do that for the round after, and the last move is taken back
    value = _moved(int.from_bytes(block, "big"), tables.inverses[2])
    for _ in range(ROUNDS):
        value = _round(value, turning, rounds)
        turning = _rotated(turning, 1)
    return _moved(value, tables.p).to_bytes(8, "big")


def checked_tables(tables: Tables, checks: Sequence[tuple[bytes, bytes, bytes]]) -> Tables:
    """Return ``tables`` when they turn each clear block into its cipher block.

    Args:
        tables: What the licensed user supplied.
        checks: At least one key, clear block and cipher block known to be right.

    Raises:
        BadTables: There is no check, or one fails.
    """
    if not checks:
        raise BadTables("a table file needs at least one check value")
    for key, clear, cipher in checks:
        if encrypt(key, clear, tables) != cipher or decrypt(key, cipher, tables) != clear:
            raise BadTables("the tables do not give their check value")
    return tables
