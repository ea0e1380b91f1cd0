"""The process of :mod:`symbench.runner.agent_apart`: loads agents and answers what it is asked, until nobody asks."""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench import own_code
from symbench.errors import SymbenchError, one_line
from symbench.runner.agent_apart import ARRAY, ERROR, NOTHING, TEXT, receive, send

if TYPE_CHECKING:
    from symbench.policies.agent import Agent


def main() -> None:
    """Answer questions on standard input."""
    import torch

    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what an agent prints is no answer
    agents: dict[int, Agent] = {}
    while True:
        try:
            _, question = receive(sys.stdin.buffer, longest=sys.maxsize)
        except EOFError:
            return
        try:
            kind, content = _written(_answer(agents, *pickle.loads(question)))
        except Exception as error:  # whatever an agent raises
            said = "" if isinstance(error, SymbenchError) else f"{type(error).__name__}: "
            kind, content = ERROR, (said + one_line(error)).encode()
        send(answers, content, kind)


def _answer(
    agents: dict[int, Agent], number: int, method: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    from symbench.runner.agents import load

    if method == "load":
        folders, *of = arguments
        for folder in folders:
            own_code.make_importable(Path(folder))
        agents[number] = load(*of)
        return list(agents[number].preprocessing)
    if method == "forget":
        agents.pop(number, None)
        return None
    return getattr(agents[number], method)(*arguments, **options)


def _written(answer: Any) -> tuple[bytes, bytes]:
    if answer is None:
        return NOTHING, b""
    if isinstance(answer, (str, list)):
        return TEXT, json.dumps(answer).encode()
    file = io.BytesIO()
    np.save(file, np.asarray(answer), allow_pickle=False)
    return ARRAY, file.getvalue()


if __name__ == "__main__":
    main()
