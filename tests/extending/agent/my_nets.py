"""Agents of one's own."""

import numpy as np
import torch
from torch import nn


class Tiny:
    """Any object with act(observation) is an agent; a class is called without arguments first."""

    def act(self, observation):
        return int(observation[2] + 0.5 * observation[3] > 0)


def lean(observation):
    """So is a function."""
    return int(observation[2] > 0)


class Net(nn.Module):
    """A torch module reads a float32 batch and answers with logits, or with the actions of a Box."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)  # load your weights here
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward(self, observations):
        return self.layers(observations)


class Smooth:
    """With a memory: each environment plays with a copy of its own, which begins again with each episode."""

    def reset(self, seed):
        self.mean, self.rng = np.zeros(4), np.random.default_rng(seed)

    def act(self, observation):
        self.mean = 0.5 * self.mean + 0.5 * observation
        return int(self.mean[2] + 0.5 * self.mean[3] + 0.01 * self.rng.normal() > 0)


class Batched:
    """With batched = True it gets all observations at once, (B, ...), and answers with B actions."""

    batched = True

    def act(self, observations):
        return (observations[:, 2] + 0.5 * observations[:, 3] > 0).astype(int)
