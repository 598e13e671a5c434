"""What a script gets on standard output when a command ends early."""

import json
import os
import signal

import pytest

from app.commands.find import find
from app.commands.read import read
from app.commands.terminal import Terminal, reported
from app.errors import Cancelled
from app.tasks import Progress, Task
from drivers.errors import GarbledReply


def told(
    capsys: pytest.CaptureFixture[str], error: BaseException, as_json: bool, **arrived: object
):
    with pytest.raises(SystemExit) as ended, reported(as_json, arrived):
        raise error
    return ended.value.code, capsys.readouterr()


def test_what_arrived_stands_beside_the_error_and_does_not_change_it(capsys) -> None:
    bare = json.loads(told(capsys, GarbledReply("x"), True)[1].out)
    code, beside = told(capsys, GarbledReply("x"), True, complete=False, registers=[1])
    assert code == 12
    assert json.loads(beside.out) == bare | {"complete": False, "registers": [1]}
    assert set(bare) == {"error"}


def test_control_c_outside_long_work_is_a_stop_and_no_defect(capsys) -> None:
    code, said = told(capsys, KeyboardInterrupt(), False)
    assert (code, said.out) == (3, "")
    assert said.err.startswith("Stopped")


@pytest.mark.parametrize("command", [read, find])
def test_the_help_tells_scripts_where_what_arrived_is(command) -> None:
    assert '"complete": false' in command.help


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_asks_the_program_to_end_has_the_meter_signed_off(number) -> None:
    signed_off = []

    def task() -> Task[None]:
        try:
            os.kill(os.getpid(), number)
            yield Progress("Reading")
        finally:
            signed_off.append(True)

    before = signal.getsignal(number)
    with pytest.raises(Cancelled):
        Terminal().run(task())
    assert signed_off
    assert signal.getsignal(number) is before
