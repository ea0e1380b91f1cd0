"""What each perturbation of frames does to the pixels."""

from __future__ import annotations

import builtins
import hashlib

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from wrapper_cases import Frames, batch

from symbench import wrappers
from symbench.errors import SymbenchError
from symbench.wrappers.background_pictures import TEXTURES, pinned, texture
from symbench.wrappers.backgrounds import SwapBackground
from symbench.wrappers.checks import portion
from symbench.wrappers.patches import OccludePatches, ShufflePatches

IMAGES = ("ShufflePatches", "OccludePatches", "SwapBackground")


def frames(*shape):
    return spaces.Box(0, 255, shape, np.uint8)


SHAPES = st.tuples(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.sampled_from([(), (1,), (3,), (4,)])
).map(lambda drawn: (drawn[2], (drawn[0] * drawn[2], drawn[1] * drawn[2], *drawn[3])))


def patches_of(frame, size):
    """The plain double loop that the wrapper is to agree with."""
    height, width = frame.shape[:2]
    return [
        frame[top : top + size, left : left + size] for top in range(0, height, size) for left in range(0, width, size)
    ]


@given(case=SHAPES, rows=st.integers(1, 3))
def test_patches_are_moved_whole(case, rows):
    size, shape = case
    given_, seen = batch(ShufflePatches(patch_size=size), frames(*shape), rows)
    for before, after in zip(given_, seen, strict=True):
        expected, found = (sorted(patch.tobytes() for patch in patches_of(frame, size)) for frame in (before, after))
        assert expected == found


def test_each_place_shows_any_patch_equally_often():
    given_ = np.repeat(np.arange(6, dtype=np.uint8)[None], 6000, axis=0).reshape(6000, 2, 3)
    shuffle = ShufflePatches(patch_size=1)
    shuffle.bind(frames(2, 3), spaces.Discrete(2), 6000, 0)
    seen = shuffle.reset(given_, np.ones(6000, bool), list(range(6000))).reshape(6000, 6)
    for place in range(6):
        assert abs(np.bincount(seen[:, place]) - 1000).max() < 5 * np.sqrt(1000)


def test_a_frame_that_is_not_contiguous_is_shuffled_alike():
    shuffle = ShufflePatches(patch_size=3)
    given_, seen = batch(shuffle, frames(6, 9, 3), 2)
    strided = np.ascontiguousarray(given_[:, ::-1])[:, ::-1]
    assert not strided.flags.c_contiguous
    assert np.array_equal(shuffle.step(strided, None), seen)


@given(case=SHAPES, ratio=st.floats(0, 1), fill=st.integers(0, 255))
def test_hidden_patches_are_filled_and_the_others_untouched(case, ratio, fill):
    size, shape = case
    given_, seen = batch(OccludePatches(ratio, size, fill, patch_mask=True), frames(*shape), 2)
    for before, after, mask in zip(given_, seen["image"], seen["mask"], strict=True):
        assert np.count_nonzero(mask == 0) == portion(ratio, mask.size)
        for one, other, visible in zip(patches_of(before, size), patches_of(after, size), mask, strict=True):
            assert np.array_equal(other, one if visible else np.full_like(one, fill))


def test_the_mask_changes_nothing_but_the_form():
    parameters = {"ratio": 0.5, "patch_size": 2, "fill": 9}
    plain = batch(OccludePatches(**parameters), frames(8, 8, 3), 3)[1]
    masked = batch(OccludePatches(**parameters, patch_mask=True), frames(8, 8, 3), 3)[1]
    assert np.array_equal(plain, masked["image"])


def test_only_key_colours_are_replaced():
    swap = SwapBackground("noise", colors=[[0, 0, 0], [9, 9, 200]], tolerance=2)
    swap.bind(frames(4, 5, 3), spaces.Discrete(2), 1, 0)
    given_ = np.full((1, 4, 5, 3), 100, np.uint8)
    given_[0, 0], given_[0, 1], given_[0, 2] = (2, 0, 1), (11, 7, 199), (3, 0, 0)
    changed = (swap.reset(given_, np.ones(1, bool), [0]) != given_).any(axis=(0, 2, 3))
    assert changed.tolist() == [True, True, False, False]


@pytest.mark.parametrize("shape", [(6, 8, 3), (6, 8, 1), (6, 8, 4), (6, 8)])
def test_strength_blends(shape):
    def behind(strength):
        swap = SwapBackground("clouds", strength=strength)
        swap.bind(frames(*shape), spaces.Discrete(2), 1, 0)
        return swap.reset(np.zeros((1, *shape), np.uint8), np.ones(1, bool), [0]).astype(float)

    assert behind(1.0).any()
    assert np.abs(behind(0.5) - behind(1.0) / 2).max() <= 0.5
    assert not behind(0.0).any()


