"""Who owns the randomness of a perturbation: one stream per environment and episode."""

from __future__ import annotations

import zlib

import numpy as np


class EpisodeStreams:
    """Random generators whose draws depend on (seed, episode) only.

    The generator of episode k of an environment seeded with s is ``PCG64(SeedSequence(s, spawn_key=(name, key, k)))``.
    The spawn key keeps it apart from the environment's own stream, which is seeded with the same s, and from those of
    other perturbations. How long the earlier episodes lasted makes no difference.
    """

    def __init__(self, name: str, key: int, num_envs: int) -> None:
        """Streams for ``num_envs`` environments.

        Args:
            name: The perturbation's name; the same name draws the same.
            key: Sets stacked perturbations of one name apart.
            num_envs: Number of environments.
        """
        self._spawn_key = (zlib.crc32(name.encode()), key)
        self._seeds: list[int | None] = [None] * num_envs
        self._episodes = [0] * num_envs

    def begin(self, row: int, seed: int | None) -> np.random.Generator:
        """The generator of environment ``row`` for the episode that begins now.

        Args:
            row: Index of the environment.
            seed: A seed starts the count at episode 0; ``None`` is the next episode of the last seed (of one from the
                operating system if there never was one).
        """
        if seed is not None:
            self._seeds[row], self._episodes[row] = int(seed), 0
        elif self._seeds[row] is None:
            self._seeds[row] = int.from_bytes(np.random.SeedSequence().generate_state(4).tobytes(), "little")
        else:
            self._episodes[row] += 1
        spawn_key = (*self._spawn_key, self._episodes[row])
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._seeds[row], spawn_key=spawn_key)))
