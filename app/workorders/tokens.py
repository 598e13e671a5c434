"""The tokens of an order: imported with it, shown masked, purged when they are used up.

A file has one row per order with columns like ``kct_1`` to ``kct_4``, ``old_credit``, ``credit``,
``test`` and ``clear_tamper``, or one row per token with ``token`` and ``purpose``.  Columns like
``old_sgc`` and ``new_krn`` are the vending office's record of the meter.  Importing a file twice
changes nothing, and no message repeats a token's digits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import BadInput
from app.models.database import Database
from app.models.journal import append
from app.models.order import WorkOrder
from app.models.token import OVER, OrderToken, TokenStep, VendingRecord
from app.services import audit
from app.services.seat import demand
from app.services.token import TokenFacts, plain_digits, token_facts
from app.services.token_box import TokenBox
from app.tasks import checkpoint
from app.workorders.exchange.order_rows import RowError
from app.workorders.exchange.tablefile import FaultText, FormulaText, NumberText, read_table
from app.workorders.token_columns import COLUMNS, TOKEN, plain
from drivers.sts.identifiers import BASE_DATES, BadNumber, checked_drn

OLD_CREDIT, KEY_CHANGE, CREDIT, TEST = "old_credit", "key_change", "credit", "test"
CLEAR_TAMPER, ENGINEERING = "clear_tamper", "engineering"
PURPOSES = (OLD_CREDIT, KEY_CHANGE, CREDIT, TEST, CLEAR_TAMPER, ENGINEERING)
PURPOSE_WORDS = {
    OLD_CREDIT: "credit on the old key", KEY_CHANGE: "key change", CREDIT: "credit",
    TEST: "test", CLEAR_TAMPER: "clear tamper", ENGINEERING: "engineering",
}  # fmt: skip
_CLASSES = {
    OLD_CREDIT: 0, CREDIT: 0, TEST: 1, KEY_CHANGE: 2, CLEAR_TAMPER: 2, ENGINEERING: 2,
}  # fmt: skip
_ORDER_COLUMNS = ("externalref", "reference", "ref", "number", "order")
_RECORD = ("sgc", "ti", "krn", "key_type", "ken", "ea", "base")
_RANK = {purpose: place * 100 for place, purpose in enumerate(PURPOSES)}


@dataclass(frozen=True, slots=True)
class TokenImport:
    """What an import of tokens did; ``errors`` never hold a digit of a token."""

    orders: int
    tokens: int
    unchanged: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class TokenView:
    """One token as lists show it."""

    token_id: str
    position: int
    purpose: str
    shown: str
    words: str
    amount: Decimal | None
    unit: str
    state: str
    code: int


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """What one row says: tokens with their purpose and place, and the record of the meter."""

    tokens: tuple[tuple[str, int, str], ...] = ()
    amount: Decimal | None = None
    unit: str = ""
    reference: str = ""
    drn: str = ""
    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)


def has_tokens(columns: Iterable[str]) -> bool:
    """Tell whether a file with these columns brings tokens or a vending record."""
    names = {plain(column) for column in columns}
    record = {plain(f"{when}_{name}") for when in ("old", "new") for name in _RECORD}
    return bool(names & ({TOKEN} | set(COLUMNS) | record))


def import_tokens(db: Database, path: Path, box: TokenBox, *, who: str = "") -> TokenImport:
    """Take the tokens of a file to the orders they belong to.

    Raises:
        BadInput: The file cannot be used at all.
        VaultLocked: The keyring does not give out the key of the lists; nothing went in.
    """
    demand(db, "tokens.import")
    table = read_table(path)
    names = [plain(column) for column in table.columns]
    place = order_place(names, path)
    errors: list[RowError] = []
    orders: set[str] = set()
    counts = [0, 0]
    with db.write() as session:
        for row in table.rows:
            checkpoint()
            try:
                cells = dict(zip(names, row.cells, strict=True))
                plan = row_plan(cells, row.problem)
                order = open_order(session, row.cells[place].strip())
                added, same = add_tokens(session, order, plan, box)
            except (ValueError, BadInput) as error:
                errors.append(RowError(row.number, "", "", str(error)))
                continue
            orders.add(order.order_id)
            counts[0] += added
            counts[1] += same
        audit.append(
            session,
            who,
            "tokens.imported",
            path.name,
            {"sha256": table.sha256, "orders": len(orders), "tokens": counts[0]},
        )
    return TokenImport(len(orders), counts[0], counts[1], tuple(errors))


def order_place(names: list[str], path: Path) -> int:
    """Return which of these plain column names is the order's.

    Raises:
        BadInput: It is no token list.
    """
    place = next((names.index(name) for name in _ORDER_COLUMNS if name in names), None)
    if place is None or not has_tokens(names):
        raise BadInput(
            f"{path.name}: a token list needs a column for the order (reference or number) and"
            " columns like token and purpose, kct_1, credit"
        )
    return place


def row_plan(cells: Mapping[str, str], problem: str = "") -> TokenPlan:
    """Return what a row says; ``cells`` are by their plain column names.

    Raises:
        ValueError: A cell cannot be used; the text says which, and repeats no token.
    """
    if problem:
        raise ValueError(problem)
    tokens = []
    for name, (purpose, number) in COLUMNS.items():
        if text := _token_text(cells, name):
            tokens.append((purpose, number, text))
    if text := _token_text(cells, "token"):
        purpose = cells.get("purpose", "").strip().lower().replace(" ", "_") or CREDIT
        if purpose not in PURPOSES:
            raise ValueError(f"there is no purpose {purpose!r}; known are {', '.join(PURPOSES)}")
        position = cells.get("position", "").strip() or "1"
        if not position.isdigit():
            raise ValueError("the position is a number")
        tokens.append((purpose, int(position), text))
    drn = cells.get("drn", "").strip()
    if drn:
        try:
            checked_drn(drn)
        except BadNumber as error:
            raise ValueError(str(error)) from error
    return TokenPlan(
        tokens=tuple(tokens),
        amount=_amount(cells.get("amount", "").strip()),
        unit=cells.get("unit", "").strip() or "kWh",
        reference=cells.get("receipt", "").strip(),
        drn=drn,
        old=_key(cells, "old"),
        new=_key(cells, "new"),
    )


def add_tokens(
    session: Session, order: WorkOrder, plan: TokenPlan, box: TokenBox
) -> tuple[int, int]:
    """Put the tokens and the record of a row to an order; return how many are new and known.

    Raises:
        BadInput: A token is none, or does not fit its purpose.
    """
    rows = list({row.fingerprint: row for row in _rows(order, plan, box)}.values())
    known = {
        row.fingerprint: row
        for row in session.scalars(select(OrderToken).where(OrderToken.order_id == order.order_id))
    }
    new = [row for row in rows if row.fingerprint not in known]
    session.add_all(new)
    for row in rows:
        there = known.get(row.fingerprint)
        if there is not None and not there.sealed and there.state == TokenStep.OPEN:
            # purged with a visit that ended without entering it; the order has come again
            there.sealed, there.purged = row.sealed, None
            new.append(there)
    recorded = _record(session, order, plan)
    if new or recorded:
        session.flush()
        body = {
            "count": len(new),
            "purposes": sorted({row.purpose for row in new}),
            "tokens": [row.shown for row in new],
            "drn": plan.drn,
            "old": dict(plan.old),
            "new": dict(plan.new),
        }
        append(session, "tokens.added", body, order_id=order.order_id, epoch=order.epoch)
    return len(new), len(rows) - len(new)


def add_typed(
    db: Database, order_id: str, digits: str, purpose: str, box: TokenBox, *, words: str = ""
) -> OrderToken:
    """Keep a token that was typed in, sealed at once; one that is known is returned as it is."""
    with db.write() as session:
        order = session.get_one(WorkOrder, order_id)
        last = session.scalar(
            select(func.max(OrderToken.position)).where(OrderToken.order_id == order_id)
        )
        row = _row(order, TokenPlan(), (purpose, 1, digits), box)
        row.position = (last or 0) + 1
        row.words = words or row.words
        known = session.scalar(
            select(OrderToken).where(
                OrderToken.order_id == order_id, OrderToken.fingerprint == row.fingerprint
            )
        )
        if known is not None:
            return known
        session.add(row)
    return row


def order_tokens(session: Session, order_id: str) -> list[OrderToken]:
    """Return the tokens of an order in the order in which they are entered."""
    rows = session.scalars(
        select(OrderToken)
        .where(OrderToken.order_id == order_id)
        .order_by(OrderToken.position, OrderToken.token_id)
    )
    return list(rows)


def token_views(db: Database, order_id: str) -> tuple[TokenView, ...]:
    """Return the tokens of an order as lists show them: masked."""
    with db.read() as session:
        rows = order_tokens(session, order_id)
    return tuple(
        TokenView(
            row.token_id,
            row.position,
            row.purpose,
            row.shown,
            row.words,
            row.amount,
            row.unit,
            row.state,
            row.code,
        )
        for row in rows
    )


def vending_record(session: Session, order_id: str) -> VendingRecord:
    """Return what the vending office knows of an order's meter; an empty record for nothing."""
    found = session.get(VendingRecord, order_id)
    return found if found is not None else VendingRecord(order_id=order_id)


