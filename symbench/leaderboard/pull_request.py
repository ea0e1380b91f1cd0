"""Checks a pull request with submissions: what it changes, and that its tables and pages are those of its files.

Of the head only git objects are read, the names of its files and the bytes of some of them. It is never checked out:
no link is followed, no filter, hook or attribute of it is obeyed, nothing of it is executed. Rules and code are those
of the installed package, what is verified and whose keys count are those of the base. docs/security.md says what this
promises.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from symbench.leaderboard.board import SUBMISSIONS, make_boards, tables
from symbench.leaderboard.gap_rows import FOLDER as TOURS
from symbench.leaderboard.gap_rows import read_tables
from symbench.leaderboard.git_objects import REGULAR, Change, File, GitObjects
from symbench.leaderboard.in_toto import BUNDLE, bundle
from symbench.leaderboard.signatures import SIGNERS, signed
from symbench.leaderboard.site import pages
from symbench.leaderboard.submission_problems import shown
from symbench.leaderboard.submission_schema import MAX_CSV_BYTES, MAX_JSON_BYTES, check_name
from symbench.leaderboard.validate import validate
from symbench.leaderboard.verified import VERIFIED, read_verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from symbench.leaderboard.validate import Submission

ROOM: Final = "leaderboards"
SITE: Final = "site"
MAX_SUBMISSIONS: Final = 10
"""New ones in a pull request."""

_SUBMISSION: Final = re.compile(rf"{SUBMISSIONS}/([^/]+)\.(?:csv|json)")
_LIMITS: Final = {".csv": MAX_CSV_BYTES, ".json": MAX_JSON_BYTES}
_TABLES: Final = ("LEADERBOARD.md", "leaderboard.csv", BUNDLE)
_OF_THE_BASE: Final = 100_000_000  # bytes; its files are trusted and only read again
_MAINTAINERS: Final = {
    VERIFIED: "only a maintainer writes it, with symbench verify --record --sign, and merges by hand",
    SIGNERS: "only maintainers change whose signatures count, in a pull request of its own",
}


def check_pull_request(base: str, head: str, repository: Path) -> list[str]:
    """Everything for which a pull request must not be merged without a person looking at it.

    Args:
        base: Commit of the branch that it would be merged into, trusted.
        head: Commit of the pull request, of a stranger.
        repository: Any checkout that holds both.

    Returns:
        A line for each problem, ``path: what is wrong``; none if it may be merged.

    Raises:
        SymbenchError: There is no git, or no such commit; the problem is in the base.
    """
    git = GitObjects(repository)
    base, head = git.commit(base), git.commit(head)
    forks = git.merge_bases(base, head)
    if problem := _stale(git, base, forks):
        return [problem]
    fork = forks[0]
    changes = git.changes(fork, head, ROOM)
    outside = [path for path in git.changed_paths(fork, head) if not path.startswith(f"{ROOM}/")]
    problems = [f"{_quoted(path)}: outside {ROOM}/; put it into a pull request of its own" for path in outside[:20]]
    if not changes:
        return [*problems, f"{ROOM}/: nothing is changed"]
    problems += _misplaced(changes) or _too_many(changes) or _content(git, fork, head, changes)
    return problems


def _stale(git: GitObjects, base: str, forks: Sequence[str]) -> str:
    """Why the head is not the present leaderboard plus something; what is merged must be what is checked."""
    update = "merge the base branch into this one and run symbench leaderboard again"
    if len(forks) != 1:
        return f"{ROOM}/: this branch and the base branch have {len(forks)} common ancestors; {update}"
    if git.tree(forks[0], ROOM) != git.tree(base, ROOM):
        return f"{ROOM}/: the leaderboard of the base branch has changed since this branch began; {update}"
    return ""


def _misplaced(changes: Sequence[Change]) -> list[str]:
    return [f"{_quoted(each.path)}: {fault}" for each in changes if (fault := _fault(each))]


def _fault(change: Change) -> str:
    """Why a pull request may not make this change, whatever the content; empty if it may."""
    place = change.path.removeprefix(f"{ROOM}/")
    if place in _MAINTAINERS:
        return _MAINTAINERS[place]
    if change.new is not None and change.new.mode != REGULAR:
        return f"a regular file of mode {REGULAR} is expected, received mode {change.new.mode}"
    if _is_made(place):
        return "" if change.new else "it is removed; symbench leaderboard makes it again"
    if change.old is not None:
        return _of_somebody(place, change)
    return _no_submission(place)


def _quoted(path: str) -> str:
    """A path of a stranger on one line, without what a terminal would obey."""
    return shown(path, 200)


def _is_made(place: str) -> bool:
    """Whether it may be a table or a page that is made of submissions; which these are the content says later."""
    return place in _TABLES or place.startswith(f"{SITE}/")


def _of_somebody(place: str, change: Change) -> str:
    verb = "changed" if change.new else "removed"
    if place.startswith(f"{SUBMISSIONS}/"):
        return f"a submission that is on the board is {verb}; ask a maintainer, or submit under a new name"
    return f"{verb}; a submission adds files to {ROOM}/{SUBMISSIONS} and changes no other"


def _no_submission(place: str) -> str:
    if found := _SUBMISSION.fullmatch(place):
        try:
            check_name(found[1])
            return ""
        except ValueError as error:
            return str(error)
    plain = unicodedata.normalize("NFKC", place).casefold()
    alike = plain != place and (plain in _MAINTAINERS or plain.startswith((f"{SUBMISSIONS}/", f"{SITE}/")))
    hint = " (some file systems take it for another)" if alike else ""
    return f"no file of a leaderboard{hint}; {SUBMISSIONS}/NAME.csv and NAME.json are expected"


def _is_of_a_submission(path: str) -> bool:
    """Whether it is a file of a submission, in the one folder that they lie in, and in none of the same name."""
    return _SUBMISSION.fullmatch(path.removeprefix(f"{ROOM}/")) is not None


def _too_many(changes: Iterable[Change]) -> list[str]:
    names = {PurePosixPath(each.path).stem for each in changes if _is_of_a_submission(each.path)}
    if len(names) <= MAX_SUBMISSIONS:
        return []
    return [f"{ROOM}/{SUBMISSIONS}: at most {MAX_SUBMISSIONS} submissions a pull request, received {len(names)}"]


def _content(git: GitObjects, base: str, head: str, changes: Sequence[Change]) -> list[str]:
    """What is wrong with the submissions, or else with what should be made of them."""
    new = [(each.path, each.new) for each in changes if each.new and _is_of_a_submission(each.path)]
    large = [
        f"{path}: larger than {limit:,} bytes"
        for path, file in new
        if git.size(file) > (limit := _LIMITS[PurePosixPath(path).suffix])
    ]
    if large:
        return large
    with tempfile.TemporaryDirectory(prefix="symbench-") as temporary:
        folder = Path(temporary) / ROOM
        inputs = [(path, file) for path, file in git.files(base, ROOM).items() if _is_input(path)]
        for path, file in [*inputs, *new]:
            target = Path(temporary) / path  # names of new files are checked, those of the base are trusted
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(git.content(file, _OF_THE_BASE))
        names = {PurePosixPath(path).stem for path, _ in new}
        submissions, problems = validate([folder / SUBMISSIONS], new=names)  # what the base holds was there before
        if problems:
            return [str(problem).replace(f"{temporary}/", "") for problem in problems]
        made = _made(folder, submissions)
    return _differences(git, git.files(head, ROOM), made)


def _made(folder: Path, submissions: Sequence[Submission]) -> dict[str, str]:
    """Path below the leaderboard -> content, of everything that is made of submissions."""
    entries = signed(read_verified(folder / VERIFIED), folder / SIGNERS)
    boards = make_boards(submissions, entries)
    site = {f"{SITE}/{path}": text for path, text in pages(boards, read_tables(folder)).items()}
    return {**tables(boards), BUNDLE: bundle(boards, entries, folder / SUBMISSIONS), **site}


def _is_input(path: str) -> bool:
    """Whether a file of the base is one that tables and pages are made of."""
    place = path.removeprefix(f"{ROOM}/")
    return place in _MAINTAINERS or place.startswith((f"{SUBMISSIONS}/", f"{TOURS}/"))


def _differences(git: GitObjects, there: Mapping[str, File], made: Mapping[str, str]) -> list[str]:
    """Tables and pages of the head that are not those of its submissions, byte for byte."""
    wanted = {f"{ROOM}/{place}": text.encode() for place, text in made.items()}
    found = {path: file for path, file in there.items() if _is_made(path.removeprefix(f"{ROOM}/"))}
    foreign = [f"{_quoted(path)}: nothing that symbench leaderboard makes" for path in found.keys() - wanted.keys()]
    stale = [
        f"{path}: not what symbench leaderboard makes of these submissions"
        for path, content in wanted.items()
        if path not in found or not _is(git, found[path], content)
    ]
    return sorted(foreign) + sorted(stale)


def _is(git: GitObjects, file: File, content: bytes) -> bool:
    return file.mode == REGULAR and git.size(file) == len(content) and git.content(file, len(content)) == content
