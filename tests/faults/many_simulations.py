"""Runs simulations from many start numbers on all cores and says how it went.

    python -m tests.faults.many_simulations                  10,000 start numbers
    python -m tests.faults.many_simulations --seeds 200000   more of them
    python -m tests.faults.many_simulations --only 4711      one again, with its error

METERWRIGHT_SEEDS sets the number too.  Most runs are short, since most mistakes need few steps;
every twentieth is longer, and every two-hundredth is a season of a bigger fleet.
"""

import argparse
import gc
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.quick_world import QuickWorld
from tests.faults.simulation import Simulation

USUAL = 10_000
AT_ONCE = 50
SHORT, MIDDLE, LONG = (8, 2), (25, 3), (80, 4)  # steps and laptops
SAID_EVERY = 2000
SHOWN = 3  # failures that are told in full
RARE = ("restored", "put_back", "clone", "late_message", "clock", "assign", "recall", "reject")


@dataclass(frozen=True)
class Outcome:
    """What one run has shown; ``error`` is empty when every promise was kept."""

    seed: int
    steps: int
    happened: Counter[str]
    error: str = ""


def shape(seed: int) -> tuple[int, int]:
    """Return how many steps and laptops the run of a start number has."""
    if seed % 200 == 0:
        return LONG
    return MIDDLE if seed % 20 == 0 else SHORT


def simulate(seed: int, place: Path, of: tuple[int, int] = (0, 0)) -> Outcome:
    """Do one run in ``place``; the same place every time lets it begin at once.

    Args:
        seed: The start number.
        place: A folder to work in.
        of: How many steps and laptops, in place of the number's own.
    """
    folder = place / "run"
    folder.mkdir()
    steps, laptops = of if of[0] else shape(seed)
    simulation = Simulation(seed, folder, QuickWorld(folder), laptops)
    error = ""
    try:
        for _ in range(steps):
            simulation.step()
        simulation.finish()
    except Exception:  # noqa: BLE001 - whatever it is, it is what the run has found
        error = traceback.format_exc()
    finally:
        simulation.close()
        shutil.rmtree(folder)
    return Outcome(seed, steps, Counter(simulation.happened), error)


def working_place() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder in memory where there is one."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)


def part(place: Path, seeds: range) -> list[Outcome]:
    """Do the runs of some start numbers, as one process of several."""
    gc.disable()  # nothing here lives long; once at the end is enough
    own = place / str(os.getpid())
    own.mkdir(exist_ok=True)
    outcomes = [simulate(seed, own) for seed in seeds]
    gc.collect()
    gc.freeze()  # what is left are compiled statements
    return outcomes


def outcomes_of(seeds: range) -> Iterator[Outcome]:
    """Do all runs on all cores and hand out what they show, in no order."""
    parts = [seeds[start : start + AT_ONCE] for start in range(0, len(seeds), AT_ONCE)]
    with working_place() as folder, multiprocessing.Pool(os.cpu_count()) as pool:
        for outcomes in pool.imap_unordered(partial(part, Path(folder)), parts):
            yield from outcomes


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run what was asked for; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    usual = int(os.environ.get("METERWRIGHT_SEEDS") or USUAL)
    parser.add_argument("--seeds", type=int, default=usual)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--behind", action="store_true", help="only where all else pauses")
    options = parser.parse_args()
    if options.behind and hasattr(os, "nice"):
        os.nice(19)
    seeds = range(options.first, options.first + options.seeds)
    if options.only is not None:
        seeds = range(options.only, options.only + 1)
    begun = time.monotonic()
    tried, steps, failed, happened = 0, 0, 0, Counter[str]()
    for outcome in outcomes_of(seeds):
        tried, steps = tried + 1, steps + outcome.steps
        if not tried % SAID_EVERY:
            say(f"{tried} of {len(seeds)} start numbers")
        happened += outcome.happened
        if outcome.error:
            failed += 1
            again = f"python3 -m tests.faults.many_simulations --only {outcome.seed}"
            if failed <= SHOWN:
                say(outcome.error)
            say(f"FAILED: start number {outcome.seed}; again with: {again}")
    rare = ", ".join(f"{what.replace('_', ' ')} {happened[what]}" for what in RARE)
    say(
        f"simulation: {tried} start numbers tried, {steps} steps, failures {failed}"
        f" ({time.monotonic() - begun:.0f} s; {rare})"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
