"""``sts`` and ``decode token``: prepayment tokens without a meter."""

import json
from pathlib import Path
from typing import Any

import click

from app.commands.options import common_options, secrets_for
from app.commands.terminal import Terminal, reported, text_table
from app.errors import BadInput
from app.paths import data_folder
from app.services.sta_tables import load_tables
from app.services.sts_vectors import verify_vectors
from drivers.errors import KeysDoNotFit
from drivers.sts import words
from drivers.sts.keys import EA_MISTY, EA_STA, check_value
from drivers.sts.sta import SAMPLE, Tables
from drivers.sts.token import CrcError, DecoderKey, TokenError, masked, open_token, parse

FAILED = 23
KEY_SIZES = {8: EA_STA, 16: EA_MISTY}


@click.group()
def sts() -> None:
    """Check the token engine."""


@sts.command()
@click.argument("file", type=click.Path(path_type=Path))
@common_options
def verify(*, file: Path, data: Path | None, as_json: bool) -> None:
    """Run the vector FILE through the token engine."""
    del data
    with reported(as_json):
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BadInput(f"{file} cannot be read: {error}") from error
        result = verify_vectors(document)
        shape = {
            "checked": result.checked,
            "passed": result.passed,
            "skipped": result.skipped,
            "failed": result.failed,
        }
        said = f"{result.passed} of {result.checked} vectors hold"
        if result.failed:
            said += "; these do not: " + ", ".join(result.failed)
        Terminal(as_json).result(shape, said)
        if result.failed:
            raise SystemExit(FAILED)


@click.command("token")
@click.argument("token")
@click.option("--secret", help="name of the keyring entry that holds the decoder key (KEY=…)")
@click.option("--secret-env", help="prefix of the environment variable that holds it")
@click.option(
    "--tables", type=click.Path(path_type=Path), help="file with the licensed tables of EA07"
)
@common_options
def decode_token(
    *,
    token: str,
    secret: str | None,
    secret_env: str | None,
    tables: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Say what a TOKEN of 20 digits does.

    Without a decoder key only the class of credit and management tokens can be told.
    """
    with reported(as_json):
        licensed = load_tables(tables, data_folder(data)) if tables else SAMPLE
        key = _decoder_key(secrets_for(data, secret, secret_env).key, licensed)
        try:
            shape = token_shape(token, key)
        except CrcError as error:
            raise KeysDoNotFit(str(error)) from error
        except TokenError as error:
            raise BadInput(str(error)) from error
        rows = [[name.replace("_", " "), str(value)] for name, value in shape.items() if value]
        Terminal(as_json).result(shape, lambda: text_table(["Token", shape["token"]], rows[1:]))


def _decoder_key(secret: Any, tables: Tables) -> DecoderKey | None:
    if secret is None:
        return None
    value = secret.reveal()
    if len(value) not in KEY_SIZES:
        raise BadInput("a decoder key has 8 bytes (EA07) or 16 bytes (EA11)")
    return DecoderKey(value, KEY_SIZES[len(value)], tables)


def token_shape(token: str, key: DecoderKey | None) -> dict[str, Any]:
    """Return what a token says, as far as it can be told; the token itself is masked.

    Raises:
        TokenError: It is no token, or does not fit the key.
    """
    token_class, _ = parse(token)
    shape: dict[str, Any] = {
        "token": masked(token),
        "class": token_class,
        "class_words": words.class_words(token),
    }
    if key is None and token_class != 1:
        return {**shape, "subclass": None, "words": "needs the decoder key of its meter"}
    clear = open_token(token, key)
    return {
        **shape,
        "subclass": clear.subclass,
        "words": words.token_words(clear),
        "opens_load_switch": words.opens_load_switch(clear),
        "issued": {str(base): when for base, when in words.issue_times(clear).items()},
        "key": check_value(key.value) if key is not None else None,
    }
