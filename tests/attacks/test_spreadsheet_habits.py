"""Honest mistake: a table that went through a spreadsheet. One line for each habit, which names the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attack_cases import BOARD, board_of, complaints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REMEDY = "submit the file that symbench submit wrote"


def rows_with(change: Callable[[list[str]], list[str]], separator: str = ",") -> Callable[[str], bytes]:
    def rewrite(text: str) -> bytes:
        header, *lines = text.splitlines()
        changed = [separator.join(change(line.split(","))) for line in lines]
        return "\n".join([header.replace(",", separator), *changed, ""]).encode()

    return rewrite


def truth(row: list[str]) -> list[str]:
    return [*row[:7], "TRUE" if row[7] == "1" else "FALSE"]


def decimals(row: list[str]) -> list[str]:
    return [*row[:6], f"{row[6]}.0", row[7]]


def comma(row: list[str]) -> list[str]:
    return [*row[:5], row[5].replace(".", ","), *row[6:]]


def quoted_comma(row: list[str]) -> list[str]:
    return [*row[:5], f'"{row[5].replace(".", ",")}"', *row[6:]]


def quoted(row: list[str]) -> list[str]:
    return [f'"{field}"' for field in row]


def scientific(row: list[str]) -> list[str]:
    return [*row[:4], "1.00E+06", *row[5:]]


HABITS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "BOM": (lambda text: b"\xef\xbb\xbf" + text.encode(), "without byte order mark is expected, received one"),
    "UTF-16": (lambda text: text.encode("utf-16"), "UTF-8 is expected, received UTF-16"),
    "semicolons": (rows_with(list, ";"), "fields are separated by semicolons"),
    "tabs": (rows_with(list, "\t"), "fields are separated by tabs"),
    "decimal commas": (rows_with(comma), "received '500,0', with the decimal comma of a spreadsheet; so in 700 lines"),
    "decimal commas in quotes": (rows_with(quoted_comma), "received '500,0', with the decimal comma"),
    "truth values": (rows_with(truth), "0 or 1 is expected, received 'FALSE', as spreadsheets write truth values"),
    "500.0": (rows_with(decimals), "length: a whole number is expected, received '500.0', as spreadsheets"),
    "scientific": (rows_with(scientific), "seed: a whole number is expected, received '1.00E+06', as spreadsheets"),
    "returns": (lambda text: text.replace("\n", "\r").encode(), "lines end with carriage returns alone"),
}


def spoiled(folder: Path, change: Callable[[str], bytes]) -> list[str]:
    board = board_of(folder / "board", "sb3-ppo")
    (board / "sb3-ppo.csv").write_bytes(change((BOARD / "sb3-ppo.csv").read_text()))
    return complaints(board)


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_is_one_line_that_names_the_remedy(tmp_path: Path, habit: str) -> None:
    change, message = HABITS[habit]
    found = spoiled(tmp_path, change)
    assert len(found) == 1, found
    assert message in found[0] and REMEDY in found[0]


def test_all_fields_in_quotes(tmp_path: Path) -> None:
    def change(text: str) -> bytes:
        return "".join(",".join(quoted(line.split(","))) + "\n" for line in text.splitlines()).encode()

    (line,) = spoiled(tmp_path, change)
    assert "fields stand in quotes" in line and REMEDY in line


def test_several_habits_are_one_line_each(tmp_path: Path) -> None:
    """What a spreadsheet in German saves, and another program has read before."""

    def change(text: str) -> bytes:
        return b"\xef\xbb\xbf" + rows_with(lambda row: decimals(truth(comma(row))), ";")(text).replace(b"\n", b"\r\n")

    found = spoiled(tmp_path, change)
    assert len(found) == 5
    for word in ("byte order mark", "semicolons", "decimal comma", "truth values", "'500.0'"):
        assert sum(word in line for line in found) == 1


def test_what_else_is_wrong_is_found_in_the_same_pass(tmp_path: Path) -> None:
    def change(text: str) -> bytes:
        return rows_with(comma, ";")(text.replace(",500.0,500,0\n", ",nan,500,0\n", 1))

    found = spoiled(tmp_path, change)
    assert len(found) == 4 and "received 'nan' [not-finite]" in "".join(found)
    assert any("has 99 of 100 episodes" in line for line in found)


def test_the_file_that_submit_wrote_is_fine(tmp_path: Path) -> None:
    assert spoiled(tmp_path, str.encode) == []
    (tmp_path / "w").mkdir()
    assert spoiled(tmp_path / "w", lambda text: text.replace("\n", "\r\n").encode()) == []
