"""Models saved by Stable-Baselines3 as agents: from plain data, or unpickled where that is not enough."""

from __future__ import annotations

import io
import textwrap
import warnings
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symbench.errors import SymbenchError, unknown
from symbench.extras import require
from symbench.own_code import make_importable
from symbench.policies.agent import NetworkAgent
from symbench.policies.gym_wrapped import GymWrappedAgent
from symbench.policies.preprocessed import NormalizedAgent, StackedAgent
from symbench.policies.spaces import same_actions
from symbench.zoo.env_wrappers import gym_wrapped, refuse_vector_wrappers, remedy
from symbench.zoo.rl_zoo3 import normalises_observations, training_config
from symbench.zoo.sb3_contents import algorithm_of, described_space, plain_data
from symbench.zoo.sb3_files import NONE, SB3Files, read_sb3
from symbench.zoo.sb3_plain import NeedsTrust, rebuilt
from symbench.zoo.vecnormalize import read_statistics, was_normalised

if TYPE_CHECKING:
    from pathlib import Path

    from gymnasium.spaces import Space
    from stable_baselines3.common.base_class import BaseAlgorithm

    from symbench.policies.agent import Agent
    from symbench.policies.sb3.normalization import Normalization

ALGORITHMS: Final = {
    "ppo": "stable_baselines3.PPO",
    "a2c": "stable_baselines3.A2C",
    "dqn": "stable_baselines3.DQN",
    "sac": "stable_baselines3.SAC",
    "td3": "stable_baselines3.TD3",
    "maskable_ppo": "sb3_contrib.MaskablePPO",
    "recurrent_ppo": "sb3_contrib.RecurrentPPO",
    "ppo_lstm": "sb3_contrib.RecurrentPPO",  # its name in rl_zoo3
    "ddpg": "stable_baselines3.DDPG",
    "trpo": "sb3_contrib.TRPO",
    "qrdqn": "sb3_contrib.QRDQN",
    "tqc": "sb3_contrib.TQC",
    "crossq": "sb3_contrib.CrossQ",
    "ars": "sb3_contrib.ARS",
}

# What only training needs. Old versions pickled schedules that today's Python cannot read; buffers waste memory.
_NOT_NEEDED: Final[dict[str, Any]] = {
    "lr_schedule": lambda _: 0.0,
    "learning_rate": 0.0,
    "clip_range": lambda _: 0.0,
    "clip_range_vf": None,
    "exploration_schedule": lambda _: 0.0,
    "delta_std_schedule": lambda _: 0.0,
    "target_entropy": 0.0,
    "buffer_size": 1,
    "optimize_memory_usage": False,
    "replay_buffer_class": None,  # HER's asks for an environment
    "replay_buffer_kwargs": {},
    "rollout_buffer_class": None,
    "rollout_buffer_kwargs": {},
}


def load_sb3(
    spec: str,
    trust: bool = False,
    observation_space: Space[Any] | None = None,
    action_space: Space[Any] | None = None,
    *,
    vecnormalize: str | Path | None = None,
    wrappers: str | None = None,
    stochastic: bool = False,
    stack: int = 1,
    files: SB3Files | None = None,
) -> Agent:
    """Load a model from a zip file of Stable-Baselines3 or sb3-contrib.

    Models with an AttentionNeuron layer become agents that read plain sensors, in any number and order, whatever
    wrapper they were trained with; all others predict through SB3.

    Args:
        spec: ``"ALGORITHM:FILE.zip"``, e.g. ``"ppo:my_agent.zip"``; algorithms are ppo, a2c, dqn, sac, td3, ddpg,
            maskable_ppo, recurrent_ppo (or ppo_lstm), trpo, qrdqn, tqc, crossq, ars.
        trust: Whether the file's origin is trusted: whether what cannot be read as plain data may be unpickled, and
            wrappers imported.
        observation_space: The task's space, used if the saved one cannot be read (files of old versions).
        action_space: The task's space, used likewise.
        vecnormalize: File of the statistics of the ``VecNormalize`` that the model was trained in, which normalise its
            observations; ``None`` finds what lies where Stable-Baselines3 and rl_zoo3 put it
            (:func:`symbench.zoo.vecnormalize.find_statistics`), ``"none"`` plays without.
        wrappers: ``"none"`` plays without the wrappers that rl_zoo3's ``config.yml`` names as ``env_wrapper``. They
            become a part of the agent, which then needs both spaces.
        stochastic: Whether actions are drawn from the policy's distribution instead of being its most likely ones.
        stack: How many observations the model reads at once; more than 1 needs ``observation_space``, that of one.
        files: What :func:`read_sb3` read; otherwise the file is read now.

    Raises:
        SymbenchError: The file is not trusted, missing, corrupt, of another or an unsupported algorithm, or needs
            preprocessing that is missing.
    """
    algorithm, _, file = spec.partition(":")
    algorithm = algorithm.lower()
    if algorithm not in ALGORITHMS:
        raise unknown("algorithm", algorithm, ALGORITHMS)
    files = files or read_sb3(file, vecnormalize, wrappers)
    if files.env_wrappers:
        _check_trust(trust, files.path, "its wrappers are code")
    if wrappers != NONE:
        refuse_vector_wrappers(files.path, spec)
    settings = _Settings(spec, trust, vecnormalize, stochastic, stack)
    if not files.env_wrappers:
        return _loaded(files, settings, observation_space, action_space)
    if observation_space is None or action_space is None:
        raise SymbenchError(f"{spec} was trained in wrappers: observation_space= and action_space= of the task, please")
    wrapped = gym_wrapped(files.env_wrappers, spec, files.path)
    try:
        env = wrapped.around(observation_space, action_space)
    except SymbenchError as error:
        raise SymbenchError(f"{spec}: {error}; {remedy(spec)}") from error
    inner = _loaded(files, settings, env.observation_space, env.action_space)
    return GymWrappedAgent(inner, wrapped, observation_space, action_space)


