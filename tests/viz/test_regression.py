"""What can be read off a code is found, what is not there is not, and overfitting does not pay."""

from __future__ import annotations

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.viz.regression import explained


@pytest.mark.parametrize("width", [5, 2000])
def test_linear_parts_are_found_and_noise_is_not(width: int) -> None:
    rng = np.random.default_rng(0)
    states = [rng.normal(size=(200, 3)) for _ in range(5)]
    mixing = rng.normal(size=(1, width))
    features = [each[:, :1] @ mixing + 0.01 * rng.normal(size=(200, width)) for each in states]
    linear, absent, _ = explained(features, states)
    assert linear > 0.99 and absent < 0.1


def test_missing_steps_are_left_out_and_a_constant_has_no_r2() -> None:
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(50, 4)) for _ in range(3)]
    states = [np.stack([each[:, 0], np.ones(50), np.full(50, np.nan)], axis=1) for each in features]
    states[0][::2, 0] = np.nan
    found = explained(features, states)
    assert found[0] > 0.99 and np.isnan(found[1:]).all()


def test_two_episodes_are_too_few() -> None:
    with pytest.raises(SymbenchError, match="needs 3 episodes"):
        explained([np.ones((4, 1))] * 2, [np.ones((4, 1))] * 2)
