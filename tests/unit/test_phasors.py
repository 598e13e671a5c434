"""The wiring diagnosis: never a wrong answer, never one without load."""

import random
from itertools import permutations, product

import pytest

from app.workorders.phasors import BadPhasors, Sample, diagnose, diagnose_wiring

WIRINGS = [
    (order, tuple(k + 1 for k in range(3) if signs[k]))
    for order in permutations((1, 2, 3))
    for signs in product((False, True), repeat=3)
]


def measured(order, turned, phi, *, noise=0.0, seed=1, amperes=3.0, count=3, base=(0, 120, 240)):
    """What a meter shows when phase currents lag by ``phi`` and are wired like this."""
    rng = random.Random(f"{order}{turned}{phi}{seed}")
    samples = []
    for _ in range(count):
        currents = [
            (base[order[k] - 1] + phi + 180 * (k + 1 in turned) + rng.gauss(0, noise)) % 360
            for k in range(3)
        ]
        voltages = [(base[k] + (rng.gauss(0, noise / 3) if k else 0)) % 360 for k in range(3)]
        samples.append(Sample((230.0,) * 3, (amperes,) * 3, tuple(voltages), tuple(currents)))
    return samples


@pytest.mark.parametrize(("order", "turned"), WIRINGS)
def test_no_wiring_at_any_power_factor_ever_gets_a_wrong_answer(order, turned):
    clear = 0
    for phi in range(0, 61, 5):
        for noise in (0.0, 2.0, 4.0):
            for seed in range(4):
                found = diagnose(measured(order, turned, phi, noise=noise, seed=seed))
                if found.verdict == "AMBIGUOUS":
                    continue
                clear += 1
                assert (found.best.order, found.best.reversed_ones) == (order, turned), (phi, noise)
    assert clear > 60


def test_what_is_ambiguous_names_the_true_wiring_among_the_two():
    found = diagnose(measured((1, 2, 3), (), 0))
    assert found.verdict == "AMBIGUOUS"
    assert "pairing and polarity are right" in found.text


@pytest.mark.parametrize("amperes", [0.0, 0.004])
def test_below_the_starting_current_there_is_no_verdict(amperes):
    for order, turned in WIRINGS:
        found = diagnose(measured(order, turned, 30, amperes=amperes))
        assert (found.verdict, found.best) == ("NOT RUN", None)


def test_a_direct_meter_needs_ten_times_the_current():
    samples = measured((1, 2, 3), (), 30, amperes=0.02)
    assert diagnose(samples, ct=True).verdict == "PASS"
    assert diagnose(samples, ct=False).verdict == "NOT RUN"


def test_one_dead_phase_is_told_and_not_diagnosed():
    samples = [
        Sample(s.u, (3.0, 0.0, 3.0), s.angle_u, s.angle_i) for s in measured((1, 2, 3), (), 30)
    ]
    found = diagnose(samples)
    assert found.verdict == "NOT RUN"
    assert "No current on L2" in found.text


def test_two_samples_or_an_unsteady_load_are_not_judged():
    assert diagnose(measured((1, 2, 3), (), 30, count=2)).verdict == "NOT RUN"
    first, second, third = measured((1, 2, 3), (), 30)
    jumped = Sample(third.u, (4.0, 3.0, 3.0), third.angle_u, third.angle_i)
    assert "not steady" in diagnose([first, second, jumped]).text


def test_one_reversed_transformer_is_named_with_the_caution():
    found = diagnose(measured((1, 2, 3), (2,), 25))
    assert found.verdict == "FAIL"
    assert "CT on L2 is reversed" in found.text
    assert found.text.endswith("short the CT test block first.")


def test_crossed_currents_are_named():
    assert "L1 and L2 are crossed" in diagnose(measured((2, 1, 3), (), 25)).text


def test_swapped_voltages_are_a_fault_of_their_own():
    found = diagnose(measured((1, 2, 3), (), 25, base=(0, 240, 120)))
    assert (found.verdict, found.sequence) == ("FAIL", "132")
    assert "swapped" in found.text


def test_a_reversed_voltage_transformer_is_named():
    found = diagnose(measured((1, 2, 3), (), 25, base=(0, 301, 240)))
    assert found.verdict == "FAIL"
    assert "VT polarity reversed on L2" in found.text


def test_negative_power_on_all_phases_is_asked_about_where_generation_is_declared():
    samples = measured((1, 2, 3), (1, 2, 3), 25)
    assert diagnose(samples).verdict == "FAIL"
    assert diagnose(samples, generation=True).verdict == "AMBIGUOUS"


def test_angles_around_zero_are_averaged_over_the_circle():
    samples = measured((1, 2, 3), (), 25)
    turned = [
        Sample(s.u, s.i, (angle, *s.angle_u[1:]), s.angle_i)
        for s, angle in zip(samples, (359.0, 0.0, 1.0), strict=True)
    ]
    found = diagnose(turned)
    assert found.verdict == "PASS"
    assert found.best.residual == pytest.approx(5.0)


def test_the_command_line_shape_is_kept():
    samples = [
        {"u": list(s.u), "i": list(s.i), "angle_u": list(s.angle_u), "angle_i": list(s.angle_i)}
        for s in measured((1, 2, 3), (2,), 17)
    ]
    found = diagnose_wiring(
        {"service": "3P4W", "generation": False, "ct": True, "samples": samples}
    )
    assert {key: found[key] for key in ("verdict", "sequence", "order", "reversed")} == {
        "verdict": "FAIL",
        "sequence": "123",
        "order": [1, 2, 3],
        "reversed": [2],
    }
    assert found["margin_deg"] == 34.0


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"service": "1P2W", "samples": []},
        {"samples": "many"},
        {"samples": [3]},
        {"samples": [{"u": [1, 2], "i": [1, 2, 3], "angle_u": [1, 2, 3], "angle_i": [1, 2, 3]}]},
        {"samples": [], "ct": "yes"},
    ],
)
def test_data_of_another_shape_are_refused(given):
    with pytest.raises(BadPhasors):
        diagnose_wiring(given)
