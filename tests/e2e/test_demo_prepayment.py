"""The key-change order of the demo, over its virtual RS-485 bus."""

from app.commands.demo import prepayment_answers
from app.demo import running_demo
from app.demo_prepayment import ORDER, token_list
from app.services.keypad import KeypadAsk
from app.tasks import Ask, Cancel, run
from app.workorders.entering import display_answer
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


def test_the_demo_order_is_done_by_keypad_after_a_refusal_is_explained(tmp_path):
    folder = tmp_path / "demo"
    with running_demo(folder, real_time=False) as demo:
        desk, serial = demo.desk, "46000755038"
        order = find_order(desk.db, ORDER)
        refusals: list[Ask] = []
        typed: list[str] = []

        def handle(event):
            if isinstance(event, KeypadAsk):
                digits = "".join(event.groups)
                wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10)
                typed.append(wrong if not typed else digits)
                return display_answer(demo.keypad.press(serial, typed[-1]))
            if not isinstance(event, Ask):
                return None
            if event.key.endswith("_refused"):
                refusals.append(event)
                return "Enter it"
            if event.key.endswith(".channel"):
                return "On the keypad"
            known = {**prepayment_answers(serial), "identify.serial": serial}
            known |= {"evidence.seal": "NP-1", "signature.installer": desk.who}
            known |= {"signature.customer": "absent"}
            return known.get(event.key, event.default or None)

        assert run(desk.work(order, demo.bus), handle, Cancel()).state == "done"
        (refusal,) = refusals
        assert "does not fit this meter" in refusal.text
        assert refusal.detail.startswith("Compare meter number, SGC, TI and KRN")
        assert len(typed) == 7
        assert demo.keypad.press(serial, "901") == "600717"
        desk.render_report(order)
        cells = token_list(serial).replace("\r\n", ",").split(",")
        tokens = [cell for cell in cells if len(cell) == 20 and cell.isdigit()]
        assert len(tokens) == 6
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            assert not [token for token in tokens if token.encode() in data], path
