"""Everything that can go wrong between the program and a meter.

One class per *remedy*: two failures share a class exactly when the operator
should do the same thing about both.  Texts for people live in `app.messages`.
"""

from enum import StrEnum
from typing import ClassVar


class DriverError(Exception):
    """Base of all driver errors; ``retryable`` says whether trying again may help."""

    retryable: ClassVar[bool] = False


class PortProblem(StrEnum):
    """Why a port cannot be used; each has its own remedy."""

    MISSING = "missing"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    LOST = "lost"  # it was open and went away: the probe was pulled, the peer closed
    UNREACHABLE = "unreachable"  # nobody answers at the address of the network
    MALFORMED = "malformed"  # what was written names no port and no address
    UNSUITABLE = "unsuitable"  # it cannot do the speed or format that the meter needs


class PortUnavailable(DriverError):
    """The port cannot be opened or is gone.

    ``problem`` says which remedy fits, ``present`` names the ports that do exist,
    ``holder`` the program that has the port open, where the system tells.
    """

    def __init__(
        self,
        detail: str,
        problem: PortProblem = PortProblem.MISSING,
        present: tuple[str, ...] = (),
        holder: str = "",
    ) -> None:
        super().__init__(detail)
        self.problem = problem
        self.present = present
        self.holder = holder


class NoReply(DriverError):
    """The meter stayed silent for the whole reply time.

    ``hint`` is "" or what the line showed nevertheless: "echo" (only our own bytes came back),
    "late-dlms" (the sign-on was answered, HDLC was not).
    """

    retryable = True

    def __init__(self, waited: float, hint: str = "") -> None:
        super().__init__(f"no reply within {waited:g} s" + (f" ({hint})" if hint else ""))
        self.waited = waited
        self.hint = hint


class GarbledReply(DriverError):
    """Bytes arrived but their checksum or form is wrong.

    ``hint`` is "" or what is known more: "check" (text of a meter, whose check never fits), "noise"
    (characters that no meter sends), "broke-off" (a good beginning, then silence).
    """

    retryable = True

    def __init__(self, text: str = "", hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class AccessDenied(DriverError):
    """The meter refused the password, key or access level.  Never retried: meters lock.

    ``hint`` is "" or what is known more: "no-secret" (it wants one, and none was given).
    """

    def __init__(self, text: str = "", hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class WrongMeter(DriverError):
    """Another meter answers than the one expected, or one of an unknown type."""

    def __init__(self, detail: str, expected: str = "", found: str = "") -> None:
        super().__init__(detail)
        self.expected = expected
        self.found = found


class NotSupported(DriverError):
    """This meter has no such value or service."""


class ValueRefused(DriverError):
    """The meter refused a value, or what was written did not read back."""


class TokenRefused(ValueRefused):
    """The meter took a prepayment token and refused it; ``code`` is the number of its result."""

    def __init__(self, detail: str, code: int = 0) -> None:
        super().__init__(detail)
        self.code = code


class KeysDoNotFit(DriverError):
    """Deciphering or authenticating a message failed."""


class MeterBusy(DriverError):
    """The meter is busy or temporarily unable; waiting helps."""

    retryable = True
