r"""Exchange files: a saved dialogue, one bytes literal a line after ``TX`` or ``RX``.

::

    TX b'/?!\r\n'
    RX b'/EKT5CE301v12\r\n'
"""

import ast
import re
from collections.abc import Iterator

_LINE = re.compile(
    rb"(TX|RX) (b(?:'(?:[^'\\\n\r]|\\(?:x[0-9a-fA-F]{2}|[abfnrtv0\\'\"]))*'"
    rb"|\"(?:[^\"\\\n\r]|\\(?:x[0-9a-fA-F]{2}|[abfnrtv0\\'\"]))*\"))"
)
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")


def is_exchange(data: bytes) -> bool:
    """Tell whether ``data`` is an exchange file."""
    return bool(re.match(rb"\s*(?:TX|RX) b['\"]", data))


def read_exchange(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield ("TX" or "RX", bytes) for each line; ("", line) for one that is damaged."""
    for line in data.splitlines():
        text = line.strip()
        if not text:
            continue
        match = _LINE.fullmatch(text) if _PRINTABLE.fullmatch(text) else None
        if match is None:
            yield "", text
            continue
        yield match[1].decode(), ast.literal_eval(match[2].decode("ascii"))
