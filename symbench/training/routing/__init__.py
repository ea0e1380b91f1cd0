"""Learning to build tours: REINFORCE with several baselines, POMO, Sym-NCO.

* :func:`train_routing` - one training run
* :func:`uniform_instances` - what it learns on
* :class:`RolloutBaseline` - the greedy rollout of an earlier model
* :func:`reinforce_loss`, :func:`shared_baseline`, :func:`symmetric_losses` - what is minimised
* :func:`train_edge_scorer` - a heatmap, learned from shortest tours
* ``python -m symbench.training.routing`` - train a recipe's model without an environment of Gymnasium
* ``python -m symbench.training.routing.train_edge_scorer`` - train a heatmap
"""

from symbench.training.routing.edge_scorer_training import EdgeScorerSettings, train_edge_scorer
from symbench.training.routing.policy_gradients import reinforce_loss, shared_baseline, symmetric_losses
from symbench.training.routing.reinforce import mean_length, train_routing
from symbench.training.routing.rollout_baseline import RolloutBaseline
from symbench.training.routing.uniform_instances import uniform_instances

__all__ = [
    "EdgeScorerSettings",
    "RolloutBaseline",
    "mean_length",
    "reinforce_loss",
    "shared_baseline",
    "symmetric_losses",
    "train_edge_scorer",
    "train_routing",
    "uniform_instances",
]
