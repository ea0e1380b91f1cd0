"""What conditions are called beside each other."""

from __future__ import annotations

import pytest

from symbench.suites import bundled_suites, load_suite
from symbench.suites.titles import apart


@pytest.mark.parametrize(
    ("titles", "shared", "own"),
    [
        (["shuffled per episode", "shuffled every 25 steps"], "shuffled …", ["per episode", "every 25 steps"]),
        (["20% of them dead", "80% of them dead"], "… of them dead", ["20%", "80%"]),
        (["grey, 40 of 255", "grey, 80 of 255"], "grey, … of 255", ["40", "80"]),
        (["+5 channels", "every sensor twice"], "", ["+5 channels", "every sensor twice"]),
        (["turned", "turned twice"], "", ["turned", "turned twice"]),
        (["the same", "the same"], "", ["the same", "the same"]),
        (["shuffled"], "", ["shuffled"]),
        ([], "", []),
    ],
)
def test_what_titles_share_is_said_once(titles: list[str], shared: str, own: list[str]) -> None:
    assert apart(titles) == (shared, own)


@pytest.mark.parametrize("name", bundled_suites())
def test_bundled_suites_say_in_words_what_they_do(name: str) -> None:
    assert all(each.label for each in load_suite(name).perturbations)
