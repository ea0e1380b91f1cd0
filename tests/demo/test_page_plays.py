"""What happens to agents on the page when somebody disturbs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

FAST = "7"  # of the slider


def ticks(page: Page, count: int) -> None:
    page.evaluate(f"() => {{ for (let i = 0; i < {count} && !session.over; i++) session.tick(); }}")


def returns(page: Page) -> list[float]:
    found: list[float] = page.evaluate("() => session.runs.map((run) => run.return)")
    return found


def test_shuffled_while_it_runs_the_mlp_falls_and_the_attention_neuron_does_not(visit: Open) -> None:
    page = visit(running=True)
    page.locator("#speed").fill(FAST)
    page.wait_for_function("() => session.steps > 350")
    page.keyboard.press("s")
    shuffled, left = returns(page), page.evaluate("() => EPISODE_STEPS - session.steps")
    assert min(shuffled) > 200, "both have swung up"
    page.wait_for_function("() => session.runs[1].steps === EPISODE_STEPS", timeout=60_000)
    mlp, attention_neuron = (now - before for now, before in zip(returns(page), shuffled, strict=True))
    assert mlp < 150 and attention_neuron > 400 / 650 * left  # 650 where the machine has nothing else to do
    page.get_by_text("Left the track after").wait_for()
    page.get_by_text("Played to the end").wait_for()


@pytest.mark.slow
def test_over_many_shuffles_the_mlp_loses_and_the_attention_neuron_does_not(visit: Open) -> None:
    page = visit()
    after = []
    for seed in range(10):
        page.evaluate(f"() => {{ putInOrder(); begin({seed}); }}")
        ticks(page, 400)
        before = returns(page)
        page.get_by_role("button", name="Shuffle", exact=True).click()
        ticks(page, 300)
        after.append([now - then for now, then in zip(returns(page), before, strict=True)])
    mlp, attention_neuron = (sum(each) / len(after) for each in zip(*after, strict=True))
    assert mlp < 200 and attention_neuron > 285, (mlp, attention_neuron)


def test_both_sides_play_the_same_episode(visit: Open) -> None:
    page = visit()
    page.get_by_label("Agent on the left").select_option(label="attention-neuron")
    page.locator("#noise").fill("4")
    page.locator("#every").select_option("25")
    ticks(page, 300)
    left, right = page.evaluate("() => session.runs.map(({ state, returns }) => ({ state, returns }))")
    assert left == right
    assert page.evaluate("() => session.shuffles") == list(range(25, 300, 25))


def test_the_same_seed_is_the_same_episode_shuffles_and_noise_included(visit: Open) -> None:
    page = visit()
    page.locator("#noise").fill("3")

    def play() -> Any:
        page.get_by_role("button", name="In order").click()
        page.get_by_role("button", name="Restart").click()
        ticks(page, 100)
        page.keyboard.press("s")
        ticks(page, 100)
        return page.evaluate("() => [session.runs[1].state, session.perturbations.order]")

    first = play()
    assert play() == first
    page.locator("#seed").fill("12")
    page.keyboard.press("Enter")
    assert play() != first


def test_an_agent_that_reads_five_sensors_stands_still_among_noise_and_goes_on_without_it(visit: Open) -> None:
    page = visit()
    ticks(page, 100)
    page.locator("#noise").fill("7")
    page.get_by_text("Cannot act: it reads 5 sensors, not 12").wait_for()
    ticks(page, 50)
    assert page.evaluate("() => session.runs.map((run) => run.steps)") == [100, 150]
    page.locator("#noise").fill("0")
    ticks(page, 50)
    assert page.evaluate("() => session.runs.map((run) => run.steps)") == [150, 200]


def test_where_nobody_can_act_nothing_begins_again_and_again(visit: Open) -> None:
    page = visit(running=True)
    page.get_by_label("Agent on the right").select_option(label="mlp")
    page.locator("#noise").fill("1")
    seed = page.evaluate("() => session.seed")
    page.wait_for_timeout(2500)
    page.get_by_role("button", name="Step").click()
    assert page.evaluate("() => session.seed") == seed
    assert page.locator(".state", has_text="Cannot act").count() == 2


@pytest.mark.parametrize("agent", ["mlp", "attention-neuron"])
def test_a_flipped_world_is_the_mirror_image_of_a_mirrored_beginning(visit: Open, agent: str) -> None:
    code = """(name) => {
      const agent = agents.find((one) => one.name === name), state = [0.4, -0.3, 3.5, 0.2];
      const play = (state, flipped) => {
        const mine = new Session([agent]);
        mine.perturbations.flipped = flipped;
        mine.runs[0].begin(state, 5);
        for (let i = 0; i < 200; i++) mine.runs[0].step(mine.perturbations, []);
        return mine.runs[0].state;
      };
      const mirrored = ([x, xDot, theta, thetaDot]) => [-x, -xDot, -theta, -thetaDot];
      return [play(state, true), mirrored(play(mirrored(state), false)), play(state, false)];
    }"""
    flipped, mirrored, plain = visit().evaluate(code, agent)
    assert flipped == pytest.approx(mirrored, abs=1e-9)
    assert flipped != pytest.approx(plain, abs=1e-3), "the agent is not symmetric, so it matters"


def test_a_dead_sensor_says_zero_to_both(visit: Open) -> None:
    page = visit()
    ticks(page, 10)
    page.get_by_role("switch", name="cosine is alive").click()
    ticks(page, 1)
    assert page.evaluate("() => session.runs.map((run) => run.inputs.at(-1)[2])") == [0, 0]
    page.get_by_role("switch", name="cosine is alive").click()
    ticks(page, 1)
    assert all(page.evaluate("() => session.runs.map((run) => run.inputs.at(-1)[2])"))


def test_noise_has_the_strength_of_the_suites(visit: Open) -> None:
    page = visit()
    page.locator("#noise").fill("20")
    noise = page.evaluate("() => Array.from({ length: 500 }, () => session.drawNoise()).flat()")
    assert sum(value**2 for value in noise) / len(noise) == pytest.approx(0.1**2, rel=0.05)


def test_the_next_episode_begins_by_itself_and_the_last_is_remembered(visit: Open) -> None:
    page = visit(running=True)
    page.locator("#speed").fill(FAST)
    page.wait_for_function("() => session.over", timeout=60_000)
    page.wait_for_function("() => session.seed === 2 && session.steps > 0", timeout=60_000)
    assert page.locator("#seed").input_value() == "2"
    cells = page.locator("#episodes tbody tr").first.locator("td").all_inner_texts()
    assert cells[0] == "1" and min(map(int, cells[1:])) > 600


def test_a_cart_in_the_task_begins_up_to_ten_metres_a_second(visit: Open) -> None:
    page = visit()
    speeds = []
    for start in ("calm", "task"):
        page.locator("#start").select_option(start)
        code = (
            "() => Array.from({ length: 200 }, (_, seed) => (session.begin(seed), Math.abs(session.runs[0].state[1])))"
        )
        speeds.append(max(page.evaluate(code)))
    assert speeds[0] <= 0.5 and 9 < speeds[1] <= 10
