"""The files: fonts inside, nothing outside, the same bytes again; an old one stays if the new one cannot be."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

import symbench
from symbench import plot
from symbench.errors import SymbenchError
from symbench.plot import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plot.conftest import Make


@pytest.fixture
def figure(make_run: Make) -> Any:
    return plot.figure(symbench.load(make_run()))


def test_fonts_are_embedded_as_true_type(figure: Any, tmp_path: Path) -> None:
    content = plot.save(figure, tmp_path / "fig.pdf").read_bytes()
    assert b"/FontFile2" in content and b"/Type3" not in content
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    unpacked = b"".join(zlib.decompress(stream) for stream in streams if stream.startswith(b"x"))
    assert b"Type3" not in unpacked


def test_an_svg_refers_to_nothing_outside(figure: Any, tmp_path: Path) -> None:
    content = plot.save(figure, tmp_path / "fig.svg").read_text()
    ElementTree.fromstring(content)
    assert "<text" not in content and "<!DOCTYPE" not in content and "<image" not in content
    references = re.findall(r'href="([^"]*)"|url\(([^)]*)\)', content)
    assert references and all((href or url).startswith("#") for href, url in references)
    assert set(re.findall(r'\bhttps?://[^"\s]+', content)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_data_give_the_same_bytes(make_run: Make, tmp_path: Path, form: str) -> None:
    run = make_run()
    once, again = (
        plot.save(plot.figure(symbench.load(run)), tmp_path / f"{name}.{form}").read_bytes() for name in "ab"
    )
    assert once == again
    assert b"20" + b"26-" not in once  # no date


@pytest.mark.parametrize("name", ["fig.gif", "fig", "fig.pdf.txt", ".pdf"])
def test_a_format_that_there_is_not_is_refused(figure: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(SymbenchError, match=r"must end with \.pdf, \.svg, \.png"):
        plot.save(figure, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(figure: Any, tmp_path: Path) -> None:
    (tmp_path / "fig.pdf").mkdir()
    with pytest.raises(SymbenchError, match="cannot write"):
        plot.save(figure, tmp_path / "fig.pdf")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
