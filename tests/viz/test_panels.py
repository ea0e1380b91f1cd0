"""What panels of a video draw says what it is drawn of."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from symbench.viz import colours
from symbench.viz.ground_truth import sensor_names
from symbench.viz.panels import attention, bars, stack
from symbench.viz.replay import Replay

RED, DARK, WHITE = colours.VERMILION, colours.CHARCOAL, (255, 255, 255)


def test_attention_is_red_where_positive_dark_where_negative_white_where_none() -> None:
    weights = np.array([[1.0, -1.0], [0.0, 0.0], [-7.0, 7.0], [0.0, 0.0]])  # codes x sensors
    picture = attention(weights, ["first", "second"], np.array([1, -1]), height=200)
    rows, left = (50, 150), 107  # the middle of each row; where the codes begin
    places = [left + round((picture.shape[1] - left - 6) * (code + 0.5) / 4) for code in range(4)]
    seen = [[tuple(picture[row, column].tolist()) for column in places] for row in rows]
    assert seen == [[RED, WHITE, DARK, WHITE], [DARK, WHITE, RED, WHITE]]
    assert [tuple(picture[row, 97].tolist()) for row in rows] == [colours.of(1), colours.GREY], "noise is grey"


@pytest.mark.parametrize("draw", [bars, attention])
def test_long_names_stay_left_of_what_is_drawn(draw: object) -> None:
    values = np.zeros((3, 2) if draw is attention else 2)
    without, named = (
        draw(values, [name] * 2, np.array([-1, -1]), 100)  # type: ignore[operator]
        for name in ("", "the name of a sensor that nobody will ever read to its end")
    )
    assert not np.array_equal(without[:, :95], named[:, :95]) and np.array_equal(without[:, 95:], named[:, 95:])


def test_hundreds_of_sensors_are_drawn_without_names() -> None:
    weights = np.linspace(-1, 1, 1000)[None]
    picture = attention(weights, ["name"] * 1000, np.full(1000, -1), height=96)
    column = picture[:, -20].astype(int)
    assert tuple(column[0]) != tuple(column[48]) != tuple(column[95]) and (picture[:, :95] == picture[0, 0]).all()


def test_pictures_of_different_widths_are_stacked() -> None:
    picture = stack([np.zeros((2, 4, 3), np.uint8), np.ones((3, 6, 3), np.uint8)])
    assert picture.shape == (5, 6, 3) and (picture[:2, 4:] == 255).all() and (picture[2:] == 1).all()


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("CartPoleSwingUp", ("x (m)", "v (m/s)")),
        ("LunarLander-v3", ("x", "y")),  # of the catalogue of symmetries
        ("MountainCarContinuous-v0?goal_velocity=0.01", ("sensor 1", "sensor 2")),  # nothing is declared for this one
    ],
)
def test_sensors_are_called_as_they_are_called_anywhere(task: str, names: tuple[str, str]) -> None:
    with closing(Replay(task)) as replay:
        replay.reset(0)
        assert sensor_names(replay)[:2] == names
