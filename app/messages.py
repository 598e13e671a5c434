"""Turns an exception into what the operator reads: what happened and what to do."""

from dataclasses import dataclass

from app import errors
from drivers.errors import (
    AccessDenied,
    DriverError,
    GarbledReply,
    KeysDoNotFit,
    MeterBusy,
    NoReply,
    NotSupported,
    PortProblem,
    PortUnavailable,
    TokenRefused,
    ValueRefused,
    WrongMeter,
)
from drivers.sts.results import result_words


@dataclass(frozen=True)
class Message:
    """A problem in the operator's words; ``detail`` is the technical line, shown folded."""

    title: str
    meaning: str
    remedy: str
    detail: str = ""


_WORDS: dict[type[BaseException], tuple[str, str, str]] = {
    PortUnavailable: (
        "The port cannot be used",
        "Nothing was read and nothing was changed.",
        "Plug the probe in and choose its port.",
    ),
    NoReply: (
        "The meter does not answer",
        "Nothing came back within the reply time.",
        (
            "Seat the probe: magnet on the port, cable down. Clean the window. Wait 2 minutes if"
            " the meter was just read. Are port and address the right ones, and has it power?"
        ),
    ),
    GarbledReply: (
        "The meter's answer cannot be used",
        "Something answers, but damaged or in a form that does not fit.",
        (
            "Seat the probe again and repeat. If it stays so, choose another meter type or let Find"
            " look for it; save the trace and send it."
        ),
    ),
    AccessDenied: (
        "The meter refused access",
        (
            "The password, key or access level was not accepted. It is not tried again by itself,"
            " because meters lock after a few wrong passwords."
        ),
        "Choose another access level, or ask the utility for the password of this meter.",
    ),
    WrongMeter: (
        "This is another meter",
        "The meter on the probe is not the one expected. Nothing was changed.",
        (
            "Compare the number on the label with the work order, and put the probe on the right"
            " meter. If the order is wrong, report it as an incident."
        ),
    ),
    NotSupported: (
        "This meter has no such value",
        "The meter, or the access level used, does not offer it.",
        "Leave it out, or choose a meter type that fits.",
    ),
    ValueRefused: (
        "The written value did not stick",
        "The meter refused the value, or reads back another one.",
        (
            "Compare both values. A sealed configuration or a jumper often blocks writing; a clock"
            " may only be moved in small steps."
        ),
    ),
    TokenRefused: (
        "The meter refused the token",
        "Credit and keys are as they were before.",
        "Compare the digits with the receipt; do not try again and again, the meter locks.",
    ),
    KeysDoNotFit: (
        "The keys do not fit",
        "A message of the meter could not be deciphered or proved.",
        "Check that the key file belongs to this meter and utility, and when the key was changed.",
    ),
    MeterBusy: (
        "The meter is busy",
        "It answered, but cannot do this now.",
        "Wait half a minute and repeat. Somebody else may be connected to it.",
    ),
    DriverError: (
        "The meter could not be read",
        "Nothing was changed.",
        "Repeat; save the trace and send it if it stays so.",
    ),
    errors.BadInput: (
        "This cannot be used as it is",
        "Nothing was changed.",
        "Correct what the line below names and repeat.",
    ),
    errors.NotPermitted: (
        "This is not allowed now",
        "The role of this user, or the state of the work order, does not permit it.",
        "Ask somebody with the right role, or bring the order into the right state first.",
    ),
    errors.AuditBroken: (
        "The record of who did what was changed",
        "Somebody changed or removed rows of the chained record on this laptop. Work can go on.",
        (
            "Keep this laptop as it is and tell your administrator:"
            " meterwright centre audit lists every place."
        ),
    ),
    errors.CentreUnreachable: (
        "The centre cannot be reached",
        "Everything recorded stays safe on this laptop and is sent later.",
        "Check the network and the address of the centre in the settings, then sync again.",
    ),
    errors.CentreRefused: (
        "The centre refused this laptop",
        "Everything recorded stays safe on this laptop.",
        "Ask the administrator whether this laptop is enrolled or was revoked.",
    ),
    errors.VaultLocked: (
        "The password store is locked",
        "Passwords and keys live in the system's password store, which gives nothing out now.",
        "Unlock it and repeat, or work with meters that need no password.",
    ),
    errors.NoRoom: (
        "No room to save",
        "What was saved before is safe; the last entry is not.",
        "Free some space on the disk that holds the data folder, then repeat the last step.",
    ),
    errors.DatabaseInUse: (
        "Meterwright is already open",
        "Another window or command works on the same data folder.",
        "Use the open window, or choose another data folder.",
    ),
    errors.DatabaseDamaged: (
        "The local data cannot be opened",
        "Nothing was changed; the file is left as it is.",
        (
            "Copy the data folder away before anything else, then ask for help. If a newer"
            " Meterwright wrote it, install that version."
        ),
    ),
    errors.NotFound: (
        "There is nothing of that name",
        "Nothing was changed.",
        "Check the number or name: orders list, vault list and find show what there is.",
    ),
    errors.Interrupted: (
        "The read ended early",
        "What arrived is kept.",
        "Seat the probe again and repeat: the read goes on from the last row that was kept.",
    ),
    errors.AppError: (
        "This did not work",
        "Nothing was changed.",
        "Repeat; send the log if it stays so.",
    ),
    errors.Cancelled: (
        "Stopped",
        "The meter was signed off. What arrived is kept.",
        "Repeat when you are ready.",
    ),
}

