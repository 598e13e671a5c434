"""The power fails while a laptop works and syncs; nothing that was told to be safe is lost.

A visit and a day's sync are recorded once, system call by system call.  Before each sync of a file
or folder the power is cut: what is certain is there, and of all that came after it nothing, all,
or any part, on the laptop and at a SQLite centre on the same machine at once.  Then both files are
opened: whole, at exactly the last transaction that was told to be done or the one after it; each
photo there; the centre has what the laptop believes to be acknowledged, and the laptop what the
centre has.  From some places the day is taken up again and comes to its end.
"""

import hashlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from app.models.database import FILE, Database
from tests.faults.kill_zygote import ORDER
from tests.faults.power_cut import COMMAND, FOLDER, Call, Disk, Happened, Replay, calls
from tests.faults.power_day import CENTRE, LAPTOP, whole_day
from tests.faults.test_sync_kill import ROOT, begin
from tests.protocol.sync_world import CENTRE_FILE, World, check_invariants
from tests.visit_setup import add_order, camera_photo

pytestmark = [
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
    pytest.mark.timeout(600),
]
ALL = os.environ.get("METERWRIGHT_FAULTS") == "all"
FIRST = int(os.environ.get("METERWRIGHT_CUT") or 1)  # start number of what a cut leaves
WAYS = 40 if ALL else 2  # how often each place is cut with other parts left, by start number
TAKEN_UP = 60 if ALL else 3  # places from which the day goes on

FILES = {LAPTOP: f"ana/{FILE}", CENTRE: CENTRE_FILE}
WAL_MARK, WAL = 18, 2  # where the file says that it needs a write-ahead log
NOTHING, EVERYTHING = "only what was certain", "everything"


@dataclass(frozen=True)
class Facts:
    """What a database holds, as far as the other side and the files depend on it."""

    digest: bytes
    events: dict[tuple[object, ...], str]
    acknowledged: frozenset[tuple[object, ...]] = frozenset()
    files: frozenset[tuple[str, str]] = frozenset()  # path, hash
    whole: frozenset[str] = frozenset()  # files that the centre has, or is believed to have
    mail: int = 0


@dataclass
class Recording:
    """A day: the folder it began from, the folder it ran in, and its system calls."""

    morning: Path
    root: Path
    scratch: Path
    calls: list[Call] = field(default_factory=list)
    known: dict[bytes, Facts] = field(default_factory=dict)

    def replay(self, ignored: re.Pattern[str] | None = None) -> tuple[Disk, Iterator[Happened]]:
        """Return the disk in the morning, and what happens to it."""
        disk = Disk(self.root, self.morning)
        return disk, Replay(disk, ignored).run(self.calls)

    def facts(self, whose: str, left: dict[str, bytes]) -> Facts:
        """Open a database with what lies beside it, and return what it holds once it is sound."""
        name = FILES[whose]
        beside = {other: data for other, data in left.items() if other.startswith(f"{name}-")}
        content = left[name]
        if any(beside.values()) or content[WAL_MARK] == WAL:
            content = self._recovered(name, content, beside)
        key = hashlib.blake2b(content).digest()
        if key not in self.known:
            self.known[key] = self._looked_at(whose, content)
        return self.known[key]

    def _recovered(self, name: str, content: bytes, beside: dict[str, bytes]) -> bytes:
        path = self.scratch / Path(name).name
        for rest in self.scratch.iterdir():
            rest.unlink()
        path.write_bytes(content)
        for other, data in beside.items():
            (self.scratch / Path(other).name).write_bytes(data)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        return path.read_bytes()

    def _looked_at(self, whose: str, content: bytes) -> Facts:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(content)
            for check, sound in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
                found = connection.execute(f"PRAGMA {check}").fetchall()
                assert found == sound, f"{whose} is damaged: {found[:3]}"
            return (laptop_facts if whose == LAPTOP else centre_facts)(connection)


def digest(connection: sqlite3.Connection) -> bytes:
    """Return a hash over every row of every table."""
    whole = hashlib.blake2b()
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    for (table,) in tables.fetchall():
        whole.update(table.encode())
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            whole.update(repr(row).encode())
    return whole.digest()


