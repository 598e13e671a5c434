"""What the steps of an order have found so far, as the database keeps it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.database import Database
from app.models.order import Draft, StepResult, WorkOrder
from app.workorders.procedure import Procedure, Step, load_procedure
from drivers.values import ClockReading

OPEN, RUNNING, DONE, SKIPPED = "open", "running", "done", "skipped"


@dataclass(frozen=True, slots=True)
class StepView:
    """One step as the stepper shows it; ``state`` is open, running, done or skipped."""

    key: str
    title: str
    kind: str
    state: str
    verdict: str
    summary: str
    position: int
    may_skip: tuple[str, ...] = ()  # the coded reasons


def steps_view(db: Database, order_id: str) -> tuple[StepView, ...]:
    """Return the steps of an order with what is known of each, in their order."""
    with db.read() as session:
        order = session.get_one(WorkOrder, order_id)
        procedure = load_procedure(order.procedure)
        results = step_results(session, order_id)
    return tuple(
        step_view(step, results.get(step.key), position)
        for position, step in enumerate(procedure.steps)
    )


def step_view(step: Step, result: StepResult | None, position: int) -> StepView:
    """Return one step as the stepper shows it."""
    value = (result.value or {}) if result else {}
    return StepView(
        key=step.key,
        title=step.title,
        kind=step.kind.value,
        state=result.state if result else OPEN,
        verdict=result.verdict if result else "",
        summary=str(value.get("summary", "")),
        position=position,
        may_skip=tuple(reason.value for reason in step.skip),
    )


def step_results(session: Session, order_id: str) -> dict[str, StepResult]:
    """Return what is stored of each step that was begun, by its key."""
    rows = session.scalars(select(StepResult).where(StepResult.order_id == order_id))
    return {row.step: row for row in rows}


def step_value(session: Session, order_id: str, step: str) -> dict[str, Any]:
    """Return what one step found; empty when it is not done."""
    row = session.scalar(
        select(StepResult).where(
            StepResult.order_id == order_id, StepResult.step == step, StepResult.state == DONE
        )
    )
    return {} if row is None else {**(row.value or {}), "verdict": row.verdict}


def clock_in(value: dict[str, Any]) -> ClockReading | None:
    """Return the comparison of clocks that a visit kept; None when it made none."""
    if "meter_time" not in value:
        return None
    return ClockReading(
        meter_time=datetime.fromisoformat(value["meter_time"]),
        read_at=datetime.fromisoformat(value["read_at"]),
        offset=Decimal(value["offset_s"]),
        uncertainty=Decimal(value["uncertainty_s"]),
        status=tuple(value["status"]),
    )


def answers_given(session: Session, order_id: str) -> dict[str, str]:
    """Return the answers of the running step, by their keys."""
    rows = session.scalars(select(Draft).where(Draft.order_id == order_id))
    return {row.key: row.value for row in rows}


def first_open(procedure: Procedure, results: dict[str, StepResult]) -> Step | None:
    """Return the first step that is neither done nor skipped; None when all are."""
    for step in procedure.steps:
        result = results.get(step.key)
        if result is None or result.state not in (DONE, SKIPPED):
            return step
    return None
