"""Pictures: what an agent sees, attends to and knows. Needs ``pip install 'symbench[pictures]'``.

* :mod:`~symbench.viz.video` - an episode of a cell as a video
* :mod:`~symbench.viz.analyse` - the paper's analyses of an agent
* :mod:`~symbench.viz.occlusion` - returns over occlusion in training and in test, from a run

Underneath: :mod:`~symbench.viz.stage` plays episodes and keeps what was there before the perturbations,
:mod:`~symbench.viz.inside` listens to a network, :mod:`~symbench.viz.truth` reads simulators.
"""
