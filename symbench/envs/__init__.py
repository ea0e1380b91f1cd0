"""Tasks that Gymnasium lacks, registered as ``symbench/<Name>-v0`` when this package is imported."""

import gymnasium as gym

gym.register(
    id="symbench/CartPoleSwingUp-v0",
    entry_point="symbench.envs.cartpole_swingup:CartPoleSwingUpEnv",
    vector_entry_point="symbench.envs.cartpole_swingup:CartPoleSwingUpVectorEnv",
    max_episode_steps=1000,
)
