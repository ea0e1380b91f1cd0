"""From rows of data to those of a table: ``summary = "symmetry"``, or with values, ``["median_curve", 500]``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from symbench.symmetry import CATALOGUE
from symbench.symmetry.comparison import P_VALUE
from symbench.training.study.orientation_loss import Turned


def median_curve(curves: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Of learning curves: steps after which the median over runs reaches a return; infinite where it never does."""
    median = curves.groupby(["arm", "step"], sort=False)["return"].median().reset_index()
    reached = median[median["return"] >= threshold].groupby("arm")["step"].min()
    arms = pd.Index(curves["arm"].unique(), name="arm")
    return reached.astype(float).reindex(arms, fill_value=np.inf).rename("median_reaches").reset_index()


def over_benchmark_runs(rows: pd.DataFrame) -> pd.DataFrame:
    """Of benchmarks that were run several times: ``measured``, the least and the most, e.g. ``46.1 to 55.2x``."""
    parts = rows["measured"].str.replace(" us", " µs").str.extract(r"^(?P<number>[-+.0-9]+)(?P<unit>x|%| \w+)")
    found = rows.assign(**parts, value=parts["number"].astype(float))
    groups = found.groupby("benchmark", sort=False)
    least, most = found.loc[groups["value"].idxmin()], found.loc[groups["value"].idxmax()]
    both = [
        low + unit if low == high else f"{low} to {high}{unit}"
        for low, high, unit in zip(least["number"], most["number"], least["unit"], strict=True)
    ]
    return least.assign(measured=both)


def curve_ends(summary: pd.DataFrame) -> pd.DataFrame:
    """Of a study's summary: how many runs reached the threshold."""
    return summary.assign(reached=(summary["share_that_reached"] * summary["runs"]).round().astype(int))


def measured_conditions(summary: pd.DataFrame) -> pd.DataFrame:
    """Of the summary of a study that measures conditions: arm and condition in columns of their own."""
    parts = summary["arm"].str.rsplit("/", n=1)
    return summary.assign(arm=parts.str[0], condition=parts.str[1])


def orientations(runs: pd.DataFrame) -> pd.DataFrame:
    """Of runs in turned worlds: means over runs with 95% intervals, and what changes when the world is turned."""
    return pd.DataFrame([{"arm": arm, **_turned(str(arm), found)} for arm, found in runs.groupby("arm", sort=False)])


def _turned(arm: str, runs: pd.DataFrame) -> dict[str, float]:
    by_degrees = runs.pivot(index="run", columns="degrees", values="mean_return")
    turned = Turned(arm, by_degrees.to_numpy()[:, :, None])
    estimates = {"trained": turned.trained, "turned": turned.turned, "loss": turned.loss}
    return {
        **{f"by_{degrees}": mean for degrees, mean in by_degrees.mean().items()},
        **{name: of.value for name, of in estimates.items()},
        **{f"{name}_low": of.low for name, of in estimates.items()},
        **{f"{name}_high": of.high for name, of in estimates.items()},
        "changed": runs.loc[runs["degrees"] != 0, "episodes_changed"].mean(),
        "largest_change": runs["largest_change"].max(),
    }


def runs_of_predictors(runs: pd.DataFrame) -> pd.DataFrame:
    """Of trainings of predictors: means over the runs of each, with the smallest and the largest."""
    of_each = runs.groupby(["predictor", "epochs"], sort=False)
    return of_each.agg(
        runs=("seed", "count"),
        parameters=("parameters", "first"),
        mse=("test_mse", "mean"),
        least=("test_mse", "min"),
        most=("test_mse", "max"),
        commit=("commit", "first"),
    ).reset_index()


def symmetry(run: pd.DataFrame) -> pd.DataFrame:
    """Of the suite ``group``: a row for each task, its plain and its equivariant agent under the elements."""
    rows = []
    for task, found in run[run["agent"] != "random"].groupby("task", sort=False):
        equivariant = found["agent"].str.startswith("equivariant")
        compared = found[equivariant & (found["severity"] == "identity")].iloc[0]
        agents = {"plain": found[~equivariant], "equivariant": found[equivariant]}
        facts = {f"{kind}_{key}": value for kind, of in agents.items() for key, value in _under_elements(of).items()}
        rows.append({"task": task, **compared.filter(like="improvement").to_dict(), **facts})
    return pd.DataFrame(rows)


