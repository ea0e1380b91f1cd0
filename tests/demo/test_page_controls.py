"""The page's controls: pointer, touch, keyboard; what it shows; what strangers' text and large numbers do to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser_cases import middle

from symbench.demo import bundled_agents, page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
NAMES = ["position", "speed", "cosine", "sine", "turning"]


def names(page: Page) -> list[str]:
    return page.locator(".chip .name").all_inner_texts()


def order(page: Page) -> list[int]:
    found: list[int] = page.evaluate("() => session.perturbations.order")
    return found


def handle(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=f"{name}, place")


def test_a_sensor_is_dragged_to_another_place(visit: Open) -> None:
    page = visit()
    page.mouse.move(*middle(handle(page, "position")))
    page.mouse.down()
    page.mouse.move(*middle(handle(page, "cosine")), steps=12)
    page.mouse.up()
    assert names(page) == ["speed", "cosine", "position", "sine", "turning"] and order(page) == [1, 2, 0, 3, 4]
    page.mouse.move(*middle(handle(page, "turning")), steps=4)
    assert order(page) == [1, 2, 0, 3, 4], "the drag has ended"
    page.get_by_role("button", name="In order").click()
    assert names(page) == NAMES


def test_a_sensor_is_dragged_by_touch(visit: Open) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    client = page.context.new_cdp_session(page)
    (x, y), (to, _) = middle(handle(page, "turning")), middle(handle(page, "speed"))
    touch = "Input.dispatchTouchEvent"
    client.send(touch, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 13):
        client.send(touch, {"type": "touchMove", "touchPoints": [{"x": x + (to - x) * step / 12, "y": y}]})
    client.send(touch, {"type": "touchEnd", "touchPoints": []})
    assert names(page) == ["position", "turning", "speed", "cosine", "sine"]
    assert page.locator(".moving").count() == 0


def test_a_sensor_is_moved_by_the_keyboard_and_keeps_the_focus(visit: Open) -> None:
    page = visit()
    handle(page, "position").focus()
    for key, expected in (
        ("ArrowRight", 1),
        ("ArrowDown", 2),
        ("ArrowLeft", 1),
        ("End", 4),
        ("Home", 0),
        ("ArrowLeft", 0),
    ):
        page.keyboard.press(key)
        assert order(page).index(0) == expected
        assert page.evaluate("() => document.activeElement.closest('.chip').dataset.channel") == "0"
    page.keyboard.press("ArrowRight")
    assert page.locator("#said").inner_text() == "position is now at place 2 of 5"


def test_keys_do_what_buttons_do_unless_they_are_switched_off(visit: Open) -> None:
    page = visit()
    page.keyboard.press(".")
    page.keyboard.press(".")
    assert page.evaluate("() => session.steps") == 2
    page.keyboard.press(" ")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.keyboard.press(" ")
    page.keyboard.press("f")
    assert page.get_by_role("button", name="Flip the world").get_attribute("aria-pressed") == "true"
    page.keyboard.press("n")
    assert page.evaluate("() => session.seed") == 2
    page.locator("#keys").uncheck()
    page.locator("h1").click()
    page.keyboard.press("s")
    assert order(page) == [0, 1, 2, 3, 4]


def test_keys_typed_into_a_field_shuffle_nothing(visit: Open) -> None:
    page = visit()
    page.get_by_label("Agent on the left").press("s")
    page.locator("#seed").press("s")
    assert order(page) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("typed", "seed"), [("7", 7), ("", 1), ("-3", 1), ("1.5", 1), ("99999999999", 1)])
def test_a_seed_that_is_none_leaves_the_last_one(visit: Open, typed: str, seed: int) -> None:
    page = visit()
    page.locator("#seed").fill(typed)
    page.keyboard.press("Enter")
    assert page.evaluate("() => session.seed") == seed and page.locator("#seed").input_value() == str(seed)


def test_it_waits_for_those_who_want_less_motion(visit: Open) -> None:
    page = visit(running=None, reduced_motion="reduce")
    page.wait_for_timeout(400)
    assert page.evaluate("() => session.steps") == 0
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => session.steps > 5")
    moving = visit(running=None, reduced_motion="no-preference")
    moving.wait_for_function("() => session.steps > 5")


def test_values_are_those_that_the_agents_were_given(visit: Open) -> None:
    page = visit()
    page.keyboard.press("s")
    for _ in range(3):
        page.keyboard.press(".")
    page.wait_for_timeout(300)
    seen = page.evaluate("() => session.runs.map((run) => [...run.inputs.at(-1)])")
    for place, chip in enumerate(page.locator(".chip").all()):
        shown = [float(text.replace("\N{MINUS SIGN}", "-")) for text in chip.locator(".value").all_inner_texts()]
        assert shown == pytest.approx([seen[0][place], seen[1][place]], abs=0.0051)


def test_pictures_are_drawn_and_change(visit: Open) -> None:
    page = visit()
    picture = "(canvas) => canvas.toDataURL()"
    canvases = page.locator("canvas").all()
    assert len(canvases) == 5
    before = [canvas.evaluate(picture) for canvas in canvases]
    page.evaluate("() => { for (let i = 0; i < 80; i++) session.tick(); shuffle(); }")
    page.wait_for_timeout(400)
    after = [canvas.evaluate(picture) for canvas in canvases]
    assert all(old != new for old, new in zip(before, after, strict=True))
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(400)
    assert all(canvas.evaluate(picture) != old for canvas, old in zip(canvases, after, strict=True))


def test_text_of_a_stranger_stays_text(visit: Open, tmp_path: Path) -> None:
    agents = bundled_agents()
    hostile = "</script><script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>{script}"
    agents[0] |= {"name": hostile, "description": hostile}
    (tmp_path / "page.html").write_text(page(agents), encoding="utf-8")
    shown = visit((tmp_path / "page.html").as_uri())
    shown.wait_for_timeout(300)
    assert shown.locator(".description").first.inner_text() == hostile
    assert shown.evaluate("() => window.harmed") is None and shown.locator("img").count() == 0


def test_the_policy_lets_no_other_script_run(browser: object, page_file: Path) -> None:
    found = browser.new_page()  # type: ignore[attr-defined]  # not visit: the refusal is said on the console
    found.goto(page_file.as_uri())
    found.evaluate(
        "() => document.body.append(Object.assign(document.createElement('script'), { text: 'window.harmed = 1' }))"
    )
    assert found.evaluate("() => window.harmed") is None
    found.close()


def test_at_any_speed_a_frame_is_not_late(visit: Open) -> None:
    page = visit(running=True)
    page.get_by_label("Agent on the left").select_option(label="attention-neuron")
    page.locator("#noise").fill("20")
    page.locator("#speed").fill("7")
    page.evaluate("() => { clock.speed = 1e9; }")
    costs = page.evaluate(
        """() => new Promise((done) => { const found = [];
          const each = (now) => { clock.last = now - 16; const from = performance.now(); pass(now + 0.01);
            found.push(performance.now() - from); found.length < 20 ? requestAnimationFrame(each) : done(found); };
          requestAnimationFrame(each); })"""
    )
    assert sorted(costs)[10] < 25, costs


def test_it_has_time_for_sixty_frames_a_second(visit: Open) -> None:
    """Processor time, which a busy machine does not lengthen."""
    page = visit(running=True)
    page.get_by_label("Agent on the left").select_option(label="recurrent-attention-neuron")
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        metrics = client.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    page.wait_for_function("() => session.steps > 100")  # it is compiled by then
    before = seconds()
    page.evaluate(
        """() => new Promise((done) => { let left = 100;
          const each = () => (left-- ? requestAnimationFrame(each) : done()); requestAnimationFrame(each); })"""
    )
    assert (seconds() - before) / 100 < 1 / 60


def test_without_scripts_it_says_what_it_needs(browser: object, page_file: Path) -> None:
    found = browser.new_page(java_script_enabled=False)  # type: ignore[attr-defined]
    found.goto(page_file.as_uri())
    assert found.locator("noscript p").is_visible()
    found.close()
