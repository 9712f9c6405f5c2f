"""Each kind of pattern that Lambda refuses: where it is wrong, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.errors import FilterError
from cdk_streams.filters import compile_pattern, matches

REFUSED = {
    "plain text": ("single-string", "$", "must be JSON"),
    "broken JSON": ('{"a": ["b"', "$", "must be JSON"),
    "text behind the object": ('{"a": ["b"]} x', "$", "must be JSON"),
    "an array": ('["a"]', "$", "must be a JSON object, got an array"),
    "not a number": ('{"a": [NaN]}', "$", "NaN is no JSON number"),
    "an empty object": ("{}", "$", "empty object"),
    "an empty object inside": ('{"a": {}}', "$.a", "empty object"),
    "an empty array": ('{"eventName": []}', "$.eventName", "empty array"),
    "a bare value": ('{"a": "b"}', "$.a", 'got the text "b"'),
    "a bare number": ('{"a": 1}', "$.a", "got the number 1"),
    "a bare null": ('{"a": null}', "$.a", "got null"),
    "an array in an array": ('{"a": [["b"]]}', "$.a[0]", "an array cannot stand inside"),
    "a name with a blank": ('{"a b": 1}', '$["a b"]', "takes an array"),
    "no operator": ('{"a": [{}]}', "$.a[0]", "exactly one key, got 0"),
    "two operators": ('{"a": ["x", {"prefix": "a", "suffix": "b"}]}', "$.a[1]", "one key, got 2"),
    "one operator twice": ('{"a": [{"prefix": "a", "prefix": "a"}]}', "$.a[0]", "one key, got 2"),
    "an unknown operator": ('{"a": [{"regex": "x"}]}', "$.a[0]", "'regex' is no operator"),
    "a prefix list": ('{"a": [{"prefix": ["x"]}]}', "$.a[0].prefix", "one text, got an array"),
    "a prefix of another kind": (
        '{"a": [{"prefix": {"suffix": "x"}}]}',
        "$.a[0].prefix",
        '{"equals-ignore-case": text}',
    ),
    "a number as suffix": ('{"a": [{"suffix": 1}]}', "$.a[0].suffix", "takes one text"),
    "null ignoring case": (
        '{"a": [{"equals-ignore-case": null}]}',
        "$.a[0].equals-ignore-case",
        "got null",
    ),
    "exists as text": ('{"a": [{"exists": "true"}]}', "$.a[0].exists", "must be true or false"),
    "exists as number": ('{"a": [{"exists": 1}]}', "$.a[0].exists", "must be true or false"),
    "numeric without an array": ('{"a": [{"numeric": 10}]}', "$.a[0].numeric", "one comparison"),
    "numeric without a sign": ('{"a": [{"numeric": [10]}]}', "$.a[0].numeric", "one comparison"),
    "numeric without a number": ('{"a": [{"numeric": [">"]}]}', "$.a[0].numeric", "comparison"),
    "numeric with text": ('{"a": [{"numeric": [">", "1"]}]}', "$.a[0].numeric", "without quotes"),
    "an unknown comparison": ('{"a": [{"numeric": ["==", 1]}]}', "$.a[0].numeric", "'=='"),
    "bounds in the wrong order": (
        '{"a": [{"numeric": ["<", 5, ">", 0]}]}',
        "$.a[0].numeric",
        "a lower and then an upper bound",
    ),
    "three bounds": (
        '{"a": [{"numeric": [">", 0, "<", 5, "<", 6]}]}',
        "$.a[0].numeric",
        "one comparison",
    ),
    "an empty range": ('{"a": [{"numeric": [">=", 5, "<=", 5]}]}', "$.a[0].numeric", "less than"),
    "more digits than a double": (
        '{"a": [{"numeric": ["=", 12345678901234567890]}]}',
        "$.a[0].numeric",
        "more digits",
    ),
    "anything but true": ('{"a": [{"anything-but": true}]}', "$.a[0].anything-but", "got true"),
    "anything but nothing": ('{"a": [{"anything-but": []}]}', "$.a[0].anything-but", "empty array"),
    "anything but a mixture": (
        '{"a": [{"anything-but": ["a", 1]}]}',
        "$.a[0].anything-but",
        "one kind",
    ),
    "anything but a number too long": (
        '{"a": [{"anything-but": [12345678901234567890]}]}',
        "$.a[0].anything-but",
        "more digits",
    ),
    "anything but an empty prefix": (
        '{"a": [{"anything-but": {"prefix": ["a", ""]}}]}',
        "$.a[0].anything-but.prefix",
        "empty prefix",
    ),
    "anything but no prefix": (
        '{"a": [{"anything-but": {"prefix": []}}]}',
        "$.a[0].anything-but.prefix",
        "one text or a list",
    ),
    "anything but a number as suffix": (
        '{"a": [{"anything-but": {"suffix": 5}}]}',
        "$.a[0].anything-but.suffix",
        "one text or a list",
    ),
    "anything but another operator": (
        '{"a": [{"anything-but": {"exists": true}}]}',
        "$.a[0].anything-but",
        "got exists",
    ),
    "two wildcards together": ('{"a": [{"wildcard": "a**b"}]}', "$.a[0].wildcard", "character 1"),
    "a backslash before a letter": (r'{"a": [{"wildcard": "\\d"}]}', "$.a[0].wildcard", "escapes"),
    "a backslash at the end": (
        r'{"a": [{"anything-but": {"wildcard": "x\\"}}]}',
        "$.a[0].anything-but.wildcard",
        "backslash at character 1",
    ),
    "$or as an object": ('{"$or": {"a": ["b"]}}', "$.$or", "array of at least two objects"),
    "$or of one": ('{"d": {"$or": [{"a": ["b"]}]}}', "$.d.$or", "at least two objects"),
    "$or of texts": ('{"$or": ["a", "b"]}', "$.$or", "at least two objects"),
    "an empty branch": ('{"$or": [{"a": ["b"]}, {}]}', "$.$or[1]", "empty object"),
    "an operator's name inside $or": (
        '{"$or": [{"a": {"prefix": ["b"]}}, {"c": ["d"]}]}',
        "$.$or[0].a.prefix",
        "one filter for each branch",
    ),
}


@pytest.mark.parametrize(("pattern", "where", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_a_pattern_that_lambda_refuses(pattern: str, where: str, why: str) -> None:
    with pytest.raises(FilterError) as raised:
        matches(pattern, {})
    assert raised.value.where == where
    assert why in raised.value.why


def test_an_operators_name_outside_or_is_an_ordinary_field() -> None:
    assert matches('{"prefix": {"numeric": ["b"]}}', {"prefix": {"numeric": "b"}})


def test_more_ways_through_or_than_are_taken_are_refused_at_once() -> None:
    branches = ",".join('"$or":[{"a":["1"]},{"b":["2"]}]' for _ in range(100))

    with pytest.raises(FilterError, match="more than 1,000 combinations"):
        compile_pattern(f"{{{branches}}}")


def test_more_fields_than_are_taken_are_refused() -> None:
    allowed = {f"field{index}": ["x"] for index in range(256)}
    compile_pattern(allowed)

    with pytest.raises(FilterError, match="at most 256 fields"):
        compile_pattern(allowed | {"another": ["x"]})


@pytest.mark.parametrize("depth", [300, 3_000, 200_000])
def test_a_pattern_that_nests_without_end_is_refused(depth: int) -> None:
    with pytest.raises(FilterError):
        compile_pattern('{"a":' * depth + '["x"]' + "}" * depth)


@pytest.mark.parametrize(
    "pattern", [{"a": {"x"}}, {"a": [b"x"]}, {"a": [float("nan")]}, {("a",): ["x"]}], ids=repr
)
def test_a_dict_without_json_form_is_refused(pattern: dict[Any, Any]) -> None:
    with pytest.raises(FilterError, match="no JSON form"):
        compile_pattern(pattern)
