"""The chained record of security-relevant acts: changing or removing one row breaks the chain.

Rows cut off at the end cannot be seen here.
"""

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.base import canonical
from app.models.people import Audit

_START = "meterwright"


def append(session: Session, who: str, act: str, subject: str = "", body: Any = None) -> Audit:
    """Add one act in the caller's write transaction and return its row.

    Args:
        session: An open write transaction.
        who: The person, or "system".
        act: Dotted name: "user.signed_in", "vault.read", "relay.opened" ...
        subject: What it was done to.
        body: Plain data; never a secret.
    """
    last = session.scalars(select(Audit).order_by(Audit.position.desc()).limit(1)).first()
    row = Audit(
        position=last.position + 1 if last else 1,
        who=who,
        act=act,
        subject=subject,
        body=body,
        chain="",
    )
    row.chain = _link(last.chain if last else _START, row)
    session.add(row)
    session.flush()
    return row


def check(session: Session) -> list[str]:
    """Return what is wrong with the chain, one sentence a place; empty when it is whole."""
    troubles: list[str] = []
    previous, expected = _START, 1
    rows = select(Audit).order_by(Audit.position).execution_options(yield_per=500)
    for row in session.scalars(rows):
        if row.position != expected:
            troubles.append(f"Rows {expected} to {row.position - 1} are missing.")
        elif row.chain != _link(previous, row):
            troubles.append(f"Row {row.position} was changed.")
        previous, expected = row.chain, row.position + 1
    return troubles


def _link(previous: str, row: Audit) -> str:
    moment = row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    whole = canonical([previous, row.position, moment, row.who, row.act, row.subject, row.body])
    return hashlib.sha256(whole.encode()).hexdigest()
