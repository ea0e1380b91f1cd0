"""Training as data: recipes (TOML) for PPO, imitation and evolution, and what carries them out.

* :func:`train` - a recipe and a seed in, an agent's files and its whole provenance out
* :func:`load_recipe`, :func:`recipes` - recipes by name or path
"""

from symbench.training.recipe import Recipe, load_recipe, recipes
from symbench.training.train_recipe import train

__all__ = ["Recipe", "load_recipe", "recipes", "train"]
