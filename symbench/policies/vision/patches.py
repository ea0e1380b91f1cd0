"""Frames as unordered lists of square patches, and how patches that cannot be seen are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def to_patches(frames: Tensor, patch_size: int) -> Tensor:
    """Cut frames into patches in reading order.

    Args:
        frames: Shape (B, H, W, C), any dtype; H and W are multiples of the patch size.
        patch_size: Side p of a patch in pixels.

    Returns:
        Shape (B, N, p * p * C): N = H W / p^2 patches, each flattened row, column, channel.
    """
    batch, height, width, channels = frames.shape
    rows, columns = height // patch_size, width // patch_size
    grid = frames.reshape(batch, rows, patch_size, columns, patch_size, channels).transpose(2, 3)
    return grid.reshape(batch, rows * columns, patch_size * patch_size * channels)


def gather(patches: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor | None]:
    """Only the chosen patches, in their order: the others are removed, so they can influence nothing.

    Args:
        patches: Shape (B, N, ...).
        chosen: Shape (B, N), bool.

    Returns:
        Shape (B, n, ...) with n the greatest number of chosen patches (at least 1), and what to add to attention
        scores, (B, n): ``-inf`` where a row has fewer than n. ``None`` if all rows have n.
    """
    counts = chosen.sum(dim=1)
    most = max(1, int(counts.max()))
    if most == chosen.shape[1] and int(counts.min()) == most:
        return patches, None
    # Only the smallest n of these numbers are needed, and they are the places of the chosen patches.
    place = torch.arange(chosen.shape[1], device=chosen.device).expand_as(chosen)
    order = torch.where(chosen, place, place + chosen.shape[1]).topk(most, dim=1, largest=False, sorted=True).values
    order = order % chosen.shape[1]
    gathered = patches[torch.arange(len(patches), device=order.device)[:, None], order]
    if int(counts.min()) == most:
        return gathered, None
    missing = torch.arange(most, device=counts.device)[None] >= counts[:, None]
    return gathered, torch.zeros_like(missing, dtype=torch.float32).masked_fill(missing, float("-inf"))


def unmoved(patches: Tensor) -> Tensor:
    """Which patches show the same in all their frames: uint8 (B, N, k, D) -> bool (B, N)."""
    # Four pixels are compared at once where they can be.
    frames = patches.view(torch.int32) if patches.shape[-1] % 4 == 0 and patches.is_contiguous() else patches
    return (frames[:, :, 1:] == frames[:, :, :-1]).flatten(2).all(dim=2)
