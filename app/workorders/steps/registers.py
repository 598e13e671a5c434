"""Registers: every value the meter type lists, at one moment of the visit."""

from app.services.readout import read_registers, reading_facts
from app.tasks import Task
from app.workorders.visit import StepEnd, Visit


def registers(visit: Visit) -> Task[StepEnd]:
    """Read the registers and keep them under the step's moment."""
    if visit.session.told:
        # a meter that tells a list tells it once a session: another moment needs another one
        visit.session.release()
    meter = yield from visit.meter()
    moment = visit.step.options.moment
    readings = yield from read_registers(
        visit.db,
        meter,
        order_id=visit.order.order_id,
        meter_serial=visit.meter_serial,
        moment=moment,
        clock=visit.context.clock,
    )
    visit.session.told = True
    damaged = sum(item.check == "bad" for item in readings)
    summary = f"{len(readings)} values"
    if damaged:
        summary += f", {damaged} with a wrong check character"
    return StepEnd(
        summary=summary,
        value={"moment": moment, "count": len(readings), "damaged": damaged},
        facts={"readings": reading_facts(readings)},
    )
