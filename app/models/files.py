"""Files beside the database: photos, reports, traces, named by what is in them."""

import hashlib
import os
import secrets
from pathlib import Path

from app.errors import BadInput
from app.models.engine import translated

FOLDER = "files"


def keep_file(folder: Path, data: bytes, suffix: str) -> tuple[str, str]:
    """Keep ``data`` below the data folder; return its SHA-256 (hex) and its path from there.

    The file is whole or absent: written under a temporary name, flushed to the disk, renamed.
    The same data is kept once.

    Raises:
        NoRoom: The disk is full or cannot be written.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    relative = f"{FOLDER}/{sha256[:2]}/{sha256}{suffix}"
    target = folder / relative
    with translated(str(target)):
        if not (target.is_file() and target.stat().st_size == len(data)):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, data)
    return sha256, relative


def write_atomically(target: Path, data: bytes) -> None:
    """Write ``data`` to ``target`` so that a kill or a power cut leaves the old file or the new.

    Raises:
        OSError: It could not be written; the old file is untouched and no rest stays behind.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(target.parent)


def save_file(target: Path, data: bytes) -> None:
    """Write a file where the operator wants it: whole, or the old one stays.

    Raises:
        BadInput: Nothing can be written there.
        NoRoom: The disk is full.
    """
    try:
        with translated(str(target)):
            write_atomically(target, data)
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror}") from error


_REST = ("-journal", "-wal", "-shm")  # what SQLite keeps beside a database


def working_copy(target: Path) -> Path:
    """Return where a new form of the database ``target`` is made; a killed program's is removed."""
    made = target.with_name(f"{target.name}.new")
    for ending in ("", *_REST):
        made.with_name(made.name + ending).unlink(missing_ok=True)
    return made


def put_in_place(made: Path, target: Path) -> None:
    """Let the finished database ``made``, which is closed, take the place of ``target``."""
    made.replace(target)
    for ending in _REST:
        made.with_name(made.name + ending).unlink(missing_ok=True)
    flush_folder(target.parent)


def flush_folder(folder: Path) -> None:
    """Bring a rename in ``folder`` to the disk, where the system knows such a thing."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
