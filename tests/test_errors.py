"""What others say becomes a line that fits everywhere."""

from __future__ import annotations

import pytest

from symbench.errors import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("  two\n\n lines\t", "two lines"),
        (ValueError("what"), "what"),
        ("x" * 1000, "x" * 1000),
        ("x" * 1001, "x" * 996 + " ..."),
        ("caf\udce9", "caf\\udce9"),
        ("café", "café"),
    ],
)
def test_a_message_is_one_line_of_at_most_a_thousand_characters(text: object, line: str) -> None:
    assert one_line(text) == line
