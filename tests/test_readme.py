"""What the README shows for rl_zoo3 can be made, and links in the repository lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from docs_cases import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

README = ROOT / "README.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_yaml_example_names_wrappers_that_can_be_made() -> None:
    import gymnasium as gym

    import symbench.wrappers

    (block,) = blocks("yaml", README)
    for env_id, settings in yaml.safe_load(block.code).items():
        env = gym.make(env_id)
        for entry in settings["env_wrapper"]:
            ((name, parameters),) = entry.items()
            env = getattr(symbench.wrappers, name.removeprefix("symbench.wrappers."))(env, **parameters)
        assert env.reset(seed=0)[0].shape == (9,)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