class _Settings(NamedTuple):
    """What :func:`load_sb3` was told, beside files and spaces."""

    spec: str
    trust: bool
    vecnormalize: str | Path | None
    stochastic: bool
    stack: int


def _loaded(
    files: SB3Files, settings: _Settings, observation_space: Space[Any] | None, action_space: Space[Any] | None
) -> Agent:
    """The agent of these spaces, inside its wrappers if it has any."""
    spec, trust, vecnormalize, stochastic, stack = settings
    algorithm = spec.partition(":")[0].lower()
    saved = plain_data(files.model, files.path)
    if made_by := algorithm_of(saved):
        _check_algorithm(algorithm, files.path, made_by)
    config = training_config(files.path)
    seen = StackedAgent.seen_space(observation_space, stack) if observation_space and stack > 1 else observation_space
    model = _load(algorithm, files, saved, seen, action_space, trust)
    found = _normalization(spec, model, files, config, vecnormalize)
    # rl_zoo3 normalises observations and then stacks them; others may do it the other way round.
    single = found if found and stack > 1 and found.incompatibility(model.observation_space) else None
    if found and (reason := found.incompatibility((single and observation_space) or model.observation_space)):
        raise SymbenchError(
            f"{files.statistics_path} does not belong to {spec} ({reason}): name another file, "
            f"{spec},vecnormalize=FILE.pkl, or none"
        )
    agent = _agent(model, files.path.stem, None if single else found, stochastic)
    if observation_space is None or stack == 1:
        return agent
    agent = StackedAgent(agent, observation_space, stack)
    return NormalizedAgent(agent, observation_space, single) if single else agent


def agent_of_model(model: BaseAlgorithm, name: str) -> Agent:
    """A model in memory as an agent, with the statistics of the ``VecNormalize`` around its environment, if any.

    Raises:
        SymbenchError: It was trained inside ``VecNormalize``, and that is gone.
    """
    from symbench.zoo.vecnormalize import normalization_of

    env = model.get_vec_normalize_env()
    if env is None and was_normalised(model):
        raise SymbenchError(
            f"{name} was trained inside VecNormalize, which is not around its environment any more: "
            "model.set_env(VecNormalize.load(FILE, venv)), or name its file: ALGORITHM:FILE.zip,vecnormalize=FILE.pkl"
        )
    return _agent(model, name, None if env is None else normalization_of(vars(env)))


def _check_algorithm(algorithm: str, path: Path, made_by: str) -> None:
    if made_by not in ALGORITHMS:
        raise SymbenchError(f"{path} was saved by {made_by}; those of {', '.join(ALGORITHMS)} can be played")
    if ALGORITHMS[algorithm] != ALGORITHMS[made_by]:
        raise SymbenchError(f"{path} was saved by {made_by.upper()}, not {algorithm.upper()}: {made_by}:{path}")


