"""What DynamoDB keeps of a Python value, and how many bytes it counts for it."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cdk_streams.errors import SourceError
from lambda_runtime import encode

__all__ = ["Attributes", "size_bytes", "stored"]

Attributes = dict[str, dict[str, Any]]
"""An item or a key as the stream carries it: `{"pk": {"S": "ORDER#1"}}`."""

# A list or map has overhead of its own and for each element.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
_CONTAINER_BYTES = 3
_ELEMENT_BYTES = 1


def stored(item: Mapping[str, Any]) -> Attributes:
    """Return the item as DynamoDB would hand it back: `{"n": 1}` becomes `{"n": {"N": "1"}}`.

    Numbers come in DynamoDB's own text (`Decimal("12.50")` as `"12.5"`, `Decimal("1E+2")` as
    `"100"`), members of sets in a fixed order.

    Raises:
        SourceError: It is no dict of attributes.
        AttributeValueError: A value that DynamoDB cannot hold, such as a float or an empty set.

    """
    if not isinstance(item, Mapping):
        raise SourceError(
            f"an item or a key must be a dict of attributes, got {type(item).__name__}; write "
            '{"pk": "ORDER#1"}'
        )
    attributes: Attributes = encode(item)["M"]
    return {name: _canonical(value) for name, value in attributes.items()}


def size_bytes(*parts: Mapping[str, Any]) -> int:
    """Count a record's `SizeBytes` over its Keys, NewImage and OldImage, those that it carries.

    Each attribute counts its name and its value in UTF-8; a number counts one byte for every two
    significant digits and one more. Recorded for strings and numbers; sets, lists and maps follow
    DynamoDB's documentation of item sizes.
    """
    return sum(_utf8(name) + _value_bytes(value) for part in parts for name, value in part.items())


def _canonical(value: dict[str, Any]) -> dict[str, Any]:
    ((tag, content),) = value.items()
    if tag == "N":
        return {tag: _number(content)}
    if tag == "NS":
        return {tag: [_number(each) for each in content]}
    if tag == "L":
        return {tag: [_canonical(each) for each in content]}
    if tag == "M":
        return {tag: {name: _canonical(each) for name, each in content.items()}}
    return value


def _number(text: str) -> str:
    # Not Decimal.normalize(): it rounds to the precision of whatever context is current.
    plain = format(Decimal(text), "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((tag, content),) = value.items()
    if tag in {"SS", "NS", "BS"}:
        return sum(_value_bytes({tag[0]: each}) for each in content)
    if tag == "L":
        inner = sum(_ELEMENT_BYTES + _value_bytes(each) for each in content)
        return _CONTAINER_BYTES + inner
    if tag == "M":
        inner = sum(
            _ELEMENT_BYTES + _utf8(name) + _value_bytes(each) for name, each in content.items()
        )
        return _CONTAINER_BYTES + inner
    return _scalar_bytes(tag, content)


def _scalar_bytes(tag: str, content: Any) -> int:
    if tag == "S":
        return _utf8(content)
    if tag == "B":
        return len(a2b_base64(content))
    if tag == "N":
        digits = len(content.lstrip("-").replace(".", "").strip("0")) or 1
        return (digits + 1) // 2 + 1
    return 1  # BOOL and NULL


def _utf8(text: str) -> int:
    return len(text.encode())
