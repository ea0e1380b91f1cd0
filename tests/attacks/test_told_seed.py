"""Attack: code that makes its environments anew from the seed that it is told, or remembers what it played before."""

from __future__ import annotations

import pickle
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from verify_cases import SHUFFLED, doctored, networks, small_suite, submitted

from symbench.errors import SymbenchError
from symbench.leaderboard.verify import record, verify
from symbench.leaderboard.verify_cells import planned_cells
from symbench.leaderboard.verify_fresh import fresh_cells
from symbench.runner import agent_apart, evaluate
from symbench.runner.executors import base, execute
from symbench.runner.seeds import agent_seed, environment_seeds, new_secret
from symbench.suites import Apply, load_suite
from symbench.tasks import get_task

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.leaderboard.validate import Submission
    from symbench.runner import Cell

SHUFFLES = (Apply(wrapper="ShuffleSensors", resample="episode"),)
EVALUATE = import_module("symbench.runner.evaluate")

# Of the true state of an environment of its own, which no perturbation reaches, it balances the pole for ever.
ATTACKS = '''
"""Agents that do not look at what they see."""
import gymnasium as gym
import numpy as np
from symbench.policies import Agent

class Rebuilds(Agent):
    """Plays environments of its own that begin with the seed it is told and those that follow."""
    name = "mine"
    def reset(self, num_envs=1, *, seed=0):
        self.envs = [gym.make("CartPole-v1") for _ in range(num_envs)]
        self.states = [env.reset(seed=seed + i)[0] for i, env in enumerate(self.envs)]
    def restart(self, mask):
        pass
    def keep(self, mask):
        self.envs = [env for env, kept in zip(self.envs, mask) if kept]
        self.states = [state for state, kept in zip(self.states, mask) if kept]
    def act(self, seen):
        actions = [int(x * 0.1 + v * 0.2 + a + w > 0) for x, v, a, w in self.states]
        self.states = [env.step(action)[0] for env, action in zip(self.envs, actions)]
        return np.array(actions)
    def incompatibility(self, observation_space, action_space):
        self.action_space = action_space
        return None

class Remembers(Rebuilds):
    """In the first condition it acts on what it sees; in others it does what it did then under the same seed."""
    course = {}
    def reset(self, num_envs=1, *, seed=0):
        self.again, self.now, self.step = self.course.get(seed), np.arange(num_envs), 0
        if self.again is None:
            self.actions = self.course[seed] = np.zeros((502, num_envs), np.int64)
        else:
            self.actions = None
    def keep(self, mask):
        self.now = self.now[mask]
    def act(self, seen):
        if self.actions is None:
            actions = self.again[self.step, self.now]
        else:
            actions = (seen[:, 0] * 0.1 + seen[:, 1] * 0.2 + seen[:, 2] + seen[:, 3] > 0).astype(np.int64)
            self.actions[self.step, self.now] = actions
        self.step += 1
        return actions
'''


