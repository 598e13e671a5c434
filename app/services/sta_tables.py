"""The licensed tables of EA07, out of a file that the user supplies and that stays where it is.

The file is TOML: ``s1`` and ``s2`` of 16 numbers, ``p`` of 64, and at least one ``[[checks]]`` with
``key``, ``clear`` and ``cipher`` in hexadecimal, which the licensed user enters.  Nothing of it is
copied, kept, logged or shown; a file inside the data folder is refused, because that folder is
backed up and handed on.
"""

import tomllib
from pathlib import Path
from typing import Any

from app.errors import BadInput
from drivers.sts.sta import BadTables, Tables, checked_tables

_FIELDS = {"s1", "s2", "p", "checks"}
_LARGEST = 100_000


def load_tables(path: Path, data_folder: Path | None = None) -> Tables:
    """Return the tables in ``path``, proved by their check values.

    Raises:
        BadInput: The file cannot be read, is wrong, or lies in the data folder; the text says why
            and repeats no number of it.
    """
    where = path.resolve()
    if data_folder is not None and where.is_relative_to(data_folder.resolve()):
        raise BadInput(f"{path.name} lies in the data folder; licensed tables stay outside of it")
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput(f"{path.name} is too large for a table file")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError:
        raise BadInput(f"{path.name} is no TOML file") from None
    if strange := sorted(set(data) - _FIELDS):
        raise BadInput(f"{path.name}: {', '.join(strange)} is not known here")
    try:
        tables = Tables(*(_numbers(data, name) for name in ("s1", "s2", "p")))
        return checked_tables(tables, [_check(item) for item in data.get("checks", [])])
    except BadTables as error:
        raise BadInput(f"{path.name}: {error}") from None


def _numbers(data: dict[str, Any], name: str) -> tuple[int, ...]:
    numbers = data.get(name)
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        raise BadTables(f"{name} is no list of whole numbers")
    return tuple(numbers)


def _check(item: Any) -> tuple[bytes, bytes, bytes]:
    try:
        key, clear, cipher = (bytes.fromhex(item[name]) for name in ("key", "clear", "cipher"))
    except (KeyError, TypeError, ValueError):
        raise BadTables("a check needs key, clear and cipher in hexadecimal") from None
    if {len(key), len(clear), len(cipher)} != {8}:
        raise BadTables("key, clear and cipher of a check have 8 bytes each")
    return key, clear, cipher
