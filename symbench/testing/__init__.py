"""Checks of what a wrapper promises, for this project's wrappers and for your own.

Example:
    >>> import gymnasium as gym
    >>> from symbench.testing import check_wrapper
    >>> from symbench.wrappers import ShuffleSensors
    >>> check_wrapper(ShuffleSensors, lambda: gym.make("CartPole-v1"), resample=10)
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from symbench.testing import batched, interface, kinds, randomness
from symbench.testing.rollouts import Case
from symbench.wrappers.adapters import adapter_of
from symbench.wrappers.core import Transform
from symbench.wrappers.single import GymAdapter
from symbench.wrappers.vector import VectorAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

    import gymnasium as gym

__all__ = ["check_wrapper"]


def check_wrapper(
    wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]] | type[Transform],
    make_env: Callable[[], gym.Env[Any, Any]],
    *,
    vector_class: type | None = None,
    vec_env_class: type | None = None,
    **parameters: Any,
) -> None:
    """Check everything that a wrapper of observations promises.

    Identical episodes for identical seeds; the environment's random stream, rewards and episode ends untouched, and no
    global random state used; draws of an episode that depend on the seed and the episode's number only; observations
    inside the declared space, in fresh memory; seed and options forwarded; rebuilt equal from ``env.spec`` as JSON and
    by pickle; wrong arguments refused; Gymnasium's and SB3's own checks. If the wrapper has severities: 0 is the
    identity bit for bit, 1 to 5 change what the agent sees, by a growing declared distance. ``Tuple`` actions,
    ``Tuple`` and ``Dict`` observations are let through or refused when the wrapper is made; an environment that fills
    the same memory at every step is no harm; masks of actions name the actions as the agent does; of wrappers made of
    a :class:`~symbench.wrappers.Transform`: an episode that begins inside is shown as a new one.

    If there are batched versions: they show the same observations, in all autoreset modes, terminal observations
    included; they do without terminal observations and seeds that the environment does not tell; and they show the same
    around environments in other processes.

    Args:
        wrapper_class: A ``gymnasium.Wrapper`` class, called as ``wrapper_class(env, **parameters)``, or a
            :class:`~symbench.wrappers.Perturbation`, whose wrappers of all three kinds are checked.
        make_env: Makes a fresh environment to wrap. One made by ``gym.make`` is checked for its spec, too.
        vector_class: The wrapper's version for Gymnasium vector environments, if it has one.
        vec_env_class: The wrapper's version for SB3's ``VecEnv``, if it has one.
        **parameters: The wrapper's parameters, plain JSON values.

    Raises:
        AssertionError: A promise is broken; the message says which one and how.
    """
    if issubclass(wrapper_class, Transform):
        wrapper_class = adapter_of(GymAdapter, wrapper_class)
    transform = getattr(wrapper_class, "transform_class", None)
    if transform is not None and wrapper_class is adapter_of(GymAdapter, transform):
        vector_class = vector_class or adapter_of(VectorAdapter, transform)
        vec_env_class = vec_env_class or _vec_env_class(transform)
    case = Case(wrapper_class, make_env, parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the environments and the other libraries' checks warn of is not ours
        for check in (*randomness.CHECKS, *interface.CHECKS, *kinds.CHECKS):
            check(case)
        if vector_class is not None:
            batched.check_vector(case, vector_class)
            batched.check_vector_borders(case, vector_class)
        if vec_env_class is not None:
            batched.check_vec_env(case, vec_env_class)
            batched.check_vec_env_borders(case, vec_env_class)


def _vec_env_class(transform: type[Transform]) -> type | None:
    try:
        from symbench.wrappers.sb3 import VecEnvAdapter
    except ImportError:
        return None
    return adapter_of(VecEnvAdapter, transform)
