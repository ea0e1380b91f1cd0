"""The page as a file: what it holds, that it is the same every time, and what cannot be put into it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import html5lib
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from symbench.demo import bundled_agents, exported_agent, page, write_page
from symbench.demo.export import KINDS, TASK
from symbench.demo.page_file import _PAGE, LIVE_SCRIPTS, SCRIPTS, live_page
from symbench.errors import SymbenchError
from symbench.policies import AttentionNeuronNetwork, GRUNetwork, MLPNetwork
from symbench.zoo import bundled, load_network, save_agent

if TYPE_CHECKING:
    from pathlib import Path

FORCE = Box(-1.0, 1.0, (1,), np.float32)


def parts(html: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, flags=re.DOTALL)


def test_weights_are_those_of_the_file_bit_for_bit() -> None:
    path = bundled(TASK)["attention-neuron"][0]
    tensors, exported = load_network(path).state_dict(), exported_agent(path)["weights"]
    assert exported.keys() == tensors.keys()
    for name, tensor in tensors.items():
        numbers = np.frombuffer(base64.b64decode(exported[name]["float32"]), dtype="<f4")
        np.testing.assert_array_equal(numbers.reshape(exported[name]["shape"]), tensor.numpy())


def test_every_bundled_agent_that_can_be_played_is_offered_once_plain_ones_first() -> None:
    agents = bundled_agents()
    kinds = [agent["kind"] for agent in agents]
    assert kinds == sorted(kinds, key=KINDS.index) and len({agent["name"] for agent in agents}) == len(agents)
    assert {"mlp", "attention-neuron", "recurrent-attention-neuron"} <= {*kinds}
    assert {agent["name"] for agent in agents} >= {name for name in bundled(TASK) if name in KINDS}


def test_the_page_is_the_same_every_time_and_is_made_of_its_sources(tmp_path: Path) -> None:
    written = write_page(tmp_path / "new" / "folder").read_bytes()
    assert written == page().encode() == write_page(tmp_path / "new" / "folder").read_bytes()
    live, policy = live_page(["ws://127.0.0.1:1"])
    for scripts, html in ((SCRIPTS, written.decode()), (LIVE_SCRIPTS, live)):
        for source in ("style.css", *(f"{name}.js" for name in scripts)):
            assert (_PAGE / source).read_text(encoding="utf-8") in html, source
    assert {source.stem for source in _PAGE.glob("*.js")} == {*SCRIPTS, *LIVE_SCRIPTS}
    assert policy in live and "connect-src 'self' ws://127.0.0.1:1;" in policy and "connect-src" not in page()


def test_it_asks_for_nothing_and_its_policy_names_what_may_run() -> None:
    html = page()
    (style,), (data, script) = parts(html, "style"), parts(html, "script")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy and policy[1].startswith("default-src 'none'")
    for content in (style, script):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    assert json.loads(data) == bundled_agents()
    assert re.findall(r"(?:https?:|url\(|@import|fetch\(|\bsrc=)", html) == []


def test_it_is_html_without_a_mistake() -> None:
    html5lib.HTMLParser(strict=True).parse(page())
    html5lib.HTMLParser(strict=True).parse(live_page([])[0])


def test_no_text_of_a_card_ends_the_element_it_stands_in() -> None:
    agents: list[dict[str, Any]] = [{"name": "</script><b>{script}{policy}", "description": "<!--<script>"}]
    html = page(agents)
    data, _ = parts(html, "script")
    assert json.loads(data) == agents and "<b>{script}" not in html


def test_it_is_small_enough_to_be_sent() -> None:
    assert len(page().encode()) < 1_000_000


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        (lambda: GRUNetwork(5, FORCE), "is of kind gru"),
        (lambda: MLPNetwork(4, FORCE), "of another task"),
        (lambda: MLPNetwork(5, Discrete(2)), "of another task"),
        (lambda: AttentionNeuronNetwork(Box(-1, 1, (8,), np.float32)), "of another task"),
        (lambda: AttentionNeuronNetwork(FORCE, normalisation="gate"), "normalisation 'gate'"),
        (lambda: AttentionNeuronNetwork(FORCE, num_layers=2), "num_layers 2"),
        (lambda: AttentionNeuronNetwork(FORCE, differences=20.0), "differences 20.0"),
    ],
)
def test_an_agent_that_it_cannot_play_is_refused(network: Any, problem: str, tmp_path: Path) -> None:
    save_agent(network(), tmp_path / "mine", {"agent": "mine"})
    with pytest.raises(SymbenchError, match=problem):
        exported_agent(tmp_path / "mine")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SymbenchError, match=r"cannot write .*index\.html"):
        write_page(tmp_path / "file")
