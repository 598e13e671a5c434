"""A single token entered and booked on a work order, and open entries of an order settled."""

from contextlib import ExitStack

from app.errors import NotFound, NotPermitted, VaultLocked
from app.models.order import WorkOrder
from app.services.seat import demand
from app.services.token import TokenFacts, read_prepayment
from app.services.token_alone import TokenOutcome
from app.services.token_entry import Booking, enter_over_wire, result_code, unfinished
from app.tasks import Progress, Task
from app.workorders.entering import keypad_for_type
from app.workorders.serials import any_same
from app.workorders.tokens import CREDIT, ENGINEERING, KEY_CHANGE, TEST, add_typed
from app.workorders.unseen import Line, Unseen, settle_open
from app.workorders.visit import WorkContext, meter_serials
from drivers.errors import MeterBusy, PortUnavailable, TokenRefused, WrongMeter
from drivers.meter import Meter
from drivers.prepayment import TokenState
from drivers.secrets import Secret
from drivers.sts.results import result_words

STEP = "token"
_PURPOSES = {0: CREDIT, 1: TEST, 2: ENGINEERING}


def enter_on_order(
    context: WorkContext, order_id: str, token: Secret, facts: TokenFacts, reason: str
) -> Task[TokenOutcome]:
    """Enter one token at the meter of an order, once, and book it there.

    Raises:
        NotPermitted: An entry before it has no known end yet, or the token was used already.
        WrongMeter: Another meter answers than the order's.
        TokenRefused: The meter refused it.
    """
    if context.open_meter is None:
        raise PortUnavailable("no port was chosen")
    order, booking = _booking(context, order_id, reason)
    with context.db.read() as session:
        pending = unfinished(session, order_id)
    if pending is not None:
        raise NotPermitted(
            "nobody saw what became of a token of this order before; settle that first with"
            f" `token settle {order.number} LINK`"
        )
    digits = token.reveal().decode("ascii")
    row = add_typed(
        context.db, order_id, digits, _PURPOSES[facts.token_class], booking.box,
        words=facts.words,
    )  # fmt: skip
    if not row.sealed:
        raise NotPermitted(f"{row.shown} was accepted before; it is not entered twice")
    if row.purpose == KEY_CHANGE or facts.key_change:
        raise NotPermitted(
            f"{row.shown} is part of a key-change set: work the order, so that the set is checked"
            " and somebody else approves it"
        )
    with context.open_meter(order.meter_type) as meter:
        _same(meter, order)
        before = yield from read_prepayment(meter)
        answer, after = yield from enter_over_wire(meter, row, before, booking)
    code = result_code(answer)
    if answer.state is TokenState.REFUSED:
        raise TokenRefused(f"{facts.shown}: {result_words(code).title}", code)
    if answer.state is TokenState.PROCESSING:
        raise MeterBusy(f"the meter has taken token {facts.shown} and still works on it")
    return TokenOutcome(facts.shown, code, before, after)


def settle_on_order(context: WorkContext, order_id: str) -> Task[list[Unseen]]:
    """Find out what became of every entry of an order that nobody saw end; enter nothing.

    With a line the meter is read, without one the person in front of it is asked.

    Raises:
        NotPermitted: It cannot be told: the vending office must say.
        WrongMeter: Another meter answers than the order's.
    """
    order, booking = _booking(context, order_id, "settled afterwards")
    with ExitStack() as stack:

        def meter() -> Task[Meter]:
            yield Progress("Connecting to the meter")
            stack.close()
            if context.open_meter is None:
                raise PortUnavailable("no port was chosen")
            opened = stack.enter_context(context.open_meter(order.meter_type))
            _same(opened, order)
            return opened

        wire = meter if context.open_meter is not None else None
        return (yield from settle_open(booking, Line(wire, stack.close, keypad_for_type(order))))


def _booking(context: WorkContext, order_id: str, reason: str) -> tuple[WorkOrder, Booking]:
    demand(context.db, "orders.work")
    if context.tokens is None:
        raise VaultLocked("the key of the token lists is in the system's password store")
    with context.db.read() as session:
        order = session.get(WorkOrder, order_id)
    if order is None:
        raise NotFound(f"there is no work order {order_id}")
    booking = Booking(
        db=context.db,
        box=context.tokens,
        order_id=order_id,
        epoch=order.epoch,
        step=STEP,
        who=context.who,
        meter_serial=order.meter_serial,
        place=order.title,
        clock=context.clock,
        reason=reason,
    )
    return order, booking


def _same(meter: Meter, order: WorkOrder) -> None:
    found = meter_serials(meter.identity())
    if order.meter_serial and found and not any_same(found, (order.meter_serial,)):
        raise WrongMeter(
            f"the order is about meter {order.meter_serial}, but {found[0]} answers",
            expected=order.meter_serial,
            found=found[0],
        )
