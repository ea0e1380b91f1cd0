"""What it costs not to know which sensor is which, if everything else is known. Prints CSV.

A filter over the 120 orders of CartPoleSwingUp's five sensors stands before the bundled MLP. It knows the equations of
motion and how episodes begin, and nothing of the order or of when it changes: in the first step it plays the mean of
what the MLP would do in all orders that a first observation can have, then it takes the order in which the sensors are
nearest to where the equations say they are.

python examples/price_of_not_knowing.py > docs/data/price-of-not-knowing.csv
"""

from __future__ import annotations

import csv
import itertools
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.envs.cartpole_swingup import TRACK_HALF_LENGTH, advance, observation_of
from symbench.policies import MLPNetwork, NetworkAgent
from symbench.runner import make_plan
from symbench.runner.evaluate import batches, play
from symbench.runner.pipeline import make_envs
from symbench.suites import load_suite
from symbench.zoo import bundled, load_agent

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDERS = np.array(list(itertools.permutations(range(5))))
FASTEST = 10.0  # m/s and rad/s at the start
CHOSEN = np.eye(5)[ORDERS].reshape(120, 25).T  # which of 5 x 5 distances an order adds up
LEVELS = ("in-order", "per-episode", "every-100", "every-25")
IMPOSSIBLE = 1e6  # far from everything
SAME = 1e-4  # by how much rounded numbers may miss what they should be


def possible(first: NDArray[Any]) -> NDArray[np.bool_]:
    """Which first observations, (..., 5), a reset can give: cart on the track, pole below the horizontal."""
    x, x_dot, cos, sin, theta_dot = np.moveaxis(np.abs(first), -1, 0)
    bounded = (x <= TRACK_HALF_LENGTH) & (x_dot <= FASTEST) & (theta_dot <= FASTEST)
    return bounded & (first[..., 2] < SAME) & (np.abs(cos**2 + sin**2 - 1) < SAME)


def predicted(observations: NDArray[Any], actions: NDArray[Any]) -> NDArray[Any]:
    """The observations, (n, 5), after actions (n,) in observations (n, 5)."""
    x, x_dot, cos, sin, theta_dot = np.asarray(observations, np.float64).T
    return observation_of(advance((x, x_dot, np.arctan2(sin, cos), theta_dot), actions))


class OrderFilter(NetworkAgent):
    """Puts sensors in order by the equations of motion, for an MLP that needs them so.

    Attributes:
        expected: What the next sensors may be in their right order, (B, G, 5); ``None`` before the first step.
    """

    def __init__(self, network: MLPNetwork) -> None:
        """Take the MLP that acts."""
        super().__init__(network, "order-filter")
        self.expected: NDArray[Any] | None = None

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Begin new episodes everywhere."""
        super().reset(num_envs)
        self.expected = None

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with these environments."""
        super().keep(mask)
        self.expected = None if self.expected is None else self.expected[mask]

    def act(self, observations: Any) -> NDArray[Any]:
        """Order, act, and expect what the equations say."""
        received = np.asarray(observations)
        if self.expected is None:
            guesses = received[:, ORDERS]
            shares = possible(guesses).astype(np.float64)
        else:
            guesses = received[np.arange(len(received))[:, None], nearest(received, self.expected)][:, None]
            shares = np.ones((len(received), 1))
        actions = self._mean_actions(guesses, shares / shares.sum(axis=1, keepdims=True))
        after = predicted(guesses.reshape(-1, 5), np.repeat(actions[:, 0], guesses.shape[1])).reshape(guesses.shape)
        self.expected = np.where(shares[..., None] > 0, after, IMPOSSIBLE)
        return actions

    @torch.inference_mode()
    def _mean_actions(self, guesses: NDArray[Any], shares: NDArray[Any]) -> NDArray[np.float32]:
        answers, _ = self.network(self.network.read(guesses.reshape(-1, 5)), ())
        actions = (answers.numpy().reshape(*shares.shape, 1) * shares[..., None]).sum(axis=1)
        return actions.astype(np.float32)


def nearest(received: NDArray[Any], expected: NDArray[Any]) -> NDArray[Any]:
    """The order, (B, 5), in which sensors (B, 5) are nearest to one of G rows that are expected, (B, G, 5)."""
    best, orders = np.full(len(received), np.inf), np.empty((len(received), 5), int)
    for guess in expected.swapaxes(0, 1):
        squares = (received[:, None] - guess[:, :, None].astype(np.float64)) ** 2  # (B, place in order, received)
        distances = squares.reshape(-1, 25) @ CHOSEN
        nearer = distances.min(axis=1) < best
        best, orders = (
            np.minimum(best, distances.min(axis=1)),
            np.where(nearer[:, None], ORDERS[distances.argmin(axis=1)], orders),
        )
    return orders


def main(episodes: int | None = None) -> None:
    """Print a line for four conditions of the suite: the MLP in order beside the filter before it, five runs each."""
    torch.set_num_threads(1)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("agent", "level", "training_run", "episodes", "mean", "std"))
    cells = make_plan(load_suite("shuffle"), tasks=["CartPoleSwingUp"], agents=["mlp"], episodes=episodes).cells
    paths = bundled("CartPoleSwingUp")["mlp"]
    for cell in (cell for cell in cells if cell.agent == "mlp" and cell.level in LEVELS):
        network = load_agent(paths[cell.run]).network
        assert isinstance(network, MLPNetwork)
        agents = [OrderFilter(network)]
        if cell.level == "in-order":
            agents.insert(0, NetworkAgent(network, "mlp"))
        for agent in agents:
            parts = [play(make_envs(cell.task, cell.apply, len(seeds)), agent, list(seeds)) for seeds in batches(cell)]
            returns = np.concatenate([part.returns for part in parts])
            row = (len(returns), f"{returns.mean():.2f}", f"{returns.std(ddof=1):.2f}")
            table.writerow((agent.name, cell.level, cell.run, *row))
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
