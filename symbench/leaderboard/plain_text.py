"""Text of strangers that reads as what it is: nothing invisible, no letters that look like others, no formula.

The idea of letters that look alike is that of Unicode's skeletons (UTS 39); of its table only what passes for Latin
letters is here. Text in any alphabet is fine, as long as one word is of one alphabet: a name may well be spelt in
Cyrillic letters all of which look Latin. Names of submissions, which must not be taken for each other, are a-z and 0-9.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

FORMULA_STARTS: Final = "=+-@\t\r"  # a spreadsheet takes a cell that begins so for a formula

# What a spreadsheet whose cells are separated by semicolons or commas would take for one. Behind a comma the table's
# own quotes protect, so "two layers, +5 channels" is fine; and so is a number.
_FORMULA: Final = re.compile(r"[;|]\s*[\"']*([=@]|[+-](?!\s*[0-9.]))|,\s*[\"']*[=@]")

HANDLE: Final = re.compile(r"@[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
"""Somebody's name on a site, ``@octocat``; with nothing behind it a spreadsheet finds nothing to compute."""

# Printable, says Unicode, and yet nothing to see: fillers, blank braille, variation selectors, joiners.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
# Persian and the scripts of India join letters or part them with these, and so do emoji (UAX 31, 2.3).
_JOINERS: Final = "\u200c\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_JOINED: Final = (
    *("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA"),
    *("TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN"),
)
_ORDINALS: Final = "\u00aa\u00ba"  # as in N.\u00ba and D.\u00aa; Unicode takes them for letters in another style
_WORD: Final = re.compile(r"[^\W\d_]+")

_LATIN_IN_CYRILLIC: Final = frozenset(
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u04ae\u04c0\u050c\u051a"
    "\u051c\u0430\u0435\u0455\u0456\u0458\u043e\u0440\u0441\u0443\u0445\u04af\u04bb\u04cf\u0501\u051b\u051d"
)
_LATIN_IN_GREEK: Final = frozenset(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b1\u03b9\u03ba\u03bd\u03bf"
    "\u03c1\u03c5\u03c7\u03f2\u03f3"
)
_LATIN_IN_LATIN: Final = frozenset("\u0251\u0261\u0269\u026a\u0299\u029f") | frozenset(map(chr, range(0x1D00, 0x1D23)))
_OTHERS: Final = ("CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU", "DESERET", "OSAGE")
_MARK: Final = "m"
_MOST_MARKS: Final = 2  # on one letter; some scripts need as many


def check_text(text: str) -> str:
    """The text, in Unicode's NFC and with plain spaces, if it is one line that reads as what it is.

    Keyboards and file systems differ in how they write accents and spaces; nobody sees it, so nobody is refused for it.

    Raises:
        ValueError: It holds something invisible, letters that look like others, or what a spreadsheet would execute.
    """
    text = _with_plain_spaces(unicodedata.normalize("NFC", text))
    seen = _without_joiners(text)
    if not seen.isprintable() or not seen:
        raise ValueError("one line of printable characters is expected")
    if found := _INVISIBLE.search(seen):
        raise ValueError(f"{_code(found[0])} cannot be seen; leave it out")
    _check_letters(seen)
    _check_formula(unicodedata.normalize("NFKC", text))
    return text


def reads_as(name: str) -> str:
    """What a name of a submission looks like; two names with one such are taken for each other."""
    return name.replace("0", "o").replace("1", "l").replace("rn", "m").replace("vv", "w").replace("_", "-")


def _with_plain_spaces(text: str) -> str:
    return "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in text).strip(" ")


def _without_joiners(text: str) -> str:
    """The text without joiners that stand where a script or an emoji needs them."""
    padded = f" {text} "
    around = zip(padded, text, padded[2:], strict=False)
    return "".join(letter for before, letter, after in around if not _is_needed(before, letter, after))


def _is_needed(before: str, letter: str, after: str) -> bool:
    if letter == _EMOJI_STYLE:
        return _is_emoji(before)
    if letter not in _JOINERS:
        return False
    emoji = letter == "\u200d" and (_is_emoji(before) or before == _EMOJI_STYLE) and _is_emoji(after)
    return emoji or (_script(before) in _JOINED and _script(after) in _JOINED)


def _is_emoji(letter: str) -> bool:
    """Whether it is a picture or the colour of a skin."""
    return unicodedata.category(letter) == "So" or "\U0001f3fb" <= letter <= "\U0001f3ff"


def _check_formula(plain: str) -> None:
    if plain[:1] in FORMULA_STARTS and not HANDLE.fullmatch(plain):
        raise ValueError(f"a text must not begin with {plain[0]!r}: a spreadsheet would take it for a formula")
    if found := _FORMULA.search(plain):
        raise ValueError(
            f"a spreadsheet would take what follows {found[0][0]!r} for a formula; write a word between it and the sign"
        )


def _check_letters(text: str) -> None:
    for letter in text:
        if _is_styled(letter) or letter in _LATIN_IN_LATIN:
            raise ValueError(f"{_code(letter)} looks like a plain letter or sign; write that")
    if _MARK * (_MOST_MARKS + 1) in _marks(text) or _marks(text).startswith(_MARK):
        raise ValueError(f"at most {_MOST_MARKS} accents on a letter are expected")
    for word in _WORD.findall(text):
        if _is_mixed(word):
            raise ValueError(f"{word!r} mixes alphabets whose letters look alike; write it in one, or put a - between")


def _is_styled(letter: str) -> bool:
    """Whether it is a plain letter or digit in another style: full width, mathematical, a ligature, a Roman numeral."""
    if letter in _ORDINALS:
        return False
    plain, category = unicodedata.normalize("NFKC", letter), unicodedata.category(letter)
    styled = category[0] == "L" or category in ("Nd", "Nl") or unicodedata.east_asian_width(letter) == "F"
    return letter > "\x7f" and styled and plain.isascii() and plain.isalnum()


def _is_mixed(word: str) -> bool:
    scripts = {script for letter in word if (script := _script(letter)) in ("LATIN", *_OTHERS)}
    if scripts == {"LATIN", "GREEK"}:  # \u0394t is fine, an omicron in a word is not
        return not _LATIN_IN_GREEK.isdisjoint(word)
    return len(scripts) > 1


def _script(letter: str) -> str:
    """The first word of its name, which for letters is their script."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _marks(text: str) -> str:
    """The text with an m for every combining mark and a dot for everything else."""
    return "".join(_MARK if unicodedata.category(letter) in ("Mn", "Me") else "." for letter in text)


def _code(letter: str) -> str:
    return f"U+{ord(letter):04X} ({unicodedata.name(letter, 'without a name').lower()})"
