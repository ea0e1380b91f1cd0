"""The settings of imitation in a recipe, and what all tables of settings are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(gt=0)]
Several = Annotated[int, Field(ge=2)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """A table of a recipe: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Imitation(Settings):
    """DAgger (Ross et al. 2011, arXiv 1011.0686): the student acts, the teacher says what it would have done.

    The student's steps come in segments through which gradients flow (truncated back-propagation through time).

    Attributes:
        teacher: Agent that sees the true, unperturbed state: ``"controller"`` (the task's, which reads the simulator),
            a bundled one, of which training run k learns from run k, or the path of an agent's files.
        steps: Environment steps in all.
        num_envs: Environments played at once.
        segment: Time steps per segment.
        buffer: Segments kept; the oldest half makes room at random.
        updates: Gradient steps per new segment.
        batch: Environments of a segment per gradient step.
        fresh: Share of gradient steps that use the newest segment.
        learning_rate: Adam's, falling linearly to a hundredth.
        guided: Share of the environments in which the teacher acts at first; falls linearly over half of the steps.
            A student that knows nothing yet meets few of the situations that matter.
        guided_at_last: What it falls to; above 0 for a student that sees too little ever to play as its teacher does.
        exploration: Greatest standard deviation of the noise on the student's actions; 0 in the first environment.
        max_grad_norm: Gradients are cut to this norm.
        teacher_options: Arguments of the task's controller, e.g. ``{"switch": 4.0}``; with ``temperature`` Pong's
            answers with probabilities.
        occlusion: Share of the patches of frames that are hidden to the student: others in each episode that it plays,
            and others in each gradient step. For networks that read patches; no wrapper should hide any besides.
        burn_in: Steps at the beginning of a segment that bring the student's memory up to date and are not learned
            from.
        noise_odds: For networks with a gate (``normalisation = "gate"``): channels of noise that it is to expect for
            each sensor. It then learns also which channels show a number of the true state; one of noise weighs so
            much. 0: it learns by the teacher's answers alone.
    """

    name: Literal["imitation"]
    teacher: str
    steps: Count
    num_envs: Count = 1024
    segment: Count = 16
    buffer: Several = 60
    updates: Count = 12
    batch: Count = 256
    fresh: Share = 0.3
    learning_rate: Positive = 2e-3
    guided: Share = 0.0
    guided_at_last: Share = 0.0
    exploration: float = Field(default=0.1, ge=0)
    max_grad_norm: Positive = 0.5
    teacher_options: dict[str, float] = {}
    occlusion: Share = 0.0
    burn_in: int = Field(default=0, ge=0)
    noise_odds: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _batch_is_part_of_a_segment(self) -> Imitation:
        if self.burn_in >= self.segment:
            raise ValueError(f"burn_in must be less than segment, received {self.burn_in} of {self.segment} steps")
        if self.batch > self.num_envs:
            raise ValueError(f"batch must be at most num_envs, received batch {self.batch}, num_envs {self.num_envs}")
        return self
