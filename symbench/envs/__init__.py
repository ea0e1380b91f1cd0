"""Tasks that Gymnasium lacks, registered as ``symbench/<Name>-v0`` when this package is imported."""

import gymnasium as gym

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
gym.register(id="symbench/Pong-v0", entry_point="symbench.envs.pong:PongEnv")
gym.register(id="symbench/PongRGB-v0", entry_point="symbench.envs.pong:PongEnv", kwargs={"rgb": True})
gym.register(id="symbench/PongPlayfield-v0", entry_point="symbench.envs.pong:PongPlayfieldEnv")
gym.register(id="symbench/CarRacing-v0", entry_point="symbench.envs.car_racing:CarRacingEnv", max_episode_steps=1000)
gym.register(
    id="symbench/CarRacingRGB-v0",
    entry_point="symbench.envs.car_racing:CarRacingEnv",
    kwargs={"grey": False},
    max_episode_steps=1000,
)
gym.register(id="symbench/Breakout-v0", entry_point="symbench.envs.breakout:make_breakout")
