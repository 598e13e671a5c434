"""Serial numbers in a normal form, so that a scanned label, an order and a readout compare.

One utility serial is printed in three forms: in the bar code with a GS1 application identifier
(8004, or 21), the same in brackets on the plate, and without it in the readout.  What was scanned
is kept as it was; only comparisons use the normal form.
"""

import re
from collections.abc import Iterable

_BRACKETED = re.compile(r"\((?:8004|21)\)([^()]+)")
_ASSET = "8004"  # individual asset; in front of a bar code without brackets
_SHORTEST = 6  # what must remain after an identifier; below it digits decide nothing
_NOISE = re.compile(r"[\s\x1d()\-._/]")
_SYMBOLOGY = re.compile(r"^\][A-Za-z]\d")  # "]C1" that scanners may put before the data


def normal_forms(serial: str) -> frozenset[str]:
    """Return every form ``serial`` may stand for: upper case, no separators, no leading zeros."""
    text = _SYMBOLOGY.sub("", serial.strip())
    bracketed = _BRACKETED.search(text)
    if bracketed:
        return frozenset({_bare(bracketed.group(1))} - {""})
    plain = _NOISE.sub("", text).upper()
    forms = {_bare(plain)}
    rest = plain.removeprefix(_ASSET)
    if rest != plain and len(rest) >= _SHORTEST:
        forms.add(_bare(rest))
    return frozenset(forms - {""})


def same_serial(one: str, other: str) -> bool:
    """Tell whether two spellings name the same device; empty ones never do."""
    return bool(normal_forms(one) & normal_forms(other))


def any_same(ones: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether one of ``ones`` names the same device as one of ``others``."""
    left = frozenset[str]().union(*(normal_forms(item) for item in ones))
    right = frozenset[str]().union(*(normal_forms(item) for item in others))
    return bool(left & right)


def _bare(text: str) -> str:
    bare = _NOISE.sub("", text).upper()
    return bare.lstrip("0") or bare[:1]
