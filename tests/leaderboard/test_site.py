"""The site as text: well-formed, complete, the same every time, and safe whatever a submission says."""

from __future__ import annotations

import math
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import html5lib
import pytest
from site_cases import OTHER_TASK, add, some_boards
from submission_cases import SUITE, TASK
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.leaderboard.board import make_boards
from symbench.leaderboard.site import pages, stale_pages, write_site
from symbench.leaderboard.site.cells import cell_summaries
from symbench.leaderboard.site.retention_curves import COLOURS, chart
from symbench.leaderboard.validate import Submission

if TYPE_CHECKING:
    from click.testing import Result

    from symbench.leaderboard.board import Board

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7 * 7 }} {% raw %}",
    "</title></style><svg onload=alert(1)>",
    "&lt;b&gt; &amp;",
    "\\end{x} } } @misc{y, title={z}",
]


class Tags(HTMLParser):
    """All start tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


@pytest.fixture
def boards(tmp_path: Path) -> list[Board]:
    return some_boards(tmp_path)


def html(contents: dict[str, str]) -> dict[str, str]:
    return {path: content for path, content in contents.items() if path.endswith(".html")}


def board_of(*submissions: Submission) -> list[Board]:
    return make_boards(submissions, {})


def test_every_page_is_well_formed(boards: list[Board]) -> None:
    for path, page in html(pages(boards)).items():
        parser = html5lib.HTMLParser(strict=True)
        parser.parse(page)
        ids = [attributes["id"] for _, attributes in Tags(page).found if "id" in attributes]
        assert len(ids) == len(set(ids)), path


def test_the_check_for_well_formed_pages_finds_a_mistake(boards: list[Board]) -> None:
    broken = pages(boards)["index.html"].replace("</section>", "", 1)
    with pytest.raises(html5lib.html5parser.ParseError):
        html5lib.HTMLParser(strict=True).parse(broken)


def test_every_line_of_every_board_is_there_in_its_part(boards: list[Board]) -> None:
    contents = pages(boards)
    index = contents["index.html"]
    for board in boards:
        start = index.index(f'data-task="{board.task}"')
        section = index[start : index.index("</section>", start)]
        names = re.findall(r'<tr class="line" data-agent="([^"]+)"', section)
        assert names == [line.card.name for line in board.lines]
        for line in board.lines:
            assert f'href="agents/{line.card.name}.html"' in section and f"agents/{line.card.name}.html" in contents
    groups = re.findall(r'<th scope="rowgroup"[^>]*>([^<]+)<', index)
    assert groups == ["Verified", "Not verified", "Not verified, not ranked", "Not verified"]


def test_the_board_with_most_ranked_agents_comes_first(boards: list[Board]) -> None:
    assert [board.task for board in boards] == [OTHER_TASK, TASK]
    assert re.findall(r'data-task="([^"]+)"', pages(boards)["index.html"]) == [TASK, OTHER_TASK]


def test_every_local_address_leads_to_a_page_and_every_other_one_is_marked(boards: list[Board]) -> None:
    contents = pages(boards)
    for path, page in html(contents).items():
        folder, tags = Path(path).parent, Tags(page)
        ids = {attributes.get("id") for _, attributes in tags.found}
        addresses = [*((link, link["href"]) for link in tags.named("a") + tags.named("link"))]
        for link, address in [*addresses, *((script, script["src"]) for script in tags.named("script"))]:
            if address.startswith("#"):
                assert address[1:] in ids
            elif address.startswith("http"):
                assert link["rel"] == "noopener noreferrer"
            elif address != "data:,":
                parts = (folder / address.partition("#")[0]).parts
                assert "/".join(parts[2:] if ".." in parts else parts) in contents, (path, address)


def test_nothing_is_loaded_from_elsewhere_or_written_into_a_page(boards: list[Board]) -> None:
    for path, content in pages(boards).items():
        if path.endswith(".html"):
            tags = Tags(content)
            assert all(set(script) <= {"src", "defer"} for script in tags.named("script"))
            assert not any(name.startswith("on") or name == "style" for _, found in tags.found for name in found), path
            assert "default-src 'none'" in content
        if path.endswith(".css"):
            assert "url(" not in content and "@import" not in content


def test_a_page_says_what_was_measured(boards: list[Board]) -> None:
    strong = next(line for board in boards for line in board.lines if line.card.name == "strong")
    page = pages(boards)["agents/strong.html"]
    for run in strong.entry.runs:
        assert run.weights and run.weights in page
    assert strong.submission.digest in page and "numpy 2.4.6" in page and "a processor, 2 cores" in page
    assert f"{strong.clean.value:.2f} [{strong.clean.low:.2f}, {strong.clean.high:.2f}]" in page
    for cell in cell_summaries(strong, TASK):
        assert cell.condition.title in page and f"{cell.mean_return:,.1f}" in page


def test_pages_say_what_intervals_are_over_and_under_which_statistics(boards: list[Board]) -> None:
    contents = pages(boards)
    assert "<dd>Version 3. " in contents["index.html"] and "statistics 3" in contents["agents/strong.html"]
    assert contents["index.html"].count("[ ]: episodes only") == 2, "of the agents with two and with one training run"
    assert "95% interval over runs and episodes. Small" in contents["agents/strong.html"]
    assert "95% interval over episodes of these runs only. Small" in contents["agents/few.html"]


def test_the_worst_condition_stands_beside_the_score_and_both_beside_the_retention(boards: list[Board]) -> None:
    deaf = next(line for board in boards for line in board.lines if line.card.name == "deaf")
    contents, kept = pages(boards), f"{deaf.retention.value:.0%} ["
    assert "perturbed score, 0.00 at worst: add-noise-channels +5" in contents["agents/deaf.html"]
    assert f"<b>{kept}" in contents["agents/deaf.html"] and f"retention {kept}" in contents["index.html"]
    assert deaf.below_the_bar and "clean score, below the bar of 0.90" in contents["agents/deaf.html"]


def test_cells_agree_with_the_board_and_hold_intervals(boards: list[Board]) -> None:
    for board in boards:
        for line in board.lines:
            clean, *perturbed = cell_summaries(line, board.task)
            assert clean.score.value == pytest.approx(line.clean.value) and clean.mean_return == line.clean_return
            assert {cell.condition.id: cell.retention.value for cell in perturbed} == pytest.approx(line.kept)
            for cell in perturbed:
                assert len(cell.shares) == line.runs
                assert cell.retention.low <= cell.retention.value <= cell.retention.high


def test_an_agent_that_cannot_act_is_shown_with_its_reason_and_nothing_left(boards: list[Board]) -> None:
    deaf = next(line for board in boards for line in board.lines if line.card.name == "deaf")
    cell = cell_summaries(deaf, TASK)[-1]
    assert cell.retention == (0, 0, 0) and math.isnan(cell.mean_return)
    assert "cannot act: reads &lt;5&gt; sensors" in pages(boards)["agents/deaf.html"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_stranger_is_text(tmp_path: Path, text: str) -> None:
    plain = html(pages(board_of(add(tmp_path, "mine"))))
    told = dict.fromkeys(("description", "training_data"), text) | {"authors": [text, "B"]}
    hostile = html(pages(board_of(add(tmp_path, "mine", **told))))
    for path, page in hostile.items():
        assert [tag for tag, _ in Tags(page).found] == [tag for tag, _ in Tags(plain[path]).found], path
        words = html5lib.parse(page, namespaceHTMLElements=False).find("body").itertext()
        assert text in "".join(words), path


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//example.org", " https://x", "file:///x"]
)
def test_what_is_no_web_address_is_never_a_link(tmp_path: Path, address: str) -> None:
    """The schema refuses these; should one get past it, it is shown and leads nowhere."""
    good = add(tmp_path, "mine")
    bad = Submission(good.card.model_copy(update={"paper": address}), good.suite, good.cells, good.digest)
    page = pages(board_of(bad))["agents/mine.html"]
    assert address in page
    assert all(address.strip() not in str(link.get("href")) for link in Tags(page).named("a"))


def test_the_same_boards_give_the_same_bytes(boards: list[Board], tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_site(boards, tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in sorted((tmp_path / "one").rglob("*")) if path.is_file()]
    assert len(files) == len(pages(boards)) > 8
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_site_is_stale_as_soon_as_anything_differs(boards: list[Board], tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert set(stale_pages(boards, site)) == set(pages(boards))
    write_site(boards, site)
    assert stale_pages(boards, site) == []
    (site / "static" / "site.css").write_text("edited")
    (site / "agents" / "gone.html").write_text("of an agent that was taken back")
    assert stale_pages(boards, site) == ["static/site.css", "agents/gone.html"]
    write_site(boards, site)
    assert stale_pages(boards, site) == [] and not (site / "agents" / "gone.html").exists()
    assert "agents/upright.html" in stale_pages(boards[1:], site)


def test_a_folder_with_other_files_is_left_alone(boards: list[Board], tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "mine.html").write_text("precious")
    with pytest.raises(SymbenchError, match="holds other files; a new or empty folder is expected"):
        write_site(boards, tmp_path)
    assert (tmp_path / "agents" / "mine.html").read_text() == "precious"
    with pytest.raises(SymbenchError, match="holds other files"):
        write_site(boards, tmp_path / "agents" / "mine.html")


def test_an_empty_site_says_so() -> None:
    page = pages([])["index.html"]
    assert "No submissions yet." in page and "<form" not in page


def test_curves_begin_at_the_clean_score_and_fall_as_the_numbers_do(boards: list[Board]) -> None:
    lines = {line.card.name: cell_summaries(line, TASK) for line in boards[1].lines}
    drawn = chart(lines, runs=True)
    assert drawn is not None and [panel.name for panel in drawn.panels] == ["shuffle-sensors", "add-noise-channels"]
    first, last = drawn.panels
    assert first.right < last.left < last.right < drawn.width
    height = {label: y for y, label in drawn.grid}
    for curve in drawn.curves:
        cells = lines[curve.name][1:]
        for part, cell in zip(curve.parts, cells, strict=True):
            clean, point = part
            assert clean.y == height["100%"]
            share = (height["0%"] - point.y) / (height["0%"] - height["100%"])
            assert share == pytest.approx(cell.retention.value, abs=0.01)
            assert len(point.runs) == len(cell.shares) and point.low is not None


def test_many_agents_are_drawn_in_few_colours_and_none_where_nothing_can_be_kept(boards: list[Board]) -> None:
    cells = cell_summaries(boards[1].lines[0], TASK)
    drawn = chart({f"agent-{number}": cells for number in range(COLOURS + 3)})
    assert drawn is not None
    assert [curve.colour for curve in drawn.curves] == [*range(COLOURS), COLOURS, COLOURS, COLOURS]
    assert chart({"mine": cells[:1]}) is None and chart({}) is None


def test_each_board_has_its_own_lines_as_csv(boards: list[Board], tmp_path: Path) -> None:
    write_site(boards, tmp_path / "site")
    for board in boards:
        lines = (tmp_path / "site" / "tables" / f"{board.suite}-{board.task}.csv").read_text().splitlines()
        assert len(lines) == 1 + len(board.lines)
        assert all(any(line.card.name in text for text in lines[1:]) for line in board.lines)
    write_site(boards[:1], tmp_path / "site")
    assert len(list((tmp_path / "site" / "tables").iterdir())) == 1, "tables of boards that are gone are deleted"


def test_three_agents_need_no_filters(boards: list[Board], tmp_path: Path) -> None:
    few = [board for board in boards if len(board.lines) <= 3]
    assert few and 'id="filters"' not in pages(few)["index.html"] and 'id="filters"' in pages(boards)["index.html"]


def test_the_command_writes_the_site_and_check_finds_it_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path / "board", "mine")
    monkeypatch.chdir(tmp_path)

    def symbench(*options: str) -> Result:
        return CliRunner().invoke(app, ["leaderboard", "board", "--site", *options])

    result = symbench("site", "--check")
    assert result.exit_code == 1 and "index.html" in result.stderr and not (tmp_path / "site").exists()
    assert symbench("site").stdout.splitlines()[-1] == "site/index.html"
    assert symbench("site", "--check").stdout == "board and site: up to date\n"
    (tmp_path / "site" / "index.html").unlink()
    assert (
        symbench("site", "--check").stderr == "error: index.html in site: stale; run symbench leaderboard --site site\n"
    )
    (wrong,) = symbench("board").stderr.splitlines()
    assert wrong == "error: 'board' holds other files; a new or empty folder is expected"


def test_without_jinja_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(SymbenchError, match=re.escape("pip install 'symbench[site]'")):
        pages([])
