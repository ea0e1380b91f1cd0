"""The server of live pages: who is answered, what messages do, what becomes of those who go away."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from symbench.cli import app as command
from symbench.demo import PageServer, worker
from symbench.demo.setting import Setting, setting_of
from symbench.zoo import bundled

pytest.importorskip("httpx", reason="httpx is not installed")
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from symbench.demo import live_server
from symbench.demo.live_server import MOST_PAGES, make_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = "http://127.0.0.1:8765"
PLAY = "ws://127.0.0.1:8765/play"
PAGE = {"Origin": HERE}


@pytest.fixture(scope="module")
def setting() -> Setting:
    return setting_of("CartPoleSwingUp", ["mlp", "attention-neuron"])


@pytest.fixture
def client(setting: Setting) -> TestClient:
    return TestClient(make_app(setting, 8765), base_url=HERE)


class Page:
    """What a page says and hears."""

    def __init__(self, websocket: Any) -> None:
        self.websocket = websocket
        assert self.hear()["type"] == "hello"
        self.state = self.hear()

    def hear(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.websocket.receive_text())
        return found

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """The first answer to a message of a page that stands still."""
        self.websocket.send_text(json.dumps({"do": do, **more}))
        return self.hear()


@contextmanager
def opened(client: TestClient) -> Iterator[Page]:
    with client.websocket_connect(PLAY, headers=PAGE) as websocket:
        yield Page(websocket)


def test_the_page_comes_with_a_policy_that_lets_it_speak_to_this_server_only(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200 and "live_lane.js" in answer.text
    assert policy.startswith("default-src 'none'; ") and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert "connect-src 'self' ws://127.0.0.1:8765 ws://localhost:8765;" in policy and "img-src data:;" in policy
    assert answer.headers["x-frame-options"] == "DENY" and answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/docs", "/openapi.json", "/redoc", "/etc/passwd", "/../pyproject.toml"):
        assert client.get(path).status_code == 404
    assert client.post("/").status_code == 405 and client.head("/").text == ""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1:9999", "127.0.0.1", ""])
def test_a_name_that_was_made_to_point_here_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect(PLAY, headers={**PAGE, "Host": host}),
    ):
        pass
    assert refused.value.code == 1008


OTHERS = ("https://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1", "https://127.0.0.1:8765", "null", None)


@pytest.mark.parametrize("origin", OTHERS)
def test_a_page_of_another_site_cannot_drive_it(client: TestClient, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect(PLAY, headers=headers):
        pass
    assert refused.value.code == 1008
    if origin is not None:
        assert client.get("/", headers=headers).status_code == 403


def test_localhost_is_this_machine_too(client: TestClient) -> None:
    local = {"Host": "localhost:8765", "Origin": "http://localhost:8765"}
    assert client.get("/", headers=local).status_code == 200
    with client.websocket_connect(PLAY, headers=local) as websocket:
        assert json.loads(websocket.receive_text())["type"] == "hello"


def test_what_a_page_asks_for_is_done_and_shown(client: TestClient) -> None:
    with opened(client) as page:
        assert [lane["agent"] for lane in page.state["lanes"]] == ["mlp", "attention-neuron"]
        assert page.state["lanes"][0]["scene"].startswith("data:image/jpeg;base64,") and not page.state["running"]
        state = page.ask("step")
        assert [lane["steps"] for lane in state["lanes"]] == [1, 1] and not state["running"]
        state = page.ask("perturb", name="ShuffleSensors", severity=1)
        assert state["severities"] == {"ShuffleSensors": 1} and state["pipeline"] == [
            "ShuffleSensors(resample='episode')"
        ]
        names = state["lanes"][0]["numbers"]["names"]
        assert page.ask("redraw", name="ShuffleSensors")["lanes"][0]["numbers"]["names"] != names
        assert page.ask("begin", seed=7)["seed"] == 7
        assert page.ask("speed", times=1e300)["speed"] == 16
        assert page.ask("choose", side=1, agent="random")["lanes"][1]["agent"] == "random"
        assert page.ask("play", on=True)["running"]
        while page.state["lanes"][0]["steps"] < 30:
            page.state = page.hear()


GARBAGE = {
    "": "Invalid JSON",
    "{": "Invalid JSON",
    "[]": "no message: Input should be",
    "null": "no message",
    '{"do": "harm"}': "harm",
    '{"seed": 1}': "do",
    '{"do": "begin", "seed": -1}': "begin.seed: Input should be greater",
    '{"do": "begin", "seed": 1e99}': "begin.seed",
    '{"do": "begin", "seed": "1"}': "begin.seed: Input should be a valid integer",
    '{"do": "step", "more": 1}': "step.more: Extra inputs",
    '{"do": "speed", "times": NaN}': "speed.times",
    '{"do": "perturb", "name": "__init__", "severity": 1}': "unknown perturbation '__init__'",
    '{"do": "choose", "side": 7, "agent": "mlp"}': "choose.side",
    "[" * 3000: "Invalid JSON",
    "x" * 5000: "4096 characters at most, received 5000",
}


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_answered_by_one_clear_line_and_nothing_is_lost(client: TestClient, text: str) -> None:
    with opened(client) as page:
        page.ask("perturb", name="ShuffleSensors", severity=1)
        before = page.ask("step")
        page.websocket.send_text(text)
        error = page.hear()
        assert error["type"] == "error" and GARBAGE[text] in error["message"] and "\n" not in error["message"]
        page.hear()  # the state, unchanged
        after = page.ask("step")
        assert after["severities"] == before["severities"] and after["lanes"][0]["steps"] == 2
        page.websocket.send_bytes(b"\xff\x00")
        assert page.hear()["type"] == "error"


def until(condition: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


def threads() -> int:
    return sum(thread.name == "symbench demo" for thread in threading.enumerate())


def test_a_browser_that_goes_away_ends_its_session_only(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    close = worker.Session.close
    monkeypatch.setattr(worker.Session, "close", lambda session: (close(session), closed.append(session)))
    with opened(client) as stays:
        with opened(client) as page:
            page.ask("play", on=True)
            assert threads() == 2
        until(lambda: len(closed) == 1 and threads() == 1)
        assert stays.ask("step")["lanes"][0]["steps"] == 1
    until(lambda: len(closed) == 2 and threads() == 0)


def test_one_page_too_many_is_told_and_has_room_when_another_is_gone(client: TestClient) -> None:
    pages = [client.websocket_connect(PLAY, headers=PAGE) for _ in range(MOST_PAGES + 1)]
    try:
        for page in pages[:-1]:
            assert json.loads(page.__enter__().receive_text())["type"] == "hello"
        last = pages[-1].__enter__()
        message = json.loads(last.receive_text())
        assert message["fatal"] and "4 pages are open, which is the most there can be" in message["message"]
        with pytest.raises(WebSocketDisconnect):
            last.receive_text()
    finally:
        for page in pages:
            page.__exit__(None, None, None)
    until(lambda: threads() == 0)
    with opened(client) as page:
        assert page.ask("step")["type"] == "state"


def test_one_page_does_not_wait_for_another(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked, tick = threading.Event(), worker.Session.tick

    def slowly(session: worker.Session) -> None:
        if session.seed == 9:
            blocked.wait(20)
        tick(session)

    monkeypatch.setattr(worker.Session, "tick", slowly)
    try:
        with opened(client) as slow, opened(client) as quick:
            slow.ask("begin", seed=9)
            slow.websocket.send_text('{"do": "step"}')
            assert quick.ask("step")["lanes"][0]["steps"] == 1
            blocked.set()
            assert slow.hear()["lanes"][0]["steps"] == 1
    finally:
        blocked.set()


def test_a_defect_in_a_session_is_said_and_ends_that_session_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(client) as page:
        with monkeypatch.context() as patch:
            patch.setattr(worker.Session, "tick", lambda session: 1 / 0)
            message = page.ask("step")
        assert message["fatal"] and message["message"].startswith("ZeroDivisionError: division by zero (a defect")
    with opened(client) as page:
        assert page.ask("step")["type"] == "state"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "CartPole-v7"], "CartPole-v7"),
        (["--task", "CartPole-v1", "--agent", "mpl"], "unknown agent 'mpl' for CartPole-v1"),
        (["--task", "CartPole-v1", "--agent", "mine:Agent"], "--trust"),
        (["--agent", "mlp"], "--agent needs --task"),
        (["--perturbation", "mine:Flip"], "--perturbation needs --task"),
        (["--task", "CartPole-v1", "--perturbation", "mine:Flip"], "add --trust"),
        (["--task", "CartPole-v1", "--perturbation", "Flip"], "unknown perturbation 'Flip'"),
        (["--task", "CartPole-v1", "--out", "page"], "--out writes the page that plays cart-pole by itself"),
    ],
)
def test_mistakes_of_the_command_line_are_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, ["demo", "--no-browser", *arguments])
    assert result.exit_code == 2 and message in result.output and result.output.count("\n") == 1
    assert [*tmp_path.iterdir()] == []


OWN = """
class Illegal:
    def act(self, observation): return 7

