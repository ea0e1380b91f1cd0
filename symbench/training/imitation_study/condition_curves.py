"""The learning curves of a study of imitation, one for each arm and condition, as those of other studies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError
from symbench.training.session import STORY
from symbench.training.study.learning_curves import Curves

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.training.imitation_study.imitation_arms import ImitationStudy


def read_conditions(study: ImitationStudy, out: Path) -> list[Curves]:
    """Curves called ``arm/level`` of all arms that have finished runs in a study's folder.

    Raises:
        SymbenchError: There is no run, or one was made with other settings.
    """
    found = [curves for arm in study.arms for curves in _curves_of(study, out, arm.name)]
    if not found:
        raise SymbenchError(f"{out} holds no finished runs of study {study.name}; train them first")
    return found


def _curves_of(study: ImitationStudy, out: Path, arm: str) -> list[Curves]:
    stories = [_story(study, path, arm) for seed in range(study.seeds) if (path := out / arm / f"s{seed}").is_dir()]
    stories = [story for story in stories if story]
    if not stories:
        return []
    steps, size = np.array([row["done"] for row in stories[0]["curve"]]), stories[0]["parameters"]
    scores = {level: [[row[level] for row in story["curve"]] for story in stories] for level in study.levels}
    return [Curves(f"{arm}/{level}", size, steps, np.array(returns)) for level, returns in scores.items()]


def _story(study: ImitationStudy, folder: Path, arm: str) -> dict[str, Any]:
    """What a run says; nothing if it is not finished."""
    path = folder / STORY
    if not path.exists():
        return {}
    story: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if story.get("recipe_digest") != study.digest(arm):
        raise SymbenchError(f"{path} was made with other settings of study {study.name}; choose another --out")
    return story
