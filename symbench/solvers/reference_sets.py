"""Reference tours of the benchmark's episodes, stored with the package: ``python -m symbench.solvers.reference_sets``.

Episode ``e`` of a task is the instance that its environment draws when reset with seed ``first_seed + e``; the tours of
these instances were found once, by :mod:`symbench.solvers.references`, so that nobody needs a solver to know how far
from optimal an agent is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import typer

from symbench.envs.routing.cvrp import CVRPVectorEnv
from symbench.envs.routing.tours import route_lengths, tour_lengths
from symbench.envs.routing.tsp import TSPVectorEnv
from symbench.errors import SymbenchError, unknown
from symbench.solvers.references import reference_routes, reference_tours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Instances = dict[str, NDArray[np.float32]]

DATA: Final = Path(__file__).parent / "data"
FIRST_SEED: Final = 1_000_000  # that of the suites
# Number of cities or customers, of instances, and runs of LKH or iterations of PyVRP.
SETS: Final = {"TSP20": (20, 10_000, 3), "TSP50": (50, 1000, 3), "TSP100": (100, 1000, 3), "CVRP20": (20, 1000, 500)}
"""Name of a task -> its size, how many instances there are, and how hard was tried."""


@dataclass(frozen=True)
class ReferenceSet:
    """Reference tours of consecutive seeds.

    Attributes:
        name: Of the task.
        tours: (E, n), of vehicles (E, L), uint8.
        lengths: Theirs, (E,), float64.
        first_seed: Of the first instance.
        sha256: Of all instances, see :func:`digest`.
        command: What made the file.
        solver: Packages that found the tours, with versions.
    """

    name: str
    tours: NDArray[np.uint8] = field(repr=False)
    lengths: NDArray[np.float64] = field(repr=False)
    first_seed: int
    sha256: str
    command: str
    solver: str

    def lengths_of(self, seeds: Any) -> NDArray[np.float64]:
        """Lengths of the reference tours of some episodes, in the shape of their seeds.

        Raises:
            SymbenchError: There is none for one of the seeds.
        """
        places = np.asarray(seeds, np.int64) - self.first_seed
        if places.size and not (0 <= places.min() <= places.max() < len(self.lengths)):
            last = self.first_seed + len(self.lengths) - 1
            raise SymbenchError(
                f"references of {self.name} are of seeds {self.first_seed} to {last}, not of all of these"
            )
        return self.lengths[places]


@lru_cache
def reference_set(name: str) -> ReferenceSet:
    """The stored references of a task.

    Raises:
        SymbenchError: It has none.
    """
    if name not in SETS:
        raise unknown("set of reference tours", name, SETS)
    with np.load(DATA / f"{name}.npz") as file:
        texts = {key: str(file[key]) for key in ("sha256", "command", "solver")}
        return ReferenceSet(name, file["tours"], file["lengths"], int(file["first_seed"]), **texts)


def instances_of(name: str, count: int | None = None) -> Instances:
    """The instances of a task from :data:`FIRST_SEED` on: ``cities`` (E, n, 2) and, of vehicles, ``demands``.

    Args:
        name: Of the task.
        count: How many. [all]
    """
    size, every, _ = SETS[name]
    vector_class = CVRPVectorEnv if name.startswith("CVRP") else TSPVectorEnv
    drawn, _ = vector_class(every if count is None else count, n=size).reset(seed=FIRST_SEED)
    return {key: drawn[key] for key in ("cities", "demands") if key in drawn}


def digest(instances: Instances) -> str:
    """SHA-256 of all numbers, in the order of the names."""
    found = hashlib.sha256()
    for key in sorted(instances):
        found.update(np.ascontiguousarray(instances[key], "<f4").tobytes())
    return found.hexdigest()


def lengths_in(instances: Instances, tours: NDArray[Any]) -> NDArray[np.float64]:
    """Lengths of tours, of vehicles where instances have demands; (E,)."""
    return (route_lengths if "demands" in instances else tour_lengths)(instances["cities"], tours)


def write(name: str, folder: Path) -> Path:
    """Find the reference tours of a task and write its file."""
    from importlib.metadata import version

    instances, effort = instances_of(name), SETS[name][2]
    if "demands" in instances:
        tours = reference_routes(instances["cities"], instances["demands"], effort)
        tours = tours[:, : int(np.flatnonzero(tours.any(axis=0)).max()) + 1]  # without zeros that all of them end with
        solver = f"pyvrp {version('pyvrp')}, {effort} iterations each"
    else:
        tours, solver = reference_tours(instances["cities"], effort), f"elkai {version('elkai')}, {effort} runs each"
    path = folder / f"{name}.npz"
    np.savez_compressed(
        path,
        tours=tours.astype(np.uint8),
        lengths=lengths_in(instances, tours),
        first_seed=FIRST_SEED,
        sha256=digest(instances),
        command=f"python -m symbench.solvers.reference_sets {name}",
        solver=solver,
    )
    return path


def main(
    names: Annotated[list[str], typer.Argument(help=f"Which: {', '.join(SETS)}.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where files are written.")] = DATA,
) -> None:
    """Find reference tours and store them; needs the extra [routing]."""
    for name in names:
        if name not in SETS:
            raise unknown("set of reference tours", name, SETS)
        path = write(name, out)
        with np.load(path) as file:
            typer.echo(
                f"{path}: {len(file['lengths'])} tours, mean length {file['lengths'].mean():.4f}, {file['solver']}"
            )


if __name__ == "__main__":
    typer.run(main)
