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


@pytest.mark.slow
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


SHUFFLED = "shuffle@3/CartPoleSwingUp/shuffle-sensors/every-200"


def test_attention_stands_beside_the_sensors_of_an_agent_that_has_some(symbench: Symbench, tmp_path: Path) -> None:
    widths = {}
    for agent in ("mlp", "attention-neuron", "recurrent-attention-neuron"):
        result = symbench("video", f"{SHUFFLED}/{agent}/s0", "--steps", 2, "--zoom", 1, "--out", "a.gif")
        assert result.exit_code == 0, result.output
        with Image.open(tmp_path / "a.gif") as gif:
            widths[agent] = gif.width
    assert widths["mlp"] < widths["attention-neuron"] == widths["recurrent-attention-neuron"]


def test_two_agents_are_shown_on_the_same_episode_until_the_last_is_over(symbench: Symbench, tmp_path: Path) -> None:
    cells = [f"{SHUFFLED}/{agent}/s0" for agent in ("mlp", "attention-neuron")]
    result = symbench("video", *cells, "--episode", 800, "--zoom", 1, "--out", "a.gif")
    assert result.exit_code == 0, result.output
    # Both leave the track, the MLP later: steps 0 to its end are as many frames, and one when it is over.
    lines = result.output.splitlines()
    assert lines[1].startswith("mlp, episode 800 (seed 1000800), return 4.9")
    assert lines[2].startswith("attention-neuron, episode 800 (seed 1000800), return 4.8")
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 40 and gif.height > 2 * 96  # type: ignore[attr-defined]
    alone = symbench("video", cells[1], "--episode", 800, "--zoom", 1, "--out", "b.gif")
    assert alone.output.splitlines()[1].split("return ")[1] == lines[2].split("return ")[1]


@pytest.mark.slow
def test_a_gif_keeps_its_limit_and_says_its_size(symbench: Symbench, tmp_path: Path) -> None:
    arguments = ("video", f"{SHUFFLED}/attention-neuron/s0", "--steps", 60, "--zoom", 2, "--gif")
    name = SHUFFLED.replace("/", "_") + "_attention-neuron_s0_e0.gif"
    result = symbench(*arguments)
    assert result.exit_code == 0 and f"{name} (0." in result.output, result.output
    usual = (tmp_path / name).stat().st_size
    assert symbench(*arguments, "--megabytes", usual / 2e6).exit_code == 0
    assert 0 < (tmp_path / name).stat().st_size <= usual / 2
    result = symbench(*arguments, "--megabytes", 0.001)
    assert result.exit_code == 2 and "60 frames do not fit in 0.001 MB" in result.stderr
    assert 0 < (tmp_path / name).stat().st_size <= usual / 2, "what was there stays"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "a.avi"), "a video is a .mp4 or .gif file, received 'a.avi'"),
        (("--out", "tiny.toml/a.gif"), "cannot write 'tiny.toml/a.gif'"),
        (("--out", "a.gif", "--episode", 100), "episode must be between 0 and 99"),
        (("--out", "a.gif", "--steps", 0), "steps must be at least 1, received 0"),
        (("--out", "a.mp4", "--gif"), "--gif writes a .gif file, received --out 'a.mp4'"),
        (("--gif", "--megabytes", 0), "--megabytes must be more than 0"),
        (("--gif", "--megabytes", "nan"), "--megabytes must be more than 0"),
        ((f"{SHUFFLED}/mlp/s0",), "a video shows cells of one task, received CartPole-v1 and CartPoleSwingUp"),
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
