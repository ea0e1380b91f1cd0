"""The live page in a real browser: what a person does there, and what a hostile page cannot do."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from browser_cases import BY_PLAYWRIGHT, barriers, middle

from symbench.demo import PageServer
from symbench.demo.setting import setting_of

pytest.importorskip("uvicorn", reason="uvicorn is not installed")
from symbench.demo.live_server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WIDTHS = (390, 1280, 1440)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(setting_of("CartPoleSwingUp", ["mlp", "attention-neuron"])) as found:
        yield found


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Opens the page; then nothing must have gone wrong, nothing been asked for but the page and its socket."""
    wrong: list[str] = []
    contexts = []

    def open_page(at: str | None = None, viewport: dict[str, int] | None = None, **options: Any) -> Page:
        context = browser.new_context(viewport=viewport or DESKTOP, **{"reduced_motion": "reduce", **options})
        contexts.append(context)
        page, asked = context.new_page(), at or address
        elsewhere = lambda url: url != asked and not url.startswith("data:")  # noqa: E731
        play = f"{asked}play".replace("http", "ws")
        page.on("console", lambda message: wrong.append(message.text) if BY_PLAYWRIGHT not in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("websocket", lambda socket: None if socket.url == play else wrong.append(socket.url))
        page.on("request", lambda request: wrong.append(request.url) if elsewhere(request.url) else None)
        page.goto(asked)
        page.wait_for_function("() => live.state")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def returns(page: Page) -> list[float]:
    found: list[float] = page.evaluate("() => live.state.lanes.map((lane) => lane.return)")
    return found


def slide(page: Page, name: str, severity: int) -> None:
    page.locator(f"#severity-{name}").fill(str(severity))
    page.wait_for_function(
        "([name, severity]) => (live.state.severities[name] ?? 0) === severity", arg=[name, severity]
    )


def begin(page: Page, seed: int) -> None:
    page.locator("#seed").fill(str(seed))
    page.keyboard.press("Enter")
    page.wait_for_function("(seed) => live.state.seed === seed", arg=seed)


@pytest.mark.slow
def test_shuffled_while_it_runs_the_mlp_falls_and_the_attention_neuron_does_not(visit: Open) -> None:
    page = visit()
    begin(page, 0)
    page.locator("h1").click()
    page.keyboard.press(" ")
    page.wait_for_function("() => live.state.lanes[0].steps > 300", timeout=60_000)
    page.keyboard.press("s")
    page.wait_for_function("() => live.state.severities.ShuffleSensors === 1")
    shuffled = returns(page)
    assert min(shuffled) > 200, "both have swung up"
    page.wait_for_function("() => live.state.lanes[1].steps > 700", timeout=60_000)
    mlp, attention_neuron = (now - before for now, before in zip(returns(page), shuffled, strict=True))
    assert mlp < 130 and attention_neuron > 300, (mlp, attention_neuron)


def test_the_scenes_the_inputs_and_the_returns_are_drawn_and_change(visit: Open) -> None:
    page = visit()
    assert page.locator("#task").inner_text() == "CartPoleSwingUp"
    picture = "(part) => part.src ?? part.toDataURL()"
    parts = page.locator(".picture, canvas").all()
    assert len(parts) == 5
    before = [part.evaluate(picture) for part in parts]
    for _ in range(20):
        page.keyboard.press(".")
    page.wait_for_function("() => live.state.lanes[0].steps === 20")
    page.wait_for_timeout(200)
    after = [part.evaluate(picture) for part in parts]
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert page.evaluate("() => document.querySelector('.picture').naturalWidth") == 600
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert all(part.evaluate(picture) != old for part, old in zip(parts[1::2], after[1::2], strict=True))


def test_sliders_are_those_of_the_registry_and_what_does_not_fit_says_why(visit: Open) -> None:
    from symbench.wrappers.registry import PERTURBATIONS

    page = visit()
    offered = page.locator("#perturbations label b").all_inner_texts()
    refused = page.locator("#unfit dt").all_text_contents()
    assert {*offered, *refused} == {*PERTURBATIONS} and "ShuffleSensors" in offered and "OccludePatches" in refused
    page.get_by_text(f"{len(refused)} do not fit this task").click()
    assert page.get_by_text("OccludePatches needs frames").is_visible()
    slide(page, "AddNoiseChannels", 1)
    page.get_by_text("Cannot act: mlp reads 5 sensors in a fixed order, received 10").wait_for()
    slide(page, "AddNoiseChannels", 0)
    page.locator(".state", has_text="Cannot act").wait_for(state="detached")
    page.get_by_role("button", name="Shuffle", exact=True).click()
    page.get_by_role("button", name="Draw ShuffleSensors again").click()
    page.wait_for_function("() => live.state.changes.length >= 4")
    page.get_by_role("button", name="In order").click()
    page.wait_for_function("() => !live.state.severities.ShuffleSensors")


NAMES = ["x (m)", "v (m/s)", "cos(angle)", "sin(angle)", "spin (rad/s)"]


def chip(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=f"{name}, place")


def arranged(page: Page) -> list[str]:
    """The names of the sensors in the order in which the agents are given them."""
    told = page.evaluate("() => live.state.lanes.map((lane) => lane.numbers.names)")
    assert told[0] == told[1]
    return list(told[0])


def told(page: Page, order: list[int], dead: list[int]) -> None:
    page.wait_for_function(
        "(asked) => JSON.stringify([live.state.sensors.order, live.state.sensors.dead]) === asked",
        arg=json.dumps([order, dead], separators=(",", ":")),
    )


def test_a_sensor_is_dragged_to_another_place(visit: Open) -> None:
    page = visit()
    begin(page, 3)
    assert page.locator(".chip b").all_inner_texts() == NAMES == arranged(page)
    before = page.evaluate("() => live.state.lanes[0].numbers.rows.at(-1)")
    (x, y), (to_x, to_y) = middle(chip(page, "x (m)")), middle(chip(page, "cos(angle)"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=12)
    page.mouse.up()
    told(page, [1, 2, 0, 3, 4], [])
    names = [NAMES[i] for i in (1, 2, 0, 3, 4)]
    assert arranged(page) == names == page.locator(".chip b").all_inner_texts()
    assert page.evaluate("() => live.state.lanes[0].numbers.rows.at(-1)") == [before[i] for i in (1, 2, 0, 3, 4)]
    assert page.locator("#pipeline").inner_text() == "environment → ArrangeSensors(order=[1, 2, 0, 3, 4]) → agent"
    page.get_by_role("button", name="In order").click()
    told(page, [0, 1, 2, 3, 4], [])
    assert page.locator(".chip b").all_inner_texts() == NAMES == arranged(page)


def test_a_sensor_is_moved_and_killed_by_the_keyboard_alone(visit: Open) -> None:
    page = visit()
    chip(page, "spin (rad/s)").focus()
    page.keyboard.press("ArrowLeft")
    told(page, [0, 1, 2, 4, 3], [])
    page.keyboard.press("Home")
    told(page, [4, 0, 1, 2, 3], [])
    focus = "() => document.activeElement.closest('.chip').dataset.channel"
    assert page.evaluate(focus) == "4", "it keeps the focus"
    assert page.locator("#said").inner_text() == "spin (rad/s) is now at place 1 of 5"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    told(page, [4, 0, 1, 2, 3], [4])
    assert page.locator("#said").inner_text() == "spin (rad/s) is dead"
    switch = page.get_by_role("switch", name="spin (rad/s) is alive")
    assert switch.get_attribute("aria-checked") == "false"
    page.locator("h1").click()
    for _ in range(20):
        page.keyboard.press(".")
    page.wait_for_function("() => live.state.lanes[0].steps === 20")
    rows = page.evaluate("() => live.state.lanes.map((lane) => lane.numbers.rows.at(-1))")
    assert all(row[0] == 0 and all(row[1:]) for row in rows)
    switch.click()
    told(page, [4, 0, 1, 2, 3], [])
    assert page.evaluate("() => live.state.lanes[0].numbers.rows.at(-1)[0]") != 0


def test_the_mlp_falls_when_two_sensors_change_places_and_the_attention_neuron_does_not(visit: Open) -> None:
    page = visit()
    begin(page, 0)
    page.evaluate("() => { for (let i = 0; i < 300; i++) ask({ do: 'step' }); }")
    page.wait_for_function("() => live.state.lanes[0].steps === 300", timeout=60_000)
    before = returns(page)
    assert min(before) > 200, "both have swung up"
    chip(page, "cos(angle)").press("ArrowRight")
    told(page, [0, 1, 3, 2, 4], [])
    page.evaluate("() => { for (let i = 0; i < 300; i++) ask({ do: 'step' }); }")
    page.wait_for_function("() => live.state.lanes[0].steps === 600", timeout=60_000)
    mlp, attention_neuron = (now - then for now, then in zip(returns(page), before, strict=True))
    assert mlp < 130 and attention_neuron > 250, (mlp, attention_neuron)


def test_an_order_that_is_none_is_refused_and_the_list_shows_what_is_there(visit: Open) -> None:
    page = visit()
    for order in ([0, 0, 1, 2, 3], [0, 1], [0, 1, 2, 3, 5]):
        page.evaluate("(order) => { sensors.order = order; sensors.tell({ do: 'arrange', order }); }", order)
        page.get_by_role("alert").get_by_text("an order of 5 sensors is expected").wait_for()
        page.keyboard.press(".")
        page.wait_for_function("() => `${sensors.order}` === '0,1,2,3,4'")
    page.evaluate("() => ask({ do: 'kill', sensor: 5, dead: true })")
    page.get_by_role("alert").get_by_text("there are 5 sensors, counted from 0, received 5").wait_for()


def test_another_agent_and_nobody_can_be_chosen(visit: Open) -> None:
    page = visit()
    page.get_by_label("Agent on the right").select_option("random")
    page.wait_for_function("() => live.state.lanes[1].agent === 'random'")
    page.get_by_label("Agent on the right").select_option("nobody")
    page.wait_for_function("() => live.state.lanes.length === 1")
    assert page.locator(".lane").last.locator(".picture").is_hidden()
    page.get_by_label("Agent on the right").select_option("attention-neuron")
    page.wait_for_function("() => live.state.lanes.length === 2")
    page.locator(".lane").last.locator(".picture").wait_for()


def test_it_waits_for_those_who_want_less_motion_and_plays_for_others(visit: Open) -> None:
    still = visit()
    still.wait_for_timeout(400)
    assert still.evaluate("() => live.state.lanes[0].steps") == 0
    moving = visit(reduced_motion="no-preference")
    moving.wait_for_function("() => live.state.lanes[0].steps > 5")
    assert still.evaluate("() => live.state.lanes[0].steps") == 0, "it has a session of its own"


def test_a_huge_speed_is_the_most_there_is(visit: Open) -> None:
    page = visit()
    page.evaluate("() => ask({ do: 'speed', times: 1e300 })")
    page.wait_for_function("() => document.getElementById('speed-shown').textContent === '16x'")


def test_what_the_server_refuses_is_shown_and_nothing_is_lost(visit: Open) -> None:
    page = visit()
    page.keyboard.press(".")
    page.evaluate("() => socket.send('{')")
    page.get_by_role("alert").get_by_text("Invalid JSON").wait_for()
    page.keyboard.press(".")
    page.wait_for_function("() => live.state.lanes[0].steps === 2")
    assert page.get_by_role("alert").is_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_barrier(visit: Open, width: int, scheme: str) -> None:
    page = visit(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.keyboard.press(".")
    slide(page, "ShuffleSensors", 2)
    assert barriers(page) == []
    slide(page, "AddNoiseChannels", 3)
    page.evaluate("() => trouble('It does not work.')")
    page.wait_for_timeout(200)
    assert barriers(page) == []


def test_axe_finds_a_barrier_that_is_there(visit: Open) -> None:
    page = visit()
    page.evaluate("() => document.querySelector('#perturbations label').remove()")
    assert any(found.startswith("label") for found in barriers(page))


@pytest.mark.slow
def test_it_never_scrolls_sideways_and_what_is_pressed_is_large_enough(visit: Open) -> None:
    page = visit()
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => (each.open = true))")
    slide(page, "AddNoiseChannels", 5)
    for width in (320, 390, 600, 740, 900, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, width
        for target in page.locator("button, select, input:not([type=checkbox]), summary, label.check").all():
            box = target.bounding_box()
            assert box and box["height"] >= 44 and box["width"] >= 44, target.evaluate("(one) => one.outerHTML")


def test_on_a_phone_both_scenes_and_the_shuffle_are_on_the_first_screen(visit: Open) -> None:
    page = visit(viewport=PHONE)
    dock = page.locator(".dock").bounding_box()
    assert dock and dock["y"] + dock["height"] <= 844
    for scene in page.locator(".picture").all():
        box = scene.bounding_box()
        assert box and box["y"] + box["height"] <= dock["y"]


def test_everything_is_reached_by_keyboard_with_a_visible_focus(visit: Open) -> None:
    page = visit()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, style, width = page.evaluate(
            """() => { const at = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(at);
               const name = at === document.body ? "BODY" : at.id || at.ariaLabel || at.className || at.tagName;
               return [name, outlineStyle, parseFloat(outlineWidth)]; }"""
        )
        if name == "BODY":
            break
        assert style != "none" and width >= 1, name
        reached.append(name)
    assert {"skip", "pause", "shuffle", "severity-ShuffleSensors", "unfit-title", "speed", "seed"} <= {*reached}


def test_text_of_a_stranger_stays_text(visit: Open) -> None:
    import dataclasses

    hostile = "</script><script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>"
    plain = setting_of("CartPoleSwingUp", ["mlp"])
    source = plain.agents["mlp"].model_copy(update={"name": hostile})
    choices = {name: dataclasses.replace(each, explanation=hostile) for name, each in plain.choices.items()}
    task = dataclasses.replace(plain.task, description=hostile)
    setting = dataclasses.replace(plain, task=task, agents={hostile: source}, playing=(hostile, None), choices=choices)
    with serving(setting) as address:
        page = visit(address)
        page.wait_for_timeout(300)
        assert page.locator("#lead").inner_text() == hostile
        assert page.locator("#perturbations .hint").first.inner_text() == hostile
        assert page.evaluate("() => window.harmed") is None
        assert page.locator("img:not(.picture)").count() == 0
        page.close()


def test_a_page_of_another_site_cannot_open_the_socket(browser: Browser, address: str) -> None:
    code = """(address) => new Promise((done) => { const socket = new WebSocket(address);
      socket.onopen = () => done("open"); socket.onerror = () => done("refused"); })"""
    play = f"{address}play".replace("http", "ws")
    with PageServer("<!doctype html><title>elsewhere</title>", 0) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.05,))
        thread.start()
        try:
            page = browser.new_page()
            page.goto(other.address)
            assert page.evaluate(code, play) == "refused"
            page.goto(address)
            assert page.evaluate(code, play) == "open", "its own page can"
            page.close()
        finally:
            other.shutdown()
            thread.join()


def test_the_policy_lets_the_page_ask_nobody_else(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    with PageServer("elsewhere", 0) as other:
        code = "(where) => fetch(where, { mode: 'no-cors' }).then(() => 'asked', () => 'refused')"
        assert page.evaluate(code, other.address) == "refused"
        assert page.evaluate(code, address) == "asked"
    page.evaluate(
        "() => document.body.append(Object.assign(document.createElement('script'), { text: 'window.harmed = 1' }))"
    )
    assert page.evaluate("() => window.harmed") is None
    page.close()


def test_a_page_that_is_closed_while_it_plays_ends_its_session(visit: Open) -> None:
    def sessions() -> int:
        return sum(thread.name == "symbench demo" for thread in threading.enumerate())

    page = visit(reduced_motion="no-preference")
    page.wait_for_function("() => live.state.lanes[0].steps > 5")
    before = sessions()
    page.close()
    end = time.monotonic() + 10
    while sessions() >= before and time.monotonic() < end:
        time.sleep(0.02)
    assert sessions() == before - 1
    other = visit()
    other.keyboard.press(".")
    other.wait_for_function("() => live.state.lanes[0].steps === 1")


def test_a_server_that_ends_is_said(browser: Browser) -> None:
    with serving(setting_of("CartPoleSwingUp", ["mlp"])) as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("() => live.state")
    page.get_by_role("alert").get_by_text("The server has ended").wait_for()
    assert page.get_by_role("button", name="Shuffle", exact=True).is_disabled()
    page.close()


@pytest.mark.parametrize(
    ("task", "agents", "pictures"),
    [("Pong", ["cnn", "vision-attention-neuron"], 4), ("Wildlife", ["marl-equivariant", "random"], 2)],
)
def test_frames_and_teams_are_drawn(visit: Open, task: str, agents: list[str], pictures: int) -> None:
    with serving(setting_of(task, agents)) as address:
        page = visit(address)
        page.get_by_role("button", name="Shuffle", exact=True).click()
        page.keyboard.press(".")
        page.wait_for_function("() => live.state.lanes[0].steps > 0 && Object.keys(live.state.severities).length")
        assert page.locator(".frames img").count() == pictures
        widths = "(all) => Promise.all(all.map((one) => one.decode().then(() => one.naturalWidth)))"
        assert all(page.locator("img").evaluate_all(widths))
        page.close()
