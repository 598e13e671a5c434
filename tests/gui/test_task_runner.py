import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.tasks import Ask, Cancelled, Found, Progress, Worker
from app.views.task_runner import Fetcher, TaskRunner, call
from tests.gui.patience import PATIENCE


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("gui")
    yield worker
    worker.close()


@pytest.fixture
def tasks(qtbot: QtBot, worker: Worker) -> TaskRunner:
    return TaskRunner(worker)


def test_events_arrive_in_the_gui_thread(qtbot, tasks):
    seen = []
    here = threading.main_thread()
    tasks.progressed.connect(lambda p: seen.append((p.text, threading.current_thread() is here)))
    tasks.found.connect(lambda f: seen.append((f.what, threading.current_thread() is here)))
    tasks.asked.connect(lambda _: tasks.answer("B"))

    def task():
        yield Progress("one")
        yield Found("check", 7)
        return (yield Ask("?"))

    with qtbot.waitSignal(tasks.succeeded, timeout=PATIENCE) as ended:
        tasks.start(task())
    assert ended.args == ["B"]
    assert seen == [("one", True), ("check", True)]
    assert not tasks.busy


def test_cancel_while_asking(qtbot, tasks):
    tasks.asked.connect(lambda _: tasks.cancel())

    def task():
        yield Ask("?")

    with qtbot.waitSignal(tasks.failed, timeout=PATIENCE) as ended:
        tasks.start(task())
    assert isinstance(ended.args[0], Cancelled)


def test_a_second_click_on_an_answer_does_not_answer_the_next_question(qtbot, tasks):
    def on_ask(ask):
        if ask.text == "first?":
            tasks.answer("one")
            tasks.answer("stale")
        else:
            tasks.answer("two")

    tasks.asked.connect(on_ask)

    def task():
        first = yield Ask("first?")
        second = yield Ask("second?")
        return first, second

    with qtbot.waitSignal(tasks.succeeded, timeout=PATIENCE) as ended:
        tasks.start(task())
    assert ended.args == [("one", "two")]


def test_only_the_newest_question_of_a_kind_is_answered(qtbot, worker):
    fetcher, seen, gate = Fetcher(worker), [], threading.Event()
    fetcher.fetch("queue", lambda: gate.wait(2) and "old", seen.append, seen.append)
    fetcher.fetch("queue", lambda: "new", seen.append, seen.append)
    fetcher.fetch("detail", lambda: "beside it", seen.append, seen.append)
    gate.set()
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=PATIENCE)
    assert seen == ["new", "beside it"]


def test_an_error_behind_the_window_is_told_and_a_forgotten_question_is_not(qtbot, worker):
    fetcher, seen = Fetcher(worker), []

    def fail():
        raise ValueError("no such column")

    fetcher.fetch("forgotten", lambda: 1, seen.append, seen.append)
    fetcher.forget("forgotten")
    fetcher.fetch("queue", fail, lambda _: None, seen.append)
    qtbot.waitUntil(lambda: bool(seen), timeout=PATIENCE)
    assert [str(error) for error in seen] == ["no such column"]


def test_a_plain_call_becomes_a_task():
    task = call(lambda: 5)
    with pytest.raises(StopIteration) as end:
        next(task)
    assert end.value.value == 5
