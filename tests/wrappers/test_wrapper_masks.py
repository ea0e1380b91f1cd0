"""Masks of actions name the actions as the agent does, wherever environments put them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

import symbench.envs  # noqa: F401
from symbench.envs.vec_env import VectorToVecEnv
from symbench.errors import SymbenchError
from symbench.symmetry import (
    ActionPermutation,
    DictRepresentation,
    SymmetryPair,
    cyclic,
    register_symmetry,
    signed_permutation,
)
from symbench.symmetry.catalogue import registry
from symbench.wrappers import PreviousAction, SensorNoise, TransformByGroup, sb3, vector

_C3 = cyclic(3)
_TURN = signed_permutation(_C3, orders=[[1, 2, 0]], signs=[[1, 1, 1]])
_ACTIONS = ActionPermutation(_C3, [[1, 2, 0]])


@pytest.fixture(autouse=True)
def _symmetries(monkeypatch):
    """The symmetries of these tests, in a copy of the catalogue."""
    monkeypatch.setattr(registry, "CATALOGUE", dict(registry.CATALOGUE))
    register_symmetry("symbench-tests/Masked", SymmetryPair(observation=_TURN, action=_ACTIONS))
    in_dict = SymmetryPair(observation=DictRepresentation({"sensors": _TURN}), action=_ACTIONS)
    register_symmetry("symbench-tests/MaskedDict", in_dict)


class OnlyOne(gym.Env):
    """Allows one action of three: the number of steps modulo 3, beginning with 0; remembers what it was told."""

    observation_space = spaces.Box(-1, 1, (3,), np.float32)
    action_space = spaces.Discrete(3)

    def __init__(self, length=5, in_observation=None):
        self.length, self.steps, self.told = length, 0, []
        self.in_observation = in_observation
        if in_observation is not None:
            self.observation_space = spaces.Dict({"sensors": OnlyOne.observation_space, "action_mask": in_observation})

    def action_masks(self):
        return np.arange(3) == self.steps % 3

    def _observation(self):
        seen = np.zeros(3, np.float32)
        if self.in_observation is None:
            return seen
        return {"sensors": seen, "action_mask": self.action_masks().astype(self.in_observation.dtype)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._observation(), {"action_mask": self.action_masks().astype(np.int8)}

    def step(self, action):
        assert self.action_masks()[action], f"action {action} is not allowed in step {self.steps}"
        self.steps += 1
        over = self.steps == self.length
        return self._observation(), 1.0, over, False, {"action_mask": self.action_masks().astype(np.int8)}


SYMMETRY = {"symmetry": "symbench-tests/Masked", "resample": "step"}
OUTSIDE = {
    "nothing": lambda env: env,
    "time limit": lambda env: gym.wrappers.TimeLimit(env, 100),
    "previous action": PreviousAction,
    "noise": SensorNoise,
    "twice": lambda env: TransformByGroup(env, **SYMMETRY),
}


@pytest.mark.parametrize("outside", OUTSIDE)
def test_an_agent_that_keeps_to_the_masks_is_never_told_off(outside):
    env = OUTSIDE[outside](TransformByGroup(OnlyOne(), **SYMMETRY))
    chosen = set()
    for seed in range(20):
        _, info = env.reset(seed=seed)
        for _ in range(5):
            mask = env.get_wrapper_attr("action_masks")()
            assert mask.dtype == np.bool_ and mask.sum() == 1
            assert np.array_equal(info["action_mask"], mask) and info["action_mask"].dtype == np.int8
            chosen.add(int(mask.argmax()))
            *_, info = env.step(int(mask.argmax()))
    assert chosen == {0, 1, 2}


@pytest.mark.parametrize("element", [0, 1, 2])
def test_only_the_image_of_the_allowed_action_is_allowed(element):
    env = TransformByGroup(OnlyOne(), symmetry="symbench-tests/Masked", element=element)
    _, info = env.reset(seed=0)
    assert np.flatnonzero(env.get_wrapper_attr("action_masks")()).tolist() == [element]  # g maps 0 to 1 to 2
    assert np.flatnonzero(info["action_mask"]).tolist() == [element]


def test_severity_zero_and_environments_without_masks_are_left_alone():
    env = TransformByGroup(OnlyOne(), symmetry="symbench-tests/Masked", severity=0)
    _, info = env.reset(seed=0)
    assert env.get_wrapper_attr("action_masks")().tolist() == [True, False, False] == info["action_mask"].tolist()
    bare = TransformByGroup(gym.make("CartPole-v1"), symmetry="CartPole-v1")
    assert not bare.has_wrapper_attr("action_masks") and bare.reset(seed=0)[1] == {}
    assert not is_masking_supported(sb3.TransformByGroup(DummyVecEnv([lambda: bare]), symmetry="CartPole-v1"))
    native = gym.make_vec("CartPole-v1", 2, vectorization_mode="vector_entry_point")
    assert not hasattr(vector.TransformByGroup(native, symmetry="CartPole-v1"), "action_masks")


MASKS = {"Box": spaces.Box(0, 1, (3,), np.int8), "MultiBinary": spaces.MultiBinary(3)}


@pytest.mark.parametrize("space", MASKS)
def test_a_mask_in_the_observation_is_transformed_with_the_actions(space):
    env = TransformByGroup(OnlyOne(in_observation=MASKS[space]), symmetry="symbench-tests/MaskedDict", resample="step")
    for seed in range(9):
        seen, info = env.reset(seed=seed)
        for _ in range(5):
            assert env.observation_space.contains(seen)
            assert np.array_equal(seen["action_mask"], info["action_mask"])
            seen, *_, info = env.step(int(seen["action_mask"].argmax()))


def test_bounds_of_a_mask_become_those_of_all_actions():
    always_one = spaces.Box(np.int8([1, 0, 0]), np.int8([1, 1, 1]), dtype=np.int8)
    env = TransformByGroup(OnlyOne(1, always_one), symmetry="symbench-tests/MaskedDict", element=1)
    assert env.observation_space.contains(env.reset(seed=0)[0])


def test_a_declared_representation_of_the_mask_is_taken_as_declared():
    pair = SymmetryPair(
        observation=DictRepresentation({"sensors": _TURN, "action_mask": _ACTIONS.vectors}), action=_ACTIONS
    )
    register_symmetry("symbench-tests/MaskDeclared", pair)
    env = TransformByGroup(OnlyOne(in_observation=MASKS["Box"]), symmetry="symbench-tests/MaskDeclared", element=2)
    assert env.reset(seed=0)[0]["action_mask"].tolist() == [0, 0, 1]


def makers(count=2, **parameters):
    return [lambda: OnlyOne(**parameters)] * count


@pytest.mark.parametrize("kind", ["dummy", "subproc"])
def test_maskable_ppo_is_told_the_masks_of_the_transformed_actions(kind):
    venv = DummyVecEnv(makers()) if kind == "dummy" else SubprocVecEnv(makers(), start_method="fork")
    venv = VecMonitor(sb3.TransformByGroup(venv, **SYMMETRY))
    venv.seed(0)
    venv.reset()
    chosen = set()
    for _ in range(12):
        masks = get_action_masks(venv)
        assert masks.shape == (2, 3) and masks.sum(axis=1).tolist() == [1, 1]
        assert np.array_equal(venv.env_method("action_masks", indices=[1]), masks[1:])
        assert np.array_equal([method() for method in venv.get_attr("action_masks")], masks)
        _, _, dones, infos = venv.step(masks.argmax(axis=1))
        chosen |= set(masks.argmax(axis=1).tolist())
        after = get_action_masks(venv)
        assert all(np.array_equal(infos[i]["action_mask"], after[i]) for i in np.flatnonzero(~dones))
    assert chosen == {0, 1, 2}
    venv.close()


def test_the_mask_of_a_last_observation_is_of_the_element_that_showed_it():
    """At the end infos belong to the old episode; the next one has another element."""
    venv = sb3.TransformByGroup(DummyVecEnv(makers(1)), symmetry="symbench-tests/Masked")
    venv.seed(1)
    venv.reset()
    seen = set()
    for _ in range(20):
        element = int(venv.transform._drawn[0])
        _, _, dones, infos = venv.step(get_action_masks(venv).argmax(axis=1))
        if dones[0]:
            assert int(infos[0]["action_mask"].argmax()) == (5 + element) % 3
            seen.add((element, int(venv.transform._drawn[0])))
    assert any(old != new for old, new in seen)


def test_maskable_ppo_learns_without_being_told_off():
    venv = sb3.TransformByGroup(DummyVecEnv(makers()), **SYMMETRY)
    MaskablePPO("MlpPolicy", venv, n_steps=32, batch_size=32, n_epochs=1, seed=0, device="cpu").learn(64)


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
@pytest.mark.parametrize("mode", AutoresetMode, ids=lambda mode: mode.name)
def test_masks_of_vector_environments(kind, mode):
    envs = vector.PreviousAction(vector.TransformByGroup(kind(makers(), autoreset_mode=mode), **SYMMETRY))
    _, infos = envs.reset(seed=0)
    over = np.zeros(2, bool)
    for _ in range(13):
        masks = envs.action_masks()
        assert masks.shape == (2, 3)
        assert np.array_equal(infos["action_mask"], masks) and infos["_action_mask"].all()
        elements = envs.env.transform._drawn.copy()
        _, _, terminated, truncated, infos = envs.step(masks.argmax(axis=1))
        over = terminated | truncated
        if mode == AutoresetMode.SAME_STEP and over.any():
            last = infos["final_info"]["action_mask"]
            assert last.sum(axis=1).tolist() == [1, 1]
            assert elements.shape == (2,)
        if mode == AutoresetMode.DISABLED and over.any():
            _, infos = envs.reset(options={"reset_mask": over})
    envs.close()


class Batch(gym.vector.VectorEnv):
    """Two environments in one, which allow action 0 and action 2."""

    num_envs = 2
    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    single_observation_space, single_action_space = OnlyOne.observation_space, OnlyOne.action_space
    observation_space = gym.vector.utils.batch_space(OnlyOne.observation_space, 2)
    action_space = gym.vector.utils.batch_space(OnlyOne.action_space, 2)

    def action_masks(self):
        return np.array([[True, False, False], [False, False, True]])

    def reset(self, *, seed=None, options=None):
        # a list in an info arrives as an object, and the second environment says nothing
        infos = {"action_mask": np.array([None, None], dtype=object), "_action_mask": np.array([True, False])}
        infos["action_mask"][0] = [1, 0, 0]
        return np.zeros((2, 3), np.float32), infos


def test_masks_of_a_native_vector_environment_reach_sb3_row_by_row():
    envs = vector.TransformByGroup(Batch(), symmetry="symbench-tests/Masked", element=1)
    _, infos = envs.reset(seed=0)
    assert infos["action_mask"][0].tolist() == [0, 1, 0] and infos["action_mask"][1] is None
    venv = VectorToVecEnv(envs)
    venv.reset()
    assert is_masking_supported(venv) and not is_masking_supported(VectorToVecEnv(without_masks()))
    assert get_action_masks(venv).tolist() == [[False, True, False], [True, False, False]]
    assert venv.env_method("action_masks", indices=1)[0].tolist() == [True, False, False]


def without_masks():
    envs = SyncVectorEnv([lambda: gym.make("CartPole-v1")], autoreset_mode=AutoresetMode.SAME_STEP)
    return vector.TransformByGroup(envs, symmetry="CartPole-v1")


def test_masks_that_mean_nothing_are_refused():
    class Continuous(gym.Env):
        observation_space = spaces.Dict({"sensors": OnlyOne.observation_space, "action_mask": MASKS["Box"]})
        action_space = spaces.Box(-1, 1, (3,))

    pair = SymmetryPair(observation=DictRepresentation({"sensors": _TURN}), action=_TURN)
    register_symmetry("symbench-tests/Continuous", pair)
    with pytest.raises(SymbenchError, match="only masks of discrete actions can be transformed, received one of shape"):
        TransformByGroup(Continuous(), symmetry="symbench-tests/Continuous")
    wide = OnlyOne(in_observation=spaces.MultiBinary(4))
    with pytest.raises(SymbenchError, match=r"a mask must hold 3 actions, received shape \(4,\)"):
        TransformByGroup(wide, symmetry="symbench-tests/MaskedDict")
