"""Key-change orders against the virtual Hexcell: over RS-485 and by the keypad, with refusals."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.errors import BadInput, NotPermitted
from app.models.order import StepResult
from app.models.token import OrderToken, TokenStep, VendingRecord
from app.services import audit
from app.services.keypad import grouped
from app.tasks import Ask
from app.workorders.record import build_record
from app.workorders.runner import skip_step
from app.workorders.tokens import token_views
from drivers.errors import MeterBusy, PortUnavailable
from drivers.simulator.tokenoffice import FIRST_KEY
from drivers.sts.identifiers import KeyType
from tests.prepayment_setup import ISSUED, SECOND_KEY, SERIAL, Place


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    made = Place(tmp_path / "data")
    yield made
    made.close()


def steps(place: Place) -> dict[str, StepResult]:
    with place.db.read() as session:
        return {row.step: row for row in session.scalars(select(StepResult))}


def states(place: Place) -> list[str]:
    return [view.state for view in token_views(place.db, place.order)]


def test_an_order_loads_old_credit_a_quad_and_new_credit_over_the_line(place):
    place.tokens(**place.standard_set(), amount="12.5")
    outcome = place.work()
    assert (outcome.state, outcome.verdict) == ("done", "PASS WITH REMARKS"), steps(place)
    assert place.account.sts.name == SECOND_KEY
    assert [entered.code for entered in place.account.history] == [1, 2, 3, 17, 1, 1]
    assert steps(place)["keychange"].value["state"] == "verified"
    assert steps(place)["new_tokens"].value["tokens"][0]["credited"] == "12.5"
    record, _ = build_record(place.db, place.order, place.context())
    key = record.settings[-1]
    assert (key.name, key.written) == ("Decoder key", "SGC 654321, TI 07, KRN 2")
    assert key.read_back == key.written
    assert len(record.settings) == 7
    assert states(place) == [TokenStep.ACCEPTED, *["part"] * 3, "accepted", "accepted"]


def test_the_digits_are_purged_after_acceptance_and_the_audit_is_whole(place):
    place.tokens(**place.standard_set())
    place.work()
    with place.db.read() as session:
        assert {row.sealed for row in session.scalars(select(OrderToken))} == {""}
        assert session.get(VendingRecord, place.order).verified is not None
        assert audit.check(session) == []
        acts = [row.act for row in session.scalars(select(audit.Audit))]
    assert acts.count("token.entered") == 6
    assert acts[0] == "tokens.imported"
    assert "keychange.complete" in acts


def keypad_person(place: Place):
    """Somebody who types what the screen shows and reads the display."""

    def answer(ask: Ask) -> str | None:
        now = place.link.now() + 60 * (1 + len(place.questions))
        if ask.key.endswith("_result"):
            shown = place.account.keypad(now, " ".join(ask.groups))
            if shown.startswith("Accept, result"):
                return "Accepted, more tokens to come"
            code = shown.rpartition(" ")[2]
            return (
                "Accepted"
                if shown.startswith("Accept")
                else {"10": "Used"}.get(code, "Invalid or CRC")
            )
        codes = {"drn": "804", "sgc": "901", "ti": "903", "krn": "902", "balance": "801"}
        name = ask.key.rpartition(".")[2]
        if name in codes:
            return place.account.keypad(now, codes[name]).split()[0]
        return None

    return answer


def test_the_same_order_is_done_by_keypad_without_any_line(place):
    listed = place.standard_set()
    place.tokens(**listed)
    outcome = place.work(wire=False, ask=keypad_person(place))
    assert outcome.state == "done"
    assert place.account.sts.name == SECOND_KEY
    assert steps(place)["keychange"].value["state"] == "verified"
    typed = [ask for ask in place.questions if ask.key.endswith("_result")]
    assert [" ".join(ask.groups) for ask in typed] == [
        grouped(listed[name])
        for name in ("old_credit", "kct_1", "kct_2", "kct_3", "kct_4", "credit")
    ]
    for token in listed.values():
        for form in (token, grouped(token)):
            assert form not in repr(place.questions)


def test_a_refused_token_is_explained_with_what_to_do_next(place):
    used = place.office.credit(3, ISSUED)
    place.account.enter(0.0, used)
    listed = {**place.standard_set(), "old_credit": used}
    place.tokens(**listed)
    outcome = place.work({"old_credit.t1_refused": "Leave it out"})
    assert outcome.state == "done"
    (question,) = [ask for ask in place.questions if ask.key == "old_credit.t1_refused"]
    assert "used token" in question.text
    assert "last-token display" in question.detail
    assert "Enter it" not in question.choices
    assert steps(place)["old_credit"].verdict == "WARN"


def test_a_set_for_another_meter_is_refused_and_the_key_stays(place):
    other = type(place.office)("12345678903", FIRST_KEY)
    quad = other.key_change(SECOND_KEY)
    place.tokens(**{f"kct_{n}": token for n, token in enumerate(quad, 1)})
    with pytest.raises(NotPermitted, match="before the meter locks"):
        place.work({"keychange.t101_refused": "Enter it", "keychange.t101_risk2": "Decide later"})
    assert place.account.sts.name == FIRST_KEY
    assert len(place.account.history) == 2, "the entry that locks was not made"


def test_a_set_without_one_of_its_tokens_is_left_out_whole_and_what_is_missing_is_said(place):
    good = place.office.key_change(SECOND_KEY)
    other = type(place.office)("12345678903", FIRST_KEY).key_change(SECOND_KEY)
    place.tokens(kct_1=good[0], kct_2=other[1], kct_3=good[2], kct_4=good[3])
    place.work({"keychange.t102_refused": "Leave the set out"})
    assert len(place.account.history) == 2, "nothing is entered after the one that was left out"
    assert place.account.sts.name == FIRST_KEY
    (question,) = [ask for ask in place.questions if ask.key == "keychange.t102_refused"]
    assert question.choices == ("Leave the set out", "Enter it", "Decide later")
    assert "stays on its present key" in question.detail
    step = steps(place)["keychange"]
    assert step.verdict == "FAIL"
    missing = step.value["missing"]
    assert len(missing) == 3
    assert [text.endswith("not entered") for text in missing] == [False, True, True]
    for token in (*good, *other):
        assert token not in repr(step.value)


def test_a_decision_that_was_put_off_is_asked_again_when_the_job_goes_on(place):
    good = place.office.key_change(SECOND_KEY)
    other = type(place.office)("12345678903", FIRST_KEY).key_change(SECOND_KEY)
    place.tokens(kct_1=good[0], kct_2=other[1], kct_3=good[2], kct_4=good[3])
    with pytest.raises(NotPermitted, match="was refused"):
        place.work({"keychange.t102_refused": "Decide later"})
    place.questions.clear()
    place.work({"keychange.t102_refused": "Leave the set out"})
    assert [ask.key for ask in place.questions].count("keychange.t102_refused") == 1
    assert len(place.account.history) == 2


def test_the_meter_is_given_its_pause_after_three_wrong_entries(place):
    other = type(place.office)("12345678903", FIRST_KEY)
    quad = other.key_change(SECOND_KEY)
    place.tokens(**{f"kct_{n}": token for n, token in enumerate(quad, 1)})
    with pytest.raises(MeterBusy, match="locked for another"):
        place.work({"keychange.t101_refused": "Enter it", "keychange.t101_risk2": "Enter it"})
    assert len(place.account.history) == 3


def test_an_incomplete_set_is_refused_before_the_first_token(place):
    quad = place.office.key_change(SECOND_KEY)
    place.tokens(kct_1=quad[0], kct_2=quad[1], kct_3=quad[2])
    with pytest.raises(BadInput, match="3 tokens; EA11 needs 4"):
        place.work()
    assert not place.account.history


def test_old_credit_that_is_open_stops_the_key_change(place):
    place.tokens(**place.standard_set())
    skip_step(place.db, place.order, "old_credit", "customer_refused")
    with pytest.raises(NotPermitted, match="Credit on the old key"):
        place.work({"keychange.old_credit": "Decide later"})
    assert not place.account.history


def test_the_installer_cannot_approve_the_key_change(place):
    place.tokens(**place.standard_set())
    with pytest.raises(NotPermitted, match="somebody else"):
        place.work({"keychange.approved_by": "A. Sample"})


def test_the_second_confirmation_needs_the_digits_of_this_meter(place):
    place.tokens(**place.standard_set())
    with pytest.raises(BadInput, match="last four digits"):
        place.work({"keychange.confirm": "0000"})
    assert len(place.account.history) == 1, "only the old credit was entered"


def test_a_meter_that_is_on_the_new_key_already_gets_no_token(place):
    listed = place.standard_set()
    for token in [listed[f"kct_{n}"] for n in (4, 3, 2, 1)]:
        place.account.enter(0.0, token)
    place.tokens(**{name: token for name, token in listed.items() if name != "old_credit"})
    outcome = place.work()
    assert outcome.state == "done"
    assert steps(place)["keychange"].value["entered"] is False
    assert len(place.account.history) == 5, "the four, and the credit on the new key"


def test_a_set_for_another_key_is_stopped_before_the_first_token(place):
    listed = place.standard_set()
    place.tokens(**listed, old_sgc="111111")
    with pytest.raises(NotPermitted, match="SGC: the record says 111111"):
        place.work({"keychange.other_key": "Decide later"})


def test_a_line_that_breaks_leaves_the_outcome_open_and_the_next_visit_reads_it_back(place):
    place.tokens(**place.standard_set())
    inner = place.link._inner
    heard = []

    def breaks(ask: Ask) -> None:
        if ask.key == "keychange.confirm":
            heard.append(inner.statistics.bytes_received)
            inner.pull_after(900)

    with pytest.raises(PortUnavailable):
        place.work(ask=breaks)
    entered = len(place.account.history)
    inner._gone, inner._pull_after = False, None
    answers = {f"keychange.t{100 + n}_again": "Enter it" for n in (1, 2, 3, 4)}
    assert place.work(answers).state == "done"
    assert entered >= 1
    assert place.account.sts.name == SECOND_KEY
    shown = [item.shown for item in place.account.history]
    assert len(shown) == len(set(shown)) == 6, "a token was entered twice"


def test_a_meter_on_its_default_key_is_brought_to_its_own(tmp_path):
    default = replace(FIRST_KEY, key_type=KeyType.DDTK)
    place = Place(tmp_path / "data", key=default)
    listed = place.standard_set()
    del listed["old_credit"]
    place.tokens(**listed, old_key_type="1", new_key_type="2")
    assert place.work().state == "done"
    assert place.account.sts.name == SECOND_KEY
    place.close()


def test_typed_tokens_are_typed_twice_and_never_kept_as_an_answer(tmp_path):
    place = Place(tmp_path / "data", kind="prepayment_commission")
    token = place.office.credit(Decimal("2.5"), ISSUED)
    place.tokens()
    answers = {
        "clock.set": "Leave",
        "test_credit.type": "Type a token",
        "test_credit.token": grouped(token),
        "test_credit.token_again": token,
        "test_credit.channel": "Over the wire",
    }
    outcome = place.work(answers)
    assert outcome.state == "done"
    assert [item.code for item in place.account.history] == [1]
    assert token.encode() not in (tmp_path / "data" / "local.sqlite").read_bytes()
    place.close()


def test_digits_that_differ_the_second_time_are_not_entered(tmp_path):
    place = Place(tmp_path / "data", kind="prepayment_commission")
    one, other = place.office.credit(1, ISSUED), place.office.credit(2, ISSUED)
    place.tokens()
    answers = {
        "clock.set": "Leave",
        "test_credit.type": "Type a token",
        "test_credit.token": one,
        "test_credit.token_again": other,
    }
    with pytest.raises(BadInput, match="differ"):
        place.work(answers)
    assert not place.account.history
    place.close()


def test_a_token_that_opens_the_load_switch_is_warned_of_and_confirmed(tmp_path):
    place = Place(tmp_path / "data", kind="prepayment_commission")
    place.tokens(test=place.office.test(1))
    answers = {
        "clock.set": "Leave",
        "test_credit.type": "No token here",
        "load_switch.reason": "commissioning",
        "load_switch.t301_confirm": SERIAL[-4:],
        "load_switch.channel": "Over the wire",
    }
    assert place.work(answers).state == "done"
    (question,) = [ask for ask in place.questions if ask.key == "load_switch.t301_confirm"]
    assert "test the load switch; this opens the load switch" in question.text
    assert "without supply" in question.detail
    with place.db.read() as session:
        rows = [row for row in session.scalars(select(audit.Audit)) if row.act == "token.entered"]
    assert rows[0].body["reason"] == "commissioning"
    place.close()
