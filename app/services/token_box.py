"""Keeps token digits sealed with a key from the keyring, and decoder keys in the keyring itself.

A token is money until a meter has taken it: its digits are in the database only as ciphertext.  The
fingerprint is a keyed hash, because twelve unknown digits behind a plain hash are soon guessed.
"""

import base64
import hashlib
import hmac
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken

from app.errors import BadInput, NotFound, VaultLocked
from drivers.secrets import Secret
from drivers.sts.identifiers import BadNumber, checked_drn
from drivers.sts.keys import EA_MISTY, EA_STA, check_value
from drivers.sts.token import DecoderKey

KEY_NAME = "token lists"
DECODER = "decoder {}"
_SIZES = {8: EA_STA, 16: EA_MISTY}
_FINGERPRINT = 16  # hexadecimal digits


class Keyring(Protocol):
    """What is needed of `app.services.vault.Vault`."""

    def get(self, name: str) -> str:
        """Return the secret."""

    def set(self, name: str, value: str) -> None:
        """Keep the secret."""

    def delete(self, name: str) -> None:
        """Remove the secret."""

    def list(self) -> list[str]:
        """Return the names."""


class TokenBox:
    """Seals and opens the tokens of this laptop.

    Every call raises `VaultLocked` when the keyring gives nothing out.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._key: bytes | None = None

    def seal(self, token: str) -> str:
        """Return the ciphertext of a token's digits."""
        return Fernet(self._secret()).encrypt(token.encode("ascii")).decode("ascii")

    def open(self, sealed: str) -> Secret:
        """Return the digits.

        Raises:
            NotFound: They were purged.
            VaultLocked: They were sealed with another key.
        """
        if not sealed:
            raise NotFound("the digits of this token were purged after the meter took it")
        try:
            return Secret(Fernet(self._secret()).decrypt(sealed.encode("ascii")))
        except InvalidToken:
            raise VaultLocked("the token list was sealed with a key that is gone") from None

    def fingerprint(self, token: str) -> str:
        """Return what tells this token from others, and nothing about its digits."""
        key = base64.urlsafe_b64decode(self._secret())
        return hmac.new(key, token.encode("ascii"), hashlib.sha256).hexdigest()[:_FINGERPRINT]

    # -- decoder keys ------------------------------------------------------------------------

    def keep_decoder_key(self, drn: str, key: DecoderKey) -> str:
        """Keep a meter's decoder key in the keyring until its order closes; return its check value.

        Raises:
            BadInput: The meter number cannot be.
        """
        try:
            name = DECODER.format(checked_drn(drn))
        except BadNumber as error:
            raise BadInput(str(error)) from error
        self._keyring.set(name, f"KEY={key.value.hex()}")
        return check_value(key.value)

    def decoder_key(self, drn: str) -> DecoderKey | None:
        """Return the decoder key of a meter; None when there is none.

        Raises:
            BadInput: The entry of the keyring holds no key; it is not repeated.
        """
        name = DECODER.format(drn)
        if not drn or name not in self._keyring.list():
            return None
        try:
            value = bytes.fromhex(self._keyring.get(name).rpartition("=")[2].strip())
            return DecoderKey(value, _SIZES[len(value)])
        except (ValueError, KeyError):
            raise BadInput(f"the keyring entry {name!r} holds no decoder key") from None

    def drop_decoder_key(self, drn: str) -> bool:
        """Remove the decoder key of a meter; False when there was none."""
        if not drn or DECODER.format(drn) not in self._keyring.list():
            return False
        self._keyring.delete(DECODER.format(drn))
        return True

    def _secret(self) -> bytes:
        """Return the key of the lists; it is made the first time."""
        if self._key is None:
            if KEY_NAME not in self._keyring.list():
                self._keyring.set(KEY_NAME, Fernet.generate_key().decode("ascii"))
            self._key = self._keyring.get(KEY_NAME).encode("ascii")
        return self._key