def test_the_background_is_another_in_every_episode_and_stays_during_one():
    env = wrappers.SwapBackground(Frames(), background="clouds", tolerance=255)
    first, _ = env.reset(seed=0)
    assert np.array_equal(first, env.step(0)[0])
    assert not np.array_equal(first, env.reset()[0])


def test_the_moving_background_drifts_by_a_pixel_per_step_and_starts_anew():
    env = wrappers.SwapBackground(Frames(), background="moving", tolerance=255)
    seen = [env.reset(seed=0)[0], *(env.step(0)[0] for _ in range(20))]
    assert all(np.array_equal(seen[t], np.roll(seen[0], -t, axis=1)) for t in range(21))


@given(
    kind=st.sampled_from(sorted(TEXTURES)),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 4])),
    seed=st.integers(0, 10**6),
)
def test_textures_fit_any_frame_and_depend_on_the_generator_only(kind, shape, seed):
    first, again, other = (texture(kind, np.random.default_rng(s), shape) for s in (seed, seed, seed + 1))
    assert first.shape == shape and first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert shape[0] * shape[1] < 100 or not np.array_equal(first, other)


PUBLISHED_TEXTURES = {
    "checker": "2d36766c8eaa225e",
    "clouds": "6ee60a691fc71d06",
    "gradient": "fffbe239e3e71e8a",
    "mixed": "674dd000ffa17a87",
    "moving": "6ee60a691fc71d06",
    "noise": "02c228bd6e920215",
    "stripes": "348b947cb4409cb7",
}


@pytest.mark.parametrize("kind", TEXTURES)
def test_textures_of_published_suites_stay_as_they_are(kind):
    frames = [texture(kind, np.random.default_rng(7), shape).tobytes() for shape in ((84, 84, 3), (10, 12, 1))]
    assert hashlib.sha256(b"".join(frames)).hexdigest()[:16] == PUBLISHED_TEXTURES[kind]


def test_a_texture_lies_between_its_two_colours(monkeypatch):
    monkeypatch.setitem(
        TEXTURES, "ramp", lambda rng, height, width: np.linspace(0, 1, height * width).reshape(height, -1)
    )
    first, second = np.random.default_rng(3).integers(0, 256, (2, 3))
    seen = texture("ramp", np.random.default_rng(3), (5, 1, 3))[:, 0]
    assert np.array_equal(seen[[0, -1]], [first, second])
    assert np.array_equal(seen[2], np.rint((first + second) / 2))


@pytest.mark.parametrize("kind", ["gradient", "clouds"])
def test_smooth_textures_use_the_whole_way_from_colour_to_colour(kind):
    field = TEXTURES[kind](np.random.default_rng(0), 24, 36)
    assert (field.min(), field.max()) == (0, 1)
    assert TEXTURES["gradient"](np.random.default_rng(0), 1, 1).tolist() == [[0]]


@pytest.mark.parametrize("shape", [(6, 8, 3), (6, 8, 1), (6, 8, 4), (6, 8)])
def test_an_image_of_the_user_is_stretched_to_the_frame(tmp_path, shape):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[:, 15:] = 200
    path = tmp_path / "picture.png"
    image.fromarray(picture).save(path)
    _, seen = batch(SwapBackground(str(path), tolerance=255), frames(*shape), 2)
    seen = seen.reshape(2, 6, 8, -1)[..., :3]
    assert np.all(seen[:, :, :2] == 0) and np.all(seen[:, :, -2:] == 200)


def test_a_file_that_is_no_image_is_refused(tmp_path):
    pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path = tmp_path / "notes.png"
    path.write_text("not an image")
    with pytest.raises(SymbenchError, match=r"notes.png' is not a readable image"):
        wrappers.SwapBackground(Frames(), background=str(path))


