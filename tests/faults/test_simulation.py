"""Many laptops and a centre under a bad network, from start numbers; see `simulation`.

`tests.faults.many_simulations` runs thousands of them, as ``dev.py test`` does; here are a few, the
same on PostgreSQL, and the proof that a missing safeguard is found.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.faults.many_simulations import MIDDLE, shape, simulate, working_place
from tests.faults.mutants import MUTANTS, mutated
from tests.faults.simulation import WEIGHTS, Simulation
from tests.protocol.sync_world import World, postgres_world

FEW = 24
ON_POSTGRES = 6
SEARCHED = 400  # start numbers, until a missing safeguard must have shown
EXAMPLES = 10
RARE = {"restore", "put_back", "clone"}


@pytest.fixture
def place():
    with working_place() as folder:
        yield Path(folder)


def test_nothing_is_lost_or_doubled_whatever_the_network_and_people_do(place):
    happened: Counter = Counter()
    for seed in range(FEW):
        outcome = simulate(seed, place)
        assert not outcome.error, f"start number {seed}\n{outcome.error}"
        happened += outcome.happened
    rare = {what: happened[what] for what in sorted(RARE)}
    sys.stdout.write(f"simulation, few: {FEW} start numbers tried, failures 0, {rare}\n")


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(place):
    for seed in range(1, ON_POSTGRES + 1):
        steps, laptops = shape(20 * seed)
        folder = place / f"s{seed}"
        folder.mkdir()
        simulation = Simulation(seed, folder, postgres_world(folder), laptops)
        try:
            for _ in range(steps):
                simulation.step()
            simulation.finish()
        except BaseException as error:
            error.add_note(f"start number {seed}")
            raise
        finally:
            simulation.close()
    sys.stdout.write(f"simulation, PostgreSQL: {ON_POSTGRES} start numbers tried, failures 0\n")


def test_a_start_number_gives_the_same_run_again(place):
    def run(seed):
        outcome = simulate(seed, place)
        assert not outcome.error, outcome.error
        return outcome.happened

    for seed in (11, 20, 40):
        assert run(seed) == run(seed)


def test_clocks_that_are_years_off_change_no_verdict(place):
    for seed in (10, 20, 30):
        right, wrong = (verdicts(seed, place, clocks=clocks) for clocks in (False, True))
        assert right == wrong, f"I12, start number {seed}"


def verdicts(seed, place, *, clocks):
    """Run a simulation and return what the centre made of every event, in the order of arrival."""
    folder = place / f"{seed}-{clocks}"
    folder.mkdir()
    world = World(folder)
    simulation = Simulation(seed, folder, world, 3, clocks=clocks)
    try:
        for _ in range(40):
            simulation.step()
        simulation.finish()
        return world.rows("SELECT device_id, incarnation, seq, kind, verdict FROM event"
                          " ORDER BY position")  # fmt: skip
    finally:
        simulation.close()


def test_every_rare_branch_is_reached_by_some_start_number(place):
    for what in [*RARE, "image", "backup"]:
        assert WEIGHTS[what] > 0
    simulation = Simulation(0, place, World(place))
    try:
        for what in ["take", "sync", "backup", "image", "complete", "sync", "put_back", "take",
                     "image", "sync", "clone", "complete", "restore", "sync"]:  # fmt: skip
            simulation.do(what)
        simulation.finish()
    finally:
        simulation.close()
    assert simulation.happened.keys() >= RARE


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_missing_safeguard_is_found(place, monkeypatch, mutant):
    mutant.install(monkeypatch)
    # Where the known start number shows it no more, the long runs find most.
    for seed, of in [(mutant.seed, mutant.of), *((n, MIDDLE) for n in range(SEARCHED))]:
        error = simulate(seed, place, of).error
        if error:
            assert mutant.breaks in error, error
            break
    else:
        pytest.fail(f"{mutant.name}: start numbers to {SEARCHED} and no failure")


def test_a_mutant_whose_piece_is_gone_is_an_error():
    with pytest.raises(AssertionError, match="0 times"):
        mutated(shape, "something else", "")


class Machine(RuleBasedStateMachine):
    """The same things in any order that Hypothesis finds, so that a failure is made small."""

    runs = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.runs += 1
        self._temporary: tempfile.TemporaryDirectory[str] = working_place()
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
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    sys.stdout.write(f"state machine: {Machine.runs} histories tried, failures 0\n")
