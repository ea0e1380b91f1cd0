from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from gymnasium.spaces import Discrete

from symbench.policies import AttentionNeuronNetwork, MLPNetwork
from symbench.runner import AgentSource, Cell
from symbench.runner.agents import RANDOM, resolve
from symbench.suites import Apply, Suite, parse_suite
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TASK = "CartPole-v1"


@pytest.fixture(autouse=True)
def _torch() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def agents(tmp_path: Path) -> dict[str, str]:
    """Untrained agents as zoo files: what follows ``--agent``."""
    networks = {
        "mlp": MLPNetwork(4, Discrete(2), hidden=(8,)),
        "set": AttentionNeuronNetwork(Discrete(2)),
        "blind": MLPNetwork(7, Discrete(2), hidden=(8,)),
    }
    for seed, (name, network) in enumerate(networks.items()):
        torch.manual_seed(seed)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
        save_agent(network, tmp_path / "agents" / name, {"agent": name})
    return {name: f"{name}={tmp_path}/agents/{name}.safetensors" for name in networks}


@pytest.fixture
def suite() -> Suite:
    return parse_suite(
        {
            "name": "tiny",
            "version": 3,
            "description": "three conditions",
            "tasks": [TASK, "CartPoleSwingUp", "Pendulum-v1"],
            "seed": 100,
            "episodes": 5,
            "compare_with": "mlp",
            "perturbations": [
                {"name": "none", "level": "in-order", "label": "in order", "baseline": True},
                {"name": "shuffle", "level": "every-10", "apply": [{"wrapper": "ShuffleSensors", "resample": 10}]},
                {"name": "noise", "level": "+3", "apply": [{"wrapper": "AddNoiseChannels", "n": 3}]},
            ],
        },
        "tiny",
    )


@pytest.fixture
def cell(agents: dict[str, str]) -> Callable[..., Cell]:
    """Makes cells; ``agent`` is a key of ``agents``, or random."""

    def make(agent: str = "random", apply: tuple[dict[str, Any], ...] = (), **fields: Any) -> Cell:
        source: AgentSource = RANDOM if agent == "random" else resolve([agents[agent]], TASK)[0]
        defaults = {
            **{"suite": "tiny", "version": 3, "task": TASK, "perturbation": "p", "level": "l", "source": source},
            **{"apply": tuple(map(Apply.model_validate, apply)), "episodes": 5, "seed": 100},
        }
        return Cell(**{**defaults, **fields})

    return make
