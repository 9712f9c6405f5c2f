"""From one item of the source to the items of the target.

A transform takes a source item as a dict of Python values and returns what stands for it in the
target: None (nothing), one item, or several. It depends on the item alone, so that the same item
always gives the same result. Two source items must not give items with the same key.

    def shape(item: dict) -> dict | None:
        if item["status"] == "DRAFT":
            return None
        return {"customer": item["customer"], "order": item["pk"], "total": item["total"]}
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from importlib import import_module
from typing import Any, TypeAlias

from lambda_runtime import decode, encode
from lambda_runtime._tables.conditional_writes import DELETED
from lambda_runtime.errors import AttributeValueError
from lambda_runtime.replication._errors import ReplicaError, TransformError
from lambda_runtime.replication._requests import is_guard_attribute

__all__ = [
    "Attributes",
    "Key",
    "Transform",
    "for_client",
    "key_of",
    "load_transform",
    "owner_text",
    "target_items",
]

Attributes: TypeAlias = dict[str, dict[str, Any]]
"""An item in DynamoDB's typed values, as a boto3 client takes it: B is bytes."""
Key: TypeAlias = tuple[tuple[str, str | bytes], ...]
"""The key of an item: `(("S", "ORDER#1"), ("N", "7"))`, in the order of the key attributes."""
Transform: TypeAlias = Callable[
    [dict[str, Any]], Mapping[str, Any] | Iterable[Mapping[str, Any]] | None
]
"""Makes the target's item, several or none of them, of a decoded source item."""

_KEY_TYPES = ("S", "N", "B")


def load_transform(named: str) -> Transform:
    """Import a transform by `module:function`.

    Raises:
        ReplicaError: There is no such module or function.
    """
    module, _, function = named.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ReplicaError(
            f"the transform must be module:function, got {named!r}, which cannot be imported: "
            f"{error}"
        ) from error
    if not callable(found):
        raise ReplicaError(f"the transform {named!r} must be a function, got {found!r}")
    made: Transform = found
    return made


def target_items(
    raw: Mapping[str, Any], keys: tuple[str, ...], transform: Transform | None
) -> dict[Key, Attributes]:
    """The target items that stand for one source item, by their keys.

    Args:
        raw: The source item in typed values, B as base64 text (Lambda) or bytes (boto3). A
            tombstone of another replica stands for nothing.
        keys: The target's key attributes.
        transform: None copies the item.

    Raises:
        TransformError: The transform raised, or gave what is no item of the target.
    """
    if DELETED in raw:
        return {}
    plain = {name: value for name, value in raw.items() if not is_guard_attribute(name)}
    if transform is None:
        item = {name: for_client(value) for name, value in plain.items()}
        return {key_of(item, keys): item}
    return _keyed(_called(transform, decode({"M": plain})), keys)


def key_of(item: Attributes, keys: tuple[str, ...]) -> Key:
    """The key of an item in typed values.

    Raises:
        TransformError: A key attribute is missing, empty or of a type that no key has.
    """
    found: list[tuple[str, str | bytes]] = []
    for name in keys:
        ((tag, content),) = item[name].items() if name in item else (("nothing", None),)
        if tag not in _KEY_TYPES or not content:
            raise TransformError(
                f"an item of the target must have the key attributes {', '.join(keys)} as text, "
                f"number or bytes that are not empty, got {tag} for {name}"
            )
        # A number has several spellings, and one key.
        found.append((tag, str(Decimal(content).normalize()) if tag == "N" else content))
    return tuple(found)


def owner_text(keys: Mapping[str, Any]) -> str:
    """The key of a source item as text, the same each time: `{"pk":{"S":"ORDER#1"}}`.

    Args:
        keys: The key attributes in typed values, B as bytes or as base64 text.
    """
    typed = encode({name: decode(value) for name, value in keys.items()})["M"]
    return json.dumps(typed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def for_client(value: dict[str, Any]) -> dict[str, Any]:
    """One typed value as a boto3 client takes it: B as bytes, everything else as it is."""
    ((tag, content),) = value.items()
    if tag == "B":
        return {tag: _bytes(content)}
    if tag == "BS":
        return {tag: [_bytes(each) for each in content]}
    if tag == "L":
        return {tag: [for_client(each) for each in content]}
    if tag == "M":
        return {tag: {name: for_client(each) for name, each in content.items()}}
    return value


def _bytes(content: str | bytes) -> bytes:
    return a2b_base64(content) if isinstance(content, str) else bytes(content)


def _called(transform: Transform, item: dict[str, Any]) -> list[Mapping[str, Any]]:
    name = getattr(transform, "__name__", "transform")
    try:
        made = transform(item)
        if made is None:
            return []
        items: list[Any] = [made] if isinstance(made, Mapping) else list(made)
    except Exception as error:
        raise TransformError(
            f"the transform {name} raised {type(error).__name__}; the change stays unwritten and "
            "is tried again"
        ) from error
    for each in items:
        if not isinstance(each, Mapping):
            raise TransformError(
                f"the transform {name} must return None, an item or items, got "
                f"{type(each).__name__} among them"
            )
    return items


def _keyed(items: list[Mapping[str, Any]], keys: tuple[str, ...]) -> dict[Key, Attributes]:
    found: dict[Key, Attributes] = {}
    for each in items:
        try:
            item: Attributes = encode(each, binary="bytes")["M"]
        except AttributeValueError as error:
            raise TransformError(f"the transform must return DynamoDB items: {error}") from error
        key = key_of(item, keys)
        if key in found:
            raise TransformError("the transform must give its items different keys, got one twice")
        if any(is_guard_attribute(name) for name in item):
            raise TransformError("the transform must leave names that begin with _stream_ alone")
        found[key] = item
    return found
