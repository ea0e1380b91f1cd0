"""Attacks on what maintainers have verified: entries that are forged, stripped, moved, or signed by somebody else."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from maintainer_keys import NEEDS_SSH, ONLY_THIS, allow, entry_of, make_key
from pydantic import Field
from submission_cases import SUITE, Files, metadata, table
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.leaderboard import signatures
from symbench.leaderboard.board import read_boards
from symbench.leaderboard.signatures import message, sign, sign_recorded, signature_fault, signed
from symbench.leaderboard.validate import Submission, read_submission
from symbench.leaderboard.verified import Verified, read_verified, write_verified

pytestmark = NEEDS_SSH
ROOT = Path(__file__).parents[2]


@dataclass
class House:
    """A leaderboard of two submissions, one of them verified and signed."""

    folder: Path
    key: Path
    mine: Submission
    other: Submission

    @property
    def signers(self) -> Path:
        return self.folder / "allowed_signers"

    @property
    def record(self) -> Path:
        return self.folder / "verified.json"

    @property
    def entry(self) -> Verified:
        return read_verified(self.record)["mine"]

    def verified(self) -> list[str]:
        """Names that boards call verified."""
        return sorted(line.card.name for board in read_boards(self.folder) for line in board.lines if line.verified)

    def fault(self, entry: Verified, name: str = "mine") -> str:
        return signature_fault(name, entry, self.signers)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")
    folder = tmp_path / "leaderboards"
    mine, other = (
        read_submission(Files(card, table(card, seed), name).write(folder / "submissions"))
        for seed, name in enumerate(("mine", "other"))
        for card in [metadata(name)]
    )
    key = make_key(tmp_path / "keys")
    made = House(folder, key, mine, other)
    allow(made.signers, key)
    write_verified(made.record, {"mine": entry_of(mine)})
    sign_recorded(made.record, "mine", key)
    return made


def test_what_a_maintainer_has_signed_is_verified(house: House) -> None:
    assert house.verified() == ["mine"] and house.fault(house.entry) == ""


def test_an_entry_without_signature_is_not_verified_and_the_command_says_so(house: House) -> None:
    write_verified(house.record, {"mine": entry_of(house.mine), "other": entry_of(house.other)})
    assert house.verified() == []
    result = CliRunner().invoke(app, ["leaderboard", str(house.folder)])
    lines = [line for line in result.stderr.splitlines() if line.startswith("not verified: ")]
    assert len(lines) == 2 and "the entry 'mine' has no signature" in lines[0] and "--sign KEY" in lines[0]


CHANGES: list[dict[str, Any]] = [
    {"digest": "0" * 64},
    {"date": "2026-06-02"},
    {"cells": ["a", "b"]},
    {"cells": []},
    {"difference": 1e-9},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_every_field_of_an_entry_is_covered(house: House, change: dict[str, Any]) -> None:
    forged = house.entry.model_copy(update=change)
    assert "is not one of a key" in house.fault(forged)
    write_verified(house.record, {"mine": forged})
    assert house.verified() == []


def test_fields_that_entries_get_later_are_covered_and_old_entries_stay_signed(house: House) -> None:
    class Later(Verified):
        later: float | None = None
        more: list[int] = Field(default_factory=list)

    old = Later(**house.entry.model_dump())
    assert house.fault(old) == ""
    assert house.fault(old.model_copy(update={"later": 0.99})) != ""
    assert house.fault(old.model_copy(update={"more": [1]})) != ""
    new = sign("mine", Later(**entry_of(house.mine).model_dump(), later=0.99), house.key)
    assert house.fault(new) == ""
    assert house.fault(new.model_copy(update={"later": None})) != ""


def test_a_signature_cannot_be_moved_to_another_submission(house: House) -> None:
    entry = house.entry
    stolen = entry_of(house.other, signature=entry.signature)
    for forged in (entry, stolen):
        write_verified(house.record, {"mine": entry, "other": forged})
        assert house.verified() == ["mine"]


def test_a_submission_that_is_changed_is_not_verified_any_more(house: House) -> None:
    file = house.folder / "submissions" / "mine.csv"
    before = file.read_text()
    assert "500,1" in before
    file.write_text(before.replace("500,1", "499,1", 1))
    assert house.verified() == []


def test_a_key_that_is_not_in_the_list_signs_nothing(house: House, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "strangers")
    forged = sign("mine", entry_of(house.mine), stranger)
    assert "is not one of a key" in house.fault(forged)
    with pytest.raises(SymbenchError, match=r"not signed: .* is not one of a key"):
        sign_recorded(house.record, "mine", stranger)
    assert house.verified() == ["mine"], "the entry that was there stays"


def test_a_signature_for_something_else_does_not_count(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maintainers sign commits with the same key: namespace ``git``."""
    monkeypatch.setattr(signatures, "NAMESPACE", "git")
    of_git = sign("mine", entry_of(house.mine), house.key)
    monkeypatch.undo()
    assert "is not one of a key" in house.fault(of_git)


