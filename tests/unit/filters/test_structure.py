"""Rules for names, paths, arrays, repeated keys and $or."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.filters import matches

MEMBERS = {"list": {"L": [
    {"M": {"k": {"S": "color"}, "v": {"S": "blue"}}},
    {"M": {"k": {"S": "size"}, "v": {"S": "XL"}}},
    {"M": {"k": {"S": "weight"}}},
]}}  # fmt: skip


def member(key: str, value: str) -> str:
    return f'{{"list": {{"L": {{"M": {{"k": {{"S": {key}}}, "v": {{"S": {value}}}}}}}}}}}'


PATHS = {
    "all fields must hold": ('{"a": ["1"], "b": ["2"]}', {"a": "1", "b": "3"}, False),
    "names are compared with their case": ('{"A": ["1"]}', {"a": "1"}, False),
    "a dotted name in the pattern is a path": ('{"a.b": ["1"]}', {"a": {"b": "1"}}, True),
    "a dotted name in the record is a path": ('{"a": {"b": ["1"]}}', {"a.b": "1"}, True),
    "dots join in the middle": ('{"a": {"b.c": {"d": ["1"]}}}', {"a.b": {"c": {"d": "1"}}}, True),
    "a longer name is another": ('{"a": {"b": ["1"]}}', {"a.b.c": "1"}, False),
    "both spellings of a path are alternatives": (
        '{"a": {"b": ["2"]}}',
        {"a": {"b": "1"}, "a.b": "2"},
        True,
    ),
    "an empty first name is left out of the path": ('{"": {"a": ["1"]}}', {"a": "1"}, True),
    "a field may stand above another": (
        '{"a": [{"exists": false}], "a.b": ["1"]}',
        {"a": {"b": "1"}},
        True,
    ),
}

ARRAYS = {
    "a member of an array is enough": ('{"tags": ["b"]}', {"tags": ["a", "b"]}, True),
    "anything-but needs one other member": (
        '{"tags": [{"anything-but": "a"}]}',
        {"tags": ["a", "b"]},
        True,
    ),
    "anything-but fails when all members are banned": (
        '{"tags": [{"anything-but": "a"}]}',
        {"tags": ["a", "a"]},
        False,
    ),
    "arrays in arrays are flat": ('{"a": ["1"]}', {"a": [["0"], [["1"]]]}, True),
    "an array has no index": ('{"a": {"0": ["x"]}}', {"a": ["x"]}, False),
    "fields of one element": (member('["color"]', '["blue"]'), MEMBERS, True),
    "fields of two elements": (member('["color"]', '["XL"]'), MEMBERS, False),
    "missing in the element that was chosen": (
        member('["weight"]', '[{"exists": false}]'),
        MEMBERS,
        True,
    ),
    "there in the element that was chosen": (
        member('["color"]', '[{"exists": false}]'),
        MEMBERS,
        False,
    ),
    "missing is looked for in all elements while none is chosen": (
        '{"a": {"b": [{"exists": false}], "c": ["1"]}}',
        {"a": [{"b": "2"}, {"c": "1"}]},
        False,
    ),
    "elements of two arrays are chosen apart": (
        '{"a": {"x": ["1"]}, "b": {"x": ["2"]}}',
        {"a": [{"x": "0"}, {"x": "1"}], "b": [{"x": "2"}, {"x": "0"}]},
        True,
    ),
    "scalars of one array do not exclude each other": (
        '{"a": {"x": ["1"], "y": ["2"]}}',
        {"a": {"x": ["0", "1"], "y": ["2"]}},
        True,
    ),
    "a joined name in the same element does not undo a choice": (
        '{"a": {"b": {"x": ["1"], "y": [{"exists": false}]}}}',
        {"a": [{"b": [{"x": "1"}, {"y": "2"}], "b.w": "3"}, {"b.y": "4"}]},
        True,
    ),
    "a joined name does not bridge two elements": (
        '{"a": {"b": {"x": ["1"], "y": ["2"], "z": ["3"]}}}',
        {"a": [{"b": [{"x": "1"}, {"y": "2", "z": "3"}], "b.y": "2"}]},
        False,
    ),
    "a scalar excludes no object of its array": (
        '{"a": ["s"], "a.b": ["t"]}',
        {"a": ["s", {"b": "t"}]},
        True,
    ),
    "fields are taken in the order of their names' 16-bit units": (
        '{"a": {"\uffee": [{"exists": false}], "😀": ["1"]}}',
        {"a": [{"😀": "1"}, {"\uffee": "2"}]},
        True,
    ),
    "the same element at every level": (
        '{"a": {"n": ["1"], "b": {"x": ["1"], "y": ["2"]}}}',
        {"a": [{"n": "1", "b": [{"x": "1"}, {"y": "2"}]}, {"n": "2", "b": {"x": "1", "y": "2"}}]},
        False,
    ),
    "a field beside an array does not choose": (
        '{"a": {"x": ["1"]}, "b": ["1"]}',
        {"a": [{"x": "0"}, {"x": "1"}], "b": "1"},
        True,
    ),
}

REPEATED = {
    "a repeated object is merged": (
        '{"a": {"x": ["1"]}, "a": {"y": ["2"]}}',
        {"a": {"y": "2"}},
        False,
    ),
    "a repeated object keeps both fields": (
        '{"a": {"x": ["1"]}, "a": {"y": ["2"]}}',
        {"a": {"x": "1", "y": "2"}},
        True,
    ),
    "a repeated field counts by its last array": ('{"a": ["1"], "a": ["2"]}', {"a": "2"}, True),
    "a repeated field forgets its first array": ('{"a": ["1"], "a": ["2"]}', {"a": "1"}, False),
    "the two spellings of a path are one field": (
        '{"a": {"b": ["1"]}, "a.b": ["2"]}',
        {"a": {"b": "1"}},
        False,
    ),
}

OR = '{"$or": [{"a": ["1"]}, {"b": ["2"]}]}'
ALTERNATIVES = {
    "one branch is enough": (OR, {"b": "2"}, True),
    "no branch is none": (OR, {"a": "2", "b": "1"}, False),
    "fields beside $or must hold too": (
        '{"c": ["3"], "$or": [{"a": ["1"]}, {"b": ["2"]}]}',
        {"a": "1", "c": "4"},
        False,
    ),
    "fields behind $or must hold too": (
        '{"$or": [{"a": ["1"]}, {"b": ["2"]}], "c": ["3"]}',
        {"a": "1", "c": "4"},
        False,
    ),
    "a branch may have several fields": (
        '{"$or": [{"a": ["1"], "b": ["2"]}, {"c": ["3"]}]}',
        {"a": "1", "b": "3"},
        False,
    ),
    "$or stands inside": ('{"x": {"$or": [{"a": ["1"]}, {"b": ["2"]}]}}', {"x": {"b": "2"}}, True),
    "$or stands in $or": (
        '{"$or": [{"a": ["1"], "$or": [{"b": ["1"]}, {"b": ["2"]}]}, {"c": ["1"]}]}',
        {"a": "1", "b": "2"},
        True,
    ),
    "two $or of one object must both hold": (
        '{"$or": [{"a": ["1"]}, {"b": ["1"]}], "$or": [{"c": ["1"]}, {"d": ["1"]}]}',
        {"a": "1", "b": "1"},
        False,
    ),
    "a branch replaces the same field from before it": (
        '{"a": ["1"], "$or": [{"a": ["2"]}, {"b": ["1"]}]}',
        {"a": "2"},
        True,
    ),
    "a field behind $or replaces the branch's": (
        '{"$or": [{"a": ["2"]}, {"b": ["1"]}], "a": ["1"]}',
        {"a": "2"},
        False,
    ),
    "branches that overlap are each still one": (
        '{"$or": [{"a": ["1"], "b": ["1", "2"]}, {"a": ["1", "2"], "b": ["1"]}]}',
        {"a": "2", "b": "1"},
        True,
    ),
}

RULES = PATHS | ARRAYS | REPEATED | ALTERNATIVES


@pytest.mark.parametrize(("pattern", "record", "expected"), RULES.values(), ids=RULES.keys())
def test_structure(pattern: str, record: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, record) is expected


# What follows has no assertion about time: the slow way would take minutes, and be noticed.


def test_long_lists_are_matched_without_comparing_each_with_each() -> None:
    elements = [{"k": "x"} if index % 2 else {"v": "y"} for index in range(20_000)]

    assert not matches('{"a": {"k": ["x"], "v": ["y"]}}', {"a": elements})
    assert matches('{"a": {"k": ["x"], "v": ["y"]}}', {"a": [*elements, {"k": "x", "v": "y"}]})


def test_lists_beside_each_other_are_matched_without_every_combination() -> None:
    names = "abcdefgh"
    record = {name: [{"x": "1"} for _ in range(40)] for name in names}
    pattern: dict[str, Any] = {name: {"x": ["1"]} for name in names}

    assert matches(pattern, record)
    assert not matches(pattern | {"z": ["1"]}, record)
