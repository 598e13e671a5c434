"""Signature: who worked, and whether the customer was there."""

from app.tasks import AnswerKind, Task
from app.workorders.visit import StepEnd, Visit

ABSENT = "absent"


def signature(visit: Visit) -> Task[StepEnd]:
    """Ask for typed names; the customer's may be "absent"."""
    context = visit.context
    name = yield from visit.ask(
        "installer",
        "Your name, as a signature under the declaration",
        kind=AnswerKind.SIGNATURE,
        detail=visit.procedure.declaration,
        default=context.who,
    )
    signed = [_signed("Installer", name, _company(visit), context.clock().isoformat())]
    if visit.step.options.customer:
        customer = yield from visit.ask(
            "customer",
            f'The customer\'s name, or "{ABSENT}"',
            kind=AnswerKind.SIGNATURE,
            default=ABSENT,
            optional=True,
        )
        absent = not customer or customer.lower() == ABSENT
        signed.append(
            _signed("Customer", "" if absent else customer, "", context.clock().isoformat())
        )
    summary = ", ".join(str(item["name"] or f"{item['role'].lower()} absent") for item in signed)
    return StepEnd(summary=summary, value={"signatures": signed})


def _signed(role: str, name: str, detail: str, at: str) -> dict[str, str]:
    state = "typed" if name else ABSENT
    return {"role": role, "name": name, "detail": detail, "state": state, "time": at}


def _company(visit: Visit) -> str:
    context = visit.context
    licence = f"licence {context.licence}" if context.licence else ""
    return ", ".join(item for item in (context.contractor, licence) if item)
