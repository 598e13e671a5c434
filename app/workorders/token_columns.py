"""Which columns of a file hold tokens, and how their cells are written where anybody may read."""

import re
from collections.abc import Iterable

from drivers.sts.token import masked

# By plain name: what the token is for, and its place among those for the same.
COLUMNS = {
    **{f"kct{place}": ("key_change", place) for place in (1, 2, 3, 4)},
    "oldcredit": ("old_credit", 1), "credit": ("credit", 1), "test": ("test", 1),
    "cleartamper": ("clear_tamper", 1), "engineering": ("engineering", 1),
}  # fmt: skip
TOKEN = "token"  # noqa: S105 (the column of a list with one row per token)


def plain(name: str) -> str:
    """Return a column's name without case, spaces and signs."""
    return re.sub(r"[\W_]+", "", name.casefold())


def without_tokens(columns: Iterable[str], cells: Iterable[str]) -> list[str]:
    """Return the cells of a row with its tokens masked."""
    secret = {TOKEN, *COLUMNS}
    return [
        masked(cell) if cell.strip() and plain(column) in secret else cell
        for column, cell in zip(columns, cells, strict=False)
    ]
