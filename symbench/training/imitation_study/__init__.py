"""Studies of what a teacher's students learn, measured under the conditions of a suite while they learn.

* :func:`load_imitation_study`, :func:`imitation_studies` - studies by name
* :func:`run_imitation_study` - agents, each with its card and its curves
* :func:`read_conditions` - the curves of all runs, one for each arm and condition
"""

from symbench.training.imitation_study.condition_curves import read_conditions
from symbench.training.imitation_study.imitation_arms import ImitationStudy, imitation_studies, load_imitation_study
from symbench.training.imitation_study.measured_imitation import run_imitation_study

__all__ = ["ImitationStudy", "imitation_studies", "load_imitation_study", "read_conditions", "run_imitation_study"]
