"""The cart-pole that has to be swung up first, by Tang & Ha (2021)."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import Metric

TASKS = (
    Task(
        name="CartPoleSwingUp",
        env_id="symbench/CartPoleSwingUp-v0",
        description="swing a pole up from any cart position and speed, 5 sensors (Tang & Ha 2021)",
        metric=Metric(23.28, 593.0, "random: measured; reference: FNN in order, Tang & Ha 2021 (arXiv 2109.02869)"),
        episodes=1000,
        native_vector=True,
        # Only the step that leaves the track can have a negative reward: the cart is then at most 0.3 m outside
        # (30 m/s), where the cosine of its position is -0.2.
        # These have larger networks, or infer an order: they take long.
        on_request=("attention-neuron-any-sensors", "attention-neuron-two-layers-differences", "unshuffler-values"),
        limits=Limits(steps=1000, rewards=(-0.2, 1), returns=(-0.2, 1000)),
    ),
)
