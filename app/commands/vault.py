"""``vault``: secrets in the system's keyring, by name; their values are never shown."""

import getpass
import sys
from pathlib import Path

import click

from app.commands.options import common_options, permitted
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput
from app.paths import data_folder
from app.services.vault import Vault


@click.group()
def vault() -> None:
    """Keep passwords and keys in the system's keyring."""


@vault.command("set")
@click.argument("name")
@common_options
def set_secret(name: str, data: Path | None, as_json: bool) -> None:
    """Store a secret under NAME: asked for, or read from standard input.

    A bare password, or lines like PASSWORD_HEX=…, AK=…, EK=…, or KEY=… for a decoder key.
    """
    with reported(as_json):
        permitted(data, "vault.change")
        if sys.stdin.isatty():
            value = getpass.getpass(f"Secret for {name}: ")
            if value != getpass.getpass("Once more: "):
                raise BadInput("the two entries differ; nothing was stored")
        else:
            value = sys.stdin.read().rstrip("\n")
        if not value:
            raise BadInput("an empty secret is not stored")
        Vault(data_folder(data)).set(name, value)
        Terminal(as_json).result({"stored": name}, f"Stored {name}")


@vault.command("list")
@common_options
def list_secrets(data: Path | None, as_json: bool) -> None:
    """List the names of the stored secrets."""
    with reported(as_json):
        names = Vault(data_folder(data)).list()
        Terminal(as_json).result({"names": names}, text_table(["Name"], [[n] for n in names]))


@vault.command("delete")
@click.argument("name")
@common_options
def delete_secret(name: str, data: Path | None, as_json: bool) -> None:
    """Remove the secret NAME."""
    with reported(as_json):
        permitted(data, "vault.change")
        Vault(data_folder(data)).delete(name)
        Terminal(as_json).result({"deleted": name}, f"Deleted {name}")