def declared_symmetries(components: pd.DataFrame) -> pd.DataFrame:
    """Of the check of the catalogue: a row for each symmetry, with its largest errors and what is said of it."""
    notes = {(each.env_id, each.pair.name): each.pair.note for of in CATALOGUE.values() for each in of}
    components = components.assign(environment=components["environment"].str.partition("?")[0])  # names are enough
    names = ["environment", "symmetry", "group", "found"]
    rows = []
    for key, parts in components.groupby(names, sort=False):
        errors = parts.set_index("part")["error"]
        observation = errors.drop(["reward", "ends that differ", "initial law, p"])
        unit = " grey levels" if list(observation.index) == ["picture"] else ""
        found = {"observation": observation.max(), "unit": unit, "reward": errors["reward"]}
        said = {"law": _law(errors["initial law, p"]), "note": notes[key[:2]]}
        rows.append({**dict(zip(names, key, strict=True)), **found, **said})
    return pd.DataFrame(rows)


def _law(p: float) -> str:
    return "not tested" if np.isnan(p) else "kept" if p >= P_VALUE else "not kept"


def _under_elements(agent: pd.DataFrame) -> dict[str, float]:
    mean = agent.set_index("severity")["mean"]
    single = mean.drop(["identity", "per-episode", "every-step"])
    error = agent["policy_error"].max()
    return {"identity": mean["identity"], "worst": single.min(), "every_step": mean["every-step"], "error": error}


def coverage_range(coverage: pd.DataFrame) -> pd.DataFrame:
    """Of the simulated coverage: the least and the most, for returns that are normal or skewed."""
    found = coverage.loc[coverage["returns"] != "mixed", "coverage"]
    return pd.DataFrame([{"least": found.min(), "most": found.max()}])


def tours(lengths: pd.DataFrame) -> pd.DataFrame:
    """Of tours on transformed maps: how many cities, and how the weights are used, in one column."""
    models = lengths[["nodes", "solver"]].apply(lambda row: f"n = {row['nodes']}, {row['solver']}", axis=1)
    return lengths.assign(model=models)


def distinct_games(games: pd.DataFrame) -> pd.DataFrame:
    """Of single games of Pong: how many are different ones of each agent, and the mean over these [Student's 95%].

    Games with the same return that end in the same frame of the console are one game.
    """
    games = games.assign(task=games["task"].fillna("Pong") if "task" in games else "Pong")
    once = games[~games.duplicated(["agent", "task", "return", "last_frame"]) | games["last_frame"].isna()]
    played = games.groupby(["agent", "task"]).size().rename("played").reset_index()
    return _means(once, ["agent", "task"], "return").rename(columns={"n": "distinct"}).merge(played)


def games_of_a_teacher(games: pd.DataFrame) -> pd.DataFrame:
    """Of single games of a teacher that knows more or less: means over the games [Student's 95%]."""
    return _means(games, ["rows", "task"], "return")


def games_with_hidden_patches(games: pd.DataFrame) -> pd.DataFrame:
    """Of single games of a teacher that does not see the ball everywhere: means over the games [Student's 95%]."""
    games = games.assign(remembers=games["task"] + ": " + games["memory"])
    return _means(games, ["hidden", "remembers"], "return")


def games_of_students(games: pd.DataFrame) -> pd.DataFrame:
    """Of single games of students under conditions: means over the games [Student's 95%]."""
    return _means(games, ["agent", "condition"], "return")


def games_of_occluded_students(games: pd.DataFrame) -> pd.DataFrame:
    """Of single games of students with some patches hidden: means over the games of each run [Student's 95%]."""
    who = games["agent"] + ", run " + games["run"].astype(str)
    shown = games["game"] + ", " + games["hidden"].map("{:.0%} hidden".format)
    return _means(games.assign(who=who, shown=shown), ["who", "shown"], "return")


def gained_in_the_same_games(games: pd.DataFrame, base: str) -> pd.DataFrame:
    """Means of such games, and of what each agent has more than ``base`` in the same ones, as ``"more in ..."``."""
    same = ["game", "hidden", "seed"]
    pairs = games[games["agent"] != base].merge(games[games["agent"] == base], on=same, suffixes=("", "_base"))
    pairs["return"] -= pairs["return_base"]
    gains = pairs.assign(game="more in " + pairs["game"])[games.columns]
    return games_of_occluded_students(pd.concat([games, gains], ignore_index=True))


def students_as_they_learn(curves: pd.DataFrame) -> pd.DataFrame:
    """Of curves of a study that measures conditions: the returns of all runs, ``under_50`` those of condition 50.

    Runs of the same arm and of other lengths are another ``arm``, which ends with the number of steps.
    """
    parts = measured_conditions(curves).assign(
        condition=lambda rows: "under_" + rows["condition"].str.replace("-", "_")
    )
    length = parts.groupby(["arm", "run"])["step"].transform("max")
    parts = parts.assign(arm=parts["arm"] + ", " + length.astype(str))
    each = _means(parts, ["arm", "step", "condition"], "return")
    return each.pivot(index=["arm", "step"], columns="condition", values="each").reset_index()