def laptop_facts(connection: sqlite3.Connection) -> Facts:
    rows = connection.execute("SELECT incarnation, seq, sha256, acked_at FROM outbox").fetchall()
    files = connection.execute("SELECT path, sha256 FROM attachment").fetchall()
    sure = connection.execute("SELECT sha256 FROM blob WHERE verified_at IS NOT NULL").fetchall()
    ((mail,),) = connection.execute("SELECT mail_cursor FROM laptop").fetchall()
    return Facts(
        digest(connection),
        {(incarnation, seq): sha256 for incarnation, seq, sha256, _ in rows},
        frozenset((incarnation, seq) for incarnation, seq, _, acked in rows if acked),
        frozenset(files),
        frozenset(sha256 for (sha256,) in sure),
        mail,
    )


def centre_facts(connection: sqlite3.Connection) -> Facts:
    rows = connection.execute(
        "SELECT incarnation, seq, event.sha256 FROM event JOIN device USING (device_id)"
        " WHERE device.name = 'ana'"
    )
    heads = connection.execute("SELECT mail_head FROM device WHERE name = 'ana'").fetchall()
    whole = set()
    for (sha256,) in connection.execute("SELECT sha256 FROM blob WHERE complete").fetchall():
        chunks = connection.execute(
            "SELECT data FROM blob_chunk WHERE sha256 = ? ORDER BY ix", (sha256,)
        )
        data = b"".join(chunk for (chunk,) in chunks)
        assert hashlib.sha256(data).hexdigest() == sha256, "I14: a file is not what its name says"
        whole.add(sha256)
    return Facts(
        digest(connection),
        {(incarnation, seq): sha256 for incarnation, seq, sha256 in rows},
        whole=frozenset(whole),
        mail=heads[0][0],
    )


