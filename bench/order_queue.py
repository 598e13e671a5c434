"""How fast the queue of a million orders opens, filters, sorts and scrolls.

Run from the repository with ``python -m bench.order_queue [ORDERS]``.  Every figure stands beside
the same question put to plain sqlite3 in the same run: the ratio says what the program adds.
"""

import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from app.models.database import FILE, Database
from app.models.search import search_text
from app.workorders.queue import OPEN_STATES, PAGE, QueueFilter, count_by_state, find_ids, rows

REPEATS = 3
STATES = ("downloaded", "accepted", "started", "done", "submitted", "approved", "closed")
STREETS = ("Oak", "Mill", "Canal", "Quay", "Church", "High", "Harbour", "Älv", "Łąka")
AREAS = ("North/Oak", "North/Quay", "South", "Northern", "")
OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN_STATES))
URGENT = "ORDER BY priority, due IS NULL, due, rowid"
BELOW_NORTH = "substr(area, 1, 6) = 'North/'"
FOUND = "instr(search, '{}') > 0"

Question = tuple[str, float, QueueFilter, str]
QUESTIONS: tuple[Question, ...] = (
    (
        "open: open orders, most urgent first",
        0.3,
        QueueFilter(states=OPEN_STATES),
        f"SELECT rowid FROM work_order WHERE state IN ({OPEN}) {URGENT}",
    ),
    (
        "sort: all by priority",
        0.6,
        QueueFilter(),
        "SELECT rowid FROM work_order ORDER BY priority, due IS NULL, due, rowid",
    ),
    (
        "sort: all by number",
        0.6,
        QueueFilter(order_by="number"),
        "SELECT rowid FROM work_order ORDER BY length(number), number, rowid",
    ),
    (
        "sort: all by meter, descending",
        0.6,
        QueueFilter(order_by="meter", descending=True),
        "SELECT rowid FROM work_order ORDER BY meter_serial DESC, rowid DESC",
    ),
    (
        "sort: all by place",
        0.6,
        QueueFilter(order_by="place"),
        "SELECT rowid FROM work_order ORDER BY title, rowid",
    ),
    (
        "sort: open orders by place",
        0.6,
        QueueFilter(states=OPEN_STATES, order_by="place"),
        f"SELECT rowid FROM work_order WHERE state IN ({OPEN}) ORDER BY title, rowid",
    ),
    (
        "filter: open orders due until a day",
        0.6,
        QueueFilter(states=OPEN_STATES, due_to=date(2026, 6, 1)),
        f"SELECT rowid FROM work_order WHERE state IN ({OPEN}) AND due <= '2026-06-01' {URGENT}",
    ),
    (
        "filter: an area and below",
        0.6,
        QueueFilter(area="North"),
        f"SELECT rowid FROM work_order WHERE (area = 'North' OR {BELOW_NORTH}) {URGENT}",
    ),
    (
        "filter: two words anywhere",
        0.6,
        QueueFilter(text="77 älv"),
        f"SELECT rowid FROM work_order WHERE {FOUND.format(77)} AND {FOUND.format('alv')} {URGENT}",
    ),
    (
        "filter: one state and a word",
        0.6,
        QueueFilter(states=frozenset({"started"}), text="quay"),
        f"SELECT rowid FROM work_order WHERE state = 'started' AND {FOUND.format('quay')} {URGENT}",
    ),
)


