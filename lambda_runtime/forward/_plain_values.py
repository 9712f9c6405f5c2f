"""DynamoDB's typed values as plain JSON that any reader gets exactly.

| DynamoDB      | JSON                                                                    |
|---------------|-------------------------------------------------------------------------|
| S, BOOL, NULL | string, true or false, null                                             |
| N             | number; string where a double would change it                           |
| B             | string: base64                                                          |
| SS, NS, BS    | array, sorted                                                           |
| L, M          | array, object                                                           |

The types that JSON does not have stand beside it: `types` maps the JSON Pointer (RFC 6901) of a
value to its DynamoDB type, such as `{"/after/tags": "SS"}`. With it, the typed value can be made
again.

Numbers follow I-JSON (RFC 7493, 2.2): most readers, Lambda's included, make doubles of them, and
EventBridge refuses integers of more than 64 bits. A number that a double would change, or
one beyond 2**53 - 1, is therefore a string of all its digits, and `types` says "N".
"""

from __future__ import annotations

from decimal import Decimal
from json.encoder import encode_basestring_ascii

from lambda_runtime._values.decoding import DECODERS, WRONG
from lambda_runtime._values.json_text import to_json

__all__ = ["plain_map", "quoted"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_runtime._changes.items import Item

_LARGEST_INTEGER = 2**53 - 1

quoted = encode_basestring_ascii
"""Write text as a JSON string in ASCII: no service refuses it, and its length is its size."""


def plain_map(item: Item, pointer: str, types: dict[str, str]) -> str:
    """Write keys or an image as a JSON object: `{"pk": {"S": "a"}}` becomes `{"pk":"a"}`.

    Args:
        item: The keys or the image.
        pointer: Where the object stands in the document, such as `/after`.
        types: The types of the values are added here.

    Raises:
        AttributeValueError: for what is no DynamoDB value, with its path.
    """
    try:
        return _object(item.raw, pointer, types)
    except WRONG:
        item.to_dict()  # It raises the error that says what is wrong, and where.
        raise


def _object(attributes: Any, pointer: str, types: dict[str, str]) -> str:
    members = (
        f"{quoted(name)}:{_value(value, f'{pointer}/{_escaped(name)}', types)}"
        for name, value in attributes.items()
    )
    return f"{{{','.join(members)}}}"


def _value(value: Any, pointer: str, types: dict[str, str]) -> str:
    (tag,) = value
    content = value[tag]
    if tag == "M":
        return _object(content, pointer, types)
    if tag == "L":
        members = (_value(one, f"{pointer}/{at}", types) for at, one in enumerate(content))
        return f"[{','.join(members)}]"
    decoded = DECODERS[tag](content, None)
    if tag in _TOLD or (tag == "N" and not _survives(decoded)):
        types[pointer] = tag
    if tag == "NS":
        # Strings, each of them: one rule for all members of all sets of numbers.
        return to_json([str(number) for number in sorted(decoded)])
    return to_json(str(decoded) if pointer in types and tag == "N" else decoded)


# Types that JSON has no form of its own for.
_TOLD = ("B", "SS", "NS", "BS")


def _survives(number: Decimal) -> bool:
    """Tell whether every reader of JSON gets this number as it is."""
    return abs(number) <= _LARGEST_INTEGER and Decimal(repr(float(number))) == number


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
