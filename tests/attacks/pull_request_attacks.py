"""What a pull request could try, and the line that must come of it."""

from __future__ import annotations

import json
from collections.abc import Callable

from pull_requests import Repository, submit

from symbench.leaderboard.pull_request import MAX_SUBMISSIONS

L = "leaderboards"
Attack = Callable[[Repository], None]


def put(path: str, content: str = "x", mode: str = "100644") -> Attack:
    return lambda repository: repository.put(path, content, mode)


def drop(*paths: str) -> Attack:
    def attack(repository: Repository) -> None:
        for path in paths:
            repository.drop(path)

    return attack


def appended(path: str, text: str) -> Attack:
    return lambda repository: repository.put(path, (repository.root / path).read_text() + text)


def backdated_copy(repository: Repository) -> None:
    """Somebody else's submission under one's own name, with a date before theirs."""
    room = repository.board / "submissions"
    card = json.loads((room / "second.json").read_text())
    repository.put(f"{L}/submissions/mine.json", json.dumps({**card, "name": "mine", "date": "1999-01-01T00:00:00Z"}))
    repository.put(f"{L}/submissions/mine.csv", (room / "second.csv").read_text())


def forged_verification(repository: Repository) -> None:
    """The entry of another, under one's own name."""
    file = repository.board / "verified.json"
    entries = json.loads(file.read_text())
    repository.put(f"{L}/verified.json", json.dumps({**entries, "mine": entries["first"]}))


def own_signer(repository: Repository) -> None:
    repository.put(f"{L}/allowed_signers", "me@example.org ssh-ed25519 AAAA\n")


def forgotten_competitor(repository: Repository) -> None:
    """All of it: files, lines, pages."""
    for suffix in ("csv", "json"):
        (repository.board / "submissions" / f"second.{suffix}").unlink()
    repository.make()
    repository.git("add", "--all")


def worse_competitor(repository: Repository) -> None:
    """Its returns are changed and everything is made again."""
    submit(repository.board, "second", 99)
    repository.make()
    repository.git("add", "--all")


def renamed_competitor(repository: Repository) -> None:
    for suffix in ("csv", "json"):
        content = (repository.board / "submissions" / f"second.{suffix}").read_text()
        repository.put(f"{L}/submissions/stolen.{suffix}", content.replace('"second"', '"stolen"'))
        repository.drop(f"{L}/submissions/second.{suffix}")


def link_for_a_folder(repository: Repository) -> None:
    for path in repository.git("ls-files", L).splitlines():
        repository.drop(path)
    repository.put(L, "/etc", "120000")


def better_line(repository: Repository) -> None:
    table = (repository.board / "leaderboard.csv").read_text()
    repository.put(f"{L}/leaderboard.csv", table.replace("mine", "mine!"))


def too_many(repository: Repository) -> None:
    for number in range(MAX_SUBMISSIONS):
        for suffix in ("csv", "json"):
            repository.put(f"{L}/submissions/more-{number}.{suffix}", "x")