def main() -> None:
    """Fill a database, put the questions, print the figures."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Database.open(folder).close()
        begun = time.perf_counter()
        fill(folder / FILE, total)
        size = (folder / FILE).stat().st_size / 1e6
        print(f"{total:,} orders filled in {time.perf_counter() - begun:.1f} s, {size:.0f} MB")
        with Database.open(folder) as db, sqlite3.connect(folder / FILE) as plain:
            measure(db, plain)


def measure(db: Database, plain: sqlite3.Connection) -> None:
    """Print one line per question: ours, plain sqlite3, their ratio, the target."""
    print(f"{'question':40}{'rows':>10}{'ours':>9}{'sqlite3':>9}{'ratio':>7}{'target':>8}")
    for name, target, chosen, sql in QUESTIONS:
        ours, found = best(lambda chosen=chosen: find_ids(db, chosen))
        theirs, other = best(lambda sql=sql: plain.execute(sql).fetchall())
        if len(found) != len(other):
            raise SystemExit(f"{name}: {len(found)} rows, but plain sqlite3 finds {len(other)}")
        line(name, len(found), ours, theirs, target)
    ours, counts = best(lambda: count_by_state(db))
    sql = "SELECT state, count(*) FROM work_order GROUP BY state"
    theirs, _ = best(lambda: plain.execute(sql).fetchall())
    line("count by state", sum(counts.values()), ours, theirs, 0.3)
    ours, counts = best(lambda: count_by_state(db, QueueFilter(text="quay")))
    sql = f"SELECT state, count(*) FROM work_order WHERE {FOUND.format('quay')} GROUP BY state"
    theirs, _ = best(lambda: plain.execute(sql).fetchall())
    line("count by state, of one word", sum(counts.values()), ours, theirs, 0.6)
    scroll(db)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB (with the lists of plain sqlite3)")


def scroll(db: Database) -> None:
    """Print how long pages at random places take."""
    ids = find_ids(db)
    chance = random.Random(1)
    times = []
    for _ in range(50):
        start = chance.randrange(max(1, len(ids) - PAGE))
        begun = time.perf_counter()
        rows(db, ids[start : start + PAGE])
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    print(
        f"page of {PAGE} rows at a random place: median {statistics.median(times):.1f} ms,"
        f" slowest {times[-1]:.1f} ms (fetched in a worker)"
    )


def best(question: Callable[[], object]) -> tuple[float, object]:
    """Return the shortest of several times in seconds, and the answer."""
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        answer = question()
        times.append(time.perf_counter() - begun)
    return min(times), answer


def line(name: str, found: int, ours: float, theirs: float, target: float) -> None:
    """Print one figure."""
    mark = "" if ours <= target else "  over"
    times = f"{ours:>8.3f}s{theirs:>8.3f}s{ours / theirs:>7.2f}{target:>7.1f}s"
    print(f"{name:40}{found:>10,}{times}{mark}")


def fill(path: Path, total: int) -> None:
    """Write orders straight into the file: an import of a million rows is another benchmark."""
    chance = random.Random(7)
    first = date(2026, 1, 1)
    with sqlite3.connect(path) as plain:
        plain.execute("PRAGMA synchronous=OFF")
        info = plain.execute("PRAGMA table_info(work_order)").fetchall()
        defaults = {name: 0 if kind == "INTEGER" else "" for _, name, kind, *_ in info}
        for name in ("due", "window_from", "window_to", "lease_until", "started", "ended"):
            defaults[name] = None
        for name in ("site_id", "usage_point_id", "customer_id"):
            defaults[name] = None
        defaults["created"] = defaults["updated"] = "2026-11-20T10:00:00.000000Z"
        names = list(defaults)
        marks = ", ".join(f":{name}" for name in names)
        sql = f"INSERT INTO work_order ({', '.join(names)}) VALUES ({marks})"

        def order(number: int) -> dict[str, object]:
            place = f"{chance.randint(1, 300)} {chance.choice(STREETS)} Street"
            serial = f"{chance.randrange(10**8):08d}"
            person = f"Customer {chance.randrange(100_000)}"
            return defaults | {
                "order_id": f"{number:036d}",
                "number": str(number),
                "source": "bench",
                "external_ref": f"B-{number}",
                "kind": "commission",
                "procedure": "commission",
                "limit_pack": "generic-230v",
                "title": place,
                "state": chance.choice(STATES),
                "area": chance.choice(AREAS),
                "priority": chance.randint(1, 5),
                "due": (first + timedelta(days=chance.randrange(700))).isoformat(),
                "meter_serial": serial,
                "epoch": 1,
                "revision": 1,
                "search": search_text(str(number), f"B-{number}", place, person, serial),
            }

        plain.executemany(sql, (order(number) for number in range(1, total + 1)))
        plain.commit()
        plain.execute("ANALYZE")


if __name__ == "__main__":
    main()