def _token_text(cells: Mapping[str, str], name: str) -> str:
    text = cells.get(name, "")
    problem = {
        NumberText: "the cell holds a number, which loses digits; format the column as text",
        FormulaText: "the cell holds a formula",
        FaultText: "the cell holds a fault of the spreadsheet",
    }.get(type(text), "")
    if text.strip() and problem:
        raise ValueError(f"{name}: {problem}")
    return text.strip()


def checked_token(text: str, purpose: str, number: int = 1) -> tuple[str, TokenFacts]:
    """Return a token's digits and what can be said of it.

    Raises:
        BadInput: It is no token, or none for this purpose; the text never repeats the digits.
    """
    try:
        digits = plain_digits(text)
    except BadInput as error:
        raise BadInput(f"{PURPOSE_WORDS[purpose]} {number}: {error}") from error
    facts = token_facts(digits)
    if facts.token_class != _CLASSES[purpose]:
        raise BadInput(
            f"{facts.shown} is no token for {PURPOSE_WORDS[purpose]}: it is {facts.words}"
        )
    return digits, facts


def _rows(order: WorkOrder, plan: TokenPlan, box: TokenBox) -> list[OrderToken]:
    return [_row(order, plan, item, box) for item in plan.tokens]


def _row(
    order: WorkOrder, plan: TokenPlan, item: tuple[str, int, str], box: TokenBox
) -> OrderToken:
    purpose, number, text = item
    digits, facts = checked_token(text, purpose, number)
    credit = purpose in {CREDIT, OLD_CREDIT}
    return OrderToken(
        order_id=order.order_id,
        position=_RANK[purpose] + number,
        purpose=purpose,
        shown=facts.shown,
        sealed=box.seal(digits),
        fingerprint=box.fingerprint(digits),
        token_class=facts.token_class,
        words=facts.words,
        amount=plan.amount if credit else None,
        unit=plan.unit if credit else "",
        reference=plan.reference,
        state=TokenStep.OPEN,
    )


