"""The program without its window: one command group, each command in `app.commands`.

A command's module is imported when the command runs, so that ``--help`` and small commands start
at once.
"""

import sys
from importlib import import_module

import click

COMMANDS = {
    "calendar": "app.commands.calendar:calendar",
    "centre": "app.commands.centre:centre",
    "clock": "app.commands.meter:clock",
    "decode": "app.commands.decode:decode",
    "demo": "app.commands.demo:demo",
    "diagnose": "app.commands.decode:diagnose",
    "find": "app.commands.find:find",
    "firmware": "app.commands.firmware:firmware",
    "orders": "app.commands.orders:orders",
    "parameters": "app.commands.parameters:parameters",
    "ports": "app.commands.meter:ports",
    "read": "app.commands.read:read",
    "relay": "app.commands.relay:relay",
    "report": "app.commands.work:report",
    "run": "app.commands.work:run_order",
    "sts": "app.commands.sts:sts",
    "simulate": "app.commands.simulate:simulate",
    "sync": "app.commands.centre:sync",
    "token": "app.commands.token:token",
    "vault": "app.commands.vault:vault",
}


class Lazy(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command ``cmd_name``, or None."""
        del ctx
        place = COMMANDS.get(cmd_name, "")
        if not place:
            return None
        module, name = place.split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="meterwright", message="%(version)s")
def meterwright() -> None:
    """Commission, read and look after electricity meters.

    Without arguments the window opens.  LINK is a port name (/dev/ttyUSB0, COM4) or a URL:
    tcp://host:port, rfc2217://host:port.
    """


def wants_window(arguments: list[str]) -> bool:
    """Tell whether the arguments are those of the window alone: no command among them."""
    window_alone = all(word.startswith("-") for word in arguments[::2])
    return window_alone and not {"--help", "-h", "--version"} & set(arguments)


def command_first(arguments: list[str]) -> list[str]:
    """Return the arguments with options that stand before the command moved behind it."""
    early: list[str] = []
    rest = list(arguments)
    while rest and rest[0] in {"--data", "--json"}:
        count = 2 if rest[0] == "--data" else 1
        early, rest = early + rest[:count], rest[count:]
    return rest + early


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        meterwright.main(command_first(arguments), prog_name="meterwright", standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        return 2
    except click.Abort:
        return 3
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0
