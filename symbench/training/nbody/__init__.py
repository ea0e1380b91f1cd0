"""Predicting where charged particles will be: graph networks compared on N-body systems.

* :func:`make_predictor`, :data:`PREDICTORS` - the networks
* :func:`train_predictor` - one training run
* ``python -m symbench.training.nbody`` - several, and a table
"""

from symbench.training.nbody.predictor_training import train_predictor
from symbench.training.nbody.predictors import PREDICTORS, make_predictor
from symbench.training.nbody.systems import Splits, Systems

__all__ = ["PREDICTORS", "Splits", "Systems", "make_predictor", "train_predictor"]
