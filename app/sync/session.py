"""One session with the centre: greet, send the journal, take the mail, send files, compare.

It may be cut off, killed or repeated at any point.  What the centre has committed without our
knowing is sent again and has no effect; mail and the mail cursor are written in one transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from app.centre.contract import MAX_EVENTS, Centre, CentreSession, Hello, SeqReused
from app.errors import CentreRefused
from app.models.base import utc_now
from app.models.database import Database
from app.models.journal import HLC_COUNTER_BITS, SCHEMA_VERSION, Laptop
from app.sync.blobs import forget_verification, send_blobs
from app.sync.chip import Pending, pending_in
from app.sync.journal import (
    acknowledge,
    forget_acknowledgements,
    laptop_of,
    open_batch,
    open_count,
    renumber,
    reopen,
    submit_finished,
)
from app.sync.mailbox import apply_mail
from app.sync.readback import read_back
from app.tasks import Progress, Task

CLOCK_TOLERANCE = timedelta(minutes=2)
_MAIL_AT_ONCE = 100
_MOST_MOVES = 3


@dataclass(frozen=True)
class SyncResult:
    """What a session has done.

    ``in_step`` is True only when the counters of both sides are equal and all files complete.
    ``warnings`` are sentences for the operator.
    """

    sent: int
    received: int
    blobs: int
    submitted: int
    in_step: bool
    pending: Pending
    warnings: tuple[str, ...] = ()


def synchronise(
    db: Database, centre: Centre, *, batch: int = MAX_EVENTS, adopt: bool = False
) -> Task[SyncResult]:
    """Bring laptop and centre in step.

    Args:
        db: The local database.
        centre: The central store.
        batch: How many events to send at once; see `app.sync.backoff.Backoff`.
        adopt: Go over to another centre than before and send it everything this laptop has.

    Raises:
        CentreUnreachable: No answer; whatever was recorded stays and is sent later.
        CentreRefused: This laptop is not enrolled, was revoked, or belongs to another centre.
    """
    with db.read() as session:
        device_id = laptop_of(session).device_id
    calls = centre.session(device_id)
    try:
        return (yield from _Session(db, calls, min(batch, MAX_EVENTS), adopt=adopt).run())
    finally:
        calls.close()


class _Session:
    """The steps of `synchronise` and what they have counted."""

    def __init__(self, db: Database, calls: CentreSession, batch: int, *, adopt: bool) -> None:
        self._db = db
        self._calls = calls
        self._batch = batch
        self._adopt = adopt
        self._warnings: list[str] = []
        self._sent = 0
        self._received = 0
        self._submitted = 0
        self._moves = 0

    def run(self) -> Task[SyncResult]:
        """Do the whole session."""
        yield Progress("Greeting the centre")
        self._greet()
        yield from self._push_all()
        yield from self._pull_all()
        self._read_back()
        self._submit()
        blobs = yield from send_blobs(self._db, self._calls)
        if blobs:
            self._submit()
        yield Progress("Comparing the counters")
        return self._compare(blobs)

    def _hello(self) -> tuple[Hello, datetime]:
        with self._db.read() as session:
            laptop = laptop_of(session)
        before = utc_now()
        hello = self._calls.hello(
            client_build(), SCHEMA_VERSION, laptop.incarnation, laptop.next_seq - 1
        )
        return hello, before + (utc_now() - before) / 2

    def _greet(self) -> None:
        """Say hello and heal: open again what the centre lost, leave numbers it has twice."""
        hello, moment = self._hello()
        with self._db.write() as session:
            laptop = laptop_of(session)
            self._check_centre(laptop, hello)
            self._compare_clocks(laptop, hello.server_time, moment)
            restored = hello.generation != laptop.generation or hello.mail_head < laptop.mail_cursor
            if restored:
                # First contact, or the centre came back from a backup: its mail numbers may have
                # gone back too.  Applying mail twice does no harm.
                laptop.mail_cursor = 0
                laptop.generation = hello.generation
                forget_verification(session)
            reopened = forget_acknowledgements(session, hello.last_seqs)
            if restored:
                reopen(session)
            ahead = hello.last_seqs.get(laptop.incarnation, 0) >= laptop.next_seq
            incarnation, next_seq = laptop.incarnation, laptop.next_seq
        if reopened:
            self._warnings.append(
                f"The centre had lost {reopened} events of this laptop; they are sent again."
            )
        if ahead:
            self._leave_incarnation(incarnation, next_seq)

    def _leave_incarnation(self, incarnation: int, next_seq: int) -> None:
        """This disk is older than what the centre saw: prove what is equal, then renumber."""
        try:
            while self._push_one(incarnation):
                pass
        except SeqReused as reused:
            self._renumber(incarnation, reused.at_seq)
        else:
            self._renumber(incarnation, next_seq)

    def _renumber(self, incarnation: int, from_seq: int) -> None:
        fresh = self._calls.new_incarnation()
        self._moves += 1
        with self._db.write() as session:
            renumber(session, incarnation, from_seq, fresh)
        self._warnings.append(
            "The data of this laptop is older than what the centre has seen of it, or was copied."
            " New work is sent under new numbers; the centre was told."
        )

    def _read_back(self) -> None:
        """Fetch what this laptop once knew; cut off, the next session does it again."""
        with self._db.read() as session:
            wanted = laptop_of(session).read_back
        if not wanted:
            return
        incarnation, from_seq = map(int, wanted.split("."))
        read_back(self._db, self._calls, incarnation, from_seq, self._hello()[0].last_seqs)
        with self._db.write() as session:
            laptop_of(session).read_back = ""

    def _push_one(self, only: int | None = None) -> int:
        """Send one batch, of the incarnation ``only`` if given; return how many events."""
        with self._db.read() as session:
            incarnation, batch = open_batch(session, self._batch)
        if not batch or (only is not None and incarnation > only):
            return 0
        try:
            upto = self._calls.push(incarnation, batch)
        except SeqReused as reused:
            if only is not None and incarnation == only:
                raise
            self._renumber(incarnation, reused.at_seq)
            return len(batch)
        with self._db.write() as session:
            acknowledge(session, incarnation, upto, batch[-1].seq)
        self._sent += len(batch)
        return len(batch)

    def _push_all(self) -> Task[None]:
        with self._db.read() as session:
            total = open_count(session)
        if not total:
            return
        yield Progress("Sending", 0, total, "events")
        while self._push_one():
            if self._moves > _MOST_MOVES:
                raise CentreRefused("the centre's numbers do not agree with those of this laptop")
            yield Progress("Sending", self._sent, max(total, self._sent), "events")

    def _pull_all(self) -> Task[None]:
        with self._db.read() as session:
            cursor = laptop_of(session).mail_cursor
        while mails := self._calls.pull(cursor, _MAIL_AT_ONCE):
            with self._db.write() as session:
                laptop = laptop_of(session)
                for mail in mails:
                    if mail.seq <= laptop.mail_cursor:
                        continue  # another session was faster
                    if mail.seq != laptop.mail_cursor + 1:
                        raise CentreRefused(
                            f"letter {laptop.mail_cursor + 1} is missing, {mail.seq} came instead"
                        )
                    apply_mail(session, mail)
                    laptop.mail_cursor = mail.seq
                cursor = laptop.mail_cursor
            self._received += len(mails)
            yield Progress("Taking mail", self._received, 0, "letters")
            if len(mails) < _MAIL_AT_ONCE:
                break  # what has come in since shows when the counters are compared
        self._calls.ack(cursor)

    def _submit(self) -> None:
        with self._db.write() as session:
            self._submitted += submit_finished(session)

    def _compare(self, blobs: int) -> SyncResult:
        """Ask again and compare: that no error was raised does not mean being in step."""
        hello, _ = self._hello()
        with self._db.read() as session:
            laptop = laptop_of(session)
            open_now = pending_in(session)
        counters = (
            hello.last_seqs.get(laptop.incarnation, 0) == laptop.next_seq - 1
            and hello.mail_head == laptop.mail_cursor
        )
        return SyncResult(
            sent=self._sent,
            received=self._received,
            blobs=blobs,
            submitted=self._submitted,
            in_step=counters and open_now.nothing,
            pending=open_now,
            warnings=tuple(self._warnings),
        )

    def _check_centre(self, laptop: Laptop, hello: Hello) -> None:
        if laptop.centre_id and laptop.centre_id != hello.centre_id:
            if not self._adopt:
                raise CentreRefused(
                    f"this laptop belongs to the centre {laptop.centre_id}; the address leads to"
                    f" {hello.centre_id}"
                )
            laptop.generation = 0
        laptop.centre_id = hello.centre_id

    def _compare_clocks(self, laptop: Laptop, server: datetime, moment: datetime) -> None:
        """Note the offset as evidence and warn; no clock changes what is sent or applied."""
        offset = server - moment
        seconds = offset.total_seconds()
        if abs(offset) > CLOCK_TOLERANCE:
            self._warnings.append(
                f"The clock of this laptop differs from the centre's by {seconds:.0f} s."
            )
        elif (
            laptop.last_server_time is not None
            and moment < laptop.last_server_time - CLOCK_TOLERANCE
        ):
            self._warnings.append("The clock of this laptop was set back since the last sync.")
        laptop.clock_offset_s = seconds
        laptop.last_server_time = server
        laptop.hlc = max(laptop.hlc, int(server.timestamp() * 1000) << HLC_COUNTER_BITS)


@cache
def client_build() -> str:
    """Return the version of this program, as the centre notes it."""
    try:
        return version("meterwright")
    except PackageNotFoundError:
        return "unreleased"