class Breaks:
    def __init__(self): self.steps = 0
    def act(self, observation):
        self.steps += 1
        return 1 if self.steps < 4 else 1 // 0
"""


@pytest.fixture
def own_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_agents.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("own_agents")
@pytest.mark.parametrize(
    ("task", "agent", "message"),
    [
        ("Acrobot-v1", "mlp", "agent 'mlp' cannot play Acrobot-v1: mlp reads 4 sensors"),
        ("CartPole-v1", "own_agents:Illegal", "agent 'Illegal' cannot play CartPole-v1: "),
    ],
)
def test_an_agent_that_cannot_play_is_refused_before_a_page_is_served(
    monkeypatch: pytest.MonkeyPatch, task: str, agent: str, message: str
) -> None:
    monkeypatch.setattr(live_server, "serve", lambda *_: pytest.fail("it is served"))
    given = agent if ":" in agent else str(next(iter(bundled("CartPole-v1")["mlp"])))
    arguments = ["--task", task, "--agent", "random", "--agent", f"{agent.split(':')[-1]}={given}", "--trust"]
    result = CliRunner().invoke(command, ["demo", "--no-browser", "--port", "0", *arguments])
    assert result.exit_code == 2 and message in result.output and result.output.count("\n") == 1


@pytest.mark.usefixtures("own_agents")
def test_what_breaks_while_it_plays_is_said_in_the_terminal_too_and_once() -> None:
    said: list[str] = []
    breaking = setting_of("CartPole-v1", ["own_agents:Breaks"], trust=True)
    client = TestClient(make_app(breaking, 8765, said.append), base_url=HERE)
    with opened(client) as page:
        for _ in range(2):
            page.ask("begin", seed=0)
            states = [page.ask("step") for _ in range(4)]
            assert states[-1]["lanes"][0]["broken"] and not states[0]["lanes"][0]["broken"]
        page.ask("perturb", name="AddNoiseChannels", severity=1)
    assert said == ["Breaks: integer division or modulo by zero"]


def test_a_port_in_use_is_one_clear_line() -> None:
    with PageServer("", 0) as other:
        port = str(other.server_address[1])
        result = CliRunner().invoke(command, ["demo", "--task", "CartPole-v1", "--port", port, "--no-browser"])
    assert result.exit_code == 2 and "in use); take another --port" in result.output and result.output.count("\n") == 1


def test_the_command_announces_where_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[Setting, tuple[str, int]]] = []

    def serve(setting: Setting, listening: socket.socket, say: object) -> None:
        with listening:
            served.append((setting, listening.getsockname()))

    monkeypatch.setattr(live_server, "serve", serve)
    arguments = ["--task", "CartPole-v1", "--agent", "mlp", "--port", "0", "--no-browser"]
    result = CliRunner().invoke(command, ["demo", *arguments])
    (setting, (host, port)) = served[0]
    assert result.output == f"http://127.0.0.1:{port}/ (Ctrl-C ends it)\n" and host == "127.0.0.1"
    assert setting.playing == ("mlp", None) and "random" in setting.agents


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "websockets"])
def test_a_missing_package_is_one_line(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    result = CliRunner().invoke(command, ["demo", "--task", "CartPole-v1", "--no-browser"])
    assert result.exit_code == 2
    assert result.output == f"error: live demos need {package}: pip install 'symbench[demo]'\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_the_command_serves_until_it_is_interrupted_though_a_page_is_open() -> None:
    client = pytest.importorskip("websockets.sync.client", reason="websockets is not installed")
    arguments = ["demo", "--task", "CartPole-v1", "--agent", "mlp", "--port", "0", "--no-browser"]
    line = [sys.executable, "-m", "symbench", *arguments]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Where the tests run in the background of a shell, children would ignore the signal.
    with subprocess.Popen(line, preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL), **pipes) as process:
        assert process.stdout and process.stderr
        address = process.stdout.readline().split()[0].rstrip("/")
        with client.connect(f"{address.replace('http', 'ws')}/play", origin=address) as page:
            page.send('{"do": "play", "on": true}')
            assert json.loads(page.recv(timeout=30))["type"] == "hello"
            while json.loads(page.recv(timeout=30))["lanes"][0]["steps"] < 5:
                pass
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
        assert process.stderr.read() == "interrupted\n"
