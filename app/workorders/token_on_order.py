"""A single token entered and booked on a work order, outside its procedure."""

from app.errors import NotFound, NotPermitted, VaultLocked
from app.models.order import WorkOrder
from app.services.token import TokenFacts, read_prepayment
from app.services.token_alone import TokenOutcome
from app.services.token_entry import Booking, enter_over_wire, result_code, unfinished
from app.tasks import Task
from app.workorders.serials import any_same
from app.workorders.tokens import CREDIT, ENGINEERING, TEST, add_typed
from app.workorders.visit import WorkContext, meter_serials
from drivers.errors import MeterBusy, PortUnavailable, TokenRefused, WrongMeter
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
    if context.tokens is None:
        raise VaultLocked("the key of the token lists is in the system's password store")
    if context.open_meter is None:
        raise PortUnavailable("no port was chosen")
    with context.db.read() as session:
        order = session.get(WorkOrder, order_id)
        pending = unfinished(session, order_id, STEP)
    if order is None:
        raise NotFound(f"there is no work order {order_id}")
    if pending is not None:
        raise NotPermitted(
            "nobody knows what became of the token before; read the meter's keys and credit first"
        )
    digits = token.reveal().decode("ascii")
    row = add_typed(
        context.db, order_id, digits, _PURPOSES[facts.token_class], context.tokens,
        words=facts.words,
    )  # fmt: skip
    if not row.sealed:
        raise NotPermitted(f"{row.shown} was accepted before; it is not entered twice")
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
    with context.open_meter(order.meter_type) as meter:
        found = meter_serials(meter.identity())
        if order.meter_serial and found and not any_same(found, (order.meter_serial,)):
            raise WrongMeter(
                f"the order is about meter {order.meter_serial}, but {found[0]} answers",
                expected=order.meter_serial,
                found=found[0],
            )
        before = yield from read_prepayment(meter)
        answer, after = yield from enter_over_wire(meter, row, before, booking)
    code = result_code(answer)
    if answer.state is TokenState.REFUSED:
        raise TokenRefused(f"{facts.shown}: {result_words(code).title}", code)
    if answer.state is TokenState.PROCESSING:
        raise MeterBusy(f"the meter has taken token {facts.shown} and still works on it")
    return TokenOutcome(facts.shown, code, before, after)
