"""Programming mode on a link: entered when first wanted, left with a break, and never locked out.

A password that was refused is remembered and not sent again, whatever is asked for next.
"""

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TypeVar

from drivers.errors import AccessDenied, DriverError, NotSupported, ValueRefused
from drivers.iec62056.dataset import is_error
from drivers.iec62056.frames import Identification, Message
from drivers.iec62056.lines import cut_line
from drivers.iec62056.programming import ACKNOWLEDGED, REFUSED, ProgrammingDialogue
from drivers.iec62056.session import Heard, Part, Settings, Step
from drivers.iec62056.talk import perform, result_of
from drivers.link import Link
from drivers.metertype import MeterType
from drivers.secrets import Secrets

Result = TypeVar("Result")
_OTHER = {"R1": "R5", "R5": "R1", "R2": "R5"}  # what to read by when the meter only acknowledges
_NO_DATA = (ACKNOWLEDGED, REFUSED)


class Programming:
    """Commands to one meter in programming mode."""

    def __init__(self, link: Link, meter_type: MeterType, secrets: Secrets) -> None:
        self.type = meter_type
        self.identification = Identification()
        self.keep_first_speed = False  # learned
        self.read_command = meter_type.iec62056.read_command  # learned
        self._link = link
        self._secrets = secrets
        self._session: ProgrammingDialogue | None = None
        self._refused: AccessDenied | None = None

    @property
    def open(self) -> bool:
        """Whether the meter is in programming mode."""
        return self._session is not None and self._session.open

    def enter(self) -> ProgrammingDialogue:
        """Return the open session, entered where it is not.

        Raises:
            AccessDenied: The password was refused, now or before.
        """
        if self._refused is not None:
            raise AccessDenied(f"{self._refused} (not sent again)") from self._refused
        if self._session is None or not self._session.open:
            settings = Settings(self.type, self._link.sets_line, self.keep_first_speed)
            session = self._session = ProgrammingDialogue(settings, self._link.statistics)
            try:
                result_of(self._link, session.enter(self._secrets.password))
            except BaseException as error:
                if isinstance(error, AccessDenied):
                    self._refused = error
                self.leave()
                raise
            self.identification = session.identification
            self.keep_first_speed = session.keep_first_speed
        return self._session

    def leave(self) -> None:
        """Send the break where a session is open; a line that is gone is no new error."""
        session, self._session = self._session, None
        if session is not None and session.open:
            with suppress(DriverError):
                result_of(self._link, session.leave())

    def parts(self, order: str, *, blocks: bool = False) -> Generator[bytes, None, None]:
        """Read ``order`` (``P.01(from;to)``) and yield its data as they are proved, part by part.

        ``blocks`` asks for partial blocks where the type knows how.
        """
        name = self.type.iec62056.block_command if blocks else ""
        run = perform(self._link, self.enter().ask(name or self.read_command, order))
        cut = False
        while True:
            try:
                event = next(run)
            except StopIteration as done:
                if not cut:
                    yield done.value.body
                return
            if isinstance(event, Part):
                cut = True
                yield event.body

    def read(self, code: str, argument: str = "") -> Message:
        """Return the answer to the single read of ``code``.

        Raises:
            NotSupported: The meter has no such value, or says so by an error.
        """
        order = f"{code}({argument})"
        answer = self._do(self.enter().ask(self.read_command, order))
        if answer in _NO_DATA and self.read_command in _OTHER:
            other = _OTHER[self.read_command]
            answer = self._do(self.enter().ask(other, order))
            if answer not in _NO_DATA:
                self.read_command = other
        if answer in _NO_DATA:
            raise NotSupported(f"the meter answers {code} without a value")
        if error := error_text(answer):
            raise NotSupported(f"the meter has no {code}: it answers {error}")
        return answer

    def write(self, code: str, value: str, *, end_at: float = 0.0, secret: bool = False) -> bool:
        """Write ``value``; False when the meter did not hear it well and nothing has changed.

        A ``secret`` value is traced as dots, and no error repeats it.

        Raises:
            AccessDenied: It ended the session, or wants a password.
            ValueRefused: It refused the value.
        """
        own, password = self.type.iec62056, self._secrets.password
        body = f"{code}({value})".encode("ascii", "replace")
        if own.password_in_value and password is not None:
            if self._refused is not None:
                raise AccessDenied(f"{self._refused} (not sent again)") from self._refused
            body += b"(" + password.reveal() + b")"
        session = self.enter()
        masked = secret or own.password_in_value
        answer = self._do(session.write(own.write_command, body, end_at=end_at, secret=masked))
        value = "•••" if secret else value
        if answer == REFUSED:
            return False
        if answer == ACKNOWLEDGED:
            return True
        error = error_text(answer) or "something else than an acknowledgement"
        if own.password_in_value:
            self._refused = AccessDenied(
                f"the meter refused {code}({value}): it answers {error}; the password goes with the"
                " value, so either may be wrong"
            )
            raise self._refused
        if not session.password_given:
            text = f"the meter refused {code} without a password: it answers {error}"
            raise AccessDenied(text, "no-secret")
        raise ValueRefused(f"the meter refused {code}({value}): it answers {error}")

    def _do(self, dialogue: Generator[Step, Heard, Result]) -> Result:
        return result_of(self._link, dialogue)


def error_text(answer: Message) -> str:
    """Return the error a meter answers with in place of data, "" when it is none."""
    cut = cut_line(answer.body.decode("latin-1").strip())
    if len(cut.sets) != 1 or not cut.sets[0].groups:
        return ""
    group = cut.sets[0].groups[0]
    bare = not cut.sets[0].code and len(group) == len("01") and group.isdigit()
    return f"({group})" if is_error(group) or bare else ""


def lines_of(parts: Iterator[bytes]) -> Iterator[list[str]]:
    """Yield the whole data lines of each part; a line cut between two parts comes with the second.

    The end mark ``!`` is a line like any other.
    """
    rest = b""
    for part in parts:
        whole, mark, rest = (rest + part).rpartition(b"\n")
        yield [line for line in (whole + mark).decode("latin-1").splitlines() if line.strip()]
    if rest.strip(b"\r\n\x00 "):
        yield [line for line in rest.decode("latin-1").splitlines() if line.strip()]
