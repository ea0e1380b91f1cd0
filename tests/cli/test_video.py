"""``symbench video``: a video for every kind of agent and task, and one line for every mistake."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gymnasium.spaces import Discrete
from PIL import Image

from symbench.policies.vision import SetTransformerNetwork
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from tests.cli.conftest import Symbench

CELL = "noise@1/CartPole-v1/add-noise-channels/+5/random/s0"


def test_sensors_become_a_gif_of_as_many_frames_as_asked_for(symbench: Symbench, tmp_path: Path) -> None:
    result = symbench("video", CELL, "--steps", 4, "--zoom", 1, "--out", "new/a.gif", "--episode", 1)
    assert result.exit_code == 0, result.output
    assert "episode 1 (seed 1000001), return 3" in result.output
    with Image.open(tmp_path / "new" / "a.gif") as gif:
        assert gif.n_frames == 4  # type: ignore[attr-defined]


def test_the_same_command_writes_the_same_mp4_under_a_name_of_the_cell(symbench: Symbench, tmp_path: Path) -> None:
    name = CELL.replace("/", "_") + "_e0.mp4"
    written = []
    for _ in range(2):
        result = symbench("video", CELL, "--steps", 3, "--zoom", 1)
        assert result.exit_code == 0 and name in result.output, result.output
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_a_cell_of_a_run_finds_its_agent_by_its_files(symbench: Symbench) -> None:
    symbench("run", "-s", "tiny.toml", "-t", "CartPole-v1", "-w", 1, "-a", "stranger=./mlp.json", "--out", "mine")
    cell = "tiny@1/CartPole-v1/shuffle-sensors/per-episode/stranger/s0"
    arguments = ("video", cell, "--run", "mine", "--steps", 2, "--zoom", 1, "--out", "a.gif")
    assert symbench(*arguments, "--agent", "mlp.json").exit_code == 0
    assert "name its files: --agent PATH" in symbench(*arguments).stderr


def test_a_reshuffle_is_marked_when_it_happens_and_not_before(symbench: Symbench, tmp_path: Path) -> None:
    def corners(level: str) -> list[bool]:
        cell = f"shuffle@2/CartPoleSwingUp/shuffle-sensors/{level}/attention-neuron/s0"
        result = symbench("video", cell, "--steps", 102, "--zoom", 1, "--out", "a.gif")
        assert result.exit_code == 0, result.output
        with Image.open(tmp_path / "a.gif") as gif:
            assert gif.n_frames == 102  # type: ignore[attr-defined]
            return [_corner_is_orange(gif, step) for step in range(102)]

    assert corners("every-100") == [False] * 100 + [True] * 2
    assert not any(corners("per-episode")), "an order that stays is no reshuffle"


def _corner_is_orange(gif: Image.Image, step: int) -> bool:
    gif.seek(step)
    red, green, blue = gif.convert("RGB").getpixel((1, 1))  # type: ignore[misc]
    return bool(red > 200 and 120 < green < 190 and blue < 60)


def test_attended_patches_are_drawn(symbench: Symbench, tmp_path: Path) -> None:
    network = SetTransformerNetwork(Discrete(6), num_codes=4, code_dim=4, conv=(), hidden=(4,))
    save_agent(network, tmp_path / "set", {"agent": "set"})
    cell = "shuffle@2/Pong/shuffle-patches/per-episode/set/s0"
    result = symbench("video", cell, "--agent", "set.json", "--steps", 2, "--zoom", 2, "--out", "a.gif")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "a.gif") as gif:
        colours = gif.convert("RGB").getcolors(2**20) or []
    assert any(red > 200 and 120 < green < 190 and blue < 60 for _, (red, green, blue) in colours)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "a.avi"), "a video is a .mp4 or .gif file, received 'a.avi'"),
        (("--out", "tiny.toml/a.gif"), "cannot write 'tiny.toml/a.gif'"),
        (("--out", "a.gif", "--episode", 100), "episode must be between 0 and 99"),
        (("--out", "a.gif", "--steps", 0), "steps must be at least 1, received 0"),
    ],
)
def test_a_mistake_is_one_line(symbench: Symbench, arguments: tuple[object, ...], message: str) -> None:
    result = symbench("video", CELL, *arguments)
    assert result.exit_code == 2 and message in result.stderr, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert not Path("a.gif").exists()


def test_an_unknown_cell_is_named(symbench: Symbench) -> None:
    result = symbench("video", CELL.replace("+5", "+6"))
    assert result.exit_code == 2 and "did you mean" in result.stderr


def test_a_missing_package_is_named(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    result = symbench("video", CELL, "--out", "a.mp4")
    assert result.exit_code == 2 and "pip install 'symbench[pictures]'" in result.stderr
