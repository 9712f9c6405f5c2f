"""YAML as CloudFormation reads it: short tags for functions, dates as the text they are."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

import yaml  # type: ignore[import-untyped] # its stubs are a package of their own

__all__ = ["parse"]

_WITHOUT_PREFIX: Final = ("Ref", "Condition")
_FUNCTIONS: Final = (
    *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "GetStackOutput", "If"),
    *("ImportValue", "Join", "Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString"),
    "Transform",
)


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
        RecursionError: It is nested deeper than Python can follow.

    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _short_tag(loader: _Loader, name: str, node: yaml.Node) -> Any:
    if name not in (*_WITHOUT_PREFIX, *_FUNCTIONS) and not name.startswith("ForEach"):
        near = get_close_matches(name, (*_WITHOUT_PREFIX, *_FUNCTIONS), n=1, cutoff=0.5)
        hint = f"; did you mean !{near[0]}?" if near else ""
        at = node.start_mark
        raise yaml.YAMLError(
            f"!{name} in line {at.line + 1}, column {at.column + 1}, which is no function of "
            f"CloudFormation{hint}"
        )
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
