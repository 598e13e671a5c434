"""Key-change sets: two, three or four tokens that bring a new decoder key into a meter.

They carry no random number and no time.  The bits after the subclass::

    first   KEN high 4 | KRN 4 | rollover 1 | three tokens 1 | key type 2 | key, high word 32
    second  KEN low 4 | TI 8 | key, low word 32
    third   EA11: SGC low 12 | key, middle word 2 32      EA07: SGC 24 | 0 20
    fourth  EA11: SGC high 12 | key, middle word 1 32
"""

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.sts.identifiers import KeyName
from drivers.sts.keys import EA_MISTY
from drivers.sts.token import MANAGEMENT, Clear, TokenError

FIRST, SECOND, THIRD, FOURTH = 3, 4, 8, 9
SUBCLASSES = (FIRST, SECOND, THIRD, FOURTH)


class IncompleteSet(TokenError):
    """Tokens of the set are missing; nothing changes until it is whole."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a complete set says.

    ``sgc`` is None for a set of two: the meter is not told, and may show 0 afterwards.
    """

    key: bytes
    ken: int
    krn: int
    ti: str
    key_type: int
    rollover: bool
    sgc: str | None

    def __repr__(self) -> str:
        return f"NewKey(•••, KRN {self.krn}, TI {self.ti}, SGC {self.sgc})"


def key_change(
    key: bytes, name: KeyName, *, ken: int, rollover: bool, tell_sgc: bool = False
) -> tuple[Clear, ...]:
    """Return the set for a new key: four tokens for EA11, three or two for EA07.

    Args:
        key: The new decoder key.
        name: Which key it is.
        ken: Key expiry number, 255 for never.
        rollover: The new key has a later base date; the meter forgets its token times.
        tell_sgc: For EA07, add the third token that carries the supply group.
    """
    words = [int.from_bytes(key[n : n + 4], "big") for n in range(0, len(key), 4)]
    misty = name.ea == EA_MISTY
    three = tell_sgc and not misty
    flags = int(rollover) << 3 | int(three) << 2 | name.key_type
    sgc = int(name.sgc)
    parts = [
        (FIRST, (ken >> 4) << 40 | name.krn << 36 | flags << 32 | words[0]),
        (SECOND, (ken & 15) << 40 | int(name.ti) << 32 | words[-1]),
    ]
    if misty:
        parts.append((THIRD, (sgc & 0xFFF) << 32 | words[1]))
        parts.append((FOURTH, (sgc >> 12) << 32 | words[2]))
    elif three:
        parts.append((THIRD, sgc << 20))
    return tuple(Clear(MANAGEMENT, subclass << 44 | rest) for subclass, rest in parts)


def complete(tokens: Iterable[Clear], ea: int) -> NewKey:
    """Return what a set says, its tokens in any order.

    Raises:
        IncompleteSet: One is missing.
    """
    found = {token.subclass: token.data for token in tokens if token.subclass in SUBCLASSES}
    first = found.get(FIRST)
    three = first is not None and bool(first >> 34 & 1)
    needed = [FIRST, SECOND]
    if ea == EA_MISTY:
        needed = list(SUBCLASSES)
    elif three:
        needed = [FIRST, SECOND, THIRD]
    missing = [subclass for subclass in needed if subclass not in found]
    if missing or first is None:
        names = {FIRST: "first", SECOND: "second", THIRD: "third", FOURTH: "fourth"}
        said = ", ".join(names[subclass] for subclass in missing)
        raise IncompleteSet(f"still to enter: the {said} key token")
    second = found[SECOND]
    words, sgc = [first & 0xFFFFFFFF, second & 0xFFFFFFFF], None
    if ea == EA_MISTY:
        words[1:1] = [found[THIRD] & 0xFFFFFFFF, found[FOURTH] & 0xFFFFFFFF]
        sgc = f"{(found[FOURTH] >> 32 & 0xFFF) << 12 | found[THIRD] >> 32 & 0xFFF:06}"
    elif three:
        sgc = f"{found[THIRD] >> 20 & 0xFFFFFF:06}"
    return NewKey(
        key=b"".join(word.to_bytes(4, "big") for word in words),
        ken=(first >> 40 & 15) << 4 | second >> 40 & 15,
        krn=first >> 36 & 15,
        ti=f"{second >> 32 & 0xFF:02}",
        key_type=first >> 32 & 3,
        rollover=bool(first >> 35 & 1),
        sgc=sgc,
    )
