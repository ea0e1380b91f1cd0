"""Published weights in damaged and hostile archives, and how much memory a few bytes may take."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hostile_cases import SMALL, TWO, card_of, mutated, refused, write_card

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS
from symbench.zoo import load_published, save_agent

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_archives_load_or_one_line_says_why(tmp_path: Path, compressed: bool) -> None:
    rng, file = np.random.default_rng(0), tmp_path / "weights.npz"
    (np.savez_compressed if compressed else np.savez)(file, params=rng.normal(size=913))
    whole, messages = file.read_bytes(), []
    for _ in range(1500):
        file.write_bytes(mutated(whole, rng))
        messages.append(refused(load_published, "cartpole_pi", file))
    assert sum(message is not None for message in messages) > 1000
    file.write_bytes(whole)
    assert load_published("cartpole_pi", file).name == "cartpole_pi"


def test_one_wrong_byte_of_an_archive_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "weights.npz"
    np.savez(file, params=np.zeros(913))
    content = bytearray(file.read_bytes())
    content[2000] ^= 1
    file.write_bytes(content)
    assert "CRC" in str(refused(load_published, "cartpole_pi", file))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (np.zeros(913, bool), "'params' holds bool; real numbers were expected"),
        (np.zeros(913, complex), "'params' holds complex128; real numbers"),
        (np.full(913, "1.0"), "'params' holds <U3; real numbers"),
        (np.zeros(913, "S8"), r"'params' holds \|S8; real numbers"),
        (np.zeros(913, "datetime64[s]"), r"'params' holds datetime64\[s\]; real numbers"),
        (np.zeros(913, [("a", "f4")]), "real numbers"),
        (np.full(913, np.nan), "'params' holds numbers that are not finite"),
        (np.full(913, 1e300), "'params' holds numbers that are not finite"),
        (np.zeros(10**6), "'params' takes 8,000,128 bytes, 913 parameters take at most"),
    ],
)
def test_vectors_that_are_no_weights_are_refused(tmp_path: Path, params: np.ndarray, message: str) -> None:
    np.savez_compressed(tmp_path / "weights.npz", params=params)
    with pytest.raises(SymbenchError, match=message):
        load_published("cartpole_pi", tmp_path / "weights.npz")


@pytest.mark.parametrize("dtype", [">f8", ">f4", "<f2", "<i8"])
def test_every_way_to_write_a_number_is_read(tmp_path: Path, dtype: str) -> None:
    np.savez(tmp_path / "weights.npz", params=(np.arange(913) % 100).astype(dtype))
    network = load_published("cartpole_pi", tmp_path / "weights.npz").network
    assert network.head[0].bias.item() == 912 % 100


def archive(file: Path, shape: str, data: bytes) -> None:
    """An archive whose array says of itself that it has this shape."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("params.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data)


@pytest.mark.parametrize(
    "shape", ["(10**9,)", "(1000000000000,)", "(-1,)", "(2**70,)", "(" * 90 + ")" * 90, "('a',)", "3"]
)
def test_arrays_that_say_more_than_they_hold_are_refused(tmp_path: Path, shape: str) -> None:
    archive(tmp_path / "weights.npz", shape, bytes(8 * 913))
    assert refused(load_published, "cartpole_pi", tmp_path / "weights.npz")


MEASURE = """
import resource, sys, time
import scipy.sparse.csgraph  # what bases of equivariant layers need
from pathlib import Path
from symbench.errors import SymbenchError
from symbench.zoo import load_agent, load_published

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

files, modules = sys.argv[2:], len(sys.modules)
for kind in sys.argv[1].split():
    load_agent(Path(files[0]).with_name(kind))
print(len(sys.modules) - modules)
for file in files:
    before, start = peak(), time.perf_counter()
    try:
        load_published("cartpole_pi", file) if file.endswith(".npz") else load_agent(file)
    except SymbenchError as error:
        print(f"{Path(file).stem}\\t{peak() - before}\\t{time.perf_counter() - start}\\t{error}")
"""

BOMBS: dict[str, tuple[str, dict[str, Any]]] = {
    "wide": ("mlp", {"hidden": [20_000, 20_000]}),
    "long": ("mlp", {"hidden": [1] * 200_000}),
    "blocks": ("set-transformer", {"blocks": 10**9}),
    "codes": ("vision-attention-neuron", {"num_codes": 10**8, "head": "attention-agent"}),
    "places": ("attention-agent", {"size": 10**5}),
    "linear": ("nature-cnn", {"size": 4_000}),
    "group": ("equivariant-mlp", {"group": "S6", "observation": {"dim": 5}}),
    "turns": ("equivariant-mlp", {"group": "C128", "observation": {"dim": 5}, "hidden": [4, 4]}),
    "dim": ("equivariant-mlp", {"observation": {"dim": 10**5}}),
    "kernel": ("equivariant-cnn", {"size": 20_000, "conv": [[1, 10_000, 1]]}),
    "dense": ("equivariant-cnn", {"size": 1_007, "pool": "flatten", "hidden": [10_000]}),
}


@pytest.mark.slow
def test_few_bytes_take_neither_much_memory_nor_much_time(tmp_path: Path) -> None:
    for kind in NETWORKS:
        save_agent(NETWORKS[kind](action_space=TWO, **SMALL[kind]), tmp_path / kind, {})
    for name, (kind, changes) in BOMBS.items():
        path = tmp_path / name
        save_agent(NETWORKS[kind](action_space=TWO, **SMALL[kind]), path, {})
        write_card(path, {**card_of(path), "config": {**card_of(path)["config"], **changes}})
    np.savez_compressed(tmp_path / "zeros.npz", params=np.zeros(2 * 10**8, np.uint8))
    archive(tmp_path / "said.npz", "(2000000000,)", bytes(8 * 913))
    files = [str(tmp_path / name) for name in (*BOMBS, "zeros.npz", "said.npz")]
    command = [sys.executable, "-c", MEASURE, " ".join(NETWORKS), *files]
    modules, *others = subprocess.run(command, text=True, capture_output=True, check=True).stdout.splitlines()
    assert int(modules) < 100  # some operations on torch's meta device import 800, which takes seconds
    lines = [line.split("\t") for line in others]
    assert [line[0] for line in lines] == [*BOMBS, "zeros", "said"]
    assert {name: megabytes for name, megabytes, *_ in lines if float(megabytes) > 100} == {}
    assert {name: seconds for name, _, seconds, _ in lines if float(seconds) > 10} == {}
