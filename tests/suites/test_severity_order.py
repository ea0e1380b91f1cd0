"""Which conditions are one perturbation at rising severity."""

from __future__ import annotations

from typing import Any

import pytest

from symbench.suites import Suite, load_suite, parse_suite
from symbench.suites.severity_order import severity_order


def order(*conditions: tuple[str, str, dict[str, Any]]) -> list[int | None]:
    clean = {"name": "none", "level": "clean", "baseline": True}
    perturbed = [{"name": name, "level": level, "apply": [apply]} for name, level, apply in conditions]
    data = {"name": "tiny", "version": 1, "description": "x", "seed": 3, "tasks": ["CartPole-v1"]}
    suite: Suite = parse_suite({**data, "perturbations": [clean, *perturbed]}, "tiny")
    found = severity_order(suite.perturbations)
    return [found.get(f"{name}/{level}") for name, level, _ in conditions]


def noise(level: str, sigma: float) -> tuple[str, str, dict[str, Any]]:
    return "noise", level, {"wrapper": "SensorNoise", "sigma": sigma}


def test_rising_severities_are_in_order() -> None:
    assert order(noise("a", 0.1), noise("b", 0.2), noise("c", 0.4)) == [1, 2, 3]


def test_named_severities_are_too() -> None:
    levels = [("noise", str(level), {"wrapper": "SensorNoise", "severity": level}) for level in (1, 3, 5)]
    assert order(*levels) == [1, 2, 3]


def test_a_fall_begins_another_line() -> None:
    assert order(noise("a", 0.2), noise("b", 0.4), noise("c", 0.1), noise("d", 0.3)) == [1, 2, 1, 2]


def test_one_condition_is_in_no_order() -> None:
    assert order(noise("a", 0.1), ("other", "b", {"wrapper": "SensorNoise", "sigma": 0.4})) == [None, None]


def test_code_of_the_users_own_goes_by_the_number_that_differs() -> None:
    mine = [
        ("flip", level, {"wrapper": "mine:Flip", "ratio": ratio})
        for level, ratio in (("a", 0.1), ("b", 0.3), ("c", 0.9))
    ]
    assert order(*mine) == [1, 2, 3]
    words = [("flip", level, {"wrapper": "mine:Flip", "kind": level}) for level in ("a", "b")]
    assert order(*words) == [None, None]


@pytest.mark.parametrize(
    ("suite", "ordered"), [("shuffle", True), ("dropout", True), ("delay", True), ("group", False)]
)
def test_bundled_suites(suite: str, ordered: bool) -> None:
    assert bool(severity_order(load_suite(suite).perturbations)) is ordered


def test_elements_of_a_group_are_no_severities() -> None:
    assert severity_order(load_suite("background").perturbations) == {}