@pytest.fixture(params=["Rebuilds", "Remembers"])
def agent(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    small_suite(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    module = f"told_{request.param.lower()}"
    (tmp_path / f"{module}.py").write_text(ATTACKS)
    agent_apart.end()  # the process of another test remembers, too
    return f"{module}:{request.param}"


def told_and_played_alike(patch: pytest.MonkeyPatch) -> None:
    """Fresh seeds as they once were: the next ones of a number that all cells have, of which the agent is told."""
    patch.setattr(
        EVALUATE, "environment_seeds", lambda cell, seeds: [seed + 10**9 * bool(cell.secret) for seed in seeds]
    )
    patch.setattr(EVALUATE, "agent_seed", lambda cell, seeds: seeds[0] + 10**9 * bool(cell.secret))


@pytest.mark.slow
def test_what_an_agent_is_told_or_has_played_is_of_no_use_on_fresh_seeds(tmp_path: Path, agent: str) -> None:
    claims = doctored(submitted(tmp_path, [agent], trust=True))
    assert all((cell.returns == 500).mean() > 0.9 for cell in claims.cells.values()), "it is perfect in every condition"
    found = verify(claims, [agent], trust=True)
    assert all(each.identical == 1 for each in found.comparisons), "and plays the suite's episodes as submitted"
    told = "".join(found.problems)
    assert "on fresh seeds, of the key " + found.fresh_key in told and SHUFFLED in told
    assert next(each.played.mean() for each in found.fresh if SHUFFLED in each.cell) < 0.5
    with pytest.raises(SymbenchError, match="nothing was recorded"):
        record(tmp_path / "verified.json", claims, found)


@pytest.mark.slow
def test_it_would_be_of_use_if_the_agent_were_told_the_seed_of_its_environments(
    tmp_path: Path, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = doctored(submitted(tmp_path, [agent], trust=True))
    told_and_played_alike(monkeypatch)
    cells = planned_cells(claims, [agent], trust=True)
    fresh = [evaluate(cell) for cell in fresh_cells(cells, new_secret())]  # here, where the seeds are the old ones
    assert all((episodes.returns == 500).mean() > 0.9 for episodes in fresh)


@pytest.fixture
def honest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Submission, list[str]]:
    small_suite(tmp_path, monkeypatch)
    agents = networks(tmp_path, 2)
    return doctored(submitted(tmp_path, agents)), agents


@pytest.mark.slow
def test_fresh_episodes_are_those_of_their_key_however_they_are_played(
    honest: tuple[Submission, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, key = planned_cells(*honest, trust=False), new_secret()
    alone = {cell: evaluate(cell) for cell in fresh_cells(cells, key)}
    for workers in (1, 2):
        outcomes = list(execute(fresh_cells(cells, key), workers, failed={cell.id for cell in cells}))
        assert {outcome.cell for outcome in outcomes} == alone.keys()
        for outcome in outcomes:
            assert outcome.record is not None
            assert outcome.record.episodes.columns() == alone[outcome.cell].columns()
    others = {seed for cell in fresh_cells(cells, new_secret()) for seed in seeds_of(cell)}
    assert not others & {seed for cell in alone for seed in seeds_of(cell)}


def test_batches_are_put_together_in_the_order_of_the_episodes(
    honest: tuple[Submission, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (cell, *_) = fresh_cells(planned_cells(*honest, trust=False), new_secret())
    monkeypatch.setattr(EVALUATE, "get_task", lambda *of: replace(get_task(*of), batch=7))
    (outcome,) = execute([cell])
    assert outcome.record is not None and outcome.record.episodes.seeds.tolist() == seeds_of(cell)


def seeds_of(cell: Cell) -> list[int]:
    return environment_seeds(cell, range(cell.seed, cell.seed + cell.episodes))


def test_fresh_seeds_are_drawn_one_by_one_from_many_and_the_agent_is_told_another(
    honest: tuple[Submission, list[str]],
) -> None:
    cells = planned_cells(*honest, trust=False)
    secret = new_secret()
    drawn = [(cell, cell.model_copy(update={"secret": secret})) for cell in cells]
    seeds = [seed for _, fresh in drawn for seed in seeds_of(fresh)]
    assert len(set(seeds)) == len(seeds) and max(seeds) < 2**63
    assert np.mean([seed >= 2**62 for seed in seeds]) == pytest.approx(0.5, abs=0.15)
    assert min(np.diff(sorted(seeds))) > 2**30, "no two are near one another"
    told = {agent_seed(fresh, range(first, 160)) for _, fresh in drawn for first in (100, 130)}
    assert len(told) == 2 * len(drawn) and not told & set(seeds) and max(told) < 2**31
    assert [seeds_of(cell) for cell in cells] == [list(range(100, 160))] * len(cells), (
        "of a suite they are as published"
    )
    assert {agent_seed(cell, range(130, 160)) for cell in cells} == {130}
    (cell, fresh), *_ = drawn
    assert fresh.spec_hash != cell.spec_hash


SUITES = ("background", "delay", "dropout", "group", "noise", "occlusion", "routing", "sensor-noise", "shuffle")


@pytest.mark.parametrize("task", sorted({task for name in SUITES for task in load_suite(name).tasks}))
def test_every_task_takes_all_bits_of_a_seed(task: str) -> None:
    largest = 2**63 - 1
    with closing(get_task(task).make_vec(4)) as envs:
        seen, _ = envs.reset(seed=[largest, largest - 2**32, largest - 2**62, largest])
        episodes = [flat(seen)]
        for _ in range(0 if len({row.tobytes() for row in episodes[0]}) == 3 else 60):  # in some all begin alike
            seen, _, terminated, truncated, _ = envs.step(
                np.stack([np.ones_like(envs.single_action_space.sample())] * 4)
            )
            if (ended := terminated | truncated).any():
                seen, _ = envs.reset(options={"reset_mask": ended})
            episodes.append(flat(seen))
    first, *others, last = (b"".join(step[i].tobytes() for step in episodes) for i in range(4))
    assert len({first, *others}) == 3 and first == last


def flat(seen: Any) -> np.ndarray[Any, Any]:
    parts = list(seen.values()) if isinstance(seen, dict) else [seen]
    return np.concatenate([np.asarray(part, np.float64).reshape(4, -1) for part in parts], axis=1)


def test_the_process_of_an_agent_is_sent_no_seed_of_an_environment(
    honest: tuple[Submission, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    send = agent_apart.send
    monkeypatch.setattr(agent_apart, "send", lambda pipe, content: sent.append(content) or send(pipe, content))  # type: ignore[func-returns-value]
    cells = [cell for cell in planned_cells(*honest, trust=False) if cell.apply]
    source = cells[0].source.model_copy(update={"apart": True})
    fresh, public = (
        cells[0].model_copy(update={"source": source, "secret": secret}) for secret in (new_secret(), None)
    )
    evaluate(fresh)
    every, told = b"".join(sent), agent_seed(fresh, range(100, 160))
    assert pickle.dumps(told)[-6:-1] in every, "this is how it would be found"
    for seed in seeds_of(fresh):
        assert seed.to_bytes(8, "little") not in every and str(seed).encode() not in every
    assert fresh.secret is not None
    assert fresh.secret.encode() not in every and bytes.fromhex(fresh.secret) not in every
    sent.clear()
    evaluate(public)
    assert any(b"seed" in each and pickle.dumps(100)[-3:-1] in each for each in sent), "a suite's own seeds are told"


def test_a_maintainer_plays_the_same_fresh_episodes_again_and_does_not_record_that(
    tmp_path: Path, honest: tuple[Submission, list[str]]
) -> None:
    found = verify(*honest)
    again = verify(*honest, fresh_key=found.fresh_key)
    assert [each.cell for each in found.fresh] == [each.cell for each in again.fresh]
    assert all((one.played == two.played).all() for one, two in zip(found.fresh, again.fresh, strict=True))
    with pytest.raises(SymbenchError, match="secret no more: nothing was recorded"):
        record(tmp_path / "verified.json", honest[0], again)
    assert record(tmp_path / "verified.json", honest[0], found).fresh_key == found.fresh_key
    with pytest.raises(SymbenchError, match="a key of fresh seeds has 32 digits 0-9 and a-f, received 'A'"):
        verify(*honest, fresh_key="A")


def test_of_code_as_many_cells_are_fresh_as_are_played_again(honest: tuple[Submission, list[str]]) -> None:
    cell, *_ = planned_cells(*honest, trust=False)
    others = [cell.model_copy(update={"level": f"{i}", "apply": SHUFFLES}) for i in range(30)]
    for count in (5, 20, 99):
        fresh = fresh_cells([cell, *others], new_secret(), count)
        assert len({each.id for each in fresh}) == len(fresh) == min(31, count) and fresh[0].id == cell.id
    assert len({each.id for _ in range(60) for each in fresh_cells([cell, *others], new_secret())}) == 31


def test_what_goes_wrong_on_fresh_seeds_names_their_key(
    honest: tuple[Submission, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(cell: Cell, *_: object) -> None:
        raise RuntimeError("not on " + ("fresh" if cell.secret else "public"))

    play = base.play_batch
    monkeypatch.setattr(base, "play_batch", lambda cell, seeds: (fails if cell.secret else play)(cell, seeds))
    with pytest.raises(SymbenchError, match=r"RuntimeError: not on fresh \(on fresh seeds, of the key [0-9a-f]{32}\)$"):
        verify(*honest)