def test_an_image_may_be_pinned_to_its_content(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path = tmp_path / "picture.png"
    image.fromarray(np.full((4, 4), 50, np.uint8)).save(path)
    pin = pinned(str(path))
    assert pin.startswith(f"{path}#sha256=") and pinned(pin) == pin
    assert (pinned("clouds"), pinned("cluods")) == ("clouds", "cluods")
    _, seen = batch(SwapBackground(pin, tolerance=255), frames(6, 6), 1)
    assert np.all(seen == 50)
    image.fromarray(np.full((4, 4), 60, np.uint8)).save(path)
    assert pinned(str(path)) != pin
    with pytest.raises(SymbenchError, match="is no longer the image with sha256"):
        wrappers.SwapBackground(Frames(), background=pin)


def test_the_image_that_was_hashed_is_the_one_shown(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path = tmp_path / "picture.png"
    image.fromarray(np.full((4, 4), 50, np.uint8)).save(path)
    pin, read_bytes = pinned(str(path)), type(path).read_bytes

    def read_and_replace(file):
        content = read_bytes(file)
        image.fromarray(np.full((4, 4), 60, np.uint8)).save(path)
        return content

    monkeypatch.setattr(type(path), "read_bytes", read_and_replace)
    _, seen = batch(SwapBackground(pin, tolerance=255), frames(6, 6), 1)
    assert np.all(seen == 50)


def test_an_image_too_large_to_be_one_is_refused(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path = tmp_path / "picture.png"
    image.fromarray(np.zeros((40, 40), np.uint8)).save(path)
    monkeypatch.setattr(image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(SymbenchError, match=r"picture.png' is not a readable image.*exceeds limit"):
        wrappers.SwapBackground(Frames(), background=str(path))


def test_without_pillow_the_message_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    path.touch()
    real_import = builtins.__import__

    def no_pillow(name, *args, **kwargs):
        if name == "PIL":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pillow)
    with pytest.raises(SymbenchError, match=r"needs Pillow: pip install pillow"):
        wrappers.SwapBackground(Frames(), background=str(path))


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(3),
        spaces.Box(0, 255, (6,), np.uint8),
        spaces.Box(0, 1, (6, 6, 3), np.float32),
        frames(6, 6, 6),
        frames(6, 6, 6, 6),
        frames(2, 4, 6, 6, 3),
        spaces.Tuple([frames(6, 6, 3)]),
        spaces.Dict({"a": spaces.Dict({"b": frames(6, 6, 3)})}),
    ],
    ids=str,
)
def test_what_is_no_frame_is_refused(name, space):
    env = Frames()
    env.observation_space = space
    remedy = "for sensors there are" if space.shape == (6,) else "put it before frame stacks"
    with pytest.raises(SymbenchError, match=f"{name} needs frames, a uint8 Box of shape .* received.*{remedy}"):
        wrappers.wrapper_of(name)(env)


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("ShufflePatches", {"patch_size": 5}, SymbenchError, "patch_size 5 does not divide the 12x18 .* 1, 2, 3, 6$"),
        ("ShufflePatches", {"patch_size": 0}, SymbenchError, "patch_size must be at least 1, received 0"),
        ("ShufflePatches", {"patch_size": 6.0}, TypeError, "patch_size must be a whole number, received 6.0"),
        ("OccludePatches", {"patch_size": 4}, SymbenchError, "patch_size 4 does not divide"),
        ("OccludePatches", {"ratio": -0.1}, SymbenchError, "ratio must be between 0.0 and 1.0, received -0.1"),
        ("OccludePatches", {"fill": 256}, SymbenchError, "fill must be between 0 and 255, received 256"),
        ("OccludePatches", {"patch_mask": "yes"}, TypeError, "patch_mask must be true or false, received 'yes'"),
        ("OccludePatches", {"severity": 3, "ratio": 0.1}, SymbenchError, "severity=3 sets ratio"),
        ("SwapBackground", {"background": "cloud"}, SymbenchError, "'cloud'; did you mean 'clouds'"),
        ("SwapBackground", {"background": 3}, TypeError, "background must be .* received 3"),
        ("SwapBackground", {"anchor": "worlds"}, SymbenchError, "unknown anchor 'worlds'; did you mean 'world'"),
        ("SwapBackground", {"level": 256}, SymbenchError, "level must be between 0 and 255, received 256"),
        ("SwapBackground", {"background": "no.png"}, SymbenchError, "image that does not exist in .* 'no.png'"),
        ("SwapBackground", {"colors": []}, SymbenchError, "colors must hold at least one colour, received"),
        ("SwapBackground", {"colors": [0, 0, 0]}, TypeError, "colors must be a list of colours"),
        ("SwapBackground", {"colors": [[0, 0]]}, SymbenchError, "must have 3 channels like the frame, received .0, 0."),
        ("SwapBackground", {"colors": [[0, 0, 300]]}, SymbenchError, "channel must be between 0 and 255, received 300"),
        ("SwapBackground", {"strength": 2}, SymbenchError, "strength must be between 0.0 and 1.0, received 2"),
        ("SwapBackground", {"tolerance": -1}, SymbenchError, "tolerance must be between 0 and 255, received -1"),
    ],
)
def test_wrong_parameters_are_refused_with_what_was_received(name, parameters, error, message):
    with pytest.raises(error, match=message):
        wrappers.wrapper_of(name)(Frames(), **parameters)


def test_a_severity_goes_with_parameters_that_it_does_not_set():
    env = wrappers.OccludePatches(Frames(), severity=2, patch_size=3)
    expected = {"ratio": 0.25, "patch_size": 3, "fill": 0, "patch_mask": False, "resample": "episode"}
    assert env.transform.parameters() == expected


def test_hidden_patches_may_change_within_an_episode():
    env = wrappers.OccludePatches(Frames(), ratio=0.5, patch_size=2, patch_mask=True, resample=3)
    masks = [tuple(env.reset(seed=0)[0]["mask"])]
    masks += [tuple(env.step(env.action_space.sample())[0]["mask"]) for _ in range(11)]
    assert all(masks[i] == masks[i - i % 3] for i in range(12))
    assert len(set(masks)) > 2