def asked_in_the_same_states(answers: pd.DataFrame) -> pd.DataFrame:
    """Of shares of equal answers: means over games, ``led_student`` those of the student beside its teacher."""
    asked = answers["played"] + "_" + answers["asked"].str.replace(" ", "_")
    who = answers["agent"] + ", run " + answers["run"].astype(str)
    means = _means(answers.assign(asked=asked, who=who), ["who", "hidden", "asked"], "share")
    return means.pivot(index=["who", "hidden"], columns="asked", values="mean").reset_index()


def by_task(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of several tasks, with ``where``: the task and the condition."""
    return runs.assign(where=runs["task"] + ", " + runs["condition"])


def over_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Of lines for single training runs: means over the runs [Student's 95%]; lines of tables stay as they are."""
    runs = runs.assign(level=runs["level"].fillna(runs["severity"]) if "level" in runs else runs["severity"])
    single = runs["training_run"].notna()
    return pd.concat([_means(runs[single], ["agent", "level"], "mean"), runs[~single]], ignore_index=True)


def _means(rows: pd.DataFrame, of: list[str], value: str) -> pd.DataFrame:
    """For each group: ``n`` values, their mean, its 95% interval, the least, the most and all of them."""
    values = rows.groupby(of, sort=False)[value]
    means = values.agg(n="count", mean="mean", sem="sem", least="min", most="max", each=_listed)
    half = stats.t.ppf(0.975, means["n"] - 1) * means["sem"]
    return means.assign(mean_low=means["mean"] - half, mean_high=means["mean"] + half).reset_index()


def _listed(values: pd.Series) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


def with_shares(runs: pd.DataFrame, *shares: str) -> pd.DataFrame:
    """Of lines for single training runs: mean return over the runs [Student's 95%], and the means of other columns."""
    of = ["agent", "severity"]
    return _means(runs, of, "mean").merge(runs.groupby(of)[list(shares)].mean().reset_index())


def over_seeds(controls: pd.DataFrame) -> pd.DataFrame:
    """Of the controls of Pong: means over seeds or games, with the least and the most."""
    return _means(controls, ["control", "agent", "setting"], "value")


def alone(controls: pd.DataFrame) -> pd.DataFrame:
    """Of agents that play alone: their agreement, and the share of the teacher's most frequent answer there."""
    found = over_seeds(controls[controls["control"] == "alone"])
    parts = found["setting"].str.split(", ", expand=True)  # "Pong, 0.5 hidden", of a base rate also whose games
    share = parts[1].str.removesuffix(" hidden").astype(float)
    found = found.assign(game=parts[0], hidden=share, player=parts[2].fillna(found["agent"]))
    base = found["agent"] == "most frequent answer"
    key = ["game", "hidden", "player"]
    return found[~base].merge(found.loc[base, [*key, "mean"]], on=key, suffixes=("", "_base"))


def pictures(cells: pd.DataFrame) -> pd.DataFrame:
    """Of CarRacing before pictures: background and anchor in one column."""
    where = {"-": "", "screen": ", on the screen", "world": ", on the ground"}
    return cells.assign(shown=cells["background"] + cells["anchor"].map(where)).rename(
        columns={"low": "mean_low", "high": "mean_high"}
    )


def lost_on_the_ground(episodes: pd.DataFrame, *backgrounds: str) -> pd.DataFrame:
    """Of episodes of CarRacing before the same backgrounds on the screen and the ground: means, and what is lost.

    Its 95% interval is over training runs, over the pairs of episodes of a single one.
    """
    where = ["agent", "run", "background", "seed"]
    shown = episodes[episodes["background"].isin(backgrounds)]
    pairs = shown.pivot(index=where, columns="anchor", values="return").reset_index()
    pairs = pairs.assign(lost=pairs["screen"] - pairs["world"])
    of_runs = pairs.groupby(["agent", "run"])[["screen", "world", "lost"]].mean().reset_index()
    several = of_runs.groupby("agent")["run"].transform("size") > 1
    single = pairs[~pairs["agent"].isin(of_runs.loc[several, "agent"])]
    spread = _means(pd.concat([of_runs[several], single]), ["agent"], "lost").set_index("agent")
    means = of_runs.groupby("agent")[["screen", "world", "lost"]].mean()
    ends = {"lost_low": spread["mean_low"], "lost_high": spread["mean_high"]}
    return means.assign(**ends, pairs=pairs.groupby("agent").size()).reset_index()


def gaps(cells: pd.DataFrame) -> pd.DataFrame:
    """Of methods that make tours: the gap in %, and milliseconds."""
    named = cells.rename(columns={"gap_mean": "gap"})
    return named.assign(milliseconds=1000 * cells["seconds"])
