"""Chooses how a session associates: plain, with a challenge, ciphered, with short names."""

from dataclasses import dataclass

from drivers.dlms.acse import OwnAssociating
from drivers.dlms.ciphering import PROTECTIONS, Ciphering, Counter, CounterStore, Keys
from drivers.dlms.cosem import Associating
from drivers.errors import AccessDenied, NotSupported
from drivers.metertype import Dlms
from drivers.secrets import Secrets

_TITLE = b"MWR\x00\x00\x00\x00\x01"  # our system title: three letters of a maker and a number


@dataclass(frozen=True, slots=True)
class Security:
    """What one session associates and ciphers with."""

    associating: Associating | OwnAssociating
    ciphering: Ciphering | None = None
    counter: Counter | None = None


def prepared(dlms: Dlms, secrets: Secrets, counters: CounterStore) -> Security:
    """Return what the meter type asks for; nothing is sent yet.

    Raises:
        AccessDenied: A password or key is wanted and none is given.
        KeysDoNotFit: A key is no key of suite 0.
        NotSupported: The type asks for what is not built.
    """
    if dlms.suite:
        raise NotSupported(f"security suite {dlms.suite} is not available, only suite 0")
    protection = PROTECTIONS.get(dlms.security or ("both" if dlms.auth == "gmac" else ""), 0)
    if not protection:
        plain = dlms.referencing == "logical" and not dlms.general_blocks
        if plain and dlms.auth in {"none", "low"}:
            return Security(Associating(dlms, secrets.password))
        return Security(OwnAssociating(dlms, secrets.password, None))
    if not secrets.encryption_key or not secrets.authentication_key:
        text = "this meter wants an authentication key and an encryption key"
        raise AccessDenied(text, "no-secret")
    keys = Keys(secrets.encryption_key, secrets.authentication_key)
    counter = Counter(counters, f"{dlms.server}/{dlms.physical}", keys.encryption)
    title = bytes.fromhex(dlms.system_title) if dlms.system_title else _TITLE
    ciphering = Ciphering(keys, title, protection, counter)
    return Security(OwnAssociating(dlms, secrets.password, ciphering), ciphering, counter)
