"""The prepayment part of a record: accepted tokens by their last four digits, and the new key."""

from typing import Any

from sqlalchemy.orm import Session

from app.models.order import WorkOrder
from app.models.token import OrderToken, TokenStep
from app.reports import model
from app.services.token import key_words, reading_from
from app.workorders.procedure import StepKind, load_procedure
from app.workorders.results import step_value
from app.workorders.tokens import PURPOSE_WORDS, order_tokens, vending_record
from drivers.sts.results import result_words

_LAST = 4
_SHOWN = ("sgc", "ti", "krn", "key_type", "ken")
_ACCEPTED = frozenset({TokenStep.PART, TokenStep.ACCEPTED})


def record_prepayment(session: Session, order_id: str) -> tuple[model.Setting, ...]:
    """Return what was brought into a prepayment meter; what it refused stands in the checks."""
    tokens = tuple(
        model.Setting(
            name=f"Token … {row.shown[-_LAST:]}, {PURPOSE_WORDS.get(row.purpose, row.purpose)}",
            before="",
            written=_taken(row),
            read_back=_taken(row),
        )
        for row in order_tokens(session, order_id)
        if row.state in _ACCEPTED
    )
    return tokens + _new_key(session, order_id)


def _taken(row: OrderToken) -> str:
    """Return what the meter said; a keypad does not tell which token of the set it has taken."""
    if row.state == TokenStep.PART:
        return "Key token taken"
    return result_words(row.code).title


def _new_key(session: Session, order_id: str) -> tuple[model.Setting, ...]:
    order = session.get_one(WorkOrder, order_id)
    steps = load_procedure(order.procedure).steps
    key = next((step.key for step in steps if step.kind is StepKind.KEY_CHANGE), "")
    done = step_value(session, order_id, key) if key else {}
    if done.get("state") != "verified":
        return ()
    record, after = vending_record(session, order_id), done["after"]
    told = [name for name in _SHOWN if record.new.get(name) and after.get(name) is not None]
    before, wanted, read = (_words(key, told) for key in (record.old, record.new, after))
    return (model.Setting("Decoder key", before, wanted, read),)


def _words(key: dict[str, Any], names: list[str]) -> str:
    """Return which key, in words."""
    named: dict[str, Any] = {name: key[name] for name in names if name in key}
    return key_words(reading_from(named)) if named else ""