# Which settings are used is the version's business; the newer ones are tried with all points.
@pytest.fixture(scope="module", params=["truncate", "wal"] if ALL else ["usual"])
def recording(request) -> Iterator[Recording]:
    """A day in memory where there is such a folder: the recording tells what a disk would keep."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        place = Path(name)
        made = Recording(place / "morning", place / "run", place / "scratch")
        made.root.mkdir()
        made.scratch.mkdir()
        (made.root / "meter").mkdir()
        begin(World(made.root))
        with Database.open(made.root / "ana") as db:
            add_order(db, ORDER)
        camera_photo(made.root)
        shutil.copytree(made.root, made.morning)
        day = [sys.executable, "-m", "tests.faults.power_day", str(made.root), request.param]
        subprocess.run([*COMMAND, "-o", str(place / "calls"), *day], cwd=ROOT, check=True)
        with (place / "calls").open(encoding="ascii") as lines:
            made.calls = calls(lines)
        yield made


def test_the_recording_holds_everything_that_the_day_wrote(recording):
    disk, happened = recording.replay()
    for _ in happened:
        pass
    there = {
        disk.name(str(path)): path
        for path in [recording.root, *recording.root.rglob("*")]
        if not path.name.endswith("-shm")  # no part of the data
    }
    assert there.keys() == disk.shown.keys()
    for name, path in there.items():
        if path.is_file():
            assert path.read_bytes() == disk.shown[name].shown, name


def told(recording: Recording) -> dict[str, list[bytes]]:
    """Return the digest of each database in the morning and after each transaction told done."""
    disk, happened = recording.replay()
    states = {whose: [recording.facts(whose, shown(disk)).digest] for whose in FILES}
    for what in happened:
        if what.mark:
            states[what.mark].append(recording.facts(what.mark, shown(disk)).digest)
    return states


def shown(disk: Disk) -> dict[str, bytes]:
    return {name: bytes(node.shown) for name, node in disk.shown.items() if node is not FOLDER}


def left(disk: Disk, way: object) -> dict[str, bytes]:
    """Return the files after a cut."""
    if way == EVERYTHING:
        return shown(disk)
    chance = None if way == NOTHING else random.Random(str(way))
    there = disk.cut(chance)
    return {name: node.cut(chance) for name, node in there.items() if node is not FOLDER}


class Cuts:
    """Cuts a recorded day at its syncs and looks at what is left."""

    def __init__(self, recording: Recording, states: dict[str, list[bytes]]) -> None:
        self.recording = recording
        self.states = states
        self.at = dict.fromkeys(FILES, 0)
        self.tried = 0

    def look(self, there: dict[str, bytes]) -> None:
        """Raise when what is left breaks a promise."""
        self.tried += 1
        found = {whose: self.recording.facts(whose, there) for whose in FILES}
        for whose, facts in found.items():
            at = self.at[whose]
            allowed = self.states[whose][at : at + 2]
            assert facts.digest in allowed, f"{whose}: not transaction {at} or the next"
        laptop, centre = found[LAPTOP], found[CENTRE]
        for path, sha256 in laptop.files:
            data = there.get(f"ana/{path}")
            assert data is not None, f"{path} is not there"
            assert hash_of(data) == sha256, f"{path} is damaged"
        acknowledged = {name: laptop.events[name] for name in laptop.acknowledged}
        assert acknowledged.items() <= centre.events.items(), "acknowledged, not at the centre"
        assert centre.events.items() <= laptop.events.items(), "at the centre, not on the laptop"
        assert laptop.whole <= centre.whole, "a file is not at the centre that seems to be"
        assert laptop.mail <= centre.mail, "a letter was applied that the centre does not know"


@cache
def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def cut_everywhere(
    recording: Recording, ways: list[object], ignored: re.Pattern[str] | None = None
) -> tuple[int, int]:
    """Cut before every sync; return how many places there were and how many cuts."""
    cuts = Cuts(recording, told(recording))
    disk, happened = recording.replay(ignored)
    places = 0
    for what in happened:
        if what.mark:
            cuts.at[what.mark] += 1
            continue
        places += 1
        for way in ways:
            try:
                cuts.look(left(disk, way))
            except (AssertionError, sqlite3.Error) as error:
                error.add_note(
                    f"cut {places}, before the sync of {what.name}; left: {way}"
                    " (a start number goes first with METERWRIGHT_CUT)"
                )
                raise
    return places, cuts.tried


def test_a_power_cut_at_any_sync_leaves_all_that_was_told_to_be_safe(recording):
    ways = [NOTHING, EVERYTHING, *range(FIRST, FIRST + WAYS)]
    places, tried = cut_everywhere(recording, ways)
    sys.stdout.write(f"power cut: {places} syncs, {tried} cuts tried, failures 0\n")


@pytest.mark.parametrize(
    "ignored", ["", f"{FILE}$", "(-journal|-wal)$", "ana/files/.*/", "ana/files"]
)
def test_a_disk_that_does_not_keep_what_it_is_told_to_is_found_out(recording, ignored):
    shown_by = r"not transaction|malformed|not there|damaged"
    with pytest.raises((AssertionError, sqlite3.DatabaseError), match=shown_by):
        cut_everywhere(recording, [NOTHING, FIRST, FIRST + 1], re.compile(ignored))


def test_after_a_power_cut_the_day_goes_on_to_its_end(recording):
    _, happened = recording.replay()
    places = sum(not what.mark for what in happened)
    chosen = {places * (2 * n + 1) // (2 * TAKEN_UP) for n in range(TAKEN_UP)}
    disk, happened = recording.replay()
    place = 0
    for what in happened:
        place += not what.mark
        if what.mark or place not in chosen:
            continue
        shutil.rmtree(recording.root)
        write_down(recording.root, left(disk, FIRST))
        pid = os.fork()
        if not pid:
            code = 1
            try:
                whole_day(recording.root)
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(pid, 0)[1] == 0, f"stuck after {place}"
        evening(recording.root)
    sys.stdout.write(f"power cut, day taken up again: {len(chosen)} places tried, failures 0\n")


def write_down(folder: Path, files: dict[str, bytes]) -> None:
    (folder / "ana" / "files").mkdir(parents=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def evening(folder: Path) -> None:
    world = World(folder)
    try:
        ana = world.open(folder / "ana")
        check_invariants(world, ana)
        done = [row.order_id for row in ana.events() if row.kind == "order.done"]
        assert len(done) == len(set(done)) == 3, "an order was done twice or not at all"
    finally:
        world.close()