# What is tried, and the line that must come of it.
ATTACKS: dict[str, tuple[Attack, str]] = {
    "forged verification": (forged_verification, "verified.json.: only a maintainer writes it"),
    "emptied verification": (put(f"{L}/verified.json", "{}\n"), "verified.json.: only a maintainer writes it"),
    "removed verification": (drop(f"{L}/verified.json"), "verified.json.: only a maintainer writes it"),
    "verification as a link": (put(f"{L}/verified.json", "x", "120000"), "verified.json.: only a maintainer"),
    "own signer": (own_signer, "allowed_signers.: only maintainers change whose signatures count"),
    "removed signers": (drop(f"{L}/allowed_signers"), "allowed_signers.: only maintainers"),
    "removed competitor": (forgotten_competitor, "second.csv.: a submission that is on the board is removed"),
    "half a competitor": (drop(f"{L}/submissions/second.json"), "second.json.: a submission .* is removed"),
    "changed competitor": (worse_competitor, "second.csv.: a submission that is on the board is changed"),
    "emptied competitor": (put(f"{L}/submissions/second.csv", ""), "second.csv.: a submission .* is changed"),
    "renamed competitor": (renamed_competitor, "second.csv.: a submission that is on the board is removed"),
    "changed description": (appended(f"{L}/submissions/second.json", "\n"), "second.json.: a submission .* changed"),
    "competitor as a link": (put(f"{L}/submissions/second.csv", "mine.csv", "120000"), "received mode 120000"),
    "competitor executable": (put(f"{L}/submissions/second.csv", "x", "100755"), "received mode 100755"),
    "page of html": (put(f"{L}/site/evil.html", "<script>1</script>"), "evil.html.: nothing that symbench"),
    "page of an agent": (put(f"{L}/site/agents/ghost.html"), "ghost.html.: nothing that symbench leaderboard makes"),
    "script": (put(f"{L}/site/static/evil.js", "alert(1)"), "evil.js.: nothing that symbench leaderboard makes"),
    "changed script": (appended(f"{L}/site/static/site.js", "alert(1)"), "site/static/site.js: not what symbench"),
    "one byte of a page": (appended(f"{L}/site/index.html", " "), "site/index.html: not what symbench leaderboard"),
    "removed page": (drop(f"{L}/site/index.html"), "index.html.: it is removed"),
    "removed page of another": (drop(f"{L}/site/agents/second.html"), "second.html.: it is removed"),
    "page below a folder called so": (put(f"{L}/site/submissions/evil.html"), "evil.html.: nothing that symbench"),
    "table below a folder called so": (put(f"{L}/site/submissions/second.csv"), "second.csv.: nothing that symbench"),
    "domain": (put(f"{L}/site/CNAME", "evil.example.org"), "CNAME.: nothing that symbench leaderboard makes"),
    "Jekyll": (put(f"{L}/site/_config.yml", "plugins: [x]"), "_config.yml.: nothing that symbench leaderboard"),
    "link in the site": (put(f"{L}/site/static/passwd", "/etc/passwd", "120000"), "received mode 120000"),
    "page as a link": (put(f"{L}/site/index.html", "../../README.md", "120000"), "received mode 120000"),
    "link to a folder": (put(f"{L}/site/more", "..", "120000"), "received mode 120000"),
    "executable page": (put(f"{L}/site/run.sh", "#!/bin/sh", "100755"), "received mode 100755"),
    "attributes of the site": (put(f"{L}/site/.gitattributes", "* filter=x"), ".gitattributes.: nothing that"),
    "attributes": (put(f"{L}/.gitattributes", "* filter=x"), ".gitattributes.: changed; a submission adds files"),
    "other attributes": (put(f"{L}/submissions/.gitattributes", "* -diff"), ".gitattributes.: no file of a leader"),
    "submodules": (put(".gitmodules", "[submodule]"), ".gitmodules.: outside leaderboards/"),
    "workflow": (put(".github/workflows/x.yml", "on: push"), "x.yml.: outside leaderboards/"),
    "code": (put("symbench/leaderboard/pull_request.py", "x"), "pull_request.py.: outside leaderboards/"),
    "changed readme": (put("README.md", "x"), "README.md.: outside leaderboards/"),
    "removed readme": (drop("README.md"), "README.md.: outside leaderboards/"),
    "a link for everything": (link_for_a_folder, "second.csv.: a submission that is on the board is removed"),
    "better line": (better_line, "leaderboard.csv: not what symbench leaderboard makes"),
    "forged statement": (appended(f"{L}/leaderboard.intoto.jsonl", "{}\n"), "intoto.jsonl: not what symbench"),
    "removed table": (drop(f"{L}/LEADERBOARD.md"), "LEADERBOARD.md.: it is removed"),
    "archive": (put(f"{L}/archive/statistics-9/LEADERBOARD.md"), "LEADERBOARD.md.: no file of a leaderboard"),
    "tours": (put(f"{L}/tours/TSP20.csv"), "TSP20.csv.: no file of a leaderboard"),
    "third file": (put(f"{L}/submissions/mine.py", "import os"), "mine.py.: no file of a leaderboard"),
    "folder": (put(f"{L}/submissions/deep/mine.csv"), "mine.csv.: no file of a leaderboard"),
    "half a submission": (put(f"{L}/submissions/half.csv"), "half.json: this file is missing"),
    "broken submission": (appended(f"{L}/submissions/mine.csv", "=1,2\n"), r"mine.csv:\d+.* \[f\w+\]"),
    "backdated copy": (backdated_copy, "mine.json: .* has the weights of run 0 of 'second', which is on the board"),
    "large submission": (put(f"{L}/submissions/mine.csv", "x" * 10_000_001), "mine.csv: larger than 10,000,000"),
    "large metadata": (put(f"{L}/submissions/mine.json", " " * 200_001), "mine.json: larger than 200,000 bytes"),
    "own file as a link": (put(f"{L}/submissions/mine.csv", "second.csv", "120000"), "received mode 120000"),
    "too many": (too_many, f"at most {MAX_SUBMISSIONS} submissions a pull request, received {MAX_SUBMISSIONS + 1}"),
    "capital letters": (put(f"{L}/submissions/Second.csv"), "Second.csv.: a name holds a-z"),
    "capital suffix": (put(f"{L}/submissions/second.CSV"), "second.CSV.: no file .*some file systems"),
    "capital folder": (put(f"{L}/Submissions/second.csv"), "Submissions/second.csv.: no file .*some file systems"),
    "capital verification": (put(f"{L}/Verified.json", "{}"), "Verified.json.: no file .*some file systems"),
    "capital room": (put("Leaderboards/verified.json", "{}"), "Leaderboards/verified.json.: outside leaderboards/"),
    "full-width letters": (put(f"{L}/\uff56erified.json", "{}"), "erified.json.: no file .*some file systems"),
    "Kelvin sign": (put(f"{L}/submissions/\u212a.csv"), "a name holds a-z"),
    "Cyrillic": (put(f"{L}/submissions/s\u0435cond.csv"), "a name holds a-z"),
    "turned around": (put(f"{L}/submissions/\u202evsc.x.csv"), "a name holds a-z"),
    "a line in a name": (put(f"{L}/submissions/a\nb.csv"), r"a\\nb.csv.: "),
    "a colour in a name": (put(f"{L}/site/\x1b[2Jx.html"), r"x1b\[2Jx.html.: nothing that"),
    "bytes that are no text": (put(f"{L}/site/\udcff.html"), r"udcff.html.: nothing that"),
    "reserved name": (put(f"{L}/submissions/con.csv"), "con.csv.: "),
    "trailing dot": (put(f"{L}/submissions/mine..csv"), "mine..csv.: a name holds a-z"),
}
