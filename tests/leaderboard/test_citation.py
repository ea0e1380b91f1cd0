"""What is cited is cited by its right title, each by itself, whatever strangers write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from submission_cases import metadata

from symbench.leaderboard.citation import PAPERS, citations, software
from symbench.leaderboard.submission_schema import Card

ROOT = Path(__file__).parents[2]
CITATION: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PAPER, SOFTWARE, SUBMISSION = "The paper of the method", "The software", "This submission"


def cited(**changes: Any) -> dict[str, str]:
    return citations(Card.model_validate(metadata("mine", **changes)))


def fields(entry: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\w+) = \{(.*)\},?$", entry, flags=re.MULTILINE))


def plain(text: str) -> str:
    return text.replace("{", "").replace("}", "")


def test_papers_are_those_of_the_citation_file() -> None:
    for reference in CITATION["references"]:
        entry = fields(cited(paper=reference["url"])[PAPER])
        names = [f"{author['family-names']}, {author['given-names']}" for author in reference["authors"]]
        assert plain(entry["title"]) == reference["title"] and entry["author"] == " and ".join(names)
        assert (entry["year"], entry["volume"]) == (str(reference["year"]), str(reference["volume"]))
        assert entry["booktitle"] == reference["collection-title"] and entry["url"] == reference["url"]
    assert len(CITATION["references"]) == len(PAPERS)


def test_the_software_is_cited_alike_everywhere() -> None:
    entry = fields(software())
    assert entry["title"] == CITATION["title"] and plain(entry["author"]) == CITATION["authors"][0]["name"]
    (block,) = re.findall(r"```bibtex\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.sub(r" +=", " =", block).strip() == software()
    assert fields(software("1.2"))["version"] == "1.2" and "version" not in entry


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("https://arxiv.org/abs/2109.02869", True),
        ("http://www.arxiv.org/pdf/2109.02869v2.pdf", True),
        ("https://arxiv.org/abs/2109.02868", False),
        ("https://example.org/arxiv.org/abs/2109.02869", False),
        ("https://example.org/paper", False),
    ],
)
def test_a_paper_is_known_by_its_number_and_nothing_is_invented_of_others(address: str, known: bool) -> None:
    entry = cited(paper=address)[PAPER]
    assert entry.startswith("@inproceedings{tang2021sensory," if known else "@misc{mine-paper,")
    assert ("Tang" in entry) == known and ("title" in fields(entry)) == known
    assert fields(entry)["url"] == ("https://arxiv.org/abs/2109.02869" if known else address)


def test_each_entry_is_about_one_thing() -> None:
    found = cited(paper="https://arxiv.org/abs/2109.02869", code="https://example.org/code")
    assert list(found) == [PAPER, SOFTWARE, SUBMISSION]
    assert all(entry.startswith("@") and "\n@" not in entry for entry in found.values())
    assert "2109.02869" not in found[SUBMISSION] + found[SOFTWARE] and "Tang" not in found[SOFTWARE]
    assert fields(found[SUBMISSION])["url"] == "https://example.org/code"
    assert list(cited(paper=None)) == [SOFTWARE, SUBMISSION]


def test_the_text_of_a_stranger_stays_in_its_field() -> None:
    hostile = "}, author = {Mallory}} @misc{x, 100% $x_1$ \\end"
    entry = cited(authors=["Johnson and Johnson", "A. Name", "The B team"], description=hostile)[SUBMISSION]
    assert "author = {{Johnson and Johnson} and A. Name and {The B team}}" in entry and "year = {2026}" in entry
    depth = 0
    for before, character in zip(" " + entry, entry, strict=False):
        depth += (character == "{") - (character == "}") if before != "\\" else 0
        assert depth >= 0
    assert depth == 0 and entry.count("\n@") == 0 and "100\\% \\$x\\_1\\$" in entry
    assert len(fields(entry)) == 4


def test_a_submission_needs_no_link_and_no_date() -> None:
    undated = Card.model_validate(metadata("mine", paper=None, code=None)).model_copy(update={"date": "yesterday"})
    assert fields(citations(undated)[SUBMISSION]).keys() == {"title", "author", "howpublished"}
