"""The list of commands shows at once, and every name in it is a command."""

import json
import subprocess
import sys

import click
import pytest

from app.cli import COMMANDS, main, meterwright

HEAVY = ("sqlalchemy", "numpy", "gurux_dlms", "PySide6", "reportlab")


def test_the_list_of_commands_is_shown_without_any_heavy_package():
    code = (
        "import sys, app.cli\n"
        "app.cli.main(['--help'])\n"
        f"sys.exit([name for name in {HEAVY!r} if name in sys.modules] or 0)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name, (_, words) in COMMANDS.items():
        assert any(line.split() == [name, *words.split()] for line in shown.stdout.splitlines())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_name_in_the_list_is_a_command_with_help(name):
    command = meterwright.get_command(click.Context(meterwright), name)
    assert command is not None
    assert command.help


def test_an_unknown_name_is_no_command():
    assert meterwright.get_command(click.Context(meterwright), "raed") is None


@pytest.mark.parametrize(
    "arguments",
    [["read", "tcp://127.0.0.1:1", "--json"], ["--json", "raed"], ["sts", "verify", "--json"]],
)
def test_wrong_usage_is_a_json_document_where_json_is_wanted(arguments, capsys):
    assert main(arguments) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == 2
    assert error["detail"]


def test_frames_without_any_bytes_are_a_bad_input(capsys):
    assert main(["decode", "frames", "", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["name"] == "BadInput"


def test_a_folder_in_place_of_a_report_is_called_a_folder(tmp_path, capsys):
    assert main(["report", "verify", str(tmp_path), "--json"]) == 2
    assert "is a folder" in json.loads(capsys.readouterr().out)["error"]["detail"]
