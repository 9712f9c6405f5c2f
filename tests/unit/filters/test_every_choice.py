"""The engine against the definition: lay the record out flat, then try every choice of elements."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cdk_streams.filters import matches

VALUES = st.sampled_from(["x", "y"])
NAMES = st.sampled_from(["a", "b", "a.b"])
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=14,
)
RECORDS = st.dictionaries(NAMES, TREES, max_size=3)
ASKED = st.sampled_from(
    [["x"], ["y"], [{"anything-but": "x"}], [{"exists": True}], [{"exists": False}],
     ["x", {"exists": False}]]
)  # fmt: skip
PATTERNS = st.dictionaries(
    st.sampled_from(["a", "b", "a.a", "a.b", "b.a", "b.b", "a.a.b", "a.b.a", "a.b.b"]),
    ASKED,
    min_size=1,
    max_size=4,
)
Leaf = tuple[str, str, dict[int, int]]


def leaves(value: Any, path: str, chosen: dict[int, int], arrays: list[None]) -> list[Leaf]:
    """Each scalar with its path and the element of each array that it lies in."""
    if isinstance(value, str):
        return [(path, value, chosen)]
    if isinstance(value, dict):
        joined = f"{path}." if path else ""
        return [
            leaf
            for key, inner in value.items()
            for leaf in leaves(inner, f"{joined}{key}", chosen, arrays)
        ]
    arrays.append(None)
    array, found = len(arrays), []
    for index, inner in enumerate(value):
        inside = chosen if isinstance(inner, str) else {**chosen, array: index}
        found += leaves(inner, path, inside, arrays)
    return found


def passes(asked: list[Any], value: str) -> bool:
    others = [{"exists": True}, *([{"anything-but": "x"}] if value != "x" else [])]
    return any(each == value or each in others for each in asked)


def holds(asked: list[tuple[str, list[Any]]], record: list[Leaf], chosen: dict[int, int]) -> bool:
    if not asked:
        return True
    (path, values), *others = asked
    fitting = [
        (value, place)
        for where, value, place in record
        if where == path and all(chosen.get(array, at) == at for array, at in place.items())
    ]
    if {"exists": False} in values and not fitting and holds(others, record, chosen):
        return True
    return any(
        passes(values, value) and holds(others, record, {**chosen, **place})
        for value, place in fitting
    )


@given(PATTERNS, RECORDS)
def test_fields_in_arrays_hold_when_some_choice_of_elements_does(
    pattern: dict[str, list[Any]], record: dict[str, Any]
) -> None:
    expected = holds(sorted(pattern.items()), leaves(record, "", {}, []), {})
    assert matches(json.dumps(pattern), record) is expected
