"""The key-change order of the demo, over its virtual RS-485 bus."""

from app.demo import running_demo
from app.demo_prepayment import ORDER, token_list
from app.tasks import Ask, Cancel, run
from app.workorders.queue import find_order
from app.workorders.tokens import token_views


def test_the_demo_order_loads_a_quad_and_a_credit_token_over_the_bus(tmp_path):
    with running_demo(tmp_path / "demo", real_time=False) as demo:
        desk = demo.desk
        order = find_order(desk.db, ORDER)
        views = token_views(desk.db, order)
        serial = "46000755038"
        assert [view.purpose for view in views].count("key_change") == 4
        answers = {
            "identify.serial": serial,
            "keychange.approved_by": "S. Officer",
            "keychange.confirm": serial[-4:],
            "evidence.seal": "NP-0042118",
            "signature.installer": desk.who,
            "signature.customer": "absent",
        }

        def handle(event):
            if isinstance(event, Ask):
                return answers.get(event.key, event.default or None)
            return None

        outcome = run(desk.work(order, demo.bus), handle, Cancel())
        assert outcome.state == "done"
        assert [view.state for view in token_views(desk.db, order)] == [
            "accepted", "part", "part", "part", "accepted", "accepted",
        ]  # fmt: skip
        kept = (tmp_path / "demo" / "local.sqlite").read_bytes()
        for cell in token_list(serial).replace("\r\n", ",").split(","):
            assert len(cell) != 20 or cell.encode() not in kept
