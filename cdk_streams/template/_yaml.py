"""YAML as CloudFormation reads it: short tags for functions, dates as the text they are."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped] # its stubs are a package of their own

__all__ = ["parse"]

_WITHOUT_PREFIX = ("Ref", "Condition")


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # untyped, as the whole library is
    """A safe loader that knows `!Sub` and its like; a key such as `ON` is text, no boolean."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """Return the object of a node."""
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def parse(text: str) -> Any:
    """Return the plain values of a YAML template.

    Raises:
        ValueError: It is no YAML; the message has the line and the column.

    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from None


def _short_tag(loader: _Loader, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
        if name == "GetAtt":
            argument = argument.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_mapping(node, deep=True)
    return {name if name in _WITHOUT_PREFIX else f"Fn::{name}": argument}


_Loader.add_multi_constructor("!", _short_tag)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)
