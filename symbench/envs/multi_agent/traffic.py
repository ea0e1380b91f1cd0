"""Traffic: four junctions set their lights so that cars wait little; a quarter turn of the world is a symmetry.

The traffic lights of van der Pol et al. 2022 (Multi-agent MDP homomorphic networks, arXiv 2110.04495).

* :class:`TrafficEnv` - one environment
* :class:`TrafficVectorEnv` - many in one array program; the same episodes for the same seeds

**What is different from the published one.** There, cars move one after the other in the order in which they came, and
at a crossing whoever is first in the list goes first: turned worlds then differ. Here all move at once
(:func:`~symbench.envs.multi_agent.traffic_rules.moves_at_once`), and at a crossing the car that leaves the junction
goes first. And there, agents 1 and 2 see each other's junction. ``published_order=True`` gives both as they were.

**Symmetry.** C4, not D4: cars keep to the left. A quarter turn (``np.rot90``) turns every picture, sends the position
(row, column) to (-column, row), turns action a into 1 - a, and puts agent i in place [2, 0, 3, 1][i]: agent i of the
turned world is agent [1, 3, 0, 2][i] of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.multi_agent.traffic_pictures import draw_world, observed_images
from symbench.envs.multi_agent.traffic_rules import (
    LANES,
    LIGHTS,
    SIZE,
    moved,
    moves_at_once,
    moves_in_order,
    red_lights,
)
from symbench.envs.single import SingleEnv, StatefulBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

AGENTS: Final = len(LIGHTS)
ARRIVALS: Final = 100  # steps in which cars come
ARRIVAL_RATE: Final = 0.1  # cars in a lane and step
MAX_EPISODE_STEPS: Final = 500
POSITIONS: Final = np.sign(LIGHTS - SIZE // 2).astype(np.float32) / 2
"""Row and column of the junctions, in halves of the world, (4, 2): -0.5 or 0.5."""
_PUBLISHED_IMAGES = [0, 2, 1, 3]  # top left, bottom left, top right, bottom right
_STEP = 10**6  # cars that come in a later step have larger numbers


class TrafficVectorEnv(StatefulBatch):
    """``num_envs`` worlds advanced by one array program; see :class:`~symbench.envs.batched.BatchedEnv`.

    Attributes:
        state: ``lights`` (B, 4), 0 or 1; ``arrivals`` (B, 8, 100), bool, the cars that are still to come, by lane and
            step; of the cars on the road, by lane and cell, (B, 8, 15): ``waits``, steps that each has waited, -1 where
            there is none; ``stopped``, 1 if it stands; ``order``, numbers in the order in which they came.
    """

    def __init__(
        self,
        num_envs: int = 1,
        published_order: bool = False,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of worlds.

        Args:
            num_envs: Number of sub-environments B.
            published_order: Move cars one after the other and give the images in the published order, see the module's
                page.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.
        """
        self.published_order = published_order
        observations: dict[str, gym.Space[Any]] = {
            "images": gym.spaces.Box(0, 1, (AGENTS, 3, 35, 35), np.float32),
            "positions": gym.spaces.Box(-0.5, 0.5, (AGENTS, 2), np.float32),
        }
        actions = gym.spaces.MultiDiscrete([2] * AGENTS)
        super().__init__(
            num_envs, gym.spaces.Dict(observations), actions, max_episode_steps, autoreset_mode, render_mode
        )
        cells = (num_envs, LANES, SIZE)
        self.state = {
            "lights": np.zeros((num_envs, AGENTS), np.int64),
            "arrivals": np.zeros((num_envs, LANES, ARRIVALS), dtype=bool),
            "waits": np.full(cells, -1),
            "stopped": np.zeros(cells, np.int64),
            "order": np.zeros(cells, np.int64),
        }

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """An empty world with any lights; when cars will come is drawn."""
        self.state["lights"][i] = generator.integers(2, size=AGENTS)
        self.state["arrivals"][i] = generator.random((LANES, ARRIVALS)) < ARRIVAL_RATE
        for name, empty in (("waits", -1), ("stopped", 0), ("order", 0)):
            self.state[name][i] = empty

    def advance(self, actions: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Set the lights, let cars in, move all cars."""
        self.state["lights"] = np.array(actions, dtype=np.int64)
        self._let_in()
        waits, stopped, order = (self.state[name] for name in ("waits", "stopped", "order"))
        present, stood, red = waits >= 0, stopped > 0, red_lights(self.state["lights"])
        ordered = self.published_order
        goes, held = moves_in_order(present, stood, red, order) if ordered else moves_at_once(present, stood, red)
        self.state["waits"] = moved(np.where(present & ~goes, waits + 1, waits), goes, -1)
        self.state["stopped"] = moved((present & held).astype(np.int64), goes, 0)
        self.state["order"] = moved(order, goes, 0)
        return -self._mean_wait() / 1000, ~(self._present().any(axis=(1, 2)) | self._expected())

    def _let_in(self) -> None:
        """One car into each lane whose first cell is free, of those that were to come the latest."""
        due = self.state["arrivals"] & (np.arange(ARRIVALS) <= self.steps[:, None, None])
        world, lane, step = np.nonzero(due)
        latest = np.full((self.num_envs, LANES), -1)
        latest[world, lane] = step  # the last of several counts
        world, lane = np.nonzero((latest >= 0) & (self.state["waits"][..., 0] < 0))
        step = latest[world, lane]
        self.state["arrivals"][world, lane, step] = False
        self.state["waits"][world, lane, 0] = self.state["stopped"][world, lane, 0] = 0
        now = self.steps[world]
        self.state["order"][world, lane, 0] = now * _STEP + (now - step) * LANES + lane

    def _present(self) -> NDArray[np.bool_]:
        present: NDArray[np.bool_] = self.state["waits"] >= 0
        return present

    def _expected(self) -> NDArray[np.bool_]:
        expected: NDArray[np.bool_] = np.any(self.state["arrivals"], axis=(1, 2))
        return expected

    def _mean_wait(self) -> NDArray[np.float64]:
        return _mean(self.state["waits"], self._present())

    def observe(self) -> dict[str, NDArray[np.float32]]:
        """``images`` (B, 4, 3, 35, 35) and ``positions`` (B, 4, 2)."""
        images = observed_images(self._present(), self.state["lights"])
        if self.published_order:
            images = images[:, _PUBLISHED_IMAGES]
        return {"images": images, "positions": np.repeat(POSITIONS[None], self.num_envs, axis=0)}

    def information(self) -> dict[str, NDArray[Any]]:
        """Means over the cars on the road, 0 if there are none: steps waited, ``wait``, and steps on it, ``age``."""
        ages = self.steps[:, None, None] - self.state["order"] // _STEP
        return {"wait": self._mean_wait(), "age": _mean(ages, self._present())}

    def picture(self, i: int) -> NDArray[np.uint8]:
        """The world from above, (600, 600, 3), uint8."""
        return draw_world(self._present()[i], self.state["lights"][i])


class TrafficEnv(SingleEnv):
    """Lights at four junctions of 8 one-way lanes on 15x15 cells.

    Observation: a dict of ``images`` (4, 3, 35, 35), float32, what each agent sees of the 7x7 cells around its
    junction, 5 pixels a cell: roads (0.5), red lights (1), and cars (1, with a border of 0.1 which is open in front);
    and ``positions`` (4, 2), float32, rows and columns of the junctions in halves of the world. Action of each agent: 0
    stops the cars along rows at its junction, 1 those along columns.

    In each of the first 100 steps a car comes in each lane with probability 0.1, and enters as soon as the lane's first
    cell is free. Cars go straight on. One whose way is not free waits, and needs a step more to start again. Reward,
    the team's: minus the mean of the steps that the cars on the road have waited, over 1000. The episode ends when all
    cars have left; it is truncated after 500 steps when made by id. Arguments: those of :class:`TrafficVectorEnv`.
    """

    vector_class = TrafficVectorEnv


def _mean(values: NDArray[np.int64], of: NDArray[np.bool_]) -> NDArray[np.float64]:
    sums, counts = (values * of).sum(axis=(1, 2)), of.sum(axis=(1, 2))
    means: NDArray[np.float64] = sums / np.maximum(counts, 1)
    return means
