"""Attack: text that does not read as what it is - invisible, in letters of another alphabet, a formula, a link."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest
from attack_cases import Files, complaints, key, small_suite
from typer.testing import CliRunner

from symbench.cli import app
from symbench.leaderboard.board_text import escaped
from symbench.leaderboard.plain_text import check_text
from symbench.leaderboard.validate import read_submission

if TYPE_CHECKING:
    from pathlib import Path

ATTACKS = {
    "zero width": ("an\u200bagent", "one line of printable characters is expected"),
    "right to left": ("\u202etxet", "one line of printable characters is expected"),
    "a joiner": ("an\u200dagent", "one line of printable"),
    "a filler": ("an\u3164agent", "U+3164 (hangul filler) cannot be seen; leave it out"),
    "blank braille": ("\u2800agent", "U+2800 (braille pattern blank) cannot be seen"),
    "a variation": ("agent\ufe0f", "U+FE0F (variation selector-16) cannot be seen"),
    "a tag": ("agent\U000e0101", "cannot be seen"),
    "Cyrillic in a word": ("D. H\u0430", "'H\\u0430' mixes alphabets whose letters look alike"),
    "Greek in a word": ("netw\u03bfrk", "mixes alphabets whose letters look alike"),
    "Armenian in a word": ("netw\u0585rk", "mixes alphabets"),
    "a joiner among Latin letters": ("a\u200cgent", "one line of printable characters is expected"),
    "two joiners": ("\u0645\u06cc\u200c\u200c\u062e", "one line of printable characters is expected"),
    "two styles of an emoji": ("\u2764\ufe0f\ufe0f", "U+FE0F (variation selector-16) cannot be seen"),
    "a joiner behind an emoji": ("\U0001f468\u200d agent", "one line of printable characters is expected"),
    "a handle with a formula": ("@octocat, +cmd|' /C calc'!A0", "must not begin with '@'"),
    "a handle that is called": ("@octocat(1)", "must not begin with '@'"),
    "a Latin alpha": ("\u0251gent", "U+0251 (latin small letter alpha) looks like a plain letter"),
    "full width": ("\uff30\uff30\uff2f", "U+FF30 (fullwidth latin capital letter p) looks like a plain letter"),
    "mathematical": ("\U0001d40fPO", "U+1D40F (mathematical bold capital p) looks like a plain letter"),
    "mathematical digits": (
        "PP0 \U0001d7cf",
        "U+1D7CF (mathematical bold digit one) looks like a plain letter or sign",
    ),
    "Roman numerals": ("\u216bagent", "U+216B (roman numeral twelve) looks like a plain letter"),
    "a Khitan filler": ("an\U00016fe4agent", "U+16FE4 (khitan small script filler) cannot be seen"),
    "a pile": ("x\u0332\u0332\u0332", "at most 2 accents on a letter"),
    "a formula": ("=1+1", "must not begin with '=': a spreadsheet would take it for a formula"),
    "a full-width formula": ("\uff1dHYPERLINK(1)", "a spreadsheet would take it for a formula"),
    "a full-width at": ("\uff20SUM(1)", "a spreadsheet would take it for a formula"),
    "behind a semicolon": ('x;=HYPERLINK("https://e.org")', "would take what follows ';' for a formula"),
    "behind a full-width one": ("x\uff1b\uff1dHYPERLINK(1)", "would take what follows ';' for a formula"),
    "behind quotes": ('x;"=1+1', "would take what follows ';' for a formula"),
    "behind a comma": ("x, @SUM(1)", "would take what follows ',' for a formula"),
    "a command": ("x; -cmd|' /C calc'!A0", "would take what follows ';' for a formula"),
}

HONEST = [
    "a 64-64 MLP by PPO; 5 layers, +500 channels; -5 dB, alpha = 0.1",
    "\u03b2-VAE with \u03c3=0.1, \u0394t = 0.01, \u03c1 of 0.9 and 10\u00b2 steps \u2013 \u201cgood\u201d",
    "J\u00f3zsef \u0150rs\u00e9gi",
    "Nguy\u1ec5n V\u0103n \u0110\u1ee9c",
    "\u041d\u043e\u0440\u0430 \u0425\u0432\u043e\u0441\u0442\u043e\u0432\u0430",
    "\u0393\u03b9\u03ce\u03c1\u03b3\u03bf\u03c2 \u03a0\u03b1\u03c0\u03b1\u03c2",
    "\u5f20\u4f1f\uff0c\u4e94\u6b21\u8bad\u7ec3\uff08PPO\uff09",
    "\u0e19\u0e49\u0e33\u0e1d\u0e19 \u0939\u093f\u0928\u094d\u0926\u0940 \u0639\u0631\u0628\u064a",
    "M\u0259mm\u0259dov",
    "Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz",
    "code at example.org, see section 2.1",
    "\u0663 \u0938\u0947 \u096b, 10\u00bd and \u2460 \u2116 5\u2122",  # digits of other scripts, signs
    "N.\u00ba 5, D.\u00aa Mar\u00eda",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, a non-joiner in the word
    "\u0915\u094d\u200d\u0937",  # Hindi, a joiner behind a virama
    "by \U0001f469\U0001f3fd\u200d\U0001f4bb and \u2764\ufe0f\u200d\U0001f525",
    "\u0421\u043e\u0441\u043e \u0410\u0441\u0441\u0430",  # names all of whose letters look Latin
    "\u0391\u03bd\u03bd\u03b1",
    "@octocat",
]

# What keyboards and file systems write, and what stands on the board.
SPELLINGS = {
    "A. Pe\u0301rez": "A. P\u00e9rez",
    "\u5f20\u3000\u4f1f": "\u5f20 \u4f1f",
    "A.\u00a0Name\u2009": "A. Name",
}


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", small_suite(tmp_path / "suites"))


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("place", ["description", "authors", "training_data"])
def test_text_that_is_not_what_it_seems_is_refused(tmp_path: Path, attack: str, place: str) -> None:
    text, message = ATTACKS[attack]
    files = Files()
    key(place, to=["A. Name", text] if place == "authors" else text)(files)
    (line,) = complaints(files.write(tmp_path / "s"))
    assert message in line.replace("\\\\", "\\").replace("\\'", "'") and line.isascii() and place in line


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_in_any_alphabet_is_kept(tmp_path: Path, text: str) -> None:
    files = Files()
    key("description", to=text)(files)
    key("authors", to=[text, "A. Name"])(files)
    assert complaints(files.write(tmp_path / "s")) == []
    assert check_text(text) == text


@pytest.mark.parametrize("text", SPELLINGS)
def test_accents_and_spaces_are_read_however_they_are_written(tmp_path: Path, text: str) -> None:
    files = Files()
    key("authors", to=[text])(files)
    assert list(read_submission(files.write(tmp_path / "s")).card.authors) == [SPELLINGS[text]]


@pytest.mark.parametrize(
    "link",
    [
        "https://github.com@evil.example/",
        "https://e.org:80@evil.example/",
        "https://e.org/\u043e",
        "javascript:alert(1)",
        "//e.org",
    ],
)
def test_links_lead_where_they_seem_to(tmp_path: Path, link: str) -> None:
    files = Files()
    key("code", to=link)(files)
    (line,) = complaints(files.write(tmp_path / "s"))
    assert "code: String should match pattern" in line


@pytest.mark.parametrize("domain", ["evil.com", "www.evil.com", "https://evil.com/x", "me@evil.com", "Evil.Com"])
def test_a_bare_domain_is_no_link_on_the_board(domain: str) -> None:
    """Nothing that a renderer looks for is left in one piece, and it reads as it was written."""
    shown = escaped(f"see {domain}")
    assert re.search(r"\w\.[a-zA-Z]|\w@|\w:", shown) is None
    assert re.sub(r"\\(.)", r"\1", shown) == f"see {domain}"
    assert escaped("a rate of 0.5, then 64.") == "a rate of 0.5, then 64."


def test_nothing_on_the_boards_table_is_a_formula_however_it_is_split(tmp_path: Path) -> None:
    files = Files()
    key("description", to="two; three, +5 channels")(files)
    key("authors", to=["@octocat", "@hubot"])(files)
    (tmp_path / "board").mkdir()
    files.write(tmp_path / "board" / "submissions")
    result = CliRunner().invoke(app, ["leaderboard", str(tmp_path / "board")])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "board" / "leaderboard.csv").read_text()
    for separator in (",", ";", "\t"):
        cells = [cell for row in csv.reader(text.splitlines(), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.lstrip().startswith(("=", "@"))]
    assert "'@octocat; '@hubot" in text
