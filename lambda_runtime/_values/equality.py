"""Compare two typed values by what they mean to DynamoDB."""

from __future__ import annotations

from lambda_runtime._values.decoding import decode
from lambda_runtime._values.numbers_as import exact

__all__ = ["same"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two typed values, written differently, are one value to DynamoDB.

    Numbers are compared by value (`1` is `1.0`), sets without regard to order, lists and maps
    member by member. Types never mix: N `1` is not BOOL true, though Python says `1 == True`.
    """
    if "S" in one:
        return False
    (tag,) = one
    if tag not in other:
        return False
    left, right = one[tag], other[tag]
    if tag == "N":
        return exact(left) == exact(right)
    if tag == "M":
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    if tag == "L":
        return len(left) == len(right) and all(map(_same, left, right))
    # BOOL and NULL that differ in text differ; sets and binaries may be written in two ways.
    return tag in {"SS", "NS", "BS", "B"} and bool(decode(one) == decode(other))


def _same(one: Any, other: Any) -> bool:
    return one == other or same(one, other)
