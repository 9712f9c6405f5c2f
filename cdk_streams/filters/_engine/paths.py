"""Finding a pattern's fields in a record, without looking at any other.

A pattern knows the few paths that it tests, so the walk asks each object of the record for the
names on the way to them. A record may join names that the pattern nests and the other way round
(`{"a.b": 1}` and `{"a": {"b": 1}}` are the same path), so each node also knows its joined names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Found", "Membership", "PathNode", "find", "path_tree"]

Membership: TypeAlias = tuple[tuple[int, int], ...]
"""Which element of which array a value was found in: pairs of (array, index), outermost first."""

Found: TypeAlias = dict[str, list[tuple[object, Membership]]]
"""The values at each path that the record has, each with its place in arrays."""


@dataclass(frozen=True, slots=True)
class PathNode:
    """A place on the way to a field. `path` is set where a field is tested."""

    steps: tuple[tuple[str, PathNode], ...]
    joined: Mapping[str, PathNode]
    path: str | None


def path_tree(paths: Iterable[str]) -> PathNode:
    """The tree that finds these paths, from the root of a record."""
    tested = set(paths)
    names = {name for path in tested for name in _split(path)}
    nodes: dict[str, PathNode] = {}
    prefixes = {path[:end] for path in tested for end in _boundaries(path)}
    for prefix in sorted(prefixes, key=len, reverse=True):
        below = {
            longer[len(prefix) + 1 :]: node
            for longer, node in nodes.items()
            if longer.startswith(f"{prefix}.")
        }
        nodes[prefix] = _node(below, names, prefix if prefix in tested else None)
    return _node(nodes, names, None)


def find(node: PathNode, record: Mapping[str, Any]) -> tuple[Found, bool]:
    """The values of a record at the paths of the tree, and whether any array was on the way.

    `{"a": ["x", "y"]}` and the path `a` give `{"a": [("x", ()), ("y", ())]}, True`. Paths that the
    record lacks are left out; an empty array leaves nothing either.
    """
    found: Found = {}
    arrays = [0]
    _object(node, record, (), found, arrays)
    return found, arrays[0] > 0


def _node(below: Mapping[str, PathNode], names: set[str], path: str | None) -> PathNode:
    known = {key: node for key, node in below.items() if _is_known(key, names)}
    return PathNode(
        steps=tuple((key, node) for key, node in known.items() if "." not in key),
        joined={key: node for key, node in known.items() if "." in key},
        path=path,
    )


def _object(
    node: PathNode,
    record: Mapping[str, Any],
    membership: Membership,
    found: Found,
    arrays: list[int],
) -> None:
    for key, child in node.steps:
        if key in record:
            _value(child, record[key], membership, found, arrays)
    if node.joined and not record.keys().isdisjoint(node.joined):
        for key, child in node.joined.items():
            if key in record:
                _value(child, record[key], membership, found, arrays)


def _value(
    node: PathNode, value: object, membership: Membership, found: Found, arrays: list[int]
) -> None:
    if isinstance(value, dict):
        _object(node, value, membership, found, arrays)
    elif isinstance(value, list):
        number = arrays[0]
        arrays[0] += 1
        for index, element in enumerate(value):
            # A scalar belongs to the arrays around its own only: [1, 2] under one name is a field
            # with two values, not two elements that exclude each other.
            inside = isinstance(element, dict | list)
            place = (*membership, (number, index)) if inside else membership
            _value(node, element, place, found, arrays)
    elif node.path is not None:
        found.setdefault(node.path, []).append((value, membership))


def _boundaries(path: str) -> list[int]:
    return [index for index, character in enumerate(path) if character == "."] + [len(path)]


def _split(path: str) -> list[str]:
    # The engine forgets empty names at the end of a path: "a." is known to it as "a" alone.
    names = path.split(".")
    while "." in path and names and not names[-1]:
        names.pop()
    return names


def _is_known(key: str, names: set[str]) -> bool:
    """Whether the engine looks into this key of a record at all: its names must be in some path."""
    return key in names or ("." in key and all(name in names for name in _split(key)))
