"""An agent in a process of its own plays the same episodes, and can do nothing here but act."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench import own_code
from symbench.errors import SymbenchError
from symbench.runner import Cell, agent_apart
from symbench.runner.agents import load, resolve
from symbench.runner.evaluate import evaluate
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TASK = "CartPole-v1"
ANSWERS = '''
import os
import pickle
import sys
import numpy as np
from symbench.policies import Agent

class Odd(Agent):
    name = "odd"
    def reset(self, num_envs=1, *, seed=0):
        print("a line that is no answer")
    def restart(self, mask):
        pass
    def keep(self, mask):
        pass
    def incompatibility(self, observation_space, action_space):
        return "x" * 5000 + "\\x1b[2J"

class Objects(Odd):
    def act(self, seen):
        return np.array([object()] * len(seen))

class Words(Odd):
    def act(self, seen):
        return "no actions"

class Texts(Odd):
    def act(self, seen):
        return np.array(["no actions"])

class Raises(Odd):
    def act(self, seen):
        raise RuntimeError("not\\ntoday")

class Exits(Odd):
    def act(self, seen):
        os._exit(3)

class Huge(Odd):
    def act(self, seen):
        return np.zeros(2**24)

class Forged(Odd):
    """Writes to the pipe itself: a pickle, under a kind that there is not."""
    def act(self, seen):
        for number in range(3, 20):
            try:
                os.write(number, b"p" + (4).to_bytes(8, "little") + b"I1\\n.")
            except OSError:
                pass
        return np.zeros(len(seen), int)
'''


@pytest.fixture
def cell(cell: Callable[..., Cell]) -> Cell:
    return cell("mlp", episodes=5)


def test_numbers_are_the_same_to_the_last_bit(cell: Cell) -> None:
    apart = cell.model_copy(update={"source": cell.source.model_copy(update={"apart": True})})
    assert apart.spec_hash == cell.spec_hash
    np.testing.assert_array_equal(evaluate(apart).returns, evaluate(cell).returns)


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], agent_apart.Agent]:
    """Loads one of the agents above, in a process that no other test has."""
    agent_apart._PROCESSES.clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "odd_answers.py").write_text(ANSWERS)

    def make(name: str) -> agent_apart.Agent:
        env = get_task(TASK).make()
        source = resolve([f"odd_answers:{name}"], TASK, trust=True)[0].model_copy(update={"apart": True})
        return load(source, env.observation_space, env.action_space)

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Objects", "Object arrays cannot be saved"),
        ("Words", "answered with no array of actions"),
        ("Texts", "answered with an array of"),
        ("Raises", "RuntimeError: not today"),
        ("Exits", "the process of the agent is gone"),
        ("Huge", "a message of 134,217,856 bytes"),
        ("Forged", "answer cannot be read"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(
    odd: Callable[[str], agent_apart.Agent], name: str, message: str
) -> None:
    agent = odd(name)
    agent.reset(3)
    with pytest.raises(SymbenchError, match=message):
        agent.act(np.zeros((3, 4)))


def test_its_words_are_one_short_line(odd: Callable[[str], agent_apart.Agent]) -> None:
    space = get_task(TASK).make().observation_space
    said = odd("Words").incompatibility(space, space)
    assert said is not None and len(said) <= 1000


def test_an_agent_whose_process_was_killed_is_one_line(odd: Callable[[str], agent_apart.Agent]) -> None:
    agent = odd("Words")
    os.kill(agent_apart._process()._process.pid, signal.SIGKILL)
    with pytest.raises(SymbenchError, match="the process of the agent is gone"):
        agent.reset(1)


@pytest.mark.slow
def test_the_next_agent_gets_a_process_that_lives(odd: Callable[[str], agent_apart.Agent]) -> None:
    odd("Words")
    killed = agent_apart._process()
    os.kill(killed._process.pid, signal.SIGKILL)
    killed._process.wait()
    odd("Words")
    assert agent_apart._process() is not killed


def test_looking_for_a_module_does_not_run_the_package_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loud").mkdir()
    (tmp_path / "loud" / "__init__.py").write_text("raise RuntimeError('it runs')")
    (tmp_path / "loud" / "agent.py").write_text("")
    found = own_code.source_files("loud.agent:Agent", trust=True)
    assert list(found) == ["__init__.py", "agent.py"]