def _record(session: Session, order: WorkOrder, plan: TokenPlan) -> bool:
    """Bring the vending record up to date; tell whether anything changed."""
    if not (plan.drn or plan.old or plan.new):
        return False
    row = session.get(VendingRecord, order.order_id)
    if row is None:
        row = VendingRecord(order_id=order.order_id)
        session.add(row)
    wanted = (plan.drn or row.drn, {**row.old, **plan.old}, {**row.new, **plan.new})
    changed = wanted != (row.drn, row.old, row.new)
    row.drn, row.old, row.new = wanted
    return changed


def open_order(session: Session, name: str) -> WorkOrder:
    """Return the one order of this reference or number that still takes tokens.

    Raises:
        ValueError: There is none, or there are several, or it is over.
    """
    found = session.scalars(
        select(WorkOrder).where((WorkOrder.external_ref == name) | (WorkOrder.number == name))
    ).all()
    if not name or not found:
        raise ValueError(f"there is no order {name!r}")
    if len(found) > 1:
        raise ValueError(f"several orders are called {name!r}")
    order = found[0]
    if order.state in OVER:
        raise ValueError(f"order {order.number} is {order.state}; it takes no more tokens")
    return order


def _key(cells: Mapping[str, str], when: str) -> dict[str, Any]:
    """Return the key a row names, "old" or "new"; only what is given."""
    key: dict[str, Any] = {}
    for name in _RECORD:
        text = cells.get(plain(f"{when}_{name}"), "").strip()
        if not text:
            continue
        if not text.isdigit():
            raise ValueError(f"{when}_{name} is a number, not {text!r}")
        widths = {"sgc": 6, "ti": 2}
        key[name] = text.zfill(widths[name]) if name in widths else int(text)
    if key.get("base") not in {None, *BASE_DATES}:
        raise ValueError(f"{when}_base is one of {', '.join(map(str, BASE_DATES))}")
    return key


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation as error:
        raise ValueError("the amount is no number") from error
    if not number.is_finite() or number < 0:
        raise ValueError("the amount is no number")
    return number
