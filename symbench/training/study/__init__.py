"""Studies of sample efficiency as data (TOML): learning curves of several networks trained the same way."""

from symbench.training.study.study_schema import Algorithm, Arm, Study, load_study, studies

__all__ = ["Algorithm", "Arm", "Study", "load_study", "studies"]