def test_the_list_can_keep_a_key_for_something_else(house: House) -> None:
    house.signers.unlink()
    allow(house.signers, house.key, options='namespaces="git"')
    assert house.fault(house.entry) != ""


def test_a_key_counts_while_it_is_valid(house: House, tmp_path: Path) -> None:
    old, new = make_key(tmp_path / "keys", "old"), make_key(tmp_path / "keys", "new")
    house.signers.unlink()
    allow(house.signers, old, options=f'{ONLY_THIS},valid-before="20260701"')
    allow(house.signers, new, options=f'{ONLY_THIS},valid-after="20260701"')
    before, after = entry_of(house.mine, date="2026-06-30"), entry_of(house.mine, date="2026-07-02")
    assert house.fault(sign("mine", before, old)) == "", "rotation: what the old key has signed stays signed"
    assert house.fault(sign("mine", after, new)) == ""
    assert house.fault(sign("mine", after, old)) != "", "expired"
    assert house.fault(sign("mine", before, new)) != "", "not valid yet"


def test_a_key_that_is_taken_from_the_list_takes_its_entries_with_it(house: House, tmp_path: Path) -> None:
    house.signers.unlink()
    assert "there is no list of keys" in house.fault(house.entry) and house.verified() == []
    allow(house.signers, make_key(tmp_path / "keys", "other"))
    assert house.verified() == []


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "x",
        "A" * 100,
        "A" * 9000,
        "../../etc/passwd",
        "AAAA\n-----END SSH SIGNATURE-----",
        "-fwhatever",
        "\u0410" * 40,
    ],
)
def test_damaged_signatures_are_no_signatures(house: House, signature: str) -> None:
    assert house.fault(entry_of(house.mine, signature=signature)) != ""


@pytest.mark.parametrize("date", ["yesterday", "2026-06-01 -I root", "", "20260601", "2026-99-99"])
def test_dates_are_no_options_of_a_command(house: House, date: str) -> None:
    assert house.fault(sign("mine", entry_of(house.mine, date=date), house.key)) != ""


def test_numbers_that_are_not_finite_are_not_signed(house: House) -> None:
    with pytest.raises((SymbenchError, ValueError)):
        sign("mine", entry_of(house.mine, difference=float("nan")), house.key)


def test_the_message_is_canonical(house: House) -> None:
    content = json.loads(message("mine", house.entry))
    assert content["submission"] == "mine" and "signature" not in content["entry"]
    shuffled = Verified(**dict(reversed(house.entry.model_dump().items())))
    assert message("mine", shuffled) == message("mine", house.entry)


def test_without_ssh_keygen_one_line_says_what_to_install(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SymbenchError, match="apt install openssh-client"):
        read_boards(house.folder)
    write_verified(house.record, {"mine": entry_of(house.mine)})
    assert house.verified() == [], "where nothing is signed there is nothing to check"


def test_signing_says_what_is_wrong(house: House, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=r"there is no key .*; ssh-keygen -t ed25519"):
        sign_recorded(house.record, "mine", tmp_path / "nowhere")
    with pytest.raises(SymbenchError, match="no entry 'other'; symbench verify --record makes one"):
        sign_recorded(house.record, "other", house.key)
    (tmp_path / "damaged").write_text("no key")
    with pytest.raises(SymbenchError, match=r"cannot sign with .*; ssh-keygen says: "):
        sign_recorded(house.record, "mine", tmp_path / "damaged")
    result = CliRunner().invoke(app, ["verify", "mine.csv", "--sign", str(house.key)])
    assert result.exit_code == 2 and "add --record" in result.stderr


def test_everything_this_repository_calls_verified_is_signed() -> None:
    folder = ROOT / "leaderboards"
    entries = read_verified(folder / "verified.json")
    assert entries.keys() == signed(entries, folder / "allowed_signers").keys() != set()


def test_no_private_key_is_in_this_repository() -> None:
    listed = subprocess.run(["git", "-C", str(ROOT), "grep", "-lI", "PRIVATE" + " KEY-----"], capture_output=True)
    if listed.returncode > 1:
        pytest.skip("this is no checkout")
    assert listed.stdout.decode() == ""
