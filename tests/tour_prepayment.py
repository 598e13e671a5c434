"""The tour through prepayment: a key change by keypad, and a campaign."""

from pathlib import Path
from typing import Any


def prepayment(tour: Any, desk: Any) -> None:
    """Work the key-change order: credit over the line, the set on the keypad, with a refusal."""
    from app.demo_prepayment import ORDER
    from app.workorders.queue import find_order

    window = tour.window
    window.open_place(0)
    window.pages.close_order()
    bus = next(port for port in desk.ports() if "RS-485" in port.title)
    window.station.choose_port(bus.target, bus.title, "")
    window.pages.open_order(find_order(desk.db, ORDER))
    session = window.pages.order
    tour.until(lambda: bool(session.steps))
    page = window.stack.currentWidget()
    page.press_primary()
    serial = session.detail.row.meter_serial
    _enter_tokens(tour, session, page, serial)
    session.stop()
    tour.until(lambda: not session.running)
    page.findings.turn_to("tokens")
    window._end_toast()  # it says that the meter is signed off
    tour.grab("tokens")
    _on_paper(tour, session, page)
    _second_person(tour, session, desk.db.folder / "people")
    _let_go(session)
    window.pages.close_order()


def _on_paper(tour: Any, session: Any, page: Any) -> None:
    """Type a token from paper: half of it, the whole, and the second time with a wrong digit."""
    from app.services.keypad import grouped
    from app.services.token import TokenAsk
    from drivers.secrets import Secret
    from drivers.simulator.tokenoffice import TokenOffice
    from tests.prepayment_setup import DRN, ISSUED

    digits = TokenOffice(DRN).credit(3, ISSUED)
    wrong = digits[:9] + str((int(digits[9]) + 1) % 10)
    text = "Type the 20 digits of the token"
    once = TokenAsk(text, classes=frozenset({0, 1}), way_back="No token here")
    _put(session, once)
    page.question.fields[0].setText(grouped(digits[:11]))
    tour.grab("token-paper")
    page.question.fields[0].setText(grouped(digits))
    tour.grab("token-paper-whole")
    first = Secret(digits.encode())
    text = "Type the 20 digits once more"
    _put(session, TokenAsk(text, classes=once.classes, way_back="Begin again", first=first))
    page.question.fields[0].setText(grouped(wrong))
    tour.grab("token-paper-differs")


def _second_person(tour: Any, session: Any, folder: Path) -> None:
    """Have a key change approved where people are entered: who, then their own password."""
    from app.models.database import Database
    from app.services.approving import KEY_CHANGE, approved
    from app.services.users import SignedIn, add

    words, question = "Who approves this key change?", "keychange.approved_by"
    with Database.open(folder) as db:
        root = SignedIn("Ruth Adler", "administrator")
        for name, role in ((root.name, root.role), ("Sam Officer", "security officer")):
            add(db, name, role, "correct horse", by=root)
        asking = approved(db, KEY_CHANGE, question, words, first="Ada Marlow", subject="")
        _put(session, next(asking))
        tour.grab("approval-people")
        _put(session, asking.send("Sam Officer"))
        tour.grab("approval-password")
        asking.close()


def _put(session: Any, question: Any) -> None:
    """Show a question as if the job asked it."""
    session.question = question
    session.turned.emit()


def _let_go(session: Any) -> None:
    session.question = None
    session.turned.emit()


def _enter_tokens(tour: Any, session: Any, page: Any, serial: str) -> None:
    """Answer until the second token of the set is refused, with a picture of each way to ask."""
    said = {
        "identify.serial": serial,
        "old_credit.channel": "Over the wire",
        "keychange.channel": "On the keypad",
        "keychange.approved_by": "S. Officer",
        "keychange.confirm": serial[-4:],
        "keychange.t101_result": "Accepted, more tokens to come",
        "keychange.t102_result": "Used",
    }
    while True:
        tour.until(lambda: session.question is not None or not session.running)
        question = session.question
        if question is None:
            break
        tour.until(lambda q=question: page.question is not None and page.question.question is q)
        if question.key == "keychange.channel":
            page.findings.turn_to("tokens")
        if question.key == "keychange.approved_by":
            tour.grab("approval")
        if question.key == "keychange.t101_result":
            tour.grab("keypad-first")
            page.question.go_to(2)
            tour.grab("keypad-third")
            page.question.go_to(4)
            tour.grab("keypad-compare")
            page.question.go_to(6)
            page.question.go_to(0)
            _keys(tour)
            page.question.type.click()
            tour.until(lambda: page.question.display)
            tour.grab("keypad-display")
        if question.key not in said:
            tour.grab("token-refused")
            break
        session.answer(said[question.key])
        tour.until(lambda q=question: session.question is not q)


def _keys(tour: Any) -> None:
    """Press a short code on the virtual meter."""
    from app.views.meter_keys import MeterKeys

    tour.window.pages.open_meter_keys()
    keys = tour.window.findChildren(MeterKeys)[-1]
    keys.typed.setText("901")
    keys.hand_in()
    tour.until(lambda: len(keys.display.text()) > 1)
    tour.grab("meter-keys", keys)
    keys.reject()
    tour.settle(0.1)


def campaign(tour: Any, desk: Any, folder: Path) -> None:
    """Import a key-change campaign, look at its progress, and at what its filter leaves."""
    from tests.prepayment_setup import campaign_list, campaign_states

    window = tour.window
    window.open_place(0)
    path = folder / "North_2026.csv"
    campaign_list(path, damaged=True)
    from app.views.import_sheet import ImportSheet

    sheet = ImportSheet(window.look, window.station, path, window)
    sheet.open()
    tour.until(sheet.go.isEnabled)
    tour.grab("import-campaign", sheet)
    sheet.go.click()
    tour.until(lambda: not sheet.isVisible())
    campaign_states(desk.db)
    window.pages.queue.reload()
    tour.until(lambda: window.pages.queue.campaigns)
    tour.grab("queue-with-campaign")
    window.pages.open_campaigns()
    session, page = window.pages.campaign, window.stack.currentWidget()
    tour.until(lambda: session.status is not None)
    tour.settle(4.2)  # the notice of the import is gone
    tour.grab("campaign")
    page.search.setText("nowhere")
    tour.grab("campaign-none")
    page.search.setText("")
    window.pages.close_campaigns()
    _small(tour, window)


def _small(tour: Any, window: Any) -> None:
    """Look at the same in the window of a small laptop."""
    size = tour.size
    if tour.percent == 100:
        tour.size = 1280, 744
        window.resize(*tour.size)
        tour.settle(0.5)
        tour.grab("queue-first-size")
    tour.size = 1024, 600
    window.resize(*tour.size)
    tour.until(lambda: window.look.compact)
    tour.until(lambda: window.pages.queue.campaigns)
    tour.grab("queue-small")
    window.pages.open_campaigns()
    tour.until(lambda: window.pages.campaign.status is not None)
    tour.grab("campaign-small")
    window.pages.close_campaigns()
    tour.size = size
    window.resize(*size)
    tour.settle(0.5)
