"""Colours are told apart by people who see no red, no green or no blue."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from symbench.exports.inline_svg import COLOURS
from symbench.plot.style import PALETTE_HEX

# What is left of linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
JUST_VISIBLE = 2.3  # of CIE 1976


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    encoded = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    relative = TO_XYZ @ np.clip(seen @ linear, 0, 1) / (TO_XYZ @ np.ones(3))
    x, y, z = np.where(relative > 0.008856, np.cbrt(relative), 7.787 * relative + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours: tuple[str, ...], seen: np.ndarray) -> float:
    return min(
        float(np.linalg.norm(lab(one, seen) - lab(other, seen))) for one, other in itertools.combinations(colours, 2)
    )


@pytest.mark.parametrize("eye", SEEN)
def test_colours_differ_for_every_eye(eye: str) -> None:
    assert nearest(PALETTE_HEX, np.array(SEEN[eye])) > 4 * JUST_VISIBLE
    assert nearest(tuple(dark for _, dark in COLOURS), np.array(SEEN[eye])) > 2 * JUST_VISIBLE


def test_red_beside_green_would_be_noticed() -> None:
    assert nearest(("#ff0000", "#8f7b00"), np.array(SEEN["deuteranopia"])) < 10 * JUST_VISIBLE
