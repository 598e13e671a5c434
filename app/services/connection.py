"""From a port name and a meter type to an open session with the meter."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.paths import data_folder
from app.services.counters import FileCounters
from app.services.objects import FileNames
from app.services.vault import Vault
from app.tasks import checkpoint
from drivers.connect import open_meter
from drivers.dlms.addressing import server_address, with_serial
from drivers.errors import WrongMeter
from drivers.find import find_type
from drivers.link import Line, Link
from drivers.meter import Meter
from drivers.metertype import BadMeterType, Dlms, MeterType, load_meter_type
from drivers.ports import open_link
from drivers.secrets import Secret, Secrets
from drivers.trace_link import Trace


@dataclass(frozen=True)
class Overrides:
    """What the operator sets by hand; None leaves what the meter type says."""

    protocol: str | None = None
    framing: str | None = None
    client: int | None = None
    server: int | None = None
    physical: int | None = None
    address_size: int | None = None
    iec_address: str | None = None
    iec_select: str | None = None  # V Z Y of the option select; - as Z takes the announced speed
    iec_mode: str | None = None
    iec_check: str | None = None
    auth: str | None = None
    speed: int | None = None
    format: str | None = None
    echo: str | None = None
    rts: bool | None = None
    dtr: bool | None = None
    reply_time: float | None = None
    retries: int | None = None
    max_info: int | None = None
    window: int | None = None
    pdu: int | None = None
    referencing: str | None = None
    general_blocks: bool | None = None

    def applied(self, base: MeterType) -> MeterType:
        """Return ``base`` with what is set here in its place.

        Raises:
            BadInput: A value is not one of those allowed.
        """
        if self.format is not None:
            try:
                Line.named(9600, self.format)
            except ValueError as error:
                raise BadInput(str(error)) from error
        return replace(
            base,
            **_set(protocol=self.protocol, framing=self.framing),
            line=replace(
                base.line,
                **_set(
                    speed=self.speed, format=self.format, echo=self.echo, rts=self.rts, dtr=self.dtr
                ),
            ),
            timing=replace(base.timing, **_set(reply_s=self.reply_time, retries=self.retries)),
            iec62056=replace(
                base.iec62056,
                **_set(address=self.iec_address, mode=self.iec_mode, check=self.iec_check),
                **_option_select(self.iec_select),
            ),
            dlms=replace(
                base.dlms,
                **_set(
                    client=self.client,
                    server=self.server,
                    physical=self.physical,
                    address_size=self.address_size,
                    auth=self.auth,
                    max_info=self.max_info,
                    window=self.window,
                    pdu=self.pdu,
                    referencing=self.referencing,
                    general_blocks=self.general_blocks,
                ),
            ),
        )


_SELECT = re.compile(r"([0-9])([0-9A-F-])([0-9])")


def _option_select(text: str | None) -> dict[str, Any]:
    """Return protocol, speed and option of an option select such as ``000``, ``0-0`` or ``256``.

    Raises:
        BadInput: It is none.
    """
    if text is None:
        return {}
    found = _SELECT.fullmatch(text)
    if found is None:
        raise BadInput(
            f"{text!r} is no option select: protocol, speed (- as announced) and option, like 0-0"
        )
    return {"v": found[1], "z": found[2].strip("-"), "y": found[3]}


def _set(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Target:
    """Where a meter hangs and how to talk to it.

    ``serial`` is the number expected, where it is known: some makes put it into the address.
    ``only`` is the number of the one meter that may be talked to; "" for whoever answers.
    """

    link: str
    meter_type: str = ""  # "" lets the type be found
    serial: str = ""
    overrides: Overrides = field(default_factory=Overrides)
    secrets: Secrets = field(default_factory=Secrets)
    data: Path | None = None  # folder that keeps the counters of ciphered meters; None: the usual
    only: str = ""


Opener = Callable[[str, Line, Trace | None], Link]


def open_port(target: str, line: Line, trace: Trace | None) -> Link:
    """Open a port or URL so that the Stop button ends every wait on it."""
    return open_link(target, line, check=checkpoint, trace=trace)


@contextmanager
def connect(
    target: Target, trace: Trace | None = None, opener: Opener = open_port
) -> Iterator[Meter]:
    """Open the port, sign on, and hand out the meter; sign off and close on every way out.

    Raises:
        BadInput: The meter type does not exist, or its file is wrong.
        WrongMeter: Another meter answers than the only one that may be talked to.
        DriverError: The port or the meter does not do its part.
    """
    meter_type = resolve(target, trace, opener)
    link = opener(target.link, _first_line(meter_type), trace)
    try:
        folder = data_folder(target.data)
        stores = FileCounters(folder), FileNames(folder)
        with open_meter(link, meter_type, target.secrets, *stores) as meter:
            _make_sure(meter, target.only)
            yield meter
    finally:
        link.close()


def _make_sure(meter: Meter, number: str) -> None:
    """Make sure that the meter has this number, where it tells one; leading zeros do not count."""
    if not number:
        return
    who = meter.identity()
    known = {one.lstrip("0") for one in (who.serial, who.utility_serial) if one}
    if known and number.lstrip("0") not in known:
        raise WrongMeter(f"meter {who.serial or who.utility_serial} answers", number, who.serial)


def resolve(target: Target, trace: Trace | None = None, opener: Opener = open_port) -> MeterType:
    """Return the meter type to use for ``target``: named, or found by asking the meter."""
    if target.meter_type:
        base = meter_type_named(target.meter_type)
    elif target.overrides.protocol or target.overrides.framing:
        base = meter_type_named(_generic(target.overrides))
    else:
        link = opener(target.link, Line.named(300, "7E1"), trace)
        try:
            base = find_type(link)
        finally:
            link.close()
    dlms = base.dlms
    if target.secrets.password is not None and dlms.password_client:
        base = replace(base, dlms=replace(dlms, client=dlms.password_client, auth="low"))
    if _by_keys(target, dlms):
        base = replace(
            base, dlms=replace(dlms, client=dlms.gmac_client or dlms.client, auth="gmac")
        )
    chosen = target.overrides.applied(base)
    if target.serial and target.overrides.physical is None:
        chosen = with_serial(chosen, target.serial)
    _check_address(chosen)
    return chosen


def _check_address(meter_type: MeterType) -> None:
    """Refuse numbers that the address field has no room for."""
    if meter_type.protocol == "dlms" and meter_type.framing != "wrapper":
        try:
            server_address(meter_type.dlms)
        except ValueError as error:
            raise BadInput(str(error)) from error


def _by_keys(target: Target, dlms: Dlms) -> bool:
    """Return whether the session proves keys: as told, or because keys alone are known."""
    if target.overrides.auth is not None:
        return target.overrides.auth == "gmac"
    known = target.secrets
    return bool(dlms.gmac_client and known.encryption_key and not known.password)


def meter_type_named(name: str) -> MeterType:
    """Return the meter type ``name`` (or the file at that path).

    Raises:
        BadInput: There is none, or its file is wrong.
    """
    try:
        return load_meter_type(name)
    except BadMeterType as error:
        raise BadInput(str(error)) from error


def secrets_from_environment(prefix: str) -> Secrets:
    """Return the secrets in ``PREFIX_PASSWORD``, ``PREFIX_PASSWORD_HEX``, ``PREFIX_AK`` ...

    Raises:
        BadInput: None of them is set, or one that must be hexadecimal is not.
    """
    named = {name: os.environ.get(f"{prefix}_{name}", "") for name in _ENVIRONMENT}
    if not any(named.values()):
        known = ", ".join(f"{prefix}_{name}" for name in _ENVIRONMENT)
        raise BadInput(f"none of {known} is set in the environment")
    return secrets_from(named)


_ENVIRONMENT = ("PASSWORD", "PASSWORD_HEX", "AK", "EK", "KEY")


def secrets_from(named: dict[str, str]) -> Secrets:
    """Return the secrets from their texts; keys and ``PASSWORD_HEX`` are hexadecimal."""
    password = Secret(named["PASSWORD"].encode()) if named.get("PASSWORD") else None
    if named.get("PASSWORD_HEX"):
        password = _from_hex("PASSWORD_HEX", named["PASSWORD_HEX"])
    return Secrets(
        password=password,
        authentication_key=_from_hex("AK", named.get("AK", "")),
        encryption_key=_from_hex("EK", named.get("EK", "")),
        key=_from_hex("KEY", named.get("KEY", "")),
    )


def secrets_in_entry(entry: str) -> Secrets:
    """Return the secrets in a keyring entry: a bare password, or lines like ``AK=…``."""
    parts = dict(line.split("=", 1) for line in entry.splitlines() if "=" in line)
    named = {name.strip().upper(): value.strip() for name, value in parts.items()}
    if named and set(named) <= set(_ENVIRONMENT):
        return secrets_from(named)
    return secrets_from({"PASSWORD": entry})


def secrets_in_vault(vault: Vault, meter_type: str, serial: str) -> Secrets:
    """Return what the keyring holds for this meter ("meter SERIAL") or its type ("type NAME").

    Nothing is asked of a keyring that holds neither, so that a locked one is no obstacle to
    meters that need no password.

    Raises:
        VaultLocked: It holds one and does not give it out.
    """
    names = vault.list()
    for name in (f"meter {serial}", f"type {meter_type}"):
        if name in names:
            return secrets_in_entry(vault.get(name))
    return Secrets()


def _from_hex(name: str, text: str) -> Secret | None:
    if not text:
        return None
    try:
        return Secret(bytes.fromhex(text))
    except ValueError as error:
        raise BadInput(f"{name} is not hexadecimal") from error


def _generic(overrides: Overrides) -> str:
    known = {"iec62056": "generic-iec62056-21", "sml": "generic-sml"}
    return known.get(overrides.protocol or "", "generic-dlms")


def _first_line(meter_type: MeterType) -> Line:
    return Line.named(meter_type.line.speed, meter_type.line.format)
