"""Pictures: what an agent sees, attends to and knows. Needs ``pip install 'symbench[pictures]'``.

* :mod:`~symbench.viz.video` - an episode of a cell as a video
* :mod:`~symbench.viz.analyse` - the paper's analyses of an agent
* :mod:`~symbench.viz.occlusion` - returns over occlusion in training and in test, from a run

Underneath: :mod:`~symbench.viz.replay` plays episodes and keeps what was there before the perturbations,
:mod:`~symbench.viz.activations` listens to a network, :mod:`~symbench.viz.ground_truth` reads simulators.
"""
