"""A meter that answered once is reached by its number."""

from collections.abc import Iterator
from dataclasses import replace

import click
import keyring
import keyring.backend
import pytest

from app.commands.target import link_options, target_from
from app.errors import BadInput
from app.services.connection import Overrides
from app.services.known_meters import keep_place, keep_place_again, known_place
from drivers.metertype import load_meter_type
from drivers.values import Identity


def test_link_type_address_and_line_come_back_by_the_number(tmp_path):
    kind = load_meter_type("hexcell-ddsy1088")
    kind = replace(
        kind, dlms=replace(kind.dlms, physical=1755), line=replace(kind.line, speed=2400)
    )
    keep_place(tmp_path, "COM4", kind, Identity(serial="46000755036"))
    place = known_place(tmp_path, "46000755036")
    assert (place.link, place.meter_type) == ("COM4", "hexcell-ddsy1088")
    assert place.overrides.physical == 1755
    assert (place.overrides.speed, place.overrides.framing) == (2400, kind.framing)


def test_the_way_of_naming_objects_comes_back_as_well(tmp_path):
    kind = load_meter_type("landisgyr-zmf100")
    kind = replace(kind, dlms=replace(kind.dlms, referencing="short"))
    keep_place(tmp_path, "COM4", kind, Identity(serial="50284117"))
    assert known_place(tmp_path, "50284117").overrides.referencing == "short"


def test_a_stranger_has_no_place(tmp_path):
    assert known_place(tmp_path, "1") is None
    keep_place(tmp_path, "COM4", load_meter_type("generic-dlms"), Identity())
    assert not list(tmp_path.iterdir()), "a meter without a number is not kept"


def test_a_damaged_file_is_said_and_does_not_end_a_reading(tmp_path, caplog):
    (tmp_path / "meters_found.json").write_text("{")
    with pytest.raises(BadInput):
        known_place(tmp_path, "1")
    keep_place(tmp_path, "COM4", load_meter_type("generic-dlms"), Identity(serial="1"))
    assert "not kept" in caplog.text


def test_a_later_reading_keeps_what_was_chosen_before(tmp_path):
    kind, who = load_meter_type("landisgyr-zmf100"), Identity(serial="50284117")
    keep_place(tmp_path, "COM4", kind, who, chosen=Overrides(client=32, auth="low"), secret="zmf")
    keep_place_again(tmp_path, "COM5", kind, who, chosen=Overrides(client=33))
    place = known_place(tmp_path, "50284117")
    assert (place.link, place.secret) == ("COM5", "zmf")
    assert (place.overrides.client, place.overrides.auth) == (33, "low")


def test_another_type_of_meter_does_not_get_the_secret_of_the_one_before(tmp_path):
    kind, who = load_meter_type("landisgyr-zmf100"), Identity(serial="1")
    keep_place(tmp_path, "COM4", kind, who, secret="zmf")
    keep_place_again(tmp_path, "COM4", load_meter_type("generic-dlms"), who, chosen=Overrides())
    assert known_place(tmp_path, "1").secret == ""


class Store(keyring.backend.KeyringBackend):
    """A password store in memory, in the place of the system's."""

    priority = 0

    def get_password(self, service, username):
        return {"zmf": "of the wizard", "own": "of the option"}.get(username)

    def set_password(self, service, username, password):
        raise AssertionError("nothing is kept here")


Store.__module__ = "keyring.backends.memory"


@pytest.fixture
def store() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(Store())
    yield
    keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("options", "password"),
    [
        ([], b"of the wizard"),
        (["--secret", "own"], b"of the option"),
        (["--secret-env", "CLI"], b"of the environment"),
        (["--auth", "none"], None),
    ],
)
def test_a_number_brings_the_secret_that_was_chosen_for_it(
    tmp_path, monkeypatch, store, options, password
):
    monkeypatch.setenv("CLI_PASSWORD", "of the environment")
    kind, who = load_meter_type("landisgyr-zmf100"), Identity(serial="50284117")
    keep_place(tmp_path, "COM4", kind, who, chosen=Overrides(client=32), secret="zmf")

    @click.command()
    @link_options
    def command(**given):
        return target_from("50284117", tmp_path, given)[0]

    target = command.main(options, standalone_mode=False)
    assert (target.link, target.overrides.client) == ("COM4", 32)
    kept = target.secrets.password
    assert (kept.reveal() if kept else None) == password
