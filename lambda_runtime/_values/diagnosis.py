"""Say what is wrong with a typed value, and where: the slow half of decoding.

Only called when `attributes` has failed on the same value, so it may take its time. It knows the
same rules; tests hold the two together.
"""

from __future__ import annotations

from binascii import Error, a2b_base64
from decimal import DecimalException

from lambda_runtime._values.numbers_as import exact
from lambda_runtime.errors import AttributeValueError, kind_of

__all__ = ["TAGS", "explain"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Path = tuple[str | int, ...]
    Fault = tuple[str, Path]

TAGS = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL")


def explain(value: Any, path: Path = ()) -> AttributeValueError:
    """Build the error for the first thing in `value` that is no DynamoDB value."""
    try:
        fault = _fault(value, path)
    except RecursionError:
        fault = ("nested deeper than Python can follow; DynamoDB nests at most 32 levels", path)
    return AttributeValueError(*(fault or ("cannot be decoded", path)))


def _fault(value: Any, path: Path) -> Fault | None:
    if not isinstance(value, dict):
        return f'got {kind_of(value)}, expected a typed value such as {{"S": "text"}}', path
    if len(value) != 1:
        found = " ".join(str(tag)[:40] for tag in list(value)[:4]) or "none"
        return f"got {len(value)} attribute types ({found}), expected exactly one", path
    ((tag, data),) = value.items()
    if tag not in TAGS:
        return f"unknown attribute type {str(tag)[:40]!r}, expected one of {' '.join(TAGS)}", path
    if tag in _CONTAINERS:
        return _CONTAINERS[tag](tag, data, path)
    why = _scalar_fault(tag, data)
    return (f"{tag} {why}", path) if why else None


def _map_fault(_: str, data: Any, path: Path) -> Fault | None:
    if not isinstance(data, dict):
        return f"M holds {kind_of(data)}, expected an object of typed values", path
    return next((f for name, one in data.items() if (f := _fault(one, (*path, name)))), None)


def _list_fault(_: str, data: Any, path: Path) -> Fault | None:
    if not isinstance(data, list):
        return f"L holds {kind_of(data)}, expected an array of typed values", path
    return next((f for at, one in enumerate(data) if (f := _fault(one, (*path, at)))), None)


def _set_fault(tag: str, data: Any, path: Path) -> Fault | None:
    if not isinstance(data, list):
        return f"{tag} holds {kind_of(data)}, expected an array", path
    if not data:
        return f"{tag} is empty, and DynamoDB has no empty sets", path
    for at, one in enumerate(data):
        if why := _scalar_fault(tag[0], one):
            return f"{tag} {why}", (*path, at)
    return f"{tag} holds one member twice", path


_CONTAINERS = {
    "M": _map_fault,
    "L": _list_fault,
    "SS": _set_fault,
    "NS": _set_fault,
    "BS": _set_fault,
}


def _scalar_fault(tag: str, data: Any) -> str | None:
    if tag == "BOOL":
        return None if isinstance(data, bool) else f"holds {kind_of(data)}, expected a boolean"
    if tag == "NULL":
        return None if data is True else f"holds {kind_of(data)}, expected true"
    if isinstance(data, str):
        return _TEXT_FAULTS[tag](data)
    if tag == "B" and isinstance(data, (bytes, bytearray)):
        return None
    return f"holds {kind_of(data)}, expected text"


def _number_fault(text: str) -> str | None:
    try:
        if text.isascii() and exact(text).is_finite():
            return None
    except DecimalException:
        pass
    return (
        f"holds text of {len(text)} characters that is no DynamoDB number, expected at most "
        "38 digits between 1E-130 and 9.99E+125"
    )


def _binary_fault(text: str) -> str | None:
    try:
        a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        return f"holds text of {len(text)} characters that is no base64"
    return None


_TEXT_FAULTS: dict[str, Callable[[str], str | None]] = {
    "S": lambda _: None,
    "N": _number_fault,
    "B": _binary_fault,
}
