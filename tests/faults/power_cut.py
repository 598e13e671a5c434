"""A disk as a power cut leaves it, rebuilt from the system calls that strace wrote down.

What was written is certain only after a sync: of a file its content, of a folder its names.  Of
everything after that any part may be there: each sector of each write on its own, one of them cut
in half; each new length; each new, renamed or removed name.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "openat,pwrite64,write,ftruncate,unlink,unlinkat,rename,mkdir,fdatasync,fsync,"
    "pwritev,writev,truncate,renameat,renameat2,link,linkat,mkdirat,fallocate,copy_file_range,"
    "sendfile"
)
COMMAND = ["strace", "-f", "--seccomp-bpf", "-xx", "-y", "-s", "100000000", "-e", f"trace={CALLS}"]
SECTOR = 512
MARKS = "marks"  # the file into which the program says what it has been told to be safe

_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((\d*)(.*)\) += (\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_LAST_NUMBER = re.compile(r", (\d+)$")


@dataclass(slots=True)
class Write:
    """Bytes at a place of a file; without ``data`` the file's new length."""

    offset: int
    data: bytes | None

    def on(self, content: bytearray) -> None:
        """Do it to ``content``."""
        if self.data is None:
            del content[self.offset :]
        gap = self.offset - len(content)
        if gap > 0:
            content.extend(bytes(gap))
        if self.data is not None:
            content[self.offset : self.offset + len(self.data)] = self.data

    def torn(self, chance: random.Random) -> Iterator["Write"]:
        """Yield what a cut leaves of it: some sectors, of the last one perhaps a half."""
        if self.data is None:
            if chance.random() < 0.5:
                yield self
            return
        share = chance.choice((0.0, 0.5, 0.9, 1.0))
        start = 0
        while start < len(self.data):
            end = start + SECTOR - (self.offset + start) % SECTOR
            piece = self.data[start:end]
            if chance.random() < share:
                if chance.random() < 0.1:
                    piece = piece[: chance.randrange(len(piece) + 1)]
                yield Write(self.offset + start, piece)
            start = end


@dataclass(slots=True, eq=False)
class Inode:
    """A file: what is on the disk for certain, what the system shows, and what lies between."""

    safe: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)

    def write(self, write: Write) -> None:
        """Note a write."""
        write.on(self.shown)
        self.pending.append(write)

    def sync(self) -> None:
        """Make all of it certain."""
        for write in self.pending:
            write.on(self.safe)
        self.pending.clear()

    def cut(self, chance: random.Random | None) -> bytes:
        """Return what is there after a cut; without ``chance`` only what is certain."""
        if not self.pending or chance is None:
            return bytes(self.safe)
        content = bytearray(self.safe)
        for write in self.pending:
            for piece in write.torn(chance):
                piece.on(content)
        return bytes(content)


FOLDER = Inode()  # what stands under the name of a folder
Names = dict[str, Inode]
Change = dict[str, Inode | None]  # names that come and go at once


