"""Python's values to DynamoDB's typed ones: `Decimal("12.50")` becomes `{"N": "12.50"}`."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal, DecimalException

from lambda_runtime._values.numbers_as import DYNAMODB, converter, exact
from lambda_runtime.errors import AttributeValueError, kind_of

__all__ = ["encode"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from lambda_runtime._values.numbers_as import Numbers

    Binary = Literal["base64", "bytes"]
    How = tuple[bool, bool]  # floats are welcome; bytes become base64 text


def encode(
    value: Any, *, numbers: Numbers = "decimal", binary: Binary = "base64"
) -> dict[str, Any]:
    """Encode one value as DynamoDB does: `[1, None]` becomes `{"L": [{"N": "1"}, {"NULL": True}]}`.

    It takes back everything `decode` gives, and tuples, mappings, sets and bytearrays besides.
    Numbers keep all their digits. A float is refused, since most decimals are not what they look
    like as floats, unless `numbers="float"` accepts their shortest text.

    `binary` is what B becomes: "base64" as in Lambda's events and in any JSON; "bytes" for a boto3
    client, which makes base64 itself and would store the base64 text as the value.

    Raises:
        AttributeValueError: with the path of what DynamoDB cannot hold: an empty or a mixed set,
            more than 38 digits, NaN, a key that is no text, any other type.
    """
    converter(numbers)
    if binary not in ("base64", "bytes"):
        raise ValueError(f"binary must be one of base64 bytes, got {binary!r}")
    try:
        return _value(value, (numbers == "float", binary == "base64"))
    except _Unencodable as fault:
        raise AttributeValueError(fault.why, fault.trail[::-1]) from None
    except RecursionError:
        why = "nested deeper than Python can follow; DynamoDB nests at most 32 levels"
        raise AttributeValueError(why) from None


class _Unencodable(Exception):  # noqa: N818 - private, and turned into an error of ours at once
    """Why a value cannot be encoded; each container it passes on its way up adds a step."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.trail: list[str | int] = []


def _value(value: Any, how: How) -> dict[str, Any]:
    tag = _tag(value)
    if tag is not None:
        return {tag: _scalar(tag, value, how)}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (list, tuple)):
        return {"L": _list(value, how)}
    if isinstance(value, Mapping):
        return {"M": _map(value, how)}
    return _set(value, how)


def _map(value: Mapping[Any, Any], how: How) -> dict[str, Any]:
    encoded = {}
    for name, one in value.items():
        if not isinstance(name, str):
            raise _Unencodable(f"a key is of type {type(name).__name__}, expected str")
        try:
            encoded[name] = _value(one, how)
        except _Unencodable as fault:
            fault.trail.append(name)
            raise
    return encoded


def _list(value: list[Any] | tuple[Any, ...], how: How) -> list[Any]:
    encoded = []
    for at, one in enumerate(value):
        try:
            encoded.append(_value(one, how))
        except _Unencodable as fault:
            fault.trail.append(at)
            raise
    return encoded


def _set(value: Any, how: How) -> dict[str, Any]:
    if not isinstance(value, AbstractSet):
        raise _unknown(value)
    tags = {_member_tag(one) for one in value}
    if not tags:
        raise _Unencodable("the set is empty, and DynamoDB has no empty sets; leave it out")
    if len(tags) > 1:
        found = " and ".join(sorted(tags))
        raise _Unencodable(f"the set mixes {found}, expected members of one type")
    (tag,) = tags
    # Sorted, so that the same set is always the same document.
    return {f"{tag}S": sorted(_scalar(tag, one, how) for one in value)}


def _tag(value: Any) -> str | None:
    """The type of a value that may be a member of a set; None for any other."""
    if isinstance(value, str):
        return "S"
    if isinstance(value, (Decimal, int, float)) and not isinstance(value, bool):
        return "N"
    return "B" if isinstance(value, (bytes, bytearray)) else None


def _member_tag(value: Any) -> str:
    tag = _tag(value)
    if tag is None:
        raise _unknown(value)
    return tag


def _unknown(value: Any) -> _Unencodable:
    return _Unencodable(
        f"cannot encode {kind_of(value)}, expected str, bytes, bool, None, int, Decimal, "
        "or a list, mapping or set of them"
    )


def _scalar(tag: str, value: Any, how: How) -> str | bytes:
    floats, base64 = how
    if tag == "S":
        return str.__str__(value)
    if tag == "N":
        return _number_text(value, floats=floats)
    return b2a_base64(value, newline=False).decode() if base64 else bytes(value)


def _number_text(value: Decimal | float, *, floats: bool) -> str:
    if isinstance(value, float):
        if not floats:
            raise _Unencodable('got a float, expected Decimal(str(x)); numbers="float" accepts it')
        value = Decimal(float.__repr__(value))
    try:
        number = exact(value)
    except DecimalException:
        raise _Unencodable(
            "the number is outside DynamoDB's, expected at most 38 digits between 1E-130 and "
            "9.99E+125"
        ) from None
    if not number.is_finite():
        raise _Unencodable("NaN and Infinity are no DynamoDB numbers")
    return DYNAMODB.to_sci_string(number)
