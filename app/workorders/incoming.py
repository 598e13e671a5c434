"""Files that come in: orders, orders with their tokens, token lists, key-change campaigns.

What a file is shows in its columns.  A preview says what it would bring and changes nothing; it
checks every token as the import does, and no message repeats a digit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.errors import BadInput, VaultLocked
from app.models.database import Database
from app.services.seat import demand
from app.services.token_box import TokenBox
from app.tasks import checkpoint
from app.workorders.campaign import campaign_profile, import_campaign
from app.workorders.exchange.import_orders import import_orders
from app.workorders.exchange.mapping import FIELDS, MappingProfile
from app.workorders.exchange.order_rows import RowError
from app.workorders.exchange.tablefile import read_table
from app.workorders.token_columns import plain
from app.workorders.tokens import (
    checked_token,
    has_tokens,
    import_tokens,
    open_order,
    order_place,
    row_plan,
)


class FileKind(StrEnum):
    """What a file brings."""

    ORDERS = "orders"
    WITH_TOKENS = "orders with tokens"
    TOKENS = "tokens"
    CAMPAIGN = "key changes"


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a file would bring, or has brought; ``errors`` never hold a digit of a token."""

    kind: FileKind
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    tokens: int = 0
    errors: tuple[RowError, ...] = ()
    remarks: tuple[str, ...] = ()


def file_kind(columns: Iterable[str]) -> FileKind:
    """Tell by its columns what a file brings.

    A campaign names no type of order: every meter in it has its key changed.
    """
    names = {plain(column) for column in columns}

    def has(field: str) -> bool:
        return bool(names & {plain(name) for name in FIELDS[field]})

    if not has_tokens(names):
        return FileKind.ORDERS
    if not has("street") and not has("action"):
        return FileKind.TOKENS
    return FileKind.WITH_TOKENS if has("kind") or has("action") else FileKind.CAMPAIGN


def preview(db: Database, path: Path, *, campaign: str = "") -> Incoming:
    """Say what a file would bring.

    Raises:
        BadInput: It cannot be used at all.
    """
    table = read_table(path)
    kind = file_kind(table.columns)
    if kind is FileKind.TOKENS:
        count, errors = _preview_tokens(db, path, frozenset())
        return Incoming(kind, tokens=count, errors=errors)
    made = import_orders(db, path, mapping=_mapping(kind, campaign), dry_run=True)
    remarks = made.remarks if kind is FileKind.ORDERS else used_remarks(made.remarks)
    told = Incoming(kind, made.created, made.changed, made.unchanged, 0, made.errors, remarks)
    if kind is FileKind.ORDERS:
        return told
    return _with_tokens(told, *coming_tokens(db, path))


def bring(
    db: Database, path: Path, box: TokenBox | None, *, campaign: str = "", who: str = ""
) -> Incoming:
    """Take a file in.

    Raises:
        BadInput: It cannot be used at all.
        VaultLocked: Its tokens cannot be sealed; nothing went in.
    """
    kind = file_kind(read_table(path).columns)
    if kind is FileKind.ORDERS:
        made = import_orders(db, path, who=who)
        return Incoming(
            kind, made.created, made.changed, made.unchanged, 0, made.errors, made.remarks
        )
    if box is None:
        raise VaultLocked("there is no keyring to seal the tokens with")
    box.fingerprint("")  # a locked keyring stops here, before anything went in
    if kind is FileKind.TOKENS:
        tokens = import_tokens(db, path, box, who=who)
        return Incoming(
            kind, tokens=tokens.tokens, unchanged=tokens.unchanged, errors=tokens.errors
        )
    if kind is FileKind.CAMPAIGN:
        whole = import_campaign(db, path, campaign, box, who=who)
        return Incoming(kind, whole.created, tokens=whole.tokens, errors=whole.errors)
    made = import_orders(db, path, who=who)
    remarks = used_remarks(made.remarks)
    told = Incoming(kind, made.created, made.changed, made.unchanged, 0, made.errors, remarks)
    tokens = import_tokens(db, path, box, who=who)
    return _with_tokens(told, tokens.tokens, tokens.errors)


def coming_tokens(db: Database, path: Path) -> tuple[int, tuple[RowError, ...]]:
    """Return how many tokens come with orders of the same file, and what is wrong with others."""
    table = read_table(path)
    place = order_place([plain(column) for column in table.columns], path)
    coming = frozenset(row.cells[place].strip() for row in table.rows if not row.problem)
    return _preview_tokens(db, path, coming)


def used_remarks(remarks: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out that columns of tokens are no columns of orders: they are used as well."""
    return tuple(remark for remark in remarks if not remark.startswith("columns that are not used"))


def _preview_tokens(
    db: Database, path: Path, coming: frozenset[str]
) -> tuple[int, tuple[RowError, ...]]:
    """Return how many tokens could go in, and what is wrong with the rows of others."""
    demand(db, "tokens.import")
    table = read_table(path)
    names = [plain(column) for column in table.columns]
    place = order_place(names, path)
    errors: list[RowError] = []
    count = 0
    with db.read() as session:
        for row in table.rows:
            checkpoint()
            try:
                plan = row_plan(dict(zip(names, row.cells, strict=True)), row.problem)
                for purpose, number, text in plan.tokens:
                    checked_token(text, purpose, number)
                if row.cells[place].strip() not in coming:
                    open_order(session, row.cells[place].strip())
            except (ValueError, BadInput) as error:
                errors.append(RowError(row.number, "", "", str(error)))
                continue
            count += len(plan.tokens)
    return count, tuple(errors)


def _with_tokens(told: Incoming, count: int, errors: tuple[RowError, ...]) -> Incoming:
    failed = {error.row for error in told.errors}
    more = [error for error in errors if error.row not in failed]
    both = tuple(sorted([*told.errors, *more], key=lambda error: error.row))
    return Incoming(
        told.kind, told.created, told.changed, told.unchanged, count, both, told.remarks
    )


def _mapping(kind: FileKind, campaign: str) -> MappingProfile | None:
    return campaign_profile(campaign) if kind is FileKind.CAMPAIGN else None