@dataclass
class Disk:
    """The files below ``root``, by their names from there; ``outside`` loses no power.

    ``start`` holds what was there, all of it certain, when the recording began.
    """

    root: Path
    start: Path
    outside: str = "meter/"
    safe: Names = field(default_factory=dict)
    shown: Names = field(default_factory=dict)
    pending: dict[str, list[Change]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted(self.start.rglob("*")):
            node = FOLDER
            if path.is_file():
                content = path.read_bytes()
                node = Inode(bytearray(content), bytearray(content))
            self.safe[path.relative_to(self.start).as_posix()] = node
        self.safe[""] = FOLDER
        self.shown.update(self.safe)

    def name(self, path: str) -> str | None:
        """Return a path as it is called here, "" for the root, None outside."""
        inside = path == str(self.root) or path.startswith(f"{self.root}/")
        return path[len(str(self.root)) + 1 :] if inside else None

    def change(self, change: Change) -> None:
        """Let names of one folder come and go."""
        folders = {_folder(name) for name in change}
        assert len(folders) == 1, f"a rename between folders is not known here: {change}"
        _apply(change, self.shown)
        if self._keeps(next(iter(change))):
            _apply(change, self.safe)
        else:
            self.pending.setdefault(folders.pop(), []).append(change)

    def write(self, name: str, node: Inode, write: Write) -> None:
        """Write to a file that was opened under ``name``."""
        node.write(write)
        if self._keeps(name):
            node.sync()

    def sync_folder(self, name: str) -> None:
        """Make the names in a folder certain."""
        for change in self.pending.pop(name, ()):
            _apply(change, self.safe)

    def cut(self, chance: random.Random | None) -> Names:
        """Return the names that are there after a cut; without ``chance`` only what is certain."""
        names = dict(self.safe)
        for changes in self.pending.values():
            for change in changes:
                if chance is not None and chance.random() < 0.5:
                    _apply(change, names)
        return {name: node for name, node in names.items() if _reached(name, names)}

    def _keeps(self, name: str) -> bool:
        return name.startswith(self.outside) or name == MARKS


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _apply(change: Change, names: Names) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _reached(name: str, names: Names) -> bool:
    folder = _folder(name)
    return not name or (names.get(folder) is FOLDER and _reached(folder, names))


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that succeeded: its name, arguments and answer."""

    name: str
    descriptor: int
    texts: tuple[bytes, ...]
    number: int  # the last argument
    flags: str
    answer: int


def calls(lines: Iterable[str]) -> list[Call]:
    """Return the calls that strace wrote down."""
    found = []
    for line in lines:
        assert "unfinished" not in line, "more than one thread writes"
        if (parts := _LINE.match(line)) is None:
            continue  # an error, or the end of the process
        name, descriptor, rest, answer = parts.groups()
        texts = tuple(bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(rest))
        number = _LAST_NUMBER.search(rest)
        flags = rest if name == "openat" else ""
        found.append(
            Call(
                name,
                int(descriptor or -1),
                texts,
                int(number[1] if number else 0),
                flags,
                int(answer),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Happened:
    """A place of the recording: right before a sync of ``name``, or right after a mark."""

    name: str = ""
    mark: str = ""


class Replay:
    """Does to a disk what the recorded calls did; syncs of names like ``ignored`` do nothing."""

    def __init__(self, disk: Disk, ignored: re.Pattern[str] | None = None) -> None:
        self.disk = disk
        self._ignored = ignored
        self._open: dict[int, tuple[str, Inode]] = {}
        self._at: dict[int, int] = {}

    def run(self, made: Iterable[Call]) -> Iterator[Happened]:
        """Yield at every sync, before it takes effect, and at every mark."""
        known = {
            "openat": self._opened, "pwrite64": self._written_at, "write": self._written,
            "ftruncate": self._truncated, "unlink": self._unlinked, "rename": self._renamed,
            "mkdir": self._made,
        }  # fmt: skip
        for call in made:
            if call.name in ("fsync", "fdatasync"):
                yield from self._synced(call.descriptor)
            elif call.name in known:
                mark = known[call.name](call)
                if mark:
                    yield Happened(mark=mark)
            else:
                texts = (text.decode(errors="replace") for text in call.texts)
                named = [text for text in texts if self.disk.name(text) is not None]
                assert not named, f"{call.name} is not known here"
                assert call.descriptor not in self._open, f"{call.name} is not known here"

    def _opened(self, call: Call) -> None:
        self._open.pop(call.answer, None)
        (name,) = self._names(call)
        if name is None:
            return
        node = self.disk.shown.get(name)
        if node is None:
            node = Inode()
            self.disk.change({name: node})
        elif "O_TRUNC" in call.flags and node.shown:
            self.disk.write(name, node, Write(0, None))
        self._open[call.answer], self._at[call.answer] = (name, node), 0

    def _written_at(self, call: Call) -> None:
        if place := self._open.get(call.descriptor):
            self.disk.write(*place, Write(call.number, call.texts[0][: call.answer]))

    def _written(self, call: Call) -> str:
        if not (place := self._open.get(call.descriptor)):
            return ""
        data = call.texts[0][: call.answer]
        self.disk.write(*place, Write(self._at[call.descriptor], data))
        self._at[call.descriptor] += call.answer
        return data.decode().strip() if place[0] == MARKS else ""

    def _truncated(self, call: Call) -> None:
        if place := self._open.get(call.descriptor):
            self.disk.write(*place, Write(call.number, None))

    def _unlinked(self, call: Call) -> None:
        (name,) = self._names(call)
        if name is not None:
            self.disk.change({name: None})

    def _renamed(self, call: Call) -> None:
        old, new = self._names(call)
        if old is not None and new is not None:
            self.disk.change({old: None, new: self.disk.shown[old]})

    def _made(self, call: Call) -> None:
        (name,) = self._names(call)
        if name is not None:
            self.disk.change({name: FOLDER})

    def _synced(self, descriptor: int) -> Iterator[Happened]:
        if descriptor not in self._open:
            return
        name, node = self._open[descriptor]
        yield Happened(name)
        if self._ignored is not None and self._ignored.search(name):
            return
        if node is FOLDER:
            self.disk.sync_folder(name)
        else:
            node.sync()

    def _names(self, call: Call) -> list[str | None]:
        return [self.disk.name(text.decode()) for text in call.texts]
