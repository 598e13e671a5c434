"""Passwords and keys in the operating system's keyring, by name, and nowhere else.

The keyring cannot be asked for its names, so a file in the data folder lists them, without values.
Every write is read back: keyring's null backend loses what it is given without a word.
"""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol, TypeVar

import keyring
import keyring.backends.fail
import keyring.backends.null
from keyring.errors import KeyringError

from app.errors import AppError, BadInput, NotFound, VaultLocked
from app.models.engine import translated
from app.models.files import write_atomically
from app.paths import vault_index

SERVICE = "meterwright"
_LONGEST_NAME = 100
_SYSTEM_BACKENDS = "keyring.backends."  # others, of extra packages, keep secrets in plain files

T = TypeVar("T")


class Backend(Protocol):
    """What the vault needs of a keyring."""

    def get_password(self, service: str, name: str, /) -> str | None:
        """Return the secret, None when there is none."""

    def set_password(self, service: str, name: str, value: str, /) -> None:
        """Keep the secret."""

    def delete_password(self, service: str, name: str, /) -> None:
        """Remove the secret."""


class Vault:
    """The secrets of this user.

    Every call raises `VaultLocked` when the keyring is locked, absent, no store of the system, or
    does not give back what was put in.  No error ever carries a secret.
    """

    def __init__(self, folder: Path, backend: Backend | None = None) -> None:
        self._index = vault_index(folder)
        self._backend = backend

    def set(self, name: str, value: str) -> None:
        """Keep ``value`` under ``name``, in place of what was there.

        Raises:
            BadInput: The name or the value is empty, or the name is no plain word.
        """
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise BadInput("the name of a secret is one line of 1 to 100 characters")
        if not value:
            raise BadInput("an empty secret is not kept")
        backend = self._system_backend()
        names = self.list()
        # The name first: a secret that nobody finds any more is worse than a name too many.
        self._write_index({*names, name})
        try:
            _keep(backend, name, value)
        except VaultLocked:
            self._write_index(names)
            raise

    def get(self, name: str) -> str:
        """Return the secret ``name``.

        Raises:
            NotFound: There is none of that name.
        """
        backend = self._system_backend()
        value = _asked(lambda: backend.get_password(SERVICE, name))
        if value is None:
            raise NotFound(f"the keyring has no secret {name!r}")
        return value

    def delete(self, name: str) -> None:
        """Remove the secret ``name``, and make sure that it is gone.

        Raises:
            NotFound: There was none of that name.
        """
        backend = self._system_backend()
        names = set(self.list())
        there = _asked(lambda: backend.get_password(SERVICE, name)) is not None
        if there:
            _asked(lambda: backend.delete_password(SERVICE, name))
            if _asked(lambda: backend.get_password(SERVICE, name)) is not None:
                raise VaultLocked(f"{_name_of(backend)} keeps what was deleted")
        if name in names:
            self._write_index(names - {name})
        elif not there:
            raise NotFound(f"the keyring has no secret {name!r}")

    def list(self) -> list[str]:
        """Return the names of the secrets kept from this data folder, sorted; never a value."""
        try:
            names = json.loads(self._index.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise BadInput(f"{self._index} cannot be read: {error}") from error
        return sorted(str(name) for name in names)

    def _write_index(self, names: Collection[str]) -> None:
        with translated(str(self._index)):
            self._index.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._index, json.dumps(sorted(names), indent=1).encode())

    def _system_backend(self) -> Backend:
        """Return the backend given, else the system's; one that cannot keep secrets is refused."""
        backend: Backend = self._backend or _asked(keyring.get_keyring)
        useless = (keyring.backends.null.Keyring, keyring.backends.fail.Keyring)
        if isinstance(backend, useless):
            raise VaultLocked("this system offers no password store to this user")
        if self._backend is None and not type(backend).__module__.startswith(_SYSTEM_BACKENDS):
            raise VaultLocked(f"{_name_of(backend)} is no password store of the system")
        return backend


def _keep(backend: Backend, name: str, value: str) -> None:
    """Store and read back."""
    _asked(lambda: backend.set_password(SERVICE, name, value))
    if _asked(lambda: backend.get_password(SERVICE, name)) != value:
        raise VaultLocked(f"{_name_of(backend)} does not give back what was stored")


def _asked(call: Callable[[], T]) -> T:
    """Return what the keyring answers; whatever goes wrong in it is `VaultLocked`."""
    try:
        return call()
    except AppError:
        raise
    except KeyringError as error:
        raise VaultLocked(str(error) or type(error).__name__) from None
    except Exception as error:  # noqa: BLE001 - each backend lets errors of its own library through
        raise VaultLocked(type(error).__name__) from None


def _name_of(backend: Backend) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
