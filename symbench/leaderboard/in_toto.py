"""Rows of boards as in-toto statements, which other people's tools read.

A row becomes a Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) with the predicate
Test Result v0.1 (https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md): the files and
weights of a submission were tested under a suite. A test is a cell. It has passed if a maintainer has played it again
within the tolerance; the cells of a row that nobody has verified are listed with a warning. docs/security.md tells
what such a statement is worth.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError
from symbench.files import write_atomically
from symbench.leaderboard.board import SUBMISSIONS, make_boards
from symbench.leaderboard.retention import STATISTICS
from symbench.leaderboard.signatures import NAMESPACE, SIGNERS, message, signed
from symbench.leaderboard.validate import read_submission
from symbench.leaderboard.verified import VERIFIED, read_verified
from symbench.runner.cell import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from symbench.leaderboard.board import Board, Line
    from symbench.leaderboard.bootstrap import Estimate
    from symbench.leaderboard.submission_schema import Machine
    from symbench.leaderboard.verified import Verified

BUNDLE: Final = "leaderboard.intoto.jsonl"
"""The statements of all rows of a leaderboard, beside its tables."""
STATEMENT: Final = "https://in-toto.io/Statement/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
WEIGHTS: Final = "symbenchWeights"
"""Name of the digest of an agent's weights, that of ``weights`` in the metadata: over all its files."""


def bundle(boards: Iterable[Board], entries: Mapping[str, Verified], submissions: Path) -> str:
    """All rows, one statement a line.

    Args:
        boards: Any number.
        entries: Name of a submission -> what is verified, and signed, of it.
        submissions: The folder with the files of the submissions.
    """
    made = (
        statement(board, line, entries.get(line.card.name), submissions) for board in boards for line in board.lines
    )
    return "".join(json.dumps(each, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n" for each in made)


def bundle_of(folder: Path, boards: Iterable[Board]) -> str:
    """The same of the boards of a folder, with what is verified there.

    Raises:
        SymbenchError: What is verified is damaged, or signatures cannot be checked here.
    """
    entries = signed(read_verified(folder / VERIFIED), folder / SIGNERS)
    return bundle(boards, entries, folder / SUBMISSIONS)


def bundle_of_submission(file: Path) -> str:
    """The rows of one submission, with what is verified where it lies.

    Args:
        file: Either of its files; in a leaderboard, or anywhere else, where nothing of it is verified.

    Raises:
        SymbenchError: As :func:`bundle_of`, or the submission breaks a rule.
    """
    submission, folder = read_submission(file), file.resolve().parent
    house = folder.parent if folder.name == SUBMISSIONS else folder
    entries = signed(read_verified(house / VERIFIED), house / SIGNERS)
    return bundle(make_boards([submission], entries), entries, folder)


def write_bundle(folder: Path, boards: Iterable[Board]) -> None:
    """Write the statements of a folder beside its tables.

    Raises:
        SymbenchError: As :func:`bundle_of`, or the file cannot be written.
    """
    content = bundle_of(folder, boards)
    try:
        write_atomically(folder / BUNDLE, content)
    except OSError as error:
        raise SymbenchError(f"cannot write {folder / BUNDLE} ({error.strerror})") from error


def is_stale(folder: Path, boards: Iterable[Board]) -> bool:
    """Whether the statements are missing or are not those of the boards."""
    try:
        return (folder / BUNDLE).read_bytes() != bundle_of(folder, boards).encode()
    except OSError:
        return True


def statement(board: Board, line: Line, entry: Verified | None, submissions: Path) -> dict[str, Any]:
    """One row as a statement.

    Args:
        board: Where it stands.
        line: The row.
        entry: What is verified and signed of the submission, if anything is; of no use for a row that is not verified.
        submissions: The folder with the files of the submission.
    """
    known = entry if line.verified else None
    return {
        "_type": STATEMENT,
        "subject": [*_files(line, submissions), *_weights(board.task, line)],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": "WARNED" if known is None else "PASSED",
            "configuration": [
                _suite(board, line),
                *map(_software, line.card.machines),
                *([_verification(line.card.name, known)] if known else []),
            ],
            "passedTests": [] if known is None else list(known.cells),
            "warnedTests": _cells(board, line) if known is None else [],
            "failedTests": [],
        },
    }


def _cells(board: Board, line: Line) -> list[str]:
    name, suite = line.card.name, line.card.suite
    own = (key for key in line.submission.cells if key[0] == board.task)
    return [f"{suite}/{task}/{perturbation}/{level}/{name}/s{run}" for task, perturbation, level, run in own]


def _files(line: Line, submissions: Path) -> list[dict[str, Any]]:
    """The two files; what the board says of them stands with the table."""
    files = [submissions / f"{line.card.name}{suffix}" for suffix in (".csv", ".json")]
    table, metadata = [
        {"name": file.name, "digest": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}} for file in files
    ]
    return [{**table, "mediaType": "text/csv", "annotations": _numbers(line)}, metadata]


def _numbers(line: Line) -> dict[str, Any]:
    found = {
        "cleanScore": line.clean,
        "perturbedScore": line.score,
        "retention": line.retention,
        "gapPercent": line.gap,
    }
    return {
        "trainingRuns": line.runs,
        "episodesPerCell": line.episodes,
        "statisticsVersion": STATISTICS,
        **{name: _estimate(estimate) for name, estimate in found.items() if not math.isnan(estimate.value)},
    }


def _estimate(estimate: Estimate) -> dict[str, float]:
    """Value and ends of the 95% interval, if it has any; rounded, since processors differ in the last bits."""
    names = zip(("value", "low", "high"), estimate, strict=True)
    return {name: round(float(of), 4) + 0.0 for name, of in names if not math.isnan(of)}


def _weights(task: str, line: Line) -> list[dict[str, Any]]:
    return [
        {"name": f"{line.card.name}/{task}/s{run}", "digest": {WEIGHTS: of.weights}}
        for run, of in enumerate(line.entry.runs)
        if of.weights
    ]


def _suite(board: Board, line: Line) -> dict[str, Any]:
    """The conditions, by the hash of their canonical JSON."""
    suite = line.submission.suite
    protocol = suite.protocol.model_dump(mode="json")
    return {
        "name": board.suite,
        "digest": {"sha256": digest_of(protocol)},
        "mediaType": "application/json",
        "annotations": {"task": board.task, "severities": line.card.severities},
    }


def _software(machine: Machine) -> dict[str, Any]:
    return {
        "name": "symbench",
        "uri": f"pkg:pypi/symbench@{machine.symbench}",
        "annotations": {
            "commit": machine.commit,
            "python": machine.python,
            "packages": dict(machine.packages),
            "platform": machine.platform,
            "cells": machine.cells,
        },
    }


def _verification(name: str, entry: Verified) -> dict[str, Any]:
    """What a maintainer has signed; the digest is that of the signed message."""
    return {
        "name": "verified.json",
        "digest": {"sha256": hashlib.sha256(message(name, entry)).hexdigest()},
        "annotations": {"date": entry.date, "sshSignature": entry.signature, "sshNamespace": NAMESPACE},
    }
