"""Tasks that Gymnasium lacks, registered as ``symbench/<Name>-v0`` when this package is imported.

:func:`parallel` gives those of several agents as PettingZoo's environments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from symbench.envs.multi_agent.parallel import AgentsEnv

gym.register(
    id="symbench/CartPoleSwingUp-v0",
    entry_point="symbench.envs.cartpole_swingup:CartPoleSwingUpEnv",
    vector_entry_point="symbench.envs.cartpole_swingup:CartPoleSwingUpVectorEnv",
    max_episode_steps=1000,
)
gym.register(  # Gymnasium's, with a vector environment that plays the same episodes
    id="symbench/CartPole-v1",
    entry_point="gymnasium.envs.classic_control.cartpole:CartPoleEnv",
    vector_entry_point="symbench.envs.cartpole:CartPoleVectorEnv",
    max_episode_steps=500,
)
gym.register(
    id="symbench/GridWorld-v0",
    entry_point="symbench.envs.grid_world:GridWorldEnv",
    vector_entry_point="symbench.envs.grid_world:GridWorldVectorEnv",
    max_episode_steps=100,
)
gym.register(
    id="symbench/Wildlife-v0",
    entry_point="symbench.envs.multi_agent.wildlife:WildlifeEnv",
    vector_entry_point="symbench.envs.multi_agent.wildlife:WildlifeVectorEnv",
    max_episode_steps=100,
)
gym.register(
    id="symbench/Traffic-v0",
    entry_point="symbench.envs.multi_agent.traffic:TrafficEnv",
    vector_entry_point="symbench.envs.multi_agent.traffic:TrafficVectorEnv",
    max_episode_steps=500,
)
gym.register(
    id="symbench/ParticleSpread-v0",
    entry_point="symbench.envs.geometric.particle_spread:ParticleSpreadEnv",
    vector_entry_point="symbench.envs.geometric.particle_spread:ParticleSpreadVectorEnv",
    max_episode_steps=50,
)
gym.register(
    id="symbench/Pursuit-v0",
    entry_point="symbench.envs.geometric.pursuit:PursuitEnv",
    vector_entry_point="symbench.envs.geometric.pursuit:PursuitVectorEnv",
    max_episode_steps=100,
)
gym.register(
    id="symbench/NBodyControl-v0",
    entry_point="symbench.envs.geometric.nbody_control:NBodyControlEnv",
    vector_entry_point="symbench.envs.geometric.nbody_control:NBodyControlVectorEnv",
    max_episode_steps=100,
)
gym.register(
    id="symbench/TSP-v0",
    entry_point="symbench.envs.routing.tsp:TSPEnv",
    vector_entry_point="symbench.envs.routing.tsp:TSPVectorEnv",
)
gym.register(
    id="symbench/CVRP-v0",
    entry_point="symbench.envs.routing.cvrp:CVRPEnv",
    vector_entry_point="symbench.envs.routing.cvrp:CVRPVectorEnv",
)
gym.register(id="symbench/Pong-v0", entry_point="symbench.envs.pong:PongEnv")
gym.register(id="symbench/PongSticky-v0", entry_point="symbench.envs.pong:PongStickyEnv")
gym.register(id="symbench/PongRGB-v0", entry_point="symbench.envs.pong:PongEnv", kwargs={"rgb": True})
gym.register(id="symbench/PongPlayfield-v0", entry_point="symbench.envs.pong:PongPlayfieldEnv")
gym.register(id="symbench/CarRacing-v0", entry_point="symbench.envs.car_racing:CarRacingEnv", max_episode_steps=1000)
gym.register(
    id="symbench/CarRacingRGB-v0",
    entry_point="symbench.envs.car_racing:CarRacingEnv",
    kwargs={"grey": False},
    max_episode_steps=1000,
)
gym.register(  # with the 28 sensors of PyBullet's
    id="symbench/Ant-v0", entry_point="symbench.envs.ant:AntEnv", max_episode_steps=1000
)
gym.register(id="symbench/Breakout-v0", entry_point="symbench.envs.breakout:make_breakout")


def parallel(name: str, **kwargs: Any) -> AgentsEnv:
    """A task of several agents as PettingZoo's ``ParallelEnv``; see :mod:`symbench.envs.multi_agent.parallel`.

    Args:
        name: E.g. ``"Wildlife"``.
        **kwargs: Arguments of ``gymnasium.make``.

    Raises:
        SymbenchError: There is no such task of several agents, or PettingZoo is missing.
    """
    try:
        from symbench.envs.multi_agent.parallel import make_parallel
    except ImportError as error:
        raise SymbenchError(
            f"parallel({name!r}) needs {error.name}; install it with: pip install 'symbench[multi-agent]'"
        ) from error
    return make_parallel(name, **kwargs)
