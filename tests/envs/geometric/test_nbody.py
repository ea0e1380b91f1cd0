"""The N-body simulator and data set: the recorded trajectories, the published draws, conservation, the cache."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from symbench.envs.geometric import nbody_dataset as dataset_module
from symbench.envs.geometric.nbody_dataset import NBodyDataset, nbody_dataset
from symbench.envs.geometric.nbody_simulator import SPEED, coulomb_forces, published_starts, simulate
from symbench.errors import SymbenchError


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    return dict(np.load(Path(folder) / "geometric" / "nbody_trajectories.npz", allow_pickle=False))


@pytest.mark.reference
def test_the_published_stream_is_drawn(recorded: dict[str, np.ndarray]) -> None:
    index = recorded["in/index_in_seed43_stream"]
    positions, velocities, charges = published_starts(int(index.max()) + 1)
    np.testing.assert_array_equal(positions[index], recorded["in/x0"])
    np.testing.assert_allclose(velocities[index], recorded["in/v0"], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(charges[index], recorded["in/charges"])


@pytest.mark.reference
def test_recorded_trajectories_are_reproduced(recorded: dict[str, np.ndarray]) -> None:
    frames = recorded["y/x"].shape[1]
    x, v = simulate(recorded["in/x0"], recorded["in/v0"], recorded["in/charges"], frames)
    error = np.maximum(np.abs(x - recorded["y/x"]), np.abs(v - recorded["y/v"])).max(axis=(2, 3))
    assert np.median(error, axis=0).max() < 1e-11
    # Trajectories with close pairs amplify rounding errors.
    assert error[:, : frames * 2 // 3].max() < 1e-6 and error.max() < 1e-4


def test_forces_are_coulombs() -> None:
    positions = np.array([[[0.0, 0, 0], [2.0, 0, 0], [0.0, 1, 0]]])
    forces = coulomb_forces(positions, np.array([[1.0, 1.0, -1.0]]))
    np.testing.assert_allclose(forces[0, 0], [-0.25, 1.0, 0.0])
    np.testing.assert_allclose(forces.sum(axis=1), 0, atol=1e-15)
    softened = coulomb_forces(positions, np.array([[1.0, 1.0, -1.0]]), softening=1.0)
    np.testing.assert_allclose(softened[0, 0], [-2 / 5**1.5, 1 / 2**1.5, 0.0])


def test_momentum_is_kept_where_nothing_is_clipped() -> None:
    positions = np.array([[[0.0, 0, 0], [2.0, 0, 0], [0.0, 3, 0]]])
    velocities = np.random.default_rng(0).normal(size=(1, 3, 3))
    _, v = simulate(positions, velocities, np.array([[1.0, 1.0, 1.0]]), frames=5)
    np.testing.assert_allclose(v.sum(axis=2), np.broadcast_to(velocities.sum(axis=1), (1, 5, 3)), atol=1e-10)


def test_first_states_are_those_of_the_data_set() -> None:
    positions, velocities, charges = published_starts(300)
    np.testing.assert_allclose(np.linalg.norm(velocities, axis=2), SPEED)
    assert set(charges.ravel().tolist()) == {-1.0, 1.0} and np.abs(positions).max() < 5
    assert positions.std() == pytest.approx(1, abs=0.05)


def test_the_data_set_is_simulated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = nbody_dataset("valid", 2, tmp_path)
    assert [part.shape for part in found] == [(2, 5, 3), (2, 5, 3), (2, 5), (2, 5, 3)]
    starts = [part[10_000:] for part in published_starts(10_002)]
    x, v = simulate(*starts, frames=41)
    expected = NBodyDataset(x[:, 30], v[:, 30], starts[2], x[:, 40])
    for part, known in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, known)
    monkeypatch.setattr(dataset_module, "simulate", None)
    for part, again in zip(found, nbody_dataset("valid", 2, tmp_path), strict=True):
        np.testing.assert_array_equal(part, again)


def test_parts_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match="unknown part of the N-body data set 'tets'; did you mean 'test'"):
        nbody_dataset("tets", 5, tmp_path)
    with pytest.raises(SymbenchError, match="size of test must be between 1 and 2000, received 2001"):
        nbody_dataset("test", 2001, tmp_path)
