"""How cities are drawn, and TSPLIB files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from symbench.envs.routing.instances import DISTRIBUTIONS
from symbench.envs.routing.tours import distances
from symbench.envs.routing.tsplib import read_tsplib
from symbench.errors import SymbenchError


def drawn(name: str, count: int) -> np.ndarray:
    cities = np.full((count, 2), np.nan, np.float32)
    DISTRIBUTIONS[name](np.random.default_rng(0), cities)
    return cities


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_cities_are_in_the_unit_square(name: str) -> None:
    cities = drawn(name, 5000)
    assert cities.min() >= 0 and cities.max() <= 1
    np.testing.assert_array_equal(cities, drawn(name, 5000))


def test_uniform_is_uniform_and_clustered_is_not() -> None:
    uniform, clustered = (drawn(name, 2000) for name in ("uniform", "clustered"))
    assert min(kstest(axis, "uniform").pvalue for axis in uniform.T) > 1e-3
    assert max(kstest(axis, "uniform").pvalue for axis in clustered.T) < 1e-6
    nearest = [np.sort(distances(cities), axis=1)[:, 1].mean() for cities in (uniform, clustered)]
    assert nearest[1] < 0.7 * nearest[0]


FILE = """NAME : square4
TYPE : TSP (four corners)
COMMENT : by hand
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0.0 0.0
2 0 10.4
3 10.4 1.04e1
4 10.4 0
EOF
"""


def test_a_tsplib_file(tmp_path: Path) -> None:
    path = tmp_path / "square4.tsp"
    path.write_text(FILE)
    instance = read_tsplib(path)
    assert instance.name == "square4" and instance.cities.dtype == np.float64
    np.testing.assert_array_equal(instance.cities, [[0, 0], [0, 10.4], [10.4, 10.4], [10.4, 0]])
    assert instance.length(np.arange(4)) == 40  # each edge is rounded


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("EUC_2D", "EXPLICIT", "EDGE_WEIGHT_TYPE must be EUC_2D, received EXPLICIT"),
        ("EDGE_WEIGHT_TYPE : EUC_2D\n", "", "EDGE_WEIGHT_TYPE must be EUC_2D, received none"),
        ("TSP (", "ATSP (", r"TYPE must be TSP, received ATSP"),
        ("2 0 10.4", "2 0 nan", "coordinates must be finite, received '2 0 nan'"),
        ("2 0 10.4", "2 0", "every line of NODE_COORD_SECTION must be a number and two coordinates"),
        ("2 0 10.4", "2 0 ten", "every line of NODE_COORD_SECTION must be a number and two coordinates"),
        ("DIMENSION : 4", "DIMENSION : 5", "DIMENSION is 5, but there are 4 cities"),
        ("DIMENSION : 4\n", "", "DIMENSION is missing, but there are 4 cities"),
        (FILE[FILE.index("2 0 10") : FILE.index("EOF")], "", "at least 2 cities are needed, received 1"),
        ("NODE_COORD_SECTION", "DISPLAY_DATA_SECTION", "at least 2 cities are needed, received 0"),
    ],
)
def test_other_files_are_one_clear_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "bad.tsp"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(SymbenchError, match=message) as caught:
        read_tsplib(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SymbenchError, match=r"cannot read nowhere\.tsp \(No such file"):
        read_tsplib("nowhere.tsp")
