"""The vault: backends that lose, refuse or are locked, and the list of names."""

import json
import os
import uuid

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backends import SecretService
from keyring.errors import KeyringLocked, PasswordSetError

from app.errors import BadInput, NotFound, VaultLocked
from app.services.vault import Vault


class MemoryStore:
    """A keyring in memory."""

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class LockedStore(MemoryStore):
    """A keyring whose owner pressed Cancel."""

    def get_password(self, service, username):
        raise KeyringLocked("dismissed")

    set_password = delete_password = get_password


class ForgetfulStore(MemoryStore):
    """A keyring that cuts what it is given."""

    def set_password(self, service, username, password):
        super().set_password(service, username, password[:4])


class BrokenStore(MemoryStore):
    """A keyring whose library fails in its own way, with the secret in the text."""

    def set_password(self, service, username, password):
        raise ConnectionResetError(f"while storing {password}")


class FullStore(MemoryStore):
    """A keyring that refuses."""

    def set_password(self, service, username, password):
        raise PasswordSetError("too long")


@pytest.mark.parametrize("backend", [keyring.backends.null.Keyring, keyring.backends.fail.Keyring])
def test_keyrings_null_and_fail_backends_are_refused_for_every_call(tmp_path, backend):
    vault = Vault(tmp_path, backend())
    for call in (
        lambda: vault.set("a", "hunter2"),
        lambda: vault.get("a"),
        lambda: vault.delete("a"),
    ):
        with pytest.raises(VaultLocked):
            call()
    assert vault.list() == []


@pytest.mark.parametrize("backend", [keyring.backends.null.Keyring, keyring.backends.fail.Keyring])
def test_the_backend_that_the_system_chose_is_looked_at_too(tmp_path, backend):
    before = keyring.get_keyring()
    keyring.set_keyring(backend())
    try:
        with pytest.raises(VaultLocked):
            Vault(tmp_path).set("a", "hunter2")
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("store", [LockedStore, ForgetfulStore, BrokenStore, FullStore])
def test_a_store_that_does_not_keep_the_secret_is_told_and_leaves_no_name(tmp_path, store):
    vault = Vault(tmp_path, store())
    with pytest.raises(VaultLocked) as told:
        vault.set("meter", "hunter2")
    assert "hunter2" not in str(told.value)
    assert told.value.__cause__ is None
    assert vault.list() == []


def test_a_failed_change_keeps_the_name_of_the_secret_before(tmp_path):
    store = MemoryStore()
    Vault(tmp_path, store).set("meter", "old")
    with pytest.raises(VaultLocked):
        Vault(tmp_path, LockedStore()).set("meter", "new")
    assert Vault(tmp_path, store).list() == ["meter"]
    assert Vault(tmp_path, store).get("meter") == "old"


def test_secrets_come_back_and_their_names_are_listed_without_values(tmp_path):
    vault = Vault(tmp_path / "new", MemoryStore())
    vault.set("zmf", "AK=00112233\nEK=44556677")
    vault.set("hexcell", "hunter2 äß")
    assert vault.get("hexcell") == "hunter2 äß"
    assert vault.list() == ["hexcell", "zmf"]
    written = b"".join(path.read_bytes() for path in (tmp_path / "new").iterdir())
    assert b"hunter2" not in written
    assert b"00112233" not in written
    assert json.loads(written) == ["hexcell", "zmf"]


def test_a_deleted_secret_is_gone_and_deleting_it_again_is_not_found(tmp_path):
    store = MemoryStore()
    vault = Vault(tmp_path, store)
    vault.set("meter", "hunter2")
    vault.delete("meter")
    assert store.kept == {}
    assert vault.list() == []
    for call in (lambda: vault.get("meter"), lambda: vault.delete("meter")):
        with pytest.raises(NotFound):
            call()


@pytest.mark.parametrize(("name", "value"), [("", "x"), (" ", "x"), ("a\nb", "x"), ("a", "")])
def test_an_empty_or_broken_name_or_value_is_refused(tmp_path, name, value):
    with pytest.raises(BadInput):
        Vault(tmp_path, MemoryStore()).set(name, value)


def test_a_damaged_list_of_names_is_told(tmp_path):
    (tmp_path / "vault.json").write_text("[")
    with pytest.raises(BadInput):
        Vault(tmp_path, MemoryStore()).list()


@pytest.mark.secret_service
def test_a_real_secret_service_keeps_changes_and_forgets_a_secret(tmp_path):
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
        pytest.skip("no session bus (dev.py test starts one)")
    try:
        SecretService.Keyring.priority  # noqa: B018 - asks the bus for the service
    except RuntimeError as reason:
        pytest.skip(f"no Secret Service: {reason}")
    name = f"test-{uuid.uuid4()}"
    vault = Vault(tmp_path, SecretService.Keyring())
    try:
        vault.set(name, "first äß")
        vault.set(name, "second")
        assert Vault(tmp_path, SecretService.Keyring()).get(name) == "second"
    finally:
        vault.delete(name)
    with pytest.raises(NotFound):
        vault.get(name)
