"""Every declared symmetry is what it is declared to be; every wrong entry of an exact one is found."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.symmetry import (
    CATALOGUE,
    ActionPermutation,
    Declaration,
    EntityRepresentation,
    Representation,
    SymmetryPair,
    check_pair,
    check_representation,
    cyclic,
    declarations_of,
    register_symmetry,
    signed_permutation,
    symmetries_of,
    symmetry_of,
)
from symbench.symmetry.catalogue import registry
from symbench.symmetry.comparison import Comparison, compare_steps
from symbench.symmetry.simulators import StateVector
from symbench.tasks import TASKS
from symbench.trees import map_tree, stacked

ALL = [declaration for declarations in CATALOGUE.values() for declaration in declarations]
QUICK = (
    "CartPole-v1",
    "symbench/CartPoleSwingUp-v0",
    "Acrobot-v1",
    "Pendulum-v1",
    "symbench/GridWorld-v0",
    "symbench/Wildlife-v0",
    "symbench/Traffic-v0",
    "symbench/TSP-v0",
    "symbench/CVRP-v0",
)
FALSE = {  # what is declared not to hold, or only nearly, and shows it within a few hundred steps
    ("Ant-v5", "quarter-turn"): "reward",
    ("Reacher-v5", "turns-and-reflections"): "initial",
    ("Reacher-v5", "rotations-and-reflections"): "initial",
    ("BipedalWalker-v3", "leg-swap"): "initial",
    ("ALE/Pong-v5", "mirror"): "initial",
    ("HalfCheetah-v5", "front-back"): "transition",
    ("Hopper-v5", "front-back"): "reward",
    ("Pusher-v5", "mirror"): "initial",
    ("MountainCar-v0", "mirror"): "transition",
    ("MountainCarContinuous-v0", "mirror"): "transition",
    ("symbench/Wildlife-v0", "square-from-west"): "initial",
    ("symbench/Wildlife-v0", "small-square-from-west"): "initial",
    ("symbench/Traffic-v0", "published-permutation"): "reward",
    ("symbench/Traffic-v0", "quarter-turn-in-order"): "transition",
    ("symbench/ParticleSpread-v0", "motions-and-exchanges"): "initial",
    ("symbench/ParticleSpread-v0", "turns-in-wind"): "transition",
    ("symbench/ParticleSpread-v0", "turns-from-west"): "initial",
    ("symbench/Pursuit-v0", "motions-and-exchanges"): "initial",
    ("symbench/Pursuit-v0", "turns-in-wind"): "transition",
    ("symbench/NBodyControl-v0", "motions-and-exchanges"): "initial",
    ("symbench/NBodyControl-v0", "turns-in-wind"): "transition",
    ("symbench/TSP-v0", "shifts"): "initial",
    ("symbench/TSP-v0", "motions"): "initial",
    ("symbench/TSP-v0", "scaling"): "initial",
    ("symbench/TSP-v0", "motions-and-relabelling"): "initial",
    ("symbench/CVRP-v0", "shifts"): "initial",
    ("symbench/CVRP-v0", "motions"): "initial",
    ("symbench/CVRP-v0", "scaling"): "initial",
    ("symbench/CVRP-v0", "motions-and-relabelling"): "initial",
}


def _name(declaration: Declaration) -> str:
    return f"{declaration.env_id} {declaration.pair.name}"


def _two(declaration: Declaration) -> tuple[gym.Env[Any, Any], gym.Env[Any, Any]]:
    try:
        return declaration.make(), declaration.make()
    except (gym.error.DependencyNotInstalled, ImportError) as missing:
        pytest.skip(str(missing))


def _walk(declaration: Declaration, pair: SymmetryPair | None = None, steps: int = 200) -> Comparison:
    assert declaration.simulator is not None
    envs = _two(declaration)
    try:
        return compare_steps(pair or declaration.pair, declaration.simulator, envs, steps, seed=0)
    finally:
        for env in envs:
            env.close()


def _status(declaration: Declaration, pair: SymmetryPair, walk: Comparison) -> str:
    return walk.report(declaration, pair, float("nan")).status


@pytest.mark.filterwarnings("ignore:.*precision lowered by casting:UserWarning")
@pytest.mark.parametrize(
    "declaration",
    [pytest.param(each, id=_name(each), marks=[] if each.env_id in QUICK else [pytest.mark.slow]) for each in ALL],
)
def test_the_declared_status_is_found(declaration: Declaration) -> None:
    for env in _two(declaration):
        assert declaration.pair.action.incompatibility(env.action_space) is None
        env.close()
    report = check_pair(declaration.pair, declaration.env_id)
    assert report.reproduced, report
    assert FALSE.get((declaration.env_id, declaration.pair.name)) not in report.holds
    assert report.pair.status != "exact" or report.endings == 0


def test_the_table_of_what_is_false_names_declarations_that_say_so() -> None:
    for (env_id, name), part in FALSE.items():
        assert part not in symmetry_of(env_id, name).holds


@pytest.mark.parametrize("declaration", ALL, ids=_name)
def test_observations_and_actions_follow_the_same_table(declaration: Declaration) -> None:
    pair = declaration.pair
    assert pair.observation.group == pair.action.group
    assert check_representation(pair.action) < 1e-12
    env, other = _two(declaration)
    batch = stacked(env.observation_space, [env.observation_space.sample() for _ in range(2)])
    assert check_representation(pair.observation, map_tree(_wide, batch)) < 1e-9
    env.close()
    other.close()


def _wide(batch: np.ndarray) -> np.ndarray:
    """Floating point numbers in float64, none so large that rounding hides differences; pictures as they are."""
    if batch.dtype == np.uint8:
        return batch
    return np.where(np.abs(batch) < 1e3, batch, 1.0).astype(np.float64)


def _entries(matrix: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(*np.nonzero(matrix), strict=True))


def _with_matrix(pair: SymmetryPair, element: int, matrix: np.ndarray, part: str) -> SymmetryPair:
    """The same declaration with other matrices for one element: no representation any more, so unchecked."""
    representation = getattr(pair, part)
    wrong = object.__new__(Representation)
    wrong.__dict__.update(representation.__dict__)
    wrong.matrices = representation.matrices.copy()
    wrong.matrices[element] = matrix
    wrong.is_signed_permutation = False
    return dataclasses.replace(pair, **{part: wrong})


EXACT_VECTORS = [
    pytest.param(each, id=_name(each), marks=[] if each.env_id in QUICK else [pytest.mark.slow])
    for each in ALL
    if each.pair.status == "exact" and isinstance(each.pair.observation, Representation)
]


@pytest.mark.filterwarnings("ignore:.*precision lowered by casting:UserWarning")
@pytest.mark.parametrize("declaration", EXACT_VECTORS)
def test_every_wrong_sign_of_an_observation_is_found(declaration: Declaration) -> None:
    pair, walk = declaration.pair, _walk(declaration)
    assert isinstance(pair.observation, Representation)
    assert _status(declaration, pair, walk) == "exact"
    generator = pair.group.generators[0]
    size = np.abs(walk.transformed).max(axis=0)
    tried = 0
    for row, column in _entries(pair.observation.matrices[generator]):
        if size[row] <= 2 * pair.tolerance:  # e.g. forces on a torso that never touches anything
            continue
        matrix = pair.observation.matrices[generator].copy()
        matrix[row, column] *= -1
        tried += 1
        assert _status(declaration, _with_matrix(pair, generator, matrix, "observation"), walk) == "none", row
    assert tried >= 0.4 * len(size)


@pytest.mark.filterwarnings("ignore:.*precision lowered by casting:UserWarning")
@pytest.mark.parametrize("declaration", EXACT_VECTORS)
def test_every_exchange_of_two_sensors_is_found(declaration: Declaration) -> None:
    pair, walk = declaration.pair, _walk(declaration)
    assert isinstance(pair.observation, Representation)
    generator = pair.group.generators[0]
    for first in range(walk.observed.shape[1] - 1):
        if np.abs(walk.transformed[:, first] - walk.transformed[:, first + 1]).max() <= 2 * pair.tolerance:
            continue  # two sensors that show the same
        matrix = pair.observation.matrices[generator].copy()
        matrix[[first, first + 1]] = matrix[[first + 1, first]]
        assert _status(declaration, _with_matrix(pair, generator, matrix, "observation"), walk) == "none", first


def _wrong_actions(pair: SymmetryPair) -> list[SymmetryPair]:
    generator = pair.group.generators[0]
    if isinstance(pair.action, ActionPermutation):
        wrong = [pair.action.maps.copy() for _ in range(pair.action.maps.shape[1] - 1)]
        for i, maps in enumerate(wrong):
            maps[generator, [i, i + 1]] = maps[generator, [i + 1, i]]
        return [_with_maps(pair, maps) for maps in wrong]
    if isinstance(pair.action, EntityRepresentation):
        return _wrong_agents(pair, pair.action, generator)
    assert isinstance(pair.action, Representation)
    matrices = []
    for row, column in _entries(pair.action.matrices[generator]):
        matrix = pair.action.matrices[generator].copy()
        matrix[row, column] *= -1
        matrices.append(matrix)
    return [_with_matrix(pair, generator, matrix, "action") for matrix in matrices]


def _wrong_agents(pair: SymmetryPair, action: EntityRepresentation, generator: int) -> list[SymmetryPair]:
    """Each two neighbouring agents exchanged, and each wrong entry of what one of them does."""
    assert action._places is not None
    wrong = []
    for i in range(action.rows - 1):
        places = action._places.copy()
        places[generator, [i, i + 1]] = places[generator, [i + 1, i]]
        wrong.append(_changed(action, _places=places))
    for each in _wrong_actions(dataclasses.replace(pair, action=action.each)) if action.each else []:
        wrong.append(_changed(action, each=each.action))
    return [dataclasses.replace(pair, action=each) for each in wrong]


def _changed(action: Any, **attributes: Any) -> Any:
    """The same action with other attributes: no action of the group any more, so unchecked."""
    wrong = object.__new__(type(action))
    wrong.__dict__.update({**action.__dict__, **attributes})
    return wrong


def _with_maps(pair: SymmetryPair, maps: np.ndarray) -> SymmetryPair:
    return dataclasses.replace(pair, action=_changed(pair.action, maps=maps))


@pytest.mark.filterwarnings("ignore:.*precision lowered by casting:UserWarning")
@pytest.mark.parametrize(
    "declaration",
    [
        pytest.param(each, id=_name(each), marks=[] if each.env_id in QUICK else [pytest.mark.slow])
        for each in ALL
        if each.pair.status == "exact" and not each.pair.name.endswith("-27") and each.pair.group.is_finite
    ],
)
def test_every_wrong_entry_of_an_action_is_found(declaration: Declaration) -> None:
    for wrong in _wrong_actions(declaration.pair):
        assert _status(declaration, wrong, _walk(declaration, wrong, steps=60)) == "none"


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["CarRacing-v3", "symbench/CarRacing-v0"])
def test_pictures_that_are_not_flipped_differ_more(env_id: str) -> None:
    declaration = declarations_of(env_id)[0]
    walk = _walk(declaration, steps=60)
    report = walk.report(declaration, declaration.pair, float("nan"))
    unflipped = np.abs(np.subtract(walk.observed, walk.transformed, dtype=np.int16)).mean(axis=(1, 2, 3))
    assert unflipped.max() > 2 * report.observation


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "region"),
    [
        ("ALE/Pong-v5", np.s_[:, 34:194, 30:130]),  # the court between the paddles
        ("ALE/Breakout-v5", np.s_[:, 57:185]),  # bricks and ball, above the paddle
    ],
)
def test_ball_and_bricks_follow_the_reflection(env_id: str, region: Any) -> None:
    declaration = declarations_of(env_id)[0]
    walk = _walk(declaration)
    flipped = declaration.pair.observation.apply(1, walk.observed)
    equal, unflipped = (
        (each[region] == walk.transformed[region]).all(axis=(1, 2, 3)).mean() for each in (flipped, walk.observed)
    )
    assert equal > 0.5 and equal > unflipped + 0.25


@pytest.mark.parametrize(("env_id", "paddle"), [("ALE/Pong-v5", 51), ("ALE/Breakout-v5", 72)])
def test_exchanged_actions_move_the_paddle_the_other_way(env_id: str, paddle: int) -> None:
    declaration = declarations_of(env_id)[0]
    assert isinstance(declaration.pair.action, ActionPermutation)
    env, other = _two(declaration)
    moves = []
    for action in range(declaration.pair.action.maps.shape[1]):
        env.reset(seed=0)
        for _ in range(10):
            env.step(0)
        start = int(env.unwrapped.ale.getRAM()[paddle])  # type: ignore[attr-defined]
        for _ in range(3):
            env.step(action)
        moves.append(np.sign(int(env.unwrapped.ale.getRAM()[paddle]) - start))  # type: ignore[attr-defined]
    assert [-moves[mapped] for mapped in declaration.pair.action.maps[1]] == moves and any(moves)
    env.close()
    other.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*precision lowered by casting:UserWarning")
def test_the_humanoid_would_be_symmetric_without_the_three_differences_in_its_note() -> None:
    mujoco = pytest.importorskip("mujoco")
    declaration = symmetry_declaration("Humanoid-v5", "reflection")
    envs = _two(declaration)
    for env in envs:
        model: Any = env.unwrapped.model  # type: ignore[attr-defined]
        model.joint("left_knee").stiffness[:] = 0
        model.dof_armature[model.joint("left_hip_y").dofadr] = model.dof_armature[model.joint("right_hip_y").dofadr]
        model.opt.solver, model.opt.iterations, model.opt.tolerance = mujoco.mjtSolver.mjSOL_NEWTON, 100, 1e-12
        mujoco.mj_setConst(model, env.unwrapped.data)  # type: ignore[attr-defined]
    assert declaration.simulator is not None
    walk = compare_steps(declaration.pair, declaration.simulator, envs, 200, seed=0)
    assert walk.errors(declaration.pair.observation).max() < 1e-8
    assert np.abs(np.diff(walk.rewards)).max() < 1e-9


@pytest.mark.slow
def test_the_pusher_would_be_symmetric_with_even_limits_of_two_joints() -> None:
    pytest.importorskip("mujoco")
    declaration = symmetry_declaration("Pusher-v5", "mirror")
    envs = _two(declaration)
    for env in envs:
        model: Any = env.unwrapped.model  # type: ignore[attr-defined]
        model.joint("r_shoulder_pan_joint").range[:] = (-2, 2)
        model.joint("r_upper_arm_roll_joint").range[:] = (-1.6, 1.6)
    assert declaration.simulator is not None
    walk = compare_steps(declaration.pair, declaration.simulator, envs, 300, seed=0)
    assert walk.errors(declaration.pair.observation).max() < 1e-10


@pytest.mark.slow
def test_the_track_is_mirrored_but_for_the_grass() -> None:
    declaration = declarations_of("symbench/CarRacing-v0")[0]
    envs = _two(declaration)
    for env in envs:
        env.unwrapped.grass_color = env.unwrapped.bg_color.copy()  # type: ignore[attr-defined]
    assert declaration.simulator is not None
    walk = compare_steps(declaration.pair, declaration.simulator, envs, 60, seed=0)
    errors = walk.errors(declaration.pair.observation)
    assert np.median(errors) < 0.01 and errors.max() < 0.2  # grey levels, from polygons' edges


def symmetry_declaration(env_id: str, name: str) -> Declaration:
    return next(each for each in declarations_of(env_id) if each.pair.name == name)


def test_tasks_have_the_symmetries_of_their_environments() -> None:
    for task in TASKS.values():
        if task.env_id in CATALOGUE and not task.kwargs:  # with others it may observe something else
            assert symmetries_of(task.name) == symmetries_of(task.env_id)
    assert symmetries_of("CartPoleSwingUp") and symmetries_of("CarRacing")


def test_unknown_names_get_near_ones() -> None:
    with pytest.raises(SymbenchError, match=r"unknown environment 'CartPole'.*did you mean .*CartPole-v1"):
        symmetry_of("CartPole")
    with pytest.raises(SymbenchError, match=r"unknown symmetry 'reflexion' of Ant-v5; did you mean 'reflection'"):
        symmetry_of("Ant-v5", "reflexion")


class _Spring(gym.Env[np.ndarray, np.ndarray]):
    """A mass on a spring, pushed."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float64)

    def __init__(self, bias: float = 0.0) -> None:
        self.bias = bias

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-1, 1, 2)
        return self.state.copy(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, Any]:
        x, x_dot = self.state
        self.state = np.array([x + 0.1 * x_dot, x_dot + 0.1 * (action[0] - x + self.bias)])
        return self.state.copy(), -float(x * x), False, False, {}


def test_a_symmetry_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CATALOGUE", dict(CATALOGUE))
    flip = cyclic(2)
    pair = SymmetryPair(signed_permutation(flip, signs=[[-1, -1]]), signed_permutation(flip, signs=[[-1]]))
    register_symmetry("mine/Spring-v0", pair, simulator=StateVector(pair.observation))
    assert symmetry_of("mine/Spring-v0") is pair
    with pytest.raises(SymbenchError, match="has a symmetry called 'mirror' already"):
        register_symmetry("mine/Spring-v0", pair)
    assert check_pair(pair, _Spring).reproduced
    biased = check_pair(pair, lambda: _Spring(bias=0.01))
    assert biased.status == "none" and biased.holds == {"reward", "initial"}
    assert biased.errors[0] == 0 and biased.errors[1] == pytest.approx(0.002)
