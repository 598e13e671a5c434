"""Many laptops and a centre under a bad network, from start numbers; see `simulation`.

METERWRIGHT_SEEDS=10000 runs more of them; METERWRIGHT_SEED=17 runs one.
"""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.faults.simulation import WEIGHTS, Simulation
from tests.protocol.sync_world import World, postgres_world

SEEDS = int(os.environ.get("METERWRIGHT_SEEDS", "16"))
ONE = os.environ.get("METERWRIGHT_SEED")
STEPS = 80
PARTS = 4  # so that several processes can share them
RARE = {"restore", "put_back", "clone"}


@pytest.fixture
def place():
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def simulate(seed: int, place: Path, kind: str = "sqlite") -> Counter:
    folder = place / f"s{seed}"
    folder.mkdir()
    simulation = Simulation(seed, folder, world_of(folder, kind))
    try:
        for _ in range(STEPS):
            simulation.step()
        simulation.finish()
    except BaseException as error:
        error.add_note(f"start number {seed}: METERWRIGHT_SEED={seed} repeats it")
        raise
    finally:
        simulation.close()
    return Counter(simulation.happened)


def world_of(folder: Path, kind: str) -> World:
    return World(folder) if kind == "sqlite" else postgres_world(folder)


@pytest.mark.timeout(0 if SEEDS > 100 else 240)
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_lost_or_doubled_whatever_the_network_and_people_do(place, part):
    seeds = [int(ONE)] if ONE else range(part, SEEDS, PARTS)
    happened: Counter = Counter()
    for seed in seeds:
        happened += simulate(seed, place)
    rare = {what: happened[what] for what in sorted(RARE)}
    sys.stdout.write(f"simulation: {len(seeds)} start numbers tried, failures 0, {rare}\n")


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(place):
    for seed in range(3):
        simulate(seed, place, "postgres")


def test_every_rare_branch_is_reached_by_some_start_number(place):
    happened: Counter = Counter()
    for what in [*RARE, "image", "backup"]:
        assert WEIGHTS[what] > 0
    simulation = Simulation(0, place, World(place))
    try:
        for what in ["take", "sync", "backup", "image", "complete", "sync", "put_back", "take",
                     "image", "sync", "clone", "complete", "restore", "sync"]:  # fmt: skip
            simulation.do(what)
        simulation.finish()
        happened += Counter(simulation.happened)
    finally:
        simulation.close()
    assert happened.keys() >= RARE


class Machine(RuleBasedStateMachine):
    """The same things in any order that Hypothesis finds, so that a failure is made small."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self._temporary = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        folder = Path(self._temporary.name) / "run"
        folder.mkdir()
        self.simulation = Simulation(0, folder, World(folder), laptops=2)

    @rule(what=st.sampled_from(sorted(WEIGHTS)), draw=st.integers(0, 2**16))
    def happen(self, what: str, draw: int) -> None:
        self.simulation.chance.seed(draw)
        self.simulation.do(what)

    def teardown(self) -> None:
        try:
            self.simulation.finish()
        finally:
            self.simulation.close()
            self._temporary.cleanup()


def test_any_order_of_things_keeps_the_promises():
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=max(8, SEEDS // 10),
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
