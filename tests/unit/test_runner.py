"""Working an order: what goes wrong first, then the whole visit."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Connection, event, func, select, text

from app.errors import BadInput, Cancelled, Interrupted, NoRoom, NotFound, NotPermitted
from app.models.database import Database
from app.models.journal import JournalEvent
from app.models.measured import ProfileSegment, StoredEvent, StoredReading
from app.models.order import (
    Attachment,
    CheckResult,
    Draft,
    Incident,
    MeterCommand,
    OrderState,
    Seal,
    StepResult,
    WorkOrder,
)
from app.tasks import Ask, Cancel, Found, collect, run
from app.workorders.record import build_record
from app.workorders.results import steps_view
from app.workorders.runner import skip_step, work
from app.workorders.visit import Answered
from drivers.errors import NoReply, NotSupported, PortProblem, PortUnavailable, WrongMeter
from drivers.values import Identity
from tests.fake_meter import Behaviour, Memory, rows
from tests.visit_setup import ANSWERS, add_order, camera_photo, context_for


@pytest.fixture
def db(tmp_path) -> Iterator[Database]:
    with Database.open(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def order(db) -> str:
    return add_order(db)


def kept(db, table, **where):
    with db.read() as session:
        return list(session.scalars(select(table).filter_by(**where)))


def state(db, order_id="order-1") -> str:
    with db.read() as session:
        return session.get_one(WorkOrder, order_id).state


def writes(db) -> object:
    return Memory(db.folder / "meter.json").load()["writes"]


def asked(events) -> list[str]:
    return [event.key for event in events if isinstance(event, Ask)]


def breaks_at(call: str, error: Exception, times: int = 1):
    """Return what makes the fake fail at one call, so many times."""
    left = [times]

    def before_call(name: str) -> None:
        if name == call and left[0]:
            left[0] -= 1
            raise error

    return before_call


# Wrong meters


def test_a_label_that_is_not_the_orders_ends_with_wrong_meter_before_any_meter_is_opened(db, order):
    opened = []
    behaviour = Behaviour(before_call=opened.append)
    answers = {**ANSWERS, "identify.serial": "00099999", "identify.wrong": ""}
    with pytest.raises(WrongMeter, match="label says 00099999, the order says 00018438"):
        collect(work(context_for(db, behaviour=behaviour), order), answers)
    assert opened == []
    assert state(db) == OrderState.STARTED


def test_another_meter_under_the_probe_ends_with_wrong_meter_and_nothing_is_written(db, order):
    behaviour = Behaviour(identity=Identity(serial="00077777"))
    with pytest.raises(WrongMeter, match="the meter says 00077777") as caught:
        collect(work(context_for(db, behaviour=behaviour), order), ANSWERS)
    assert (caught.value.expected, caught.value.found) == ("00018438", "00077777")
    assert writes(db) == 0
    assert kept(db, MeterCommand) == kept(db, StoredReading) == []


def test_after_the_probe_was_moved_to_the_right_meter_repeat_goes_on(db, order):
    behaviour = Behaviour(identity=Identity(serial="00077777"))
    seen = []

    def handle(event):
        if isinstance(event, Ask) and event.key == "identify.wrong":
            seen.append(event)
            behaviour.identity = Identity(serial="00018438")
            return "Repeat"
        return ANSWERS.get(event.key) if isinstance(event, Ask) else None

    result = run(work(context_for(db, behaviour=behaviour), order), handle, Cancel())
    assert result.finished
    assert len(seen) == 1
    assert "Nothing was written" in seen[0].text


def test_an_answer_file_that_always_repeats_does_not_go_round_for_ever(db, order):
    behaviour = Behaviour(identity=Identity(serial="00077777"))
    answers = {**ANSWERS, "identify.wrong": "Repeat"}
    with pytest.raises(WrongMeter):
        collect(work(context_for(db, behaviour=behaviour), order), answers)


def test_a_wrong_meter_can_be_reported_as_an_incident(db, order):
    behaviour = Behaviour(identity=Identity(serial="00077777"))
    answers = {**ANSWERS, "identify.wrong": "Report wrong meter"}
    result, _ = collect(work(context_for(db, behaviour=behaviour), order), answers)
    assert (result.state, result.verdict) == (OrderState.CANNOT_COMPLETE, "")
    assert [item.code for item in kept(db, Incident)] == ["METER.wrong_meter"]


def test_a_probe_moved_to_another_meter_in_mid_visit_is_noticed_before_anything_is_read(db, order):
    behaviour = Behaviour()
    context = context_for(db, behaviour=behaviour)
    collect(work(context, order, stop_after="identify"), ANSWERS)
    behaviour.identity = Identity(serial="00077777")
    with pytest.raises(WrongMeter, match="nothing was written"):
        collect(work(context, order), ANSWERS)
    assert kept(db, StoredReading) == []


def test_the_utilitys_number_on_the_label_is_as_good_as_the_makers(db):
    order = add_order(db, meter_serial="00018438", utility_serial="12345678903")
    answers = {**ANSWERS, "identify.serial": "(8004)12345678903"}
    result, _ = collect(work(context_for(db), order, stop_after="identify"), answers)
    assert result.step == "identify"
    step = kept(db, StepResult, step="identify")[0]
    assert (step.verdict, step.value["scanned"]) == ("PASS", "(8004)12345678903")


def test_a_meter_that_tells_no_serial_is_a_remark(db, order):
    behaviour = Behaviour(identity=Identity())
    collect(work(context_for(db, behaviour=behaviour), order, stop_after="identify"), ANSWERS)
    assert kept(db, StepResult, step="identify")[0].verdict == "WARN"


# Lines that break


def test_a_meter_silent_in_mid_register_read_keeps_what_arrived_and_repeats_at_the_step(db, order):
    behaviour = Behaviour(before_call=breaks_at("register 1-0:52.7.0.255", NoReply(2.0)))
    context = context_for(db, behaviour=behaviour)
    with pytest.raises(NoReply):
        collect(work(context, order), ANSWERS)
    assert len(kept(db, StoredReading, moment="before")) == 3
    assert state(db) == OrderState.STARTED
    result, events = collect(work(context, order), ANSWERS)
    assert result.finished
    assert "identify.serial" not in asked(events)
    assert len(kept(db, StoredReading, moment="before")) == len(behaviour.values)


def test_a_probe_pulled_in_mid_profile_keeps_the_rows_and_goes_on_after_them(db, order):
    gone = PortUnavailable("the probe was pulled", PortProblem.LOST)
    behaviour = Behaviour(before_call=breaks_at("profile 20", gone))
    context = context_for(db, behaviour=behaviour)
    with pytest.raises(Interrupted, match="20 of 40 rows are kept") as caught:
        collect(work(context, order), ANSWERS)
    assert (caught.value.done, caught.value.total) == (20, 40)
    assert caught.value.__cause__ is gone
    calls: list[str] = []
    behaviour.before_call = calls.append
    collect(work(context, order), ANSWERS)
    segments = sorted(kept(db, ProfileSegment), key=lambda item: item.position)
    assert len({item.capture_id for item in segments}) == 1
    assert [row[0] for item in segments for row in item.rows] == [
        row.time.isoformat() for row in rows(40)
    ]
    assert len([name for name in calls if name.startswith("profile ")]) == 3  # not all four


def test_a_profile_sent_newest_first_also_goes_on_where_it_broke(db, order):
    behaviour = Behaviour(
        newest_first=True, before_call=breaks_at("profile 20", NoReply(2.0), times=1)
    )
    context = context_for(db, behaviour=behaviour)
    with pytest.raises(Interrupted):
        collect(work(context, order), ANSWERS)
    collect(work(context, order), ANSWERS)
    times = sorted(row[0] for item in kept(db, ProfileSegment) for row in item.rows)
    assert times == [row.time.isoformat() for row in rows(40)]


def test_a_line_that_breaks_before_the_first_row_is_no_interrupted_read(db, order):
    behaviour = Behaviour(before_call=breaks_at("profile 0", NoReply(2.0)))
    with pytest.raises(NoReply):
        collect(work(context_for(db, behaviour=behaviour), order), ANSWERS)


def test_a_meter_that_captures_other_values_since_is_read_anew(db, order):
    behaviour = Behaviour(before_call=breaks_at("profile 20", NoReply(2.0)))
    context = context_for(db, behaviour=behaviour)
    with pytest.raises(Interrupted):
        collect(work(context, order), ANSWERS)
    with db.write() as session:
        for segment in session.scalars(select(ProfileSegment)):
            segment.columns = {**segment.columns, "period_s": 1800}
    collect(work(context, order), ANSWERS)
    assert len({item.capture_id for item in kept(db, ProfileSegment)}) == 2


def test_without_a_port_the_visit_says_so_and_keeps_the_answer(db, order):
    context = replace(context_for(db), open_meter=None)
    with pytest.raises(PortUnavailable, match="no port"):
        collect(work(context, order), ANSWERS)
    assert [item.key for item in kept(db, Draft)] == ["identify.serial"]


# The clock


def test_an_answer_lost_after_the_clock_was_set_is_settled_by_reading_back(db, order):
    behaviour = Behaviour(loses_answer=NoReply(2.0))
    context = context_for(db, behaviour=behaviour)
    with pytest.raises(NoReply):
        collect(work(context, order), ANSWERS)
    assert [item.outcome for item in kept(db, MeterCommand)] == ["unknown"]
    _, events = collect(work(context, order), ANSWERS)
    assert writes(db) == 1
    assert "clock.again" not in asked(events)
    command = kept(db, MeterCommand)[0]
    assert (command.outcome, command.read_back) == ("done", "+0.1 s")
    assert kept(db, StepResult, step="clock")[0].value["before"] == "+95.0 s"


def test_an_intent_that_never_reached_the_meter_is_asked_about_anew(db, order):
    behaviour = Behaviour(before_call=breaks_at("set_clock", NoReply(2.0)))
    context = context_for(db, behaviour=behaviour)
    with pytest.raises(NoReply):
        collect(work(context, order), ANSWERS)
    _, events = collect(work(context, order), ANSWERS)
    assert "clock.again" in asked(events)
    assert "clock.set" not in asked(events)
    assert writes(db) == 1
    assert sorted(item.outcome for item in kept(db, MeterCommand)) == ["done", "not written"]


def test_a_clock_the_meter_refuses_to_set_can_be_left_and_fails_the_check(db, order):
    behaviour = Behaviour(refuses_clock=True)
    context = context_for(db, behaviour=behaviour)
    with pytest.raises(Exception, match="keeps its time"):
        collect(work(context, order), ANSWERS)
    assert [item.outcome for item in kept(db, MeterCommand)] == ["refused"]
    result, events = collect(work(context, order), {**ANSWERS, "clock.set": "Leave"})
    assert "clock.set" in asked(events)
    assert result.verdict == "FAIL"
    assert {item.check_id: item.verdict for item in kept(db, CheckResult)}["clock"] == "FAIL"


def test_a_clock_within_the_limit_is_neither_asked_about_nor_written(db, order):
    memory = Memory(db.folder / "meter.json", offset="-3.0")
    _, events = collect(work(context_for(db, memory), order), ANSWERS)
    assert "clock.set" not in asked(events)
    assert writes(db) == 0


def test_the_intent_stands_in_the_journal_before_the_meter_hears_of_it(db, order):
    kinds = []

    def before_call(name: str) -> None:
        if name == "set_clock":
            kinds.extend(item.kind for item in kept(db, JournalEvent))

    collect(work(context_for(db, behaviour=Behaviour(before_call=before_call)), order), ANSWERS)
    assert kinds[-1] == "command.intent"
    after = [item.kind for item in kept(db, JournalEvent)]
    assert after.count("command.intent") == after.count("command.result") == 1


# The operator


def test_stop_in_mid_profile_signs_off_keeps_the_rows_and_leaves_the_order_started(db, order):
    cancel = Cancel()
    meters = []
    context = context_for(db)

    @contextlib.contextmanager
    def watched(name):
        with context.open_meter(name) as meter:
            meters.append(meter)
            yield meter

    def handle(event):
        if isinstance(event, Found) and event.what == "rows" and event.item.kept >= 20:
            cancel.press()
        return ANSWERS.get(event.key) if isinstance(event, Ask) else None

    with pytest.raises(Cancelled):
        run(work(replace(context, open_meter=watched), order), handle, cancel)
    assert not any(meter.signed_on for meter in meters)
    assert state(db) == OrderState.STARTED
    assert len(kept(db, ProfileSegment)) >= 2
    result, _ = collect(work(context, order), ANSWERS)
    assert result.finished


def test_answered_questions_are_shown_again_but_not_asked_again(db, order):
    context = context_for(db)
    answers = {**ANSWERS}
    del answers["evidence.note"]
    cancel = Cancel()

    def handle(event):
        if isinstance(event, Ask) and event.key == "evidence.note":
            cancel.press()
            cancel.check()
        return answers.get(event.key) if isinstance(event, Ask) else None

    with pytest.raises(Cancelled):
        run(work(context, order), handle, cancel)
    _, events = collect(work(context, order), ANSWERS)
    shown = [item.item for item in events if isinstance(item, Found) and item.what == "answer"]
    assert [item.key for item in shown if isinstance(item, Answered)] == [
        "evidence.photo",
        "evidence.seal",
    ]
    assert "evidence.seal" not in asked(events)


def test_an_answer_that_is_no_choice_is_refused_and_asked_again(db, order):
    context = context_for(db)
    with pytest.raises(BadInput, match="Set, Leave"):
        collect(work(context, order), {**ANSWERS, "clock.set": "Perhaps"})
    assert writes(db) == 0
    _, events = collect(work(context, order), ANSWERS)
    assert "clock.set" in asked(events)


def test_a_needed_answer_that_is_missing_names_its_key(db, order):
    with pytest.raises(BadInput, match=r"identify\.serial"):
        collect(work(context_for(db), order), {})


def test_working_an_order_twice_changes_nothing_the_second_time(db, order):
    context = context_for(db)
    first, _ = collect(work(context, order), ANSWERS)
    before = len(kept(db, JournalEvent))
    second, events = collect(work(context, order), ANSWERS)
    assert first == second
    assert events == []
    assert len(kept(db, JournalEvent)) == before


def test_no_meter_is_kept_waiting_while_the_operator_thinks(db, order):
    context = context_for(db)
    meters = []

    @contextlib.contextmanager
    def watched(name):
        with context.open_meter(name) as meter:
            meters.append(meter)
            yield meter

    def handle(event):
        if isinstance(event, Ask):
            assert not any(meter.signed_on for meter in meters), event.key
            return ANSWERS.get(event.key)
        return None

    run(work(replace(context, open_meter=watched), order), handle, Cancel())
    assert meters


def test_a_step_is_left_out_only_for_a_reason_the_procedure_allows(db, order):
    with pytest.raises(NotPermitted, match="no_access"):
        skip_step(db, order, "profile", "rain")
    with pytest.raises(NotPermitted, match="none"):
        skip_step(db, order, "identify", "no_time")
    with pytest.raises(BadInput, match="no step"):
        skip_step(db, order, "dance", "no_time")
    result, _ = collect(work(context_for(db), order, skips={"profile": "no_time"}), ANSWERS)
    assert result.finished
    step = kept(db, StepResult, step="profile")[0]
    assert (step.state, step.skip_reason) == ("skipped", "no_time")
    assert kept(db, ProfileSegment) == []


def test_work_ends_after_the_step_asked_for(db, order):
    result, _ = collect(work(context_for(db), order, stop_after="clock"), ANSWERS)
    assert (result.step, result.finished, result.verdict) == ("clock", False, "")
    assert [view.state for view in steps_view(db, order)][:4] == ["done", "done", "done", "open"]
    with pytest.raises(BadInput, match="no step"):
        collect(work(context_for(db), order, stop_after="dance"), ANSWERS)


def test_an_order_that_is_cancelled_or_unknown_cannot_be_worked(db):
    order = add_order(db, state=OrderState.CANCELLED)
    with pytest.raises(NotPermitted, match="cancelled"):
        collect(work(context_for(db), order), ANSWERS)
    with pytest.raises(NotFound):
        collect(work(context_for(db), "nothing"), ANSWERS)


# The disk


@pytest.mark.parametrize("step", ["identify", "before", "clock", "profile", "checks"])
def test_a_full_disk_in_a_step_loses_nothing_that_was_kept(db, order, step):
    context = context_for(db)
    collect(work(context, order, stop_after=_step_before(step)), ANSWERS)
    before = len(kept(db, JournalEvent))
    with full_disk(db), pytest.raises(NoRoom):
        collect(work(context, order), ANSWERS)
    assert len(kept(db, JournalEvent)) >= before
    result, _ = collect(work(context, order), ANSWERS)
    assert result.finished
    assert writes(db) == 1


@contextlib.contextmanager
def full_disk(db: Database) -> Iterator[None]:
    """Let SQLite believe that the disk is full: the file may not grow, and is filled up."""

    def no_page_more(connection: Connection) -> None:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={used}")

    def as_many_as_ever(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1073741823")

    with db.write() as session:
        session.execute(text("CREATE TABLE filler (body BLOB)"))
    event.listen(db._engine, "begin", no_page_more)
    with contextlib.suppress(NoRoom):
        while True:
            with db.write() as session:
                session.execute(text("INSERT INTO filler VALUES (zeroblob(500))"))
    yield
    event.remove(db._engine, "begin", no_page_more)
    event.listen(db._engine, "begin", as_many_as_ever)


def _step_before(step: str) -> str:
    keys = ["identify", "before", "clock", "registers", "profile", "events", "checks"]
    return keys[max(0, keys.index(step) - 1)]


# Meters that have less


def test_what_a_meter_does_not_have_is_not_applicable_and_no_failure(db, order):
    behaviour = Behaviour(has_profile=False, has_events=False, has_clock=False, relay=None)
    result, _ = collect(work(context_for(db, behaviour=behaviour), order), ANSWERS)
    views = {view.key: view.verdict for view in steps_view(db, order)}
    assert views["profile"] == views["events"] == views["clock"] == "NOT APPLICABLE"
    assert result.verdict == "PASS WITH REMARKS"  # the photo
    assert kept(db, StoredEvent) == []


def test_a_plain_read_out_reads_and_writes_nothing(db):
    order = add_order(db, procedure="read_out", kind="read_out")
    result, events = collect(work(context_for(db), order), ANSWERS)
    assert result.verdict == "PASS"
    assert asked(events) == ["identify.serial"]
    assert writes(db) == 0


def test_a_profile_that_turns_out_unsupported_while_reading_is_not_applicable(db, order):
    behaviour = Behaviour(before_call=breaks_at("profile 0", NotSupported("no P.01")))
    collect(work(context_for(db, behaviour=behaviour), order), ANSWERS)
    assert kept(db, StepResult, step="profile")[0].verdict == "NOT APPLICABLE"


# The whole


def test_a_whole_visit_leaves_everything_the_report_needs(db, order):
    answers = {**ANSWERS, "evidence.photo": str(camera_photo(db.folder))}
    rendered = []

    def render(order_id: str) -> bytes:
        rendered.append(order_id)
        return b"%PDF report"

    context = context_for(db, render=render)
    result, events = collect(work(context, order), answers)
    assert (result.state, result.verdict, result.step) == ("done", "PASS", "complete")
    assert rendered == [order]
    with db.read() as session:
        done = session.get_one(WorkOrder, order)
        drafts = session.scalar(select(func.count()).select_from(Draft))
    assert (done.steps_done, done.steps_total, drafts) == (11, 11, 0)
    assert done.report_sha256 in {item.sha256 for item in kept(db, Attachment)}
    assert [item.number for item in kept(db, Seal)] == ["NB 402 119"]
    kinds = {item.kind for item in kept(db, JournalEvent)}
    assert {"step.result", "command.intent", "command.result", "order.done"} <= kinds
    whats = {item.what for item in events if isinstance(item, Found)}
    assert {"step", "check", "reading", "rows", "event", "clock", "identity"} <= whats
    record, photos = build_record(db, order, context)
    assert len(photos) == 1
    assert record.settings[0].read_back == record.settings[0].written
    assert record.registers[0].before == Decimal("812.440")
    assert record.profile is not None
    assert record.profile.rows[0].value == Decimal("0.005")


def test_the_record_of_a_closed_order_does_not_change_with_the_settings(db, order):
    context = context_for(db)
    collect(work(context, order), ANSWERS)
    first = build_record(db, order, context)
    other = replace(context, utility="Another Grid", language="de", laptop="X", who="B. Other")
    assert build_record(db, order, other) == first


def test_a_report_that_could_not_be_made_is_made_by_the_next_start(db, order):
    def fails(order_id: str) -> bytes:
        raise NoRoom("disk full")

    with pytest.raises(NoRoom):
        collect(work(context_for(db, render=fails), order), ANSWERS)
    assert state(db) == OrderState.DONE
    collect(work(context_for(db, render=lambda _: b"%PDF"), order), ANSWERS)
    assert [item.kind for item in kept(db, Attachment)] == ["report"]
