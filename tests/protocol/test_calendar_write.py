"""A calendar on its way to a meter: remembered before its first byte and until it reads back."""

import os
import signal

import pytest

from app.errors import NoRoom
from app.services import calendar_interrupted
from app.services.calendar_draft import Draft
from app.services.calendar_interrupted import Outcome, finding, interrupted
from app.services.object_write import REASON
from app.services.service_acts import replace_calendar
from app.tasks import collect
from drivers.dlms.session import Session
from drivers.errors import NoReply
from tests.protocol.test_calendar_firmware import NEW, SERIAL, SPECIAL, Bench

WANTED = Draft(NEW, SPECIAL)
ANSWERS = {REASON: "Tariff of January", "calendar.confirm": SERIAL[-4:]}


def write(bench, folder, acts):
    """Write the calendar as the window does."""
    act = replace_calendar(bench.opened, WANTED, folder, lambda act, *_: acts.append(act))
    return collect(act, ANSWERS)[0]


def breaking(monkeypatch, after, do):
    """Let something happen when so many attributes have been written."""
    done = []
    real = Session.set

    def counted(session, attribute, value, what):
        if len(done) == after:
            do()
        done.append(attribute)
        return real(session, attribute, value, what)

    monkeypatch.setattr(Session, "set", counted)


def test_nothing_is_left_of_a_write_that_went_through(tmp_path):
    acts = []
    _, after = write(Bench(), tmp_path, acts)
    assert after.active == NEW
    assert interrupted(tmp_path) is None
    assert acts == ["calendar.writing", "calendar.written"]


@pytest.mark.parametrize(
    ("after", "outcome"), [(0, Outcome.NOTHING), (2, Outcome.IN_PART), (5, Outcome.NOT_SET)]
)
def test_a_line_that_breaks_is_told_apart_by_what_stands_in_the_meter(
    tmp_path, monkeypatch, after, outcome
):
    def broken():
        raise NoReply(2.0)

    bench, acts = Bench(), []
    with monkeypatch.context() as patch:
        if after == 5:  # all of it is written, and the activation is not answered
            patch.setattr(Session, "action", lambda *_: broken())
        else:
            breaking(patch, after, broken)
        with pytest.raises(NoReply):
            write(bench, tmp_path, acts)
    assert acts == ["calendar.writing", "calendar.unknown"]
    write_that_broke = interrupted(tmp_path)
    with bench.opened() as meter:
        assert finding(write_that_broke, meter.calendar()).outcome is outcome
    write(bench, tmp_path, acts)
    assert interrupted(tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_in_the_middle_leaves_word_for_the_next_start(tmp_path, monkeypatch):
    child = os.fork()
    if not child:
        try:
            breaking(monkeypatch, 2, lambda: os.kill(os.getpid(), signal.SIGKILL))
            write(Bench(), tmp_path, [])
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    left = interrupted(tmp_path)
    assert (left.meter, left.wanted, left.before) == (SERIAL, WANTED, "TOU-1")


def test_a_full_disk_stops_it_before_the_meter_is_changed(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(calendar_interrupted, "write_atomically", full)
    bench, acts = Bench(), []
    with pytest.raises(NoRoom):
        write(bench, tmp_path, acts)
    assert acts == []
    with bench.opened() as meter:
        assert meter.calendar().passive.name == "TOU-1"
