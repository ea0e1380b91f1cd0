"""Every promise of every wrapper, over its parameters and environments."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wrapper_cases import NEEDED, PARAMETERS, environments_for

from symbench.testing import check_wrapper
from symbench.wrappers import PERTURBATIONS, SEVERITIES, TRANSFORMS, sb3, single, vector, wrapper_of
from symbench.wrappers.severity import VERSION


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSFORMS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_wrapper_keeps_every_promise(name, data):
    parameters = data.draw(PARAMETERS[name])
    make_env = data.draw(st.sampled_from(environments_for(name)))
    check_wrapper(wrapper_of(name), make_env, **parameters)


@pytest.mark.slow
@pytest.mark.parametrize("severity", range(6))
@pytest.mark.parametrize("name", PERTURBATIONS)
def test_every_severity_keeps_every_promise(name, severity):
    check_wrapper(wrapper_of(name), environments_for(name)[0], severity=severity, **NEEDED.get(name, {}))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_all_kinds_of_wrappers_explain_their_parameters(name):
    transform = TRANSFORMS[name]
    for module in (single, vector, sb3):
        wrapper = getattr(module, name)
        shown = list(inspect.signature(wrapper).parameters)[1:]
        assert shown == list(transform.signature().parameters)
        assert (transform.__doc__ or "").splitlines()[0] in wrapper.__doc__
        assert all(f"{parameter}:" in wrapper.__doc__ for parameter in shown if parameter != "severity")


def test_the_severity_table_holds_every_perturbation_and_is_read_only():
    assert set(SEVERITIES[VERSION]) <= set(PERTURBATIONS)  # later ones bring their own
    assert all(len(perturbation.severities()) == 5 for perturbation in PERTURBATIONS.values())
    with pytest.raises(TypeError):
        SEVERITIES[VERSION]["ShuffleSensors"][0]["resample"] = "step"


def test_the_first_severity_table_is_as_published():
    """A published level never changes its meaning: a change is a new version."""
    published = {name: [dict(level) for level in levels] for name, levels in SEVERITIES[1].items()}
    assert published == {
        "ShuffleSensors": [{"resample": t} for t in ("episode", 200, 100, 50, 25)],
        "AddNoiseChannels": [{"n": n, "sigma": 0.1} for n in (5, 10, 20, 50, 100)],
        "DuplicateSensors": [{"copies": n} for n in (1, 2, 3, 4, 5)],
        "DropSensors": [{"ratio": ratio} for ratio in (0.2, 0.35, 0.5, 0.65, 0.8)],
        "SensorNoise": [{"sigma": sigma} for sigma in (0.02, 0.05, 0.1, 0.2, 0.4)],
        "ShufflePatches": [{"resample": t} for t in ("episode", 200, 100, 50, 25)],
        "OccludePatches": [{"ratio": ratio} for ratio in (0.1, 0.25, 0.4, 0.6, 0.8)],
        "TransformByGroup": [{"element": None, "resample": t} for t in ("episode", 200, 100, 50, 25)],
        "SwapBackground": [{"strength": strength} for strength in (0.2, 0.4, 0.6, 0.8, 1.0)],
    }
