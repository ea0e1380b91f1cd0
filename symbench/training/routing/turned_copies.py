"""Randomly turned and mirrored copies of instances, as Sym-NCO learns from them (Kim et al. 2022)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from symbench.policies.routing.tour_states import Instances


def turned_copies(instances: Instances, copies: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Each instance as it is, and ``copies`` - 1 times turned by any angle about (.5, .5), every other one mirrored.

    Args:
        instances: B of them.
        copies: Number A of copies.
        generator: Source of randomness; each copy of each instance has an angle of its own.

    Returns:
        A times B instances: all as they are, then all first copies, and so on.
    """
    cities = instances["cities"]
    angles = 2 * math.pi * torch.rand(copies - 1, len(cities), 1, 1, generator=generator).to(cities)
    mirror = torch.where(torch.rand(copies - 1, len(cities), 1, 1, generator=generator) < 0.5, -1.0, 1.0).to(cities)
    x, y = (cities - 0.5).chunk(2, dim=-1)
    y = y * mirror
    turned = torch.cat([angles.cos() * x - angles.sin() * y, angles.sin() * x + angles.cos() * y], dim=-1) + 0.5
    others = {key: torch.cat([part] * copies) for key, part in instances.items() if key != "cities"}
    return {"cities": torch.cat([cities[None], turned]).flatten(0, 1), **others}
