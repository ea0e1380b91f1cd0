"""YAML with Python's tags, as rl_zoo3 writes it, as plain values: nothing is executed."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Makes plain values of everything; executes nothing."""


def _ordered(loader: _Loader, node: yaml.Node) -> dict[Any, Any]:
    """A pickled ``OrderedDict``: a list that holds the list of pairs."""
    assert isinstance(node, yaml.SequenceNode)
    (pairs,) = loader.construct_sequence(node, deep=True)
    return {key: value for key, value in pairs}


def _any(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


_Loader.add_constructor("tag:yaml.org,2002:python/object/apply:collections.OrderedDict", _ordered)
_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _any)


def parse(content: bytes) -> Any:
    """The values of a document.

    Raises:
        ValueError: It is not YAML.
    """
    try:
        return yaml.load(content, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
