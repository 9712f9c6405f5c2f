"""Whatever a pattern looks like, the answer is a bool or a FilterError."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from cdk_streams.errors import FilterError
from cdk_streams.filters import matches

NAMES = st.sampled_from(
    ["a", "b", "a.b", "", ".", "$or", "S", "prefix", "suffix", "exists", "anything-but", "numeric",
     "equals-ignore-case", "wildcard", "cidr", "exactly", "=", ">", "<="]
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.sampled_from(["a*", "\\", "10.0.0.1", "::1", "10.0.0.0/8", ">", "<", "=", "1:2"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=25,
)
RECORDS = st.dictionaries(st.sampled_from(["a", "b", "a.b", "S", ""]), JSON, max_size=4)


def answer(pattern: Any, record: dict[str, Any]) -> bool | None:
    try:
        return matches(pattern, record)
    except FilterError:
        return None


@given(st.dictionaries(NAMES, JSON, min_size=1, max_size=3), RECORDS)
def test_any_json_object_is_matched_or_refused(
    pattern: dict[str, Any], record: dict[str, Any]
) -> None:
    assert answer(pattern, record) in (True, False, None)


@given(st.text(), RECORDS)
@example('{"a": [1e999999999999999999999]}', {"a": 1})
@example('{"a": [' + "9" * 5_000 + "]}", {"a": 1})
@example('{"a": [' + "9" * 500 + "]}", {"a": 10**4_999})
@example('{"a": ["' + "9" * 5_000 + '.1.1.1"]}', {"a": "9" * 5_000 + ".1.1.1"})
@example('{"a": [{"cidr": "10.0.0.0/' + "9" * 5_000 + '"}]}', {"a": "10.0.0.1"})
@example('{"a": ["\\ud800"]}', {"a": "\ud800"})
def test_any_text_is_matched_or_refused(pattern: str, record: dict[str, Any]) -> None:
    assert answer(pattern, record) in (True, False, None)


@given(JSON, st.integers(0, 200), st.text(max_size=2))
def test_a_pattern_with_a_slip_of_the_pen_is_matched_or_refused(
    inner: Any, position: int, slip: str
) -> None:
    text = json.dumps({"dynamodb": {"NewImage": {"a": inner}}})
    assert answer(text[:position] + slip + text[position + 1 :], {"dynamodb": {}}) in (
        True,
        False,
        None,
    )


@given(st.text(max_size=6), st.text(max_size=6))
def test_equality_and_anything_but_disagree_on_every_text(banned: str, value: str) -> None:
    # An address in a pattern also equals its other spellings; `exactly` does not.
    equal = matches({"a": [{"exactly": banned}]}, {"a": value})
    assert matches({"a": [{"anything-but": banned}]}, {"a": value}) is not equal


@given(st.text(max_size=6), st.text(max_size=6))
def test_a_wildcard_finds_its_text_anywhere(part: str, around: str) -> None:
    escaped = part.replace("\\", "\\\\").replace("*", "\\*")
    value = around + part + around
    assert matches({"a": [{"wildcard": f"*{escaped}*" if escaped else "*"}]}, {"a": value})
