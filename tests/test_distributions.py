"""What is published: a wheel of less than 10 MB, a companion with the other agents, and a source distribution."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from zipfile import ZipFile

import pytest

from symbench import __version__
from symbench.zoo.companion import FOLDERS

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "symbench" / "zoo" / "weights"
AGENTS = {path.relative_to(WEIGHTS).as_posix() for path in WEIGHTS.rglob("*") if path.is_file()}
MAX_BYTES = 10_000_000


def compressed(files: set[Path]) -> int:
    return sum(len(zlib.compress(path.read_bytes())) for path in files)


def test_the_wheel_would_be_small() -> None:
    files = {path for path in (ROOT / "symbench").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    companion = {path for folder in FOLDERS for path in (WEIGHTS / folder).rglob("*") if path.is_file()}
    assert compressed(files - companion) < MAX_BYTES, "name a folder of weights in symbench/zoo/companion.json"
    assert compressed(files) > MAX_BYTES  # a wheel with everything would not be


def build(kind: str, folder: Path, out: Path) -> Path:
    """A wheel or an sdist, built as pip builds it, without installing what builds it."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = out.iterdir()
    return built


def contents(wheel: Path) -> set[str]:
    with ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def agents(wheel: Path) -> set[str]:
    return {name.partition("/weights/")[2] for name in contents(wheel) if "/weights/" in name}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    pytest.importorskip("hatchling", reason="hatchling is not installed: nothing can be built")
    out = tmp_path_factory.mktemp("wheels")
    return build("wheel", ROOT, out / "symbench"), build("wheel", ROOT / "zoo-package", out / "zoo")


def test_the_wheel_is_small_and_both_hold_every_agent_once(wheels: tuple[Path, Path]) -> None:
    symbench, zoo = wheels
    assert symbench.stat().st_size < MAX_BYTES < zoo.stat().st_size < 100_000_000  # what PyPI takes
    assert agents(symbench) | agents(zoo) == AGENTS and not agents(symbench) & agents(zoo)
    assert {name.partition("/")[0] for name in agents(zoo)} == FOLDERS


def test_both_have_one_version_and_a_licence(wheels: tuple[Path, Path]) -> None:
    assert [wheel.name.split("-")[1] for wheel in wheels] == [__version__, __version__]
    for wheel in wheels:
        with ZipFile(wheel) as opened:
            assert any(Path(name).name == "LICENSE" for name in opened.namelist())


def test_the_wheel_holds_every_module(wheels: tuple[Path, Path]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "symbench").rglob("*.py")}
    assert modules <= contents(wheels[0]) and len(modules) > 300


def test_the_sdist_makes_the_same_wheel(wheels: tuple[Path, Path], tmp_path: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    assert sdist.stat().st_size < MAX_BYTES
    with tarfile.open(sdist) as opened:
        opened.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    names = {path.name for path in unpacked.iterdir()}
    optional = {name for name in ("mkdocs.yml",) if (ROOT / name).exists()}
    assert names >= {"LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "CITATION.cff", "tests", "docs"} | optional
    assert contents(build("wheel", unpacked, tmp_path / "wheel")) == contents(wheels[0])