def _normalization(
    spec: str, model: BaseAlgorithm, files: SB3Files, config: dict[str, Any], asked: str | Path | None
) -> Normalization | None:
    """The statistics of a model's observations, ``None`` if it needs none; refuses what contradicts the model."""
    was, file = was_normalised(model), files.statistics_path
    if files.statistics is None or file is None:
        if asked != NONE and (was or (was is None and normalises_observations(config))):
            raise SymbenchError(
                f"{spec} was trained inside VecNormalize, whose statistics are not beside it: name their file, "
                f"{spec},vecnormalize=FILE.pkl; or, if only rewards were normalised, {spec},vecnormalize=none"
            )
        return None
    found = read_statistics(files.statistics, file)
    if found and was is False and asked is None:
        raise SymbenchError(
            f"{spec} was not trained inside VecNormalize, but {file} lies where its statistics would: "
            f"{spec},vecnormalize=none plays without them"
        )
    return found


def _load(
    algorithm: str,
    files: SB3Files,
    saved: dict[str, Any],
    observation_space: Space[Any] | None,
    action_space: Space[Any] | None,
    trust: bool,
) -> BaseAlgorithm:
    module, _, name = ALGORITHMS[algorithm].rpartition(".")
    model_class = getattr(require(module, "models of Stable-Baselines3"), name)
    try:
        return rebuilt(model_class, files.model, saved, _NOT_NEEDED)
    except NeedsTrust as reason:
        _check_trust(trust, files.path, str(reason))
    return _unpickled(model_class, algorithm, files, saved, observation_space, action_space)


def _check_trust(trust: bool, path: Path, reason: str) -> None:
    if not trust:
        raise SymbenchError(
            f"{path} holds more than plain data, and may execute any code while it loads ({reason}): "
            "if you trust where it comes from, add --trust (in Python: trust=True)"
        )


def _unpickled(
    model_class: type[BaseAlgorithm],
    algorithm: str,
    files: SB3Files,
    saved: dict[str, Any],
    observation_space: Space[Any] | None,
    action_space: Space[Any] | None,
) -> BaseAlgorithm:
    folder = files.path.parent.absolute()
    make_importable(folder)  # its policy may be of a module beside it
    # The saved spaces first: they are exact. Those of old versions cannot be unpickled.
    try:
        return _read(model_class, files.model, {})
    except Exception:  # unpickling can raise anything
        pass
    try:
        return _read(model_class, files.model, _saved_spaces(saved, observation_space, action_space))
    except Exception as error:
        text = textwrap.shorten(f"{type(error).__name__}: {error}", 300, placeholder=" ...")
        hint = f"; its modules are looked for in {folder}, too" if isinstance(error, ModuleNotFoundError) else ""
        raise SymbenchError(f"{files.path} cannot be loaded as a {algorithm} model ({text}){hint}") from error


def _read(model_class: type[BaseAlgorithm], content: bytes, spaces: dict[str, Any]) -> BaseAlgorithm:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the file is old; that a schedule was replaced
        return model_class.load(io.BytesIO(content), device="cpu", custom_objects={**_NOT_NEEDED, **spaces})


def _saved_spaces(
    saved: dict[str, Any], observation_space: Space[Any] | None, action_space: Space[Any] | None
) -> dict[str, Space[Any]]:
    """The spaces that the file describes in words; the task's own where it describes none."""
    observed, acted = (described_space(saved, name) for name in ("observation_space", "action_space"))
    if acted is not None and action_space is not None and same_actions(acted, action_space):
        acted = action_space  # the same but for what a text rounds away
    found = {"observation_space": observed or observation_space, "action_space": acted or action_space}
    return {name: space for name, space in found.items() if space is not None}


def _agent(model: BaseAlgorithm, name: str, normalization: Normalization | None, stochastic: bool = False) -> Agent:
    from symbench.policies.policy_network import MLPNetwork
    from symbench.policies.sb3 import SB3Agent, actor_network

    try:
        network = actor_network(model)
    except ValueError:
        return SB3Agent(model, name, normalization, stochastic)
    # Without a memory a network reads what its model reads: the model does what only it can, draw and normalise.
    if isinstance(network, MLPNetwork) or (not network.memory and (stochastic or normalization)):
        return SB3Agent(model, name, normalization, stochastic)
    if stochastic:
        raise SymbenchError(f"{name} remembers {network.memory}; such agents play their likeliest actions only")
    if normalization:
        raise SymbenchError(
            f"{name} remembers {network.memory}; statistics of VecNormalize, which know each by its place, "
            "cannot be applied to it: train it with norm_obs=False"
        )
    return NetworkAgent(network, name)
