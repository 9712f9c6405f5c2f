"""DynamoDB's typed values to Python's: `{"N": "12.50"}` becomes `Decimal("12.50")`.

| DynamoDB   | as Lambda sends it          | Python                                     |
|------------|-----------------------------|--------------------------------------------|
| S          | text                        | str                                        |
| N          | text                        | Decimal, exact to 38 digits (or `numbers`) |
| B          | base64 text                 | bytes                                      |
| BOOL, NULL | true or false, true         | bool, None                                 |
| SS, NS, BS | array of text               | frozenset                                  |
| L, M       | array, object of typed ones | list, dict                                 |

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html

This is the hot path: it checks everything, keeps no path and explains nothing. When a value is
wrong, `diagnosis.explain` walks the same value again and says where and why.
"""

from __future__ import annotations

from binascii import a2b_base64

from lambda_runtime._values.numbers_as import converter, exact

__all__ = ["DECODERS", "WRONG", "decode", "decode_map", "decode_value", "wrong"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal
    from typing import Any

    from lambda_runtime._values.numbers_as import Convert, Numbers
    from lambda_runtime.errors import AttributeValueError

# What a wrong value makes DECODERS raise: all of Python's complaints, none of ours.
WRONG = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def wrong(value: Any, path: tuple[str | int, ...] = ()) -> AttributeValueError:
    """Build the error of a value that DECODERS failed on."""
    from lambda_runtime._values.diagnosis import explain  # noqa: PLC0415 - no cold start pays for no error

    return explain(value, path)


def decode(value: Mapping[str, Any], *, numbers: Numbers = "decimal") -> Any:
    """Decode one typed value: `{"L": [{"N": "1"}]}` becomes `[Decimal("1")]`.

    `numbers` chooses what N and NS become: "decimal" is exact; "int" gives an int for a whole
    number and a Decimal otherwise, and is exact too; "float" gives the nearest float.

    B is taken as base64 text, which is what Lambda sends, and as bytes, which is what boto3 gives.

    Raises:
        AttributeValueError: with the path of what is not a DynamoDB value.
    """
    return decode_value(value, converter(numbers))


def decode_value(value: Any, convert: Convert = None, path: tuple[str | int, ...] = ()) -> Any:
    """Decode one typed value that stands at `path`."""
    try:
        (tag,) = value
        return DECODERS[tag](value[tag], convert)
    except WRONG:
        raise wrong(value, path) from None


def decode_map(
    attributes: Mapping[str, Any], convert: Convert = None, path: tuple[str | int, ...] = ()
) -> dict[str, Any]:
    """Decode an image or keys: `{"pk": {"S": "a"}}` becomes `{"pk": "a"}`; always a new dict."""
    try:
        return _map(attributes, convert)
    except WRONG:
        raise wrong({"M": attributes}, path) from None


def _map(data: Any, convert: Convert) -> dict[str, Any]:
    # S and N are most of what tables hold: they are decoded here, without a call for each.
    decoded: dict[str, Any] = {}
    for name, value in data.items():
        (tag,) = value
        content = value[tag]
        if tag == "S" and content.__class__ is str:
            decoded[name] = content
        elif tag == "N" and convert is None:
            number = decoded[name] = exact(content)
            if not (content.isascii() and number.is_finite()):
                raise ValueError
        else:
            decoded[name] = DECODERS[tag](content, convert)
    return decoded


def _list(data: Any, convert: Convert) -> list[Any]:
    if data.__class__ is not list:
        raise TypeError
    decoded = []
    for value in data:
        (tag,) = value
        decoded.append(DECODERS[tag](value[tag], convert))
    return decoded


def _string(data: Any, _: Convert) -> str:
    if not isinstance(data, str):
        raise TypeError
    return data


def _number(data: Any, convert: Convert) -> Any:
    number: Decimal = exact(data)
    # "NaN", "Infinity" and digits of other scripts are numbers to Python, not to DynamoDB.
    if not (data.isascii() and number.is_finite()):
        raise ValueError
    return number if convert is None else convert(number)


def _binary(data: Any, _: Convert) -> bytes:
    if isinstance(data, str):
        return a2b_base64(data, strict_mode=True)
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    raise TypeError


def _bool(data: Any, _: Convert) -> bool:
    if data is True or data is False:
        return data is True
    raise TypeError


def _null(data: Any, _: Convert) -> None:
    if data is not True:
        raise ValueError


def _string_set(data: Any, _: Convert) -> frozenset[str]:
    "".join(data)  # the quickest way to see that all members are text: it raises when one is not
    return _set(data, data)


def _number_set(data: Any, convert: Convert) -> frozenset[Any]:
    return _set(data, [_number(one, convert) for one in data])


def _binary_set(data: Any, convert: Convert) -> frozenset[bytes]:
    return _set(data, [_binary(one, convert) for one in data])


def _set(data: Any, decoded: list[Any]) -> frozenset[Any]:
    members = frozenset(decoded)
    # DynamoDB has neither an empty set nor one that holds a member twice.
    if data.__class__ is not list or not members or len(members) != len(data):
        raise ValueError
    return members


DECODERS: dict[str, Callable[[Any, Convert], Any]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "SS": _string_set,
    "NS": _number_set,
    "BS": _binary_set,
    "M": _map,
    "L": _list,
    "BOOL": _bool,
    "NULL": _null,
}
