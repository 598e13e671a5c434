"""What a reading without an order does about what a meter has not, or does not show."""

import pytest

from app.messages import explain
from app.services.reading import Told, Wish, read_meter
from app.tasks import collect
from drivers.errors import AccessDenied, DriverError, NoReply, NotSupported
from tests.fake_meter import Behaviour, FakeMeter, Memory


@pytest.fixture
def read(tmp_path):
    """Read from the fake; return what it told and the error at the end."""

    def run(behaviour: Behaviour, *what: str, objects=()) -> tuple[Told, DriverError]:
        told, meter = Told(), FakeMeter(Memory(tmp_path / "meter"), behaviour)
        with pytest.raises(DriverError) as ended:
            collect(read_meter(lambda: meter, Wish(what, objects=objects), told))
        assert not meter.signed_on
        return told, ended.value

    return run


def test_what_a_meter_has_not_does_not_stop_the_rest(read) -> None:
    behaviour = Behaviour(relay=None, has_clock=False)
    told, error = read(behaviour, "identity", "registers", "relay", "clock", "events", "account")
    assert told.identity is not None
    assert told.registers
    assert len(told.events) == 2
    assert (type(error), str(error)) == (NotSupported, "no clock")
    assert error.__notes__ == ["no switch", "this meter keeps no account"]


def test_a_list_that_is_refused_is_not_told_as_an_empty_one(read) -> None:
    told, _ = read(Behaviour(has_events=False), "identity", "events")
    assert told.events is None


def test_every_object_that_is_asked_for_is_tried(read) -> None:
    _, error = read(Behaviour(), "object", objects=(("1.8.0", 0, 2), ("2.8.0", 0, 2)))
    assert (str(error), error.__notes__) == ("1.8.0", ["2.8.0"])


def test_silence_ends_the_reading_at_once(read) -> None:
    calls = []

    def silent(name: str) -> None:
        calls.append(name)
        if name == "clock":
            raise NoReply(1.0)

    told, error = read(Behaviour(before_call=silent), "identity", "clock", "relay")
    assert (type(error), calls[-1]) == (NoReply, "clock")
    assert told.identity is not None


def test_a_password_that_was_not_given_is_not_told_as_a_refused_one() -> None:
    said = explain(AccessDenied("this meter wants a password and none is given", "no-secret"))
    assert said.title == "This meter wants a password or key"
    assert "--secret" in said.remedy
    assert explain(AccessDenied("no")).title == "The meter refused access"
