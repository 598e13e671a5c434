"""The record as canonical JSON, its SHA-256, and the way back."""

from __future__ import annotations

import hashlib
import json
import types
import typing
import unicodedata
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from app.reports.model import Record


class RecordError(ValueError):
    """The record cannot be written or read in its canonical form."""


def plain(value: Any) -> Any:
    """`value` as JSON types: decimals as fixed-point strings, times as UTC text, no floats."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", str(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise RecordError(f"{value} is no number a record can hold")
        return format(abs(value) if value == 0 else value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise RecordError(f"the time {value} does not say its zone")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise RecordError(f"a record cannot hold a {type(value).__name__}")


def canonical(record: Record) -> bytes:
    """The canonical JSON: UTF-8, keys sorted, no spaces, one form for each number."""
    text = json.dumps(plain(record), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def fingerprint(data: bytes) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def restore(data: bytes) -> Record:
    """The record again from its JSON; anything not in canonical form is refused."""
    try:
        record: Record = _read(Record, json.loads(data))
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise RecordError(f"the attached record cannot be read: {error}") from error
    if canonical(record) != data:
        raise RecordError("the attached record is not in canonical form")
    return record


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    """`value` from JSON as the type `kind`."""
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        return None if value is None else _read(typing.get_args(kind)[0], value)
    if origin is tuple:
        return tuple(_read(typing.get_args(kind)[0], item) for item in value)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: _read(hints[name], item) for name, item in value.items()})
    if kind is datetime:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if kind is Decimal or issubclass(kind, StrEnum):
        return kind(value)
    if type(value) is not kind:
        raise RecordError(f"{value!r} stands where a {kind.__name__} belongs")
    return value
