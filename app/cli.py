"""The program without its window: one command group, each command in `app.commands`.

A command's module is imported when the command runs, so that ``--help`` and small commands start
at once.
"""

import json
import sys
from importlib import import_module

import click

# command: (where it is, what it does in a few words for the list of all commands)
COMMANDS = {
    "calendar": ("calendar:calendar", "Read and write switching tables and special days."),
    "centre": ("centre:centre", "Make and look after a central store."),
    "clock": ("meter:clock", "Read and set the meter's clock."),
    "decode": ("decode:decode", "Say what saved bytes, frames and tokens mean."),
    "demo": ("demo:demo", "Show the program with sample orders and virtual meters."),
    "diagnose": ("decode:diagnose", "Draw conclusions from measured values."),
    "find": ("find:find", "Find what answers on a port, or every meter of a bus."),
    "firmware": ("firmware:firmware", "Load firmware into meters."),
    "orders": ("orders:orders", "Import, list, show and export work orders."),
    "parameters": ("parameters:parameters", "Read, compare and write a meter's parameters."),
    "ports": ("meter:ports", "List the serial ports and what is plugged into them."),
    "read": ("read:read", "Read values, profiles, events and more from a meter."),
    "relay": ("relay:relay", "Switch the customer's supply; each act is read back."),
    "report": ("work:report", "Make or prove the report of an order."),
    "run": ("work:run_order", "Work an order with a meter, from where it stopped."),
    "simulate": ("simulate:simulate", "Play a virtual meter."),
    "sts": ("sts:sts", "Check the token engine."),
    "sync": ("centre:sync", "Send what was recorded to the centre and fetch its mail."),
    "token": ("token:token", "Enter prepayment tokens and look after token lists."),
    "vault": ("vault:vault", "Keep passwords and keys in the system's keyring."),
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
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(f"app.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


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


def _usage_shape(error: click.ClickException) -> dict[str, object]:
    """Return what a script is told of wrong usage, in the shape of every other error."""
    return {
        "code": 2,
        "name": type(error).__name__,
        "title": "The command was not understood",
        "meaning": "Nothing was changed.",
        "remedy": "See what the command takes with --help, and repeat.",
        "detail": error.format_message(),
    }


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        meterwright.main(command_first(arguments), prog_name="meterwright", standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        if "--json" in arguments:
            click.echo(json.dumps({"error": _usage_shape(error)}, ensure_ascii=False))
        return 2
    except click.Abort:
        return 3
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0