_PORT_REMEDIES = {
    PortProblem.MISSING: (
        "The probe is not plugged in",
        "There is no such port.",
        "Plug the probe in, or choose another port.",
    ),
    PortProblem.BUSY: (
        "Another program holds the port",
        "The port exists, but somebody else has it open.",
        "Close the other program, then connect again.",
    ),
    PortProblem.FORBIDDEN: (
        "This user may not use the port",
        "The system refuses access to the port.",
        (
            "Add the user to the group that owns it (on Debian: sudo usermod -aG dialout $USER,"
            " then sign in again), or install the udev rule that comes with the program."
        ),
    ),
    PortProblem.LOST: (
        "The probe is gone",
        "The port was open and disappeared: a cable was pulled, or the other end closed.",
        "Plug the probe in again and repeat. What arrived before is kept.",
    ),
    PortProblem.UNREACHABLE: (
        "Nobody answers at this address",
        "The gateway or meter cannot be reached over the network.",
        "Check host and port, that the device there has power, and this computer's network.",
    ),
    PortProblem.MALFORMED: (
        "This is no port and no address",
        "Nothing was opened.",
        "Write a port name, tcp://host:port or rfc2217://host:port with a port from 1 to 65535.",
    ),
    PortProblem.UNSUITABLE: (
        "This port cannot do what the meter needs",
        "It cannot be set to the speed or character format in time.",
        "Use a probe on a serial port, or choose software parity (soft7E1) or a fixed speed.",
    ),
}

_HINTS = {  # what the line showed besides the error
    "echo": (
        "The probe hears itself",
        "Only our own characters came back; the meter did not answer.",
        ("Seat the probe again, the light may be reflected; it may also be turned by 180 degrees."),
    ),
    "late-dlms": (
        "Meter found, DLMS not opened",
        "The sign-on was answered, but not the DLMS connection after it.",
        "Check address and client number, or let Find look for the address.",
    ),
    "no-secret": (
        "This meter wants a password or key",
        "None was given.",
        (
            "Choose its password where the meter is connected. On the command line: --secret NAME"
            " (vault set NAME keeps one), or --secret-env PREFIX."
        ),
    ),
    "noise": (
        "I hear noise, not a meter",
        "Characters arrive, but damaged or in no form that a meter sends.",
        (
            "Shade the optical port and seat the probe again. Check speed and parity, or let"
            " Find settings try them."
        ),
    ),
    "broke-off": (
        "The meter fell silent in the middle",
        "Its answer began well and did not come to its end. What arrived is kept, unproved.",
        "Keep the probe still on the port and read again. A weak battery may also be the cause.",
    ),
    "check": (
        "The check of the meter's list does not fit",
        "The values arrived, but nothing proves them: one or more may be wrong.",
        (
            "Clean the window and read again. If it stays so with this meter, it sends a wrong"
            ' check: its meter type may then say check = "none" (--iec-check none). Compare the'
            " values with its display."
        ),
    ),
}

_UNEXPECTED = (
    "Something unexpected went wrong",
    "This is a defect in the program. What was saved before is safe.",
    "Save the report and send it.",
)


def explain(error: BaseException) -> Message:
    """Return the message for ``error``, found along its class hierarchy."""
    detail = str(error)
    if isinstance(error, PortUnavailable):
        title, meaning, remedy = _PORT_REMEDIES[error.problem]
        if error.holder:
            meaning += f" It is held by {error.holder}."
        if error.present:
            remedy += f" Ports that exist now: {', '.join(error.present)}."
        return Message(title, meaning, remedy, detail)
    hint = getattr(error, "hint", "")
    if hint in _HINTS:
        return Message(*_HINTS[hint], detail=detail)
    if isinstance(error, TokenRefused):
        said = result_words(error.code)
        return Message(
            f"{_WORDS[TokenRefused][0]}: {said.title.lower()}", said.meaning, said.remedy, detail
        )
    for kind in type(error).__mro__:
        if kind in _WORDS:
            return Message(*_WORDS[kind], detail=detail)
    return Message(*_UNEXPECTED, detail=repr(error))


EXIT_CODES: dict[type[BaseException], int] = {
    errors.BadInput: 2,
    errors.NotFound: 2,
    errors.Cancelled: 3,
    PortUnavailable: 10,
    NoReply: 11,
    GarbledReply: 12,
    AccessDenied: 13,
    WrongMeter: 14,
    NotSupported: 15,
    ValueRefused: 16,
    KeysDoNotFit: 17,
    MeterBusy: 18,
    errors.NotPermitted: 20,
    errors.AuditBroken: 23,
    errors.CentreUnreachable: 21,
    errors.CentreRefused: 21,
    errors.VaultLocked: 22,
    errors.NoRoom: 24,
    errors.DatabaseInUse: 25,
    errors.DatabaseDamaged: 26,
}


def exit_code(error: BaseException) -> int:
    """Return the exit code of the command line for ``error``; 1 for a defect."""
    if isinstance(error, errors.Interrupted) and error.__cause__ is not None:
        return exit_code(error.__cause__)
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return 1
