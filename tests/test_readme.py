"""What the README says can be typed can be typed, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_examples_run_each_on_its_own() -> None:
    made: set[str] = set()
    for block in blocks("python"):
        names: dict[str, object] = {}
        exec(compile(re.sub(r"learn\([\d_]+\)", "learn(16)", block), "README.md", "exec"), names)
        made |= names.keys()
    assert {"envs", "venv", "env"} <= made


def test_yaml_example_names_wrappers_that_can_be_made() -> None:
    import gymnasium as gym

    import symbench.wrappers

    (block,) = blocks("yaml")
    for env_id, settings in yaml.safe_load(block).items():
        env = gym.make(env_id)
        for entry in settings["env_wrapper"]:
            ((name, parameters),) = entry.items()
            env = getattr(symbench.wrappers, name.removeprefix("symbench.wrappers."))(env, **parameters)
        assert env.reset(seed=0)[0].shape == (9,)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
