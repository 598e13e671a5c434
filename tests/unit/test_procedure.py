"""Procedures: files that do not fit are refused with the place; those shipped are whole."""

import pytest

from app.errors import BadInput
from app.workorders.procedure import StepKind, load_procedure, procedure_names
from app.workorders.runner import STEPS

GOOD = """
name = "short"
version = 1
title = "Short"
[[steps]]
key = "identify"
kind = "identify"
title = "Identify"
[[steps]]
key = "complete"
kind = "complete"
title = "Complete"
"""


def load(tmp_path, text: str):
    path = tmp_path / "procedure.toml"
    path.write_text(text, encoding="utf-8")
    return load_procedure(str(path))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("version = 1", "version = 0"), "version"),
        (("version = 1", 'version = "1"'), "version"),
        (('title = "Short"', ""), "title"),
        (('title = "Short"', 'title = "Short"\ncolour = "red"'), "colour"),
        (('kind = "identify"', 'kind = "dance"'), r"steps\[0\].kind 'dance'"),
        (('key = "identify"', 'key = "a.b"'), "one word"),
        (('key = "identify"', 'key = "complete"'), "two steps are called complete"),
        (('kind = "complete"', 'kind = "clock"'), "last step"),
        (('title = "Identify"', 'title = "Identify"\nskip = ["rain"]'), "rain"),
        (
            ('title = "Identify"', 'title = "Identify"\n[steps.options]\ndays = "many"'),
            r"options\.days",
        ),
        (('title = "Identify"', 'title = "Identify"\n[steps.options]\nweeks = 2'), "weeks"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_place(tmp_path, change, words):
    assert load(tmp_path, GOOD)
    with pytest.raises(BadInput, match=words):
        load(tmp_path, GOOD.replace(*change))


def test_a_file_that_is_no_toml_or_does_not_exist_is_refused(tmp_path):
    with pytest.raises(BadInput, match="procedure"):
        load(tmp_path, "name = ")
    with pytest.raises(BadInput, match="commission"):
        load_procedure("nothing")
    with pytest.raises(BadInput, match="no "):
        load(tmp_path, 'name = "x"\nversion = 1\ntitle = "X"')


@pytest.mark.parametrize("name", procedure_names())
def test_every_shipped_procedure_starts_with_the_identity_and_ends_complete(name):
    procedure = load_procedure(name)
    assert procedure.name == name
    assert procedure.declaration
    assert procedure.steps[0].kind in {StepKind.IDENTIFY, StepKind.NAMEPLATE}
    assert procedure.steps[-1].kind is StepKind.COMPLETE
    assert not procedure.steps[0].skip


def test_every_kind_of_step_has_its_task():
    assert set(STEPS) == set(StepKind)
