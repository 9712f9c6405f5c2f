"""JSON Schema of events' data, from the class that items have: for a registry, for consumers.

| annotation                           | JSON Schema                                          |
|--------------------------------------|------------------------------------------------------|
| str, bool, None                      | string, boolean, null                                |
| Decimal, float                       | number, or a string of its digits                    |
| int                                  | integer, or a string of its digits                   |
| bytes                                | string, contentEncoding base64                       |
| list[T], Sequence[T], tuple[T, ...]  | array of T                                           |
| set[T], frozenset[T]                 | array of T, unique; of strings where T is a number   |
| dict[str, T], Mapping[str, T]        | object of T                                          |
| dataclass, TypedDict, pydantic model | object, in `$defs`                                   |
| a union, Literal, Enum               | anyOf, enum                                          |
| datetime, date, time, UUID           | string with that format                              |
| anything else                        | anything                                             |
"""

from __future__ import annotations

import types
import typing
from collections import abc
from decimal import Decimal
from enum import EnumMeta

from lambda_runtime._values.typed import members_of, wrapped
from lambda_runtime.forward._errors import ForwardError
from lambda_runtime.forward._events import ITEM_CHANGE_SCHEMA

__all__ = ["json_schema"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Schema = dict[str, Any]

_DIGITS = {"type": "string", "pattern": r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"}
_SCALARS: dict[Any, Any] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    int: {"anyOf": [{"type": "integer"}, _DIGITS]},
    float: {"anyOf": [{"type": "number"}, _DIGITS]},
    Decimal: {"anyOf": [{"type": "number"}, _DIGITS]},
    bytes: {"type": "string", "contentEncoding": "base64"},
}
_NUMBERS = (int, float, Decimal)
_FORMATS = {
    ("datetime", "datetime"): "date-time",
    ("datetime", "date"): "date",
    ("datetime", "time"): "time",
    ("uuid", "UUID"): "uuid",
}
_ARRAYS = (list, tuple, abc.Sequence, abc.MutableSequence, abc.Iterable)
_SETS = (set, frozenset, abc.Set, abc.MutableSet)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)


def json_schema(model: Any, *, schema: str = ITEM_CHANGE_SCHEMA) -> dict[str, Any]:
    """Write the JSON Schema (2020-12) of `data` in events about the items of a class.

    Args:
        model: The class of an item: a dataclass, a TypedDict or a pydantic model.
        schema: The URI of the schema, which the events' `dataschema` names: a forwarder's `schema`.

    Returns:
        `{"$schema": …, "$id": schema, "type": "object", "properties": {"keys": …, "before": …,
        "after": …, "changed": …, …}, "$defs": {"Order": …}}`

    Raises:
        ForwardError: `model` is no such class.
    """
    if members_of(model) is None:
        raise ForwardError(
            f"model must be a dataclass, a TypedDict or a pydantic model, got {model!r}"
        )
    definitions: dict[str, Schema] = {}
    image = {"anyOf": [_schema(model, definitions), {"type": "null"}]}
    names = {"type": "array", "items": {"type": "string"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema,
        "title": f"A change of one {model.__name__}",
        "type": "object",
        "properties": {
            "keys": {"type": "object", "description": "The key attributes of the item."},
            "before": {**image, "description": "The item before the change."},
            "after": {**image, "description": "The item after the change."},
            "changed": {**names, "description": "Names of attributes that a MODIFY changed."},
            "types": {
                "type": "object",
                "additionalProperties": {"enum": ["N", "B", "SS", "NS", "BS"]},
                "description": "JSON Pointers of values whose DynamoDB type JSON does not tell.",
            },
            "omitted": {**names, "description": "Members left out because of their size."},
        },
        "required": ["keys"],
        "$defs": definitions,
    }


def _schema(annotation: Any, definitions: dict[str, Schema]) -> Schema:
    if isinstance(annotation, abc.Hashable) and annotation in _SCALARS:
        return dict(_SCALARS[annotation])
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if (inner := wrapped(annotation, origin)) is not None:
        return _schema(inner, definitions)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(one, definitions) for one in arguments]}
    if members_of(annotation) is not None:
        return _defined(annotation, definitions)
    return _text(annotation, origin) or _container(origin, arguments, definitions)


def _text(annotation: Any, origin: Any) -> Schema | None:
    if origin is typing.Literal:
        return {"enum": list(typing.get_args(annotation))}
    if isinstance(annotation, EnumMeta):
        members: list[Any] = list(annotation)
        return {"enum": [member.value for member in members]}
    home = (getattr(annotation, "__module__", ""), getattr(annotation, "__name__", ""))
    return {"type": "string", "format": _FORMATS[home]} if home in _FORMATS else None


def _container(origin: Any, arguments: Any, definitions: dict[str, Schema]) -> Schema:
    if origin in _MAPPINGS:
        of = _schema(arguments[1], definitions) if arguments else {}
        return {"type": "object", "additionalProperties": of}
    if origin is tuple and arguments and arguments[-1] is not ...:
        return {"type": "array", "prefixItems": [_schema(one, definitions) for one in arguments]}
    if origin in _SETS:
        numbers = bool(arguments) and arguments[0] in _NUMBERS
        of = _DIGITS if numbers else _schema(arguments[0], definitions) if arguments else {}
        return {"type": "array", "items": of, "uniqueItems": True}
    if origin in _ARRAYS:
        return {"type": "array", "items": _schema(arguments[0], definitions) if arguments else {}}
    return {}


def _defined(model: Any, definitions: dict[str, Schema]) -> Schema:
    """Refer to a class; it is written once, and may name itself."""
    name = model.__name__
    if name not in definitions:
        definitions[name] = {}
        members = list(members_of(model) or ())
        definitions[name] = {
            "type": "object",
            "properties": {at: _schema(hint, definitions) for at, _, _, hint in members},
            "required": [at for at, _, required, _ in members if required],
        }
    return {"$ref": f"#/$defs/{name}"}
